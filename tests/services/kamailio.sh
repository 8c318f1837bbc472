# Kamailio: SIP.
# packages: kamailio
# needs: kamailio
# tcp: 5060
# udp: 5060

cat >kamailio.cfg <<END
debug=1
fork=no
listen=udp:$ADDRESS:5060
listen=tcp:$ADDRESS:5060
loadmodule "sl.so"
request_route { sl_send_reply("200", "OK"); exit; }
END
mkdir -p /run/kamailio
exec kamailio -DD -E -f "$PWD/kamailio.cfg" -Y "$PWD" -P /run/kamailio/pid
