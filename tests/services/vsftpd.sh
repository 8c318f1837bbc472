# vsftpd.
# packages: vsftpd
# needs: vsftpd
# tcp: 21

printf 'listen=YES\nbackground=NO\nanonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir=%s\n' "$PWD" >vsftpd.conf
exec vsftpd "$PWD/vsftpd.conf"
