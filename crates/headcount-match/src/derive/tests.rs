use proptest::prelude::*;

use super::*;

/// What is derived other than texts, as `field=value`.
fn derived(field: &str, value: &[u8]) -> Vec<String> {
    let all = derive(field, value);
    let fields = all.iter().filter(|(field, _)| field != TEXT);
    fields.map(|(field, value)| format!("{field}={}", value.escape_ascii())).collect()
}

/// The texts among what is derived.
fn texts(field: &str, value: &[u8]) -> Vec<String> {
    let all = derive(field, value);
    all.iter().filter(|(field, _)| field == TEXT).map(|(_, text)| text.escape_ascii().to_string()).collect()
}

#[test]
fn what_a_maker_wrote_is_a_text_and_what_an_owner_wrote_is_none() {
    assert!(TEXTS.is_sorted());
    assert_eq!(texts("telnet", b"NetVanta 3430"), ["NetVanta 3430"]);
    assert_eq!(texts("http.www_authenticate", b"Basic realm=\"NETGEAR R7000\""), ["NETGEAR R7000"]);
    assert_eq!(texts("sip.server", b"Maker_X2"), ["Maker X2", "Maker_X2"]);
    assert_eq!(texts("mdns.txt", b"md=Chromecast"), ["Chromecast"]);
    assert_eq!(texts("mdns.txt", b"ty=HP LaserJet"), ["HP LaserJet"]);
    assert_eq!(texts("ssdp.header.server", b"x UPnP/1.0 y"), ["x UPnP/1.0 y"]);
    for owned in ["snmp.sysname", "snmp.syslocation", "upnp.friendlyname", "smtp", "tls.issuer", "text"] {
        assert!(texts(owned, b"CN=NetVanta").is_empty(), "{owned}");
    }
}

#[test]
fn device_ids_have_long_and_short_keys() {
    let id = b"MFG:HP;MODEL:LaserJet;COMMAND SET:PCL,PS;CLS:PRINTER;SERN: X1 ;DES;STATE:1;";
    let wanted = [
        "printer.device_id.mfg=HP",
        "printer.device_id.mdl=LaserJet",
        "printer.device_id.cmd=PCL,PS",
        "printer.device_id.cls=PRINTER",
        "printer.device_id.sn=X1",
    ];
    assert_eq!(derived("printer.device_id", id), wanted);
    let of_ipp = derived("ipp.device_id", b"MANUFACTURER:HP");
    assert_eq!(of_ipp, ["printer.device_id=MANUFACTURER:HP", "printer.device_id.mfg=HP"]);
}

#[test]
fn realms_are_quoted_or_not() {
    let realm = |value: &[u8]| derived("http.www_authenticate", value);
    assert_eq!(
        realm(br#"Digest qop="auth", Realm="a \"b\" \\", nonce="x""#),
        [r#"http.auth_realm=a \"b\" \\"#]
    );
    assert_eq!(realm(b"Basic realm=plain, charset=UTF-8"), ["http.auth_realm=plain"]);
    assert_eq!(realm(br#"Basic realm="not closed"#), ["http.auth_realm=not closed"]);
    assert_eq!(realm(br#"Basic realm="""#), [""; 0]);
    assert_eq!(realm(b"Negotiate"), [""; 0]);
    assert_eq!(derived("rtsp.www_authenticate", b"Basic realm=x"), ["rtsp.auth_realm=x"]);
}

#[test]
fn snmp_names_its_enterprise() {
    for oid in ["1.3.6.1.4.1.9.1.1208", ".1.3.6.1.4.1.9", "SNMPv2-SMI::enterprises.9.1", "iso.3.6.1.4.1.9.1"]
    {
        assert_eq!(derived("snmp.sysobjectid", oid.as_bytes()), ["snmp.enterprise=9"], "{oid}");
    }
    assert_eq!(derived("snmp.sysobjectid", b"1.3.6.1.2.1.1"), [""; 0]);
    let engine = ["snmp.enterprise=9", "snmp.engineid.mac=00:1a:2b:3c:4d:5e"];
    assert_eq!(derived("snmp.engineid", b"80000009 03 001a2b3c4d5e"), engine);
    assert_eq!(derived("snmp.engineid", b"0x80:00:00:09:03:00:1A:2B:3C:4D:5E"), engine);
    // Another format, too short a format 3, too short for an enterprise, no hex.
    assert_eq!(derived("snmp.engineid", b"8000000904001a2b3c4d5e"), ["snmp.enterprise=9"]);
    assert_eq!(derived("snmp.engineid", b"8000000903001a2b"), ["snmp.enterprise=9"]);
    assert_eq!(derived("snmp.engineid", b"800000"), [""; 0]);
    assert_eq!(derived("snmp.engineid", b"xyz"), [""; 0]);
}

#[test]
fn names_of_certificates_are_taken_apart() {
    let wanted = ["tls.subject.cn=a, b", "tls.subject.o=c=d", "tls.subject.email=e"];
    assert_eq!(derived("tls.subject", br"CN=a\, b, O = c=d,UID=x,emailAddress=e"), wanted);
    assert_eq!(derived("tls.issuer", b"/C=US/O=x"), ["tls.issuer.c=US/O=x"]);
    assert_eq!(derived("tls.issuer", b"CN="), [""; 0]);
}

#[test]
fn text_records_name_printers() {
    assert_eq!(derived("mdns.txt", b"Model=x=y"), ["mdns.txt.model=x=y"]);
    assert_eq!(derived("mdns.txt", b"product=(a b)"), ["printer.name=a b", "mdns.txt.product=(a b)"]);
    assert_eq!(derived("mdns.txt", b"usb_MFG=HP"), ["printer.device_id.mfg=HP", "mdns.txt.usb_mfg=HP"]);
    assert_eq!(derived("mdns.txt", b"=x"), [""; 0]);
    assert_eq!(derived("mdns.txt", b"flag"), [""; 0]);
    assert_eq!(derived("mdns.device_info", b"model=J274AP"), ["mdns.txt.model=J274AP"]);
}

#[test]
fn the_rest_of_the_derived_fields() {
    for (field, value, wanted) in [
        ("http.set_cookie", "SID=1; Path=/", "http.cookie_name=SID"),
        ("wsd.scope", "onvif://www.onvif.org/hardware/A%20b%2", "onvif.hardware=A b%2"),
        ("wsd.scope", "onvif://www.onvif.org/Name/x/y", "onvif.name=x/y"),
        ("ssdp.header.server", "x", "ssdp.server=x"),
        ("upnp.server", "x", "ssdp.server=x"),
        (
            "ssdp.st",
            "urn:schemas-upnp-org:device:Basic:1",
            "upnp.devicetype=urn:schemas-upnp-org:device:Basic:1",
        ),
        ("ssdp.usn", "uuid:1::urn:a:device:B:1", "upnp.devicetype=urn:a:device:B:1"),
        ("ntp.readvar", "processor=\"x86\", leap=0", "ntp.readvar.processor=x86"),
    ] {
        assert_eq!(derived(field, value.as_bytes()), [wanted], "{field}");
    }
    assert_eq!(derived("ntp.readvar", b"version=\"a"), ["ntp.readvar.version=a", "ntp.version=a"]);
    for (field, value) in
        [("ssdp.st", "ssdp:all"), ("ssdp.usn", "uuid:1"), ("wsd.scope", "onvif://x/hardware/a")]
    {
        assert_eq!(derived(field, value.as_bytes()), [""; 0], "{field}");
    }
}

#[test]
fn only_so_many_fields_come_of_one_value() {
    let hostile = b"MFG:x;".repeat(10_000);
    assert_eq!(derive("printer.device_id", &hostile).len(), MOST);
    assert_eq!(derive("tls.subject", &b"CN=x,".repeat(10_000)).len(), MOST);
}

/// The fields that something is derived from.
const FIELDS: [&str; 14] = [
    "printer.device_id",
    "ipp.device_id",
    "http.www_authenticate",
    "http.set_cookie",
    "snmp.sysobjectid",
    "snmp.engineid",
    "tls.subject",
    "tls.issuer",
    "mdns.txt",
    "mdns.device_info",
    "wsd.scope",
    "ntp.readvar",
    "ssdp.st",
    "ssdp.usn",
];

proptest! {
    #[test]
    fn any_bytes_give_few_short_values(
        field in proptest::sample::select(&FIELDS[..]),
        value in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"=,;:/\\\"%03aA. ".to_vec())], 0..200),
    ) {
        let all = derive(field, &value);
        prop_assert!(all.len() <= MOST);
        // A MAC address and a number are the only values that are longer than what they are read from.
        prop_assert!(all.iter().all(|(own, derived)| own != field && !derived.is_empty() && derived.len() <= value.len().max(17)));
    }
}
