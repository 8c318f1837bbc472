# memcached.
# packages: memcached
# needs: memcached
# tcp: 11211

exec memcached -u nobody -l 0.0.0.0 -p 11211 -U 0
