# busybox httpd, the web server of small devices.
# packages: busybox
# needs: busybox
# tcp: 80

mkdir www
echo '<title>Little box</title>' >www/index.html
exec busybox httpd -f -p 80 -h www
