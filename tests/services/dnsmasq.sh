# dnsmasq.
# packages: dnsmasq-base
# needs: dnsmasq
# tcp: 53
# udp: 53

printf 'port=53\nno-resolv\nno-hosts\nno-poll\nuser=root\npid-file=\n' >dnsmasq.conf
exec dnsmasq --keep-in-foreground -C dnsmasq.conf
