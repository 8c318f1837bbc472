# nginx behind TLS, with a realm and a redirect.
# packages: nginx-light openssl
# needs: nginx openssl
# tcp: 443

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj '/O=Reading room/CN=gate.lab.example' \
  -addext 'subjectAltName=DNS:gate.lab.example' 2>openssl.log
cat >nginx.conf <<END
daemon off; user root; pid /run/nginx.pid; error_log stderr; worker_processes 1;
events {}
http {
  access_log off; client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
  server {
    listen 443 ssl; ssl_certificate $PWD/cert.pem; ssl_certificate_key $PWD/key.pem;
    location / { return 302 /inside/; }
    location /inside/ { auth_basic "Reading room gate"; auth_basic_user_file /dev/null; }
  }
}
END
exec nginx -e stderr -c "$PWD/nginx.conf"
