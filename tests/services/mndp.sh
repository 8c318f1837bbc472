# A router that answers MikroTik's neighbour discovery as those do: by a broadcast to the protocol's own port.
# packages: python3-gi
# needs: python3
# udp: 5678

cat >router.py <<'PYTHON'
import socket
import struct

PORT = 5678
VALUES = [(1, bytes.fromhex("4c5e0c000001")), (5, b"edge"), (7, b"7.14.2 (stable)"), (8, b"MikroTik"), (12, b"RB750Gr3")]
ANSWER = bytes(4) + b"".join(struct.pack(">HH", kind, len(value)) + value for kind, value in VALUES)
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
link.bind(("", PORT))
while True:
    question, _ = link.recvfrom(2048)
    if question == bytes(4):
        link.sendto(ANSWER, ("255.255.255.255", PORT))
PYTHON
ip route add 255.255.255.255 dev eth0
exec python3 router.py
