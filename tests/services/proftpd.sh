# ProFTPD with its version in the greeting.
# packages: proftpd-core
# needs: proftpd
# tcp: 21

cat >proftpd.conf <<END
ServerName "Archive"
ServerType standalone
DefaultAddress $ADDRESS
UseIPv6 off
UseReverseDNS off
ServerIdent on "ProFTPD Server (Archive)"
User nobody
Group nogroup
PidFile /run/proftpd.pid
ScoreboardFile /run/proftpd.score
DelayTable none
SystemLog none
WtmpLog off
TransferLog none
END
mkdir -p /run/proftpd
exec proftpd -n -c "$PWD/proftpd.conf"
