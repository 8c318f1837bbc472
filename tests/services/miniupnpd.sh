# MiniUPnPd, the gateway of UPnP.
# packages: miniupnpd-nftables
# needs: miniupnpd
# tcp: 5000
# udp: 1900

ip link add wan0 type veth peer name wan1
ip addr add 198.51.100.7/24 dev wan0
ip link set wan0 up
ip route add 239.0.0.0/8 dev eth0
cat >miniupnpd.conf <<END
ext_ifname=wan0
ext_ip=1.2.3.4
listening_ip=eth0
http_port=5000
enable_natpmp=no
enable_upnp=yes
secure_mode=yes
uuid=5f1a1d2e-6f63-4a51-9d2f-8a3f6c1c0a11
friendly_name=Gate
manufacturer_name=Works
model_name=Gate router
model_number=3
serial=12345
upnp_table_name=lab
upnp_nat_chain=a
upnp_forward_chain=b
upnp_nat_postrouting_chain=c
END
exec miniupnpd -d -f "$PWD/miniupnpd.conf" -P /run/miniupnpd.pid
