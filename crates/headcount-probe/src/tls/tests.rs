use super::*;

/// Made for these tests: an RSA key of 1,024 bits, names as some devices have them.
const RSA: &[u8] = include_bytes!("rsa.der");

fn of(chain: &[&[u8]]) -> Vec<(&'static str, String)> {
    let chain = chain.iter().map(|der| der.to_vec()).collect();
    let said = describe(&TlsFacts { version: 0x0303, cipher: 0xc02f, chain });
    said.iter().map(|said| (said.field, said.value.text().into_owned())).collect()
}

fn value(said: &[(&str, String)], field: &str) -> String {
    said.iter().filter(|said| said.0 == field).map(|said| said.1.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn reads_a_certificate() {
    let said = of(&[RSA, b"second"]);
    let subject = "1.2.840.113549.1.9.1=#160b6140622e6578616d706c65,CN=QNAP NAS,OU=QTS+OU=NAS,O=QNAP Systems\\, Inc.,ST=Taipei,C=TW";
    for (field, expected) in [
        ("tls.version", "TLS 1.2"),
        ("tls.cipher", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("tls.subject", subject),
        ("tls.issuer", subject),
        ("tls.serial", "c0ffee"),
        ("tls.self_signed", "true"),
        ("tls.not_before", "2026-11-24T08:05:41Z"),
        ("tls.not_after", "2046-11-19T08:05:41Z"),
        ("tls.key_type", "RSA 1024"),
        ("tls.key", "113d49690a78dc46a522f92632e0d30625f713c6d910addb1ad65b26199dea8a"),
        ("tls.sha256", "1e0123df5d648e600bceb63e15805e73f43daa5977cb63e7c0f60b32840e2685"),
        ("tls.san", "nas.example 192.0.2.7 urn:x c@d.example"),
    ] {
        assert_eq!(value(&said, field), expected, "{field}");
    }
    assert!(said.iter().all(|(field, _)| YIELDS.contains(field)));
}

#[test]
fn a_broken_part_costs_only_itself() {
    let mut impossible = RSA.to_vec();
    let at = impossible.windows(13).position(|part| part == b"261124080541Z").unwrap();
    impossible[at..at + 13].copy_from_slice(b"269999998888Z");
    let said = of(&[&impossible]);
    assert_eq!(value(&said, "tls.not_before"), "2026-99-99T99:88:88Z");
    impossible[at..at + 13].copy_from_slice(b"\x1b[2Jnonsense!");
    assert_eq!(value(&of(&[&impossible]), "tls.not_before"), "\x1b[2Jnonsense!");
    assert!(value(&of(&[&impossible]), "tls.subject").contains("CN=QNAP NAS"));
    for cut in 0..RSA.len() {
        let said = of(&[&RSA[..cut]]);
        assert_eq!(value(&said, "tls.sha256").len(), if cut == 0 { 0 } else { 64 });
    }
    for at in 0..RSA.len() {
        let mut changed = RSA.to_vec();
        changed[at] ^= 0xff;
        of(&[&changed]);
    }
}

#[test]
fn names_are_as_rfc_4514_writes_them() {
    let pair = |kind: &[u8], tag: u8, value: &[u8]| {
        let mut set = Vec::new();
        ber::write_nested(&mut set, 0x31, |out| {
            ber::write_nested(out, ber::SEQUENCE, |out| {
                ber::write_bytes(out, ber::OBJECT_IDENTIFIER, kind);
                ber::write_bytes(out, tag, value);
            });
        });
        set
    };
    for (tag, value, expected) in [
        (0x0c, &b" #a=b;<c>\"\\ "[..], "CN=\\ #a=b\\;\\<c\\>\\\"\\\\\\ "),
        (0x0c, b"#x\0", "CN=\\#x\\00"),
        (0x14, b"K\xfcche", "CN=K\u{fc}che"),
        (0x1e, b"\0A\x30\x42", "CN=A\u{3042}"),
        (0x1e, b"\0A\xd8", "CN=A"),
        (0x0c, b"", "CN="),
    ] {
        assert_eq!(name::text(&pair(&[0x55, 4, 3], tag, value)), expected);
    }
    assert_eq!(name::text(&pair(&[0x2a, 0x03], 0x0c, b"A")), "1.2.3=#0c0141");
    assert_eq!(name::text(b"\x31\xff\xff"), "");
    let many = pair(&[0x55, 4, 3], 0x0c, b"x").repeat(5000);
    assert!(name::text(&many).len() < 1000);
}

#[test]
fn unknown_numbers_stay_numbers() {
    let facts = TlsFacts { version: 0x7f12, cipher: 0xfafa, chain: vec![] };
    let said: Vec<_> = describe(&facts).iter().map(|said| said.value.text().into_owned()).collect();
    assert_eq!(said, ["0x7f12", "0xfafa"]);
    assert!(describe(&TlsFacts::default()).is_empty());
}
