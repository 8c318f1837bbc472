# A port that prints what is written to it: socat writes it to a file.
# packages: socat
# needs: socat
# tcp: 9100

: >written
exec socat -u TCP-LISTEN:9100,fork,reuseaddr OPEN:written,append
