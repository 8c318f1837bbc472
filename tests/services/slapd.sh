# OpenLDAP.
# packages: slapd
# needs: slapd
# tcp: 389

mkdir db
cat >slapd.conf <<END
include /etc/ldap/schema/core.schema
pidfile /run/slapd.pid
moduleload back_mdb
modulepath /usr/lib/ldap
database mdb
suffix "dc=library,dc=example"
directory $PWD/db
END
exec slapd -d 0 -h ldap://0.0.0.0:389 -f "$PWD/slapd.conf"
