# Dovecot: POP3 and IMAP without TLS.
# packages: dovecot-pop3d dovecot-imapd
# needs: dovecot
# tcp: 110 143

mkdir base state
cat >dovecot.conf <<END
protocols = imap pop3
base_dir = $PWD/base
state_dir = $PWD/state
listen = 0.0.0.0
ssl = no
log_path = $PWD/log
default_internal_user = dovecot
default_login_user = dovenull
service imap-login {
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 110
  }
  inet_listener pop3s {
    port = 0
  }
}
service anvil {
  chroot =
}
passdb {
  driver = static
  args = password=never-asked-for
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/tmp
}
END
exec dovecot -F -c "$PWD/dovecot.conf"
