# TigerVNC's Xvnc, open to everybody.
# packages: tigervnc-standalone-server
# needs: Xvnc
# tcp: 5900

exec Xvnc :0 -nolock -rfbport 5900 -SecurityTypes None -nolisten tcp -nolisten unix -listen local -geometry 320x200 -depth 16
