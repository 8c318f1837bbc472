# xrdp, without its session keeper.
# packages: xrdp openssl
# needs: xrdp openssl
# tcp: 3389

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj '/CN=desk.lab.example' 2>openssl.log
sed -e "s|^certificate=.*|certificate=$PWD/cert.pem|" -e "s|^key_file=.*|key_file=$PWD/key.pem|" \
  -e '0,/^port=/s|^port=.*|port=3389|' -e "s|^LogFile=.*|LogFile=$PWD/log|" -e 's|^EnableSyslog=.*|EnableSyslog=false|' /etc/xrdp/xrdp.ini >xrdp.ini
mkdir -p /run/xrdp
exec xrdp --nodaemon --config "$PWD/xrdp.ini"
