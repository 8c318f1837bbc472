# GNU inetutils' telnetd behind socat; what it starts for a client asks for a name and takes none.
# packages: inetutils-telnetd socat
# needs: telnetd socat
# tcp: 23

printf '#!/bin/sh\nprintf "gatehouse login: "\nread -r name\n' >ask
chmod 755 ask
exec socat TCP-LISTEN:23,fork,reuseaddr "EXEC:telnetd -n -E $PWD/ask,nofork"
