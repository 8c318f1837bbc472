# The IPP Everywhere printer of CUPS.
# packages: cups-ipp-utils
# needs: ippeveprinter
# tcp: 631

exec ippeveprinter -M 'Lexmark' -m 'MS431dn' -l 'Room 9' -s 30 -p 631 -d "$PWD" -r off 'Press in room 9'
