# chrony, which serves the time of this machine.
# packages: chrony
# needs: chronyd
# udp: 123

printf 'local stratum 8\nallow\ncmdport 0\nbindcmdaddress /\ndriftfile %s/drift\npidfile /run/chrony.pid\n' "$PWD" >chrony.conf
exec chronyd -d -x -u root -f "$PWD/chrony.conf"
