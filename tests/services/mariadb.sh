# MariaDB.
# packages: mariadb-server
# needs: mariadbd mariadb-install-db
# tcp: 3306

mariadb-install-db --no-defaults --user=root --datadir="$PWD/data" --auth-root-authentication-method=normal --skip-test-db >install.log 2>&1
echo "CREATE USER guest@'%' IDENTIFIED BY 'never-asked-for';" >init.sql
exec mariadbd --no-defaults --user=root --datadir="$PWD/data" --socket=/run/mariadb.sock --pid-file=/run/mariadb.pid --bind-address=0.0.0.0 --port=3306 --init-file="$PWD/init.sql"
