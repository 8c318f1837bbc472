# libcoap's example server.
# packages: libcoap3-bin
# needs: coap-server-notls
# udp: 5683

exec coap-server-notls -A 0.0.0.0 -p 5683
