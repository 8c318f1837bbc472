# A server that speaks TLS 1.0 only, with a small key.
# packages: openssl
# needs: openssl
# tcp: 443

openssl req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out cert.pem -days 30 -sha1 \
  -subj '/C=DE/O=Old works/OU=Boilers/CN=boiler-7.lab.example' 2>openssl.log
exec openssl s_server -accept 443 -cert cert.pem -key key.pem -tls1 -cipher 'DEFAULT@SECLEVEL=0' -www -quiet
