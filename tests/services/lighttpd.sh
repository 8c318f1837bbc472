# lighttpd with the page of a device.
# packages: lighttpd
# needs: lighttpd
# tcp: 80

mkdir www
echo '<html><head><title>Reading room</title><meta name="generator" content="Hand 1.0"></head><body></body></html>' >www/index.html
printf 'server.port = 80\nserver.document-root = "%s/www"\nindex-file.names = ("index.html")\nmimetype.assign = (".html" => "text/html")\n' "$PWD" >lighttpd.conf
exec lighttpd -D -f lighttpd.conf
