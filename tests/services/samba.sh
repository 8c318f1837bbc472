# Samba: SMB and NetBIOS names.
# packages: samba
# needs: smbd nmbd
# tcp: 139 445
# udp: 137

mkdir /run/samba
cat >smb.conf <<END
[global]
workgroup = LIBRARY
netbios name = SHELF
server role = standalone
smb ports = 445 139
interfaces = eth0
log file = $PWD/log.%m
lock directory = $PWD
state directory = $PWD
cache directory = $PWD
pid directory = /run/samba
private dir = $PWD
disable spoolss = yes
load printers = no
printing = bsd
usershare max shares = 0
END
nmbd --foreground --no-process-group --configfile="$PWD/smb.conf" >nmbd.log 2>&1 &
exec smbd --foreground --no-process-group --configfile="$PWD/smb.conf"
