# The IPP Everywhere printer of CUPS, which Avahi announces.
# packages: cups-ipp-utils avahi-daemon dbus
# needs: ippeveprinter avahi-daemon dbus-daemon
# tcp: 631
# udp: 5353

mkdir -p /run/dbus /run/avahi-daemon
dbus-daemon --system --fork --nopidfile
printf '[server]\nhost-name=room9\nuse-ipv6=no\n[publish]\npublish-workstation=no\n[wide-area]\nenable-wide-area=no\n' >avahi.conf
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$PWD/avahi.conf" >avahi.log 2>&1 &
exec ippeveprinter -M Lexmark -m MS431dn -l 'Room 9' -s 30 -p 631 -d "$PWD" 'Press in room 9'
