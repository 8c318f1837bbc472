# A camera that answers Hikvision's search tool as those do: to the group, not to whoever asked.
# packages: python3-gi
# needs: python3
# udp: 37020

ip route add 239.0.0.0/8 dev eth0
cat >camera.py <<'PYTHON'
import socket

GROUP, PORT = "239.255.255.250", 37020
ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>1</Uuid><Types>inquiry</Types>'
    "<DeviceDescription>DS-2CD2143G0-I</DeviceDescription><DeviceSN>DS-2CD2143G0-I20190101AAWRC00000001</DeviceSN>"
    "<SoftwareVersion>V5.6.3build 190923</SoftwareVersion><MAC>c0-56-e3-00-00-01</MAC><Activated>true</Activated></ProbeMatch>"
)
hears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
hears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
hears.bind((GROUP, PORT))
hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("0.0.0.0"))
speaks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    question, _ = hears.recvfrom(2048)
    if b"<Probe>" in question:
        speaks.sendto(ANSWER.encode(), (GROUP, PORT))
PYTHON
exec python3 camera.py
