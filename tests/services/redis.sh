# Redis without a password.
# packages: redis-server
# needs: redis-server
# tcp: 6379

exec redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --dir "$PWD"
