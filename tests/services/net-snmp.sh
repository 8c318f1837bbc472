# net-snmp's agent, which says that it is a switch, readable with the community `public`.
# packages: snmpd
# needs: snmpd
# udp: 161

cat >snmpd.conf <<END
agentaddress udp:0.0.0.0:161
rocommunity public
sysdescr ProCurve J9019A Switch 2510-24, revision Q.11.57, ROM Q.10.02 (/sw/code/build/harp(bh2))
sysobjectid 1.3.6.1.4.1.11.2.3.7.11.86
sysname stacks-1
syslocation Reading room
syscontact nobody
END
export SNMP_PERSISTENT_DIR="$PWD" MIBS=
exec snmpd -f -Lo -I -smux -C -c "$PWD/snmpd.conf"
