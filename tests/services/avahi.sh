# Avahi with the services of a printer.
# packages: avahi-daemon
# needs: avahi-daemon
# udp: 5353

mkdir -p /run/avahi-daemon etc
cat >avahi.conf <<END
[server]
host-name=press
use-ipv6=no
enable-dbus=no
[publish]
publish-workstation=no
[wide-area]
enable-wide-area=no
END
cat >etc/ipp.service <<END
<?xml version="1.0" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Press in the cellar</name><service><type>_ipp._tcp</type><port>631</port>
<txt-record>ty=Brother HL-L2350DW series</txt-record><txt-record>product=(Brother HL-L2350DW series)</txt-record>
<txt-record>note=Cellar</txt-record></service></service-group>
END
# Services are read from one directory only; this process has its own mounts.
mount -t tmpfs tmpfs /etc/avahi
mkdir /etc/avahi/services
cp etc/ipp.service /etc/avahi/services
exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$PWD/avahi.conf"
