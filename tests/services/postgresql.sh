# PostgreSQL.
# packages: postgresql
# needs: 
# tcp: 5432

bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir data /run/pg
chown postgres data /run/pg
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
as "$bin/initdb" -D data -A scram-sha-256 --pwfile=/etc/hostname >initdb.log 2>&1
echo 'host all all 0.0.0.0/0 scram-sha-256' >>data/pg_hba.conf
exec setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D data -c listen_addresses=0.0.0.0 -c unix_socket_directories=/run/pg
