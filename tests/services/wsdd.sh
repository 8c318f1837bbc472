# wsdd: a host of WS-Discovery.
# packages: wsdd
# needs: wsdd
# tcp: 5357
# udp: 3702

ip route add 239.0.0.0/8 dev eth0
exec wsdd -4 -i eth0 -n shelf -w LIBRARY
