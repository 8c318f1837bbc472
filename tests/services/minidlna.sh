# MiniDLNA: SSDP and a UPnP description.
# packages: minidlna
# needs: minidlnad
# tcp: 8200
# udp: 1900

mkdir media db
cat >minidlna.conf <<END
port=8200
media_dir=$PWD/media
db_dir=$PWD/db
log_dir=$PWD/db
network_interface=eth0
friendly_name=Shelf of films
serial=5512345
model_number=7
END
ip route add 239.0.0.0/8 dev eth0
exec minidlnad -S -f "$PWD/minidlna.conf" -P /run/minidlna.pid
