# OpenSSH with one key.
# packages: openssh-server openssh-client
# needs: sshd ssh-keygen
# tcp: 22

ssh-keygen -q -t ed25519 -N '' -f host_key
printf 'ListenAddress 0.0.0.0:22\nHostKey %s/host_key\nPidFile none\nUsePAM no\n' "$PWD" >sshd.conf
mkdir /run/sshd
exec "$(command -v sshd)" -D -e -f sshd.conf
