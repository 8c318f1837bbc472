# Unbound.
# packages: unbound
# needs: unbound
# tcp: 53
# udp: 53

cat >unbound.conf <<END
server:
  interface: 0.0.0.0
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "$PWD"
  pidfile: "/run/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
remote-control:
  control-enable: no
END
exec unbound -d -c "$PWD/unbound.conf"
