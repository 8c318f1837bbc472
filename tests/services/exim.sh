# Exim.
# packages: exim4-daemon-light
# needs: exim4
# tcp: 25

mkdir spool
chmod 777 spool
cat >exim.conf <<END
primary_hostname = post.lab.example
spool_directory = $PWD/spool
log_file_path = $PWD/spool/%slog
pid_file_path = /run/exim.pid
exim_user = Debian-exim
exim_group = Debian-exim
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = no
begin acl
no:
  deny
END
chown Debian-exim spool
exec exim4 -bdf -C "$PWD/exim.conf" -oX 25
