//! What each daemon is known to be, beside what headcount says. Versions are the package's own word, keys and
//! certificates are read with the daemon's own tools.

use std::{fs, process::Command};

use super::Host;
use crate::support::process::run_with;

/// Fails unless headcount says of the host what it is.
pub(super) type Test = fn(&Host);

/// One test a script, by its name.
pub(super) const ALL: &[(&str, Test)] = &[
    ("avahi", avahi),
    ("busybox-httpd", |host| host.says("http.title", "Little box")),
    ("chrony", chrony),
    ("coap", |host| {
        host.says_also("coap.resource", "</time>;if=\"clock\";rt=\"ticks\";title=\"Internal Clock\";ct=0;obs")
    }),
    ("dnsmasq", |host| serves_its_version(host, "udp", 53, "Dnsmasq")),
    ("dovecot", dovecot),
    ("dropbear", dropbear),
    ("exim", exim),
    ("fritzbox", fritzbox),
    ("gst-rtsp", gst_rtsp),
    ("ipmi", ipmi),
    ("ippeveprinter", ippeveprinter),
    ("kamailio", |host| serves_its_version(host, "udp", 5060, "Kamailio")),
    ("lighttpd", lighttpd),
    ("mariadb", mariadb),
    ("memcached", memcached),
    ("minidlna", minidlna),
    ("miniupnpd", miniupnpd),
    ("mndp", mndp),
    ("mosquitto", mosquitto),
    ("net-snmp", net_snmp),
    ("nginx", nginx),
    ("openssh", openssh),
    ("postgresql", |host| host.says("postgres.ssl", "no")),
    ("printer", printer),
    ("redis", redis),
    ("sadp", sadp),
    ("samba", samba),
    ("slapd", slapd),
    ("telnetd", telnetd),
    ("tigervnc", tigervnc),
    ("tls10", tls10),
    ("unbound", |host| serves_its_version(host, "udp", 53, "unbound")),
    ("vsftpd", |host| serves_its_version(host, "tcp", 21, "vsFTPd")),
    ("wsdd", wsdd),
    ("xrdp", |host| host.says("rdp.protocols", "tls")),
];

#[track_caller]
fn serves_its_version(host: &Host, transport: &str, port: u16, product: &str) {
    host.serves(transport, port, product, Some(&host.service.version()));
}

fn avahi(host: &Host) {
    host.says("mdns.service", "_ipp._tcp");
    host.says("mdns.name", "Press in the cellar");
    host.says("mdns.host", "press.local");
    host.says_also("mdns.txt", "ty=Brother HL-L2350DW series");
    host.says_also("mdns.txt", "note=Cellar");
    host.is("device.type", "printer");
    host.is("device.vendor", "Brother");
}

fn chrony(host: &Host) {
    host.says("ntp.stratum", "8");
    host.says("ntp.version", "4");
}

fn dovecot(host: &Host) {
    host.serves("tcp", 110, "Dovecot", None);
    host.serves("tcp", 143, "Dovecot", None);
}

fn dropbear(host: &Host) {
    serves_its_version(host, "tcp", 22, "Dropbear SSH");
    let made = fs::read_to_string(host.directory.join("key.txt")).unwrap();
    let fingerprint = made.lines().find_map(|line| line.strip_prefix("Fingerprint: ")).unwrap();
    host.says("ssh.hostkey.sha256", fingerprint);
}

fn exim(host: &Host) {
    serves_its_version(host, "tcp", 25, "Exim");
    assert!(host.said("smtp")[0].starts_with("post.lab.example ESMTP Exim "), "{:?}", host.said("smtp"));
}

/// Its title asks for the page that the maker's apps read: that tells the rest, and leads nowhere.
fn fritzbox(host: &Host) {
    let page = fs::read_to_string(host.directory.join("www/jason_boxinfo.xml")).unwrap();
    host.says("http.page", &format!("/jason_boxinfo.xml\n{page}"));
    host.is("device.model", "7590");
    host.is("device.version", "154.07.29");
    host.is("device.serial", "3810D5AABBCC");
    // The log is written when its buffer is full or some seconds have passed.
    let asked = fs::read_to_string(host.directory.join("asked")).unwrap();
    assert!(asked.matches("GET /jason_boxinfo.xml ").count() <= 2, "more than once a scan: {asked}");
}

fn gst_rtsp(host: &Host) {
    host.says("rtsp.server", "GStreamer RTSP server");
    assert!(host.said("rtsp.public")[0].contains("DESCRIBE"), "{:?}", host.said("rtsp.public"));
}

fn ipmi(host: &Host) {
    host.is("device.type", "bmc");
    host.says_also("ipmi.version", "2.0");
    host.is_exposed("ipmi-auth-none");
    host.is_exposed("ipmi-null-user");
}

fn ippeveprinter(host: &Host) {
    serves_its_version(host, "tcp", 631, "CUPS");
    host.says("ipp.make_and_model", "Lexmark MS431dn");
    host.says("ipp.location", "Room 9");
    host.is("device.vendor", "Lexmark");
    host.is("device.product", "MS431dn");
    host.is("device.type", "printer");
}

fn lighttpd(host: &Host) {
    serves_its_version(host, "tcp", 80, "lighttpd");
    host.says("http.title", "Reading room");
    host.says("http.generator", "Hand 1.0");
}

fn mariadb(host: &Host) {
    serves_its_version(host, "tcp", 3306, "MariaDB");
}

fn memcached(host: &Host) {
    serves_its_version(host, "tcp", 11211, "memcached");
    host.is_exposed("memcached-open");
}

fn minidlna(host: &Host) {
    host.says("upnp.friendlyname", "Shelf of films");
    host.says("upnp.serialnumber", "5512345");
    host.says("upnp.modelnumber", "7");
    host.says("upnp.devicetype", "urn:schemas-upnp-org:device:MediaServer:1");
    let server = format!("MiniDLNA/{}", host.service.version());
    assert!(host.said("ssdp.server")[0].ends_with(&server), "{:?}", host.said("ssdp.server"));
    host.is("device.type", "media-server");
}

fn miniupnpd(host: &Host) {
    serves_its_version(host, "udp", 1900, "MiniUPnPd");
    host.says_also("upnp.friendlyname", "Gate");
    host.says_also("upnp.modelname", "Gate router");
    host.is("device.type", "broadband-router");
}

/// It broadcasts its answer.
fn mndp(host: &Host) {
    host.says("mndp.identity", "edge");
    host.says("mndp.board", "RB750Gr3");
    host.is("device.vendor", "MikroTik");
}

fn mosquitto(host: &Host) {
    host.says("mqtt.connect", "accepted");
    host.is_exposed("mqtt-anonymous");
}

fn net_snmp(host: &Host) {
    host.says("snmp.community", "public");
    host.says("snmp.sysobjectid", "1.3.6.1.4.1.11.2.3.7.11.86");
    host.says("snmp.sysname", "stacks-1");
    host.says("snmp.syslocation", "Reading room");
    // RFC 3411, section 5: net-snmp's own enterprise number, and a random number.
    assert!(host.said("snmp.engineid")[0].starts_with("80001f8880"), "{:?}", host.said("snmp.engineid"));
    host.is("device.type", "switch");
    host.is("device.vendor", "HP");
    host.is_exposed("snmp-public");
}

fn nginx(host: &Host) {
    serves_its_version(host, "tcp", 443, "nginx");
    host.says("http.auth_realm", "Reading room gate");
    host.says("http.www_authenticate", "Basic realm=\"Reading room gate\"");
    host.says("tls.san", "gate.lab.example");
    has_its_certificate(host);
}

fn openssh(host: &Host) {
    serves_its_version(host, "tcp", 22, "OpenSSH");
    let mut command = Command::new("ssh-keygen");
    command.arg("-lf").arg(host.directory.join("host_key.pub"));
    let shown = run_with(command, "").unwrap();
    host.says("ssh.hostkey.sha256", shown.split_whitespace().nth(1).unwrap());
    host.says("ssh.hostkey.type", "ssh-ed25519");
}

/// Its port is found, and nothing has ever been written there.
fn printer(host: &Host) {
    let services = host.device["services"].as_array().unwrap();
    assert!(
        services.iter().any(|service| service["port"] == 9100 && service["state"] == "open"),
        "{services:#?}"
    );
    let written = fs::read(host.directory.join("written")).unwrap();
    assert!(written.is_empty(), "printed: {written:02x?}");
    assert!(
        host.device["statements"].as_array().is_none_or(Vec::is_empty),
        "{:#}",
        host.device["statements"]
    );
}

fn redis(host: &Host) {
    serves_its_version(host, "tcp", 6379, "Redis");
    host.says("redis.auth", "none");
    host.is_exposed("redis-no-password");
}

/// It answers to the group, which is heard while answers are gathered.
fn sadp(host: &Host) {
    host.says("sadp.model", "DS-2CD2143G0-I");
    host.says("sadp.activated", "true");
    host.is("device.vendor", "Hikvision");
}

fn samba(host: &Host) {
    host.serves("tcp", 445, "Samba", None);
    host.says("netbios.name", "SHELF");
    host.says_also("netbios.group", "LIBRARY");
    host.says("ntlm.target", "SHELF");
    host.says("smb.dialect", "3.1.1");
}

fn slapd(host: &Host) {
    host.serves("tcp", 389, "OpenLDAP", None);
    host.says("ldap.naming_context", "dc=library,dc=example");
}

fn telnetd(host: &Host) {
    let said = host.said("telnet");
    assert!(said.len() == 1 && said[0].contains("gatehouse login:"), "{said:?}");
}

fn tigervnc(host: &Host) {
    host.says("vnc.security", "none");
    host.says("vnc.version", "003.008");
    host.is_exposed("vnc-no-password");
}

fn tls10(host: &Host) {
    host.says("tls.version", "TLS 1.0");
    host.says("tls.key_type", "RSA 1024");
    host.says("tls.self_signed", "true");
    has_its_certificate(host);
}

fn wsdd(host: &Host) {
    host.says("wsd.types", "wsdp:Device pub:Computer");
    assert_eq!(host.said("wsd.uuid").len(), 1, "{:?}", host.said("wsd.uuid"));
}

/// The certificate's subject, serial number and digest, as OpenSSL reads them from the daemon's own file.
#[track_caller]
fn has_its_certificate(host: &Host) {
    let shown = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(["x509", "-noout"]).args(arguments).arg("-in").arg(host.directory.join("cert.pem"));
        let line = run_with(command, "").unwrap();
        line.trim().split_once('=').unwrap().1.to_owned()
    };
    host.says("tls.subject", &shown(&["-subject", "-nameopt", "RFC2253"]));
    host.says("tls.issuer", &shown(&["-issuer", "-nameopt", "RFC2253"]));
    host.says("tls.serial", &shown(&["-serial"]).to_lowercase());
    host.says("tls.sha256", &shown(&["-fingerprint", "-sha256"]).replace(':', "").to_lowercase());
}
