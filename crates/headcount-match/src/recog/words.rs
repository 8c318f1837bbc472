//! Recog's words in ours.

use crate::Library;

/// The field that `matches` of a file stands for.
pub(super) const FIELDS: [(&str, &str); 33] = [
    ("dhcp_vendor_class", "dhcp.vendor_class"),
    ("dns.versionbind", "dns.version"),
    ("favicon.md5", "http.favicon.md5"),
    ("ftp.banner", "ftp"),
    ("h323_callresp", "h323.callresp"),
    ("hp_pjl_id", "pjl.id"),
    ("html_title", "http.title"),
    ("http_header.cookie", "http.set_cookie"),
    ("http_header.server", "http.server"),
    ("http_header.wwwauth", "http.www_authenticate"),
    ("http_header.x-powered-by", "http.x_powered_by"),
    ("imap4.banner", "imap"),
    ("ldap.search_result", "ldap"),
    ("mdns.device-info.txt", "mdns.device_info"),
    ("mdns.workstation.txt", "mdns.workstation"),
    ("mysql.banners", "mysql"),
    ("mysql.error", "mysql.error"),
    ("nntp.banner", "nntp"),
    ("ntp.readvar", "ntp.readvar"),
    ("operating_system.name", "os.name"),
    ("pop3.banner", "pop3"),
    ("rsh_resp", "rsh"),
    ("rtsp_header.server", "rtsp.server"),
    ("sip_header.server", "sip.server"),
    ("sip_header.user_agent", "sip.user_agent"),
    ("smb.native_lm", "smb.native_lm"),
    ("smb.native_os", "smb.native_os"),
    ("smtp.banner", "smtp"),
    ("snmp.sys_description", "snmp.sysdescr"),
    ("snmp.sys_object_id", "snmp.sysobjectid"),
    ("ssh.banner", "ssh"),
    ("telnet_banners", "telnet"),
    ("tls.jarm", "tls.jarm"),
];

/// The same for those whose names are ours.
pub(super) fn field(matches: &str) -> Option<&'static str> {
    match matches {
        "x11.vendor" => Some("x11.vendor"),
        "x509.issuer" => Some("tls.issuer"),
        "x509.subject" => Some("tls.subject"),
        _ => FIELDS.iter().find(|(theirs, _)| *theirs == matches).map(|(_, ours)| *ours),
    }
}

/// The attribute that a parameter stands for.
pub(super) fn attribute(param: &str) -> Option<&'static str> {
    Some(match param {
        "hw.vendor" => "device.vendor",
        "hw.product" => "device.product",
        "hw.device" | "os.device" => "device.type",
        "hw.model" => "device.model",
        "hw.version" => "device.version",
        "hw.serial_number" => "device.serial",
        "host.name" => "device.name",
        "host.mac" => "device.mac",
        "os.vendor" => "os.vendor",
        "os.product" => "os.product",
        "os.family" => "os.family",
        "os.version" => "os.version",
        "service.vendor" => "service.vendor",
        "service.product" => "service.product",
        "service.version" => "service.version",
        "service.protocol" => "service.protocol",
        _ => return None,
    })
}

/// The device type that Recog's name stands for. `None` for names that are no type of the vocabulary.
pub(super) fn device_type<'l>(library: &'l Library, theirs: &str) -> Option<&'l str> {
    let plain: String = theirs
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' || c == '_' || c == '/' { '-' } else { c })
        .collect();
    let ours = match plain.as_str() {
        "wap" | "wireless-access-point" => "access-point",
        "dvr" | "video-recorder" => "nvr",
        "ip-camera" | "web-cam" | "webcam" | "security-camera" => "camera",
        "multifunction-device" | "copier" => "multifunction-printer",
        "network-attached-storage" => "nas",
        "storage" | "tape-library" => "storage-array",
        "voip" | "voip-phone" | "sip-device" => "ip-phone",
        "sip-gateway" | "voip-adapter" => "voip-gateway",
        "lights-out-management" | "management-processor" => "bmc",
        "dsl-modem" | "adsl-modem" | "cable-modem" => "modem",
        "adsl-router" | "wireless-router" | "residential-gateway" => "broadband-router",
        "vpn" => "vpn-gateway",
        "terminal-server" => "console-server",
        "web-proxy" | "wan-accelerator" => "wan-optimizer",
        "building-automation" => "building-controller",
        "home-automation" => "iot-hub",
        "industrial-control" => "industrial-controller",
        "power-device" => "power-system",
        "tv" | "television" => "smart-tv",
        "set-top-box" | "media-receiver" | "streaming-player" => "media-player",
        "desktop" => "workstation",
        "mobile-phone" => "smartphone",
        "usb-server" => "device-server",
        other => other,
    };
    let types = &library.vocabulary().types;
    types.iter().find(|(name, _)| name == ours).map(|(name, _)| name.as_ref())
}
