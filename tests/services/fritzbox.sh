# lighttpd as a router whose first page tells the family, and another page model, firmware and serial number.
# packages: lighttpd
# needs: lighttpd
# tcp: 80

mkdir www
echo '<html><head><title>FRITZ!Box</title></head><body></body></html>' >www/index.html
printf '%s' '<j:BoxInfo xmlns:j="http://jason.avm.de/updatecheck/"><j:Name>FRITZ!Box 7590</j:Name>' \
  '<j:Version>154.07.29</j:Version><j:Serial>3810D5AABBCC</j:Serial></j:BoxInfo>' >www/jason_boxinfo.xml
printf 'server.port = 80\nserver.document-root = "%s/www"\nserver.modules = ("mod_accesslog")\naccesslog.filename = "%s/asked"\nindex-file.names = ("index.html")\nmimetype.assign = (".html" => "text/html", ".xml" => "text/xml")\n' "$PWD" "$PWD" >lighttpd.conf
exec lighttpd -D -f lighttpd.conf
