# GStreamer's RTSP server.
# packages: python3-gi gir1.2-gst-rtsp-server-1.0
# needs: python3
# tcp: 554

cat >serve.py <<END
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service("554")
server.attach(None)
GLib.MainLoop().run()
END
exec /usr/bin/python3 serve.py
