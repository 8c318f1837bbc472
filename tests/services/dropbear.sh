# Dropbear, the SSH server of small devices.
# packages: dropbear-bin
# needs: dropbear dropbearkey
# tcp: 22

dropbearkey -t ecdsa -f host_key >key.txt
exec dropbear -F -E -r host_key -P /run/dropbear.pid
