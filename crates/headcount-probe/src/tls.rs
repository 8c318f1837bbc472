//! What a TLS handshake says of the host: version, cipher suite, and the server's certificate.
//!
//! Nothing of it is verified. Devices send certificates that no strict reader takes (dates that do not exist, wrong
//! string types); each part is read by itself, so that a broken one costs only itself (X.509: RFC 5280, section 4.1).

use headcount_model::Raw;
use headcount_wire::ber::{self, Element};
use sha2::{Digest, Sha256};

use crate::{Said, TlsFacts};

mod name;

/// The fields that a handshake can yield.
pub(crate) const YIELDS: &[&str] = &[
    "tls.version",
    "tls.cipher",
    "tls.subject",
    "tls.issuer",
    "tls.serial",
    "tls.san",
    "tls.sha256",
    "tls.key",
    "tls.key_type",
    "tls.not_before",
    "tls.not_after",
    "tls.self_signed",
];

/// Alternative names that are said.
const MOST_NAMES: usize = 64;
/// A bit string's tag (X.680, section 8.4).
const BIT_STRING: u8 = 0x03;
/// The tag of a certificate's version, and of its extensions (RFC 5280, section 4.1).
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// What the handshake says: version and cipher suite by name, and what stands in the server's own certificate. Of a
/// certificate that cannot be read at least `tls.sha256` is said, over its bytes as sent. Digests and serial numbers
/// are lower-case hex; times are as in RFC 3339 where they can be read, else as sent.
pub fn describe(facts: &TlsFacts) -> Vec<Said> {
    let mut said = Vec::new();
    if facts.version != 0 {
        say(&mut said, "tls.version", version_name(facts.version));
    }
    if facts.cipher != 0 {
        say(&mut said, "tls.cipher", cipher_name(facts.cipher));
    }
    if let Some(der) = facts.chain.first().filter(|der| !der.is_empty()) {
        say(&mut said, "tls.sha256", hex(&Sha256::digest(der)));
        describe_certificate(der, &mut said);
    }
    said
}

fn say(said: &mut Vec<Said>, field: &'static str, value: impl AsRef<[u8]>) {
    let value = value.as_ref();
    if !value.is_empty() {
        let most = value.len().min(crate::Out::LONGEST);
        said.push(Said { field, value: Raw::from(&value[..most]) });
    }
}

fn describe_certificate(der: &[u8], said: &mut Vec<Said>) {
    fn inside(bytes: &[u8]) -> Option<&[u8]> {
        Some(Element::parse(bytes).ok()?.0.content)
    }
    let Some(fields) = inside(der).and_then(inside) else { return };
    let mut fields = parts(fields).skip_while(|(field, _)| field.tag == VERSION);
    let mut next = || fields.next();
    let (serial, _, issuer) = (next(), next(), next());
    let (validity, subject, key) = (next(), next(), next());
    if let Some((subject, _)) = subject {
        say(said, "tls.subject", name::text(subject.content));
    }
    if let Some((issuer, _)) = issuer {
        say(said, "tls.issuer", name::text(issuer.content));
    }
    if let Some((serial, _)) = serial.filter(|(serial, _)| serial.tag == ber::INTEGER) {
        say(said, "tls.serial", hex(serial.content.strip_prefix(b"\0").unwrap_or(serial.content)));
    }
    if let (Some((issuer, _)), Some((subject, _))) = (issuer, subject) {
        say(said, "tls.self_signed", (issuer.content == subject.content).to_string());
    }
    let times = validity.into_iter().flat_map(|(validity, _)| parts(validity.content));
    for (field, (time, _)) in ["tls.not_before", "tls.not_after"].into_iter().zip(times) {
        say(said, field, time_text(time));
    }
    if let Some((key, whole)) = key {
        say(said, "tls.key", hex(&Sha256::digest(whole)));
        say(said, "tls.key_type", key_type(key.content).unwrap_or_default());
    }
    let extensions = fields.find(|(field, _)| field.tag == EXTENSIONS);
    for name in
        extensions.into_iter().flat_map(|(field, _)| alternative_names(field.content)).take(MOST_NAMES)
    {
        say(said, "tls.san", name);
    }
}

/// The elements one behind the other, each with its bytes as sent, up to the first that cannot be read.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = (Element<'_>, &[u8])> {
    std::iter::from_fn(move || {
        let (element, rest) = Element::parse(bytes).ok()?;
        let whole = &bytes[..bytes.len() - rest.len()];
        bytes = rest;
        Some((element, whole))
    })
}

/// The names in the extension subjectAltName (RFC 5280, section 4.2.1.6) that are text or addresses.
fn alternative_names(extensions: &[u8]) -> Vec<Vec<u8>> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    let list = Element::parse(extensions).map_or(&b""[..], |(list, _)| list.content);
    let named = |content| parts(content).next().is_some_and(|(oid, _)| oid.content == SUBJECT_ALT_NAME);
    let Some((found, _)) = parts(list).take(64).find(|(extension, _)| named(extension.content)) else {
        return Vec::new();
    };
    let value = parts(found.content).find(|(part, _)| part.tag == ber::OCTET_STRING);
    let names = value
        .and_then(|(value, _)| Element::parse(value.content).ok())
        .map_or(&b""[..], |(names, _)| names.content);
    let text = |(name, _): (Element<'_>, &[u8])| match name.tag {
        0x81 | 0x82 | 0x86 => Some(name.content.to_vec()),
        0x87 => match (<[u8; 4]>::try_from(name.content), <[u8; 16]>::try_from(name.content)) {
            (Ok(v4), _) => Some(std::net::Ipv4Addr::from(v4).to_string().into_bytes()),
            (_, Ok(v6)) => Some(std::net::Ipv6Addr::from(v6).to_string().into_bytes()),
            _ => None,
        },
        _ => None,
    };
    parts(names).filter_map(text).take(MOST_NAMES).collect()
}

/// UTCTime or GeneralizedTime (RFC 5280, section 4.1.2.5) as RFC 3339 writes it; as sent if it is neither.
fn time_text(time: Element<'_>) -> Vec<u8> {
    const UTC_TIME: u8 = 0x17;
    let digits = time.content.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let Some(digits) = digits.and_then(|digits| std::str::from_utf8(digits).ok()) else {
        return time.content.to_vec();
    };
    let digits = match time.tag {
        UTC_TIME if digits.get(..2).is_some_and(|year| year < "50") => format!("20{digits}"),
        UTC_TIME => format!("19{digits}"),
        _ => digits.to_owned(),
    };
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("00");
    if !matches!(digits.len(), 12 | 14) {
        return time.content.to_vec();
    }
    format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
        .into_bytes()
}

/// Kind and size of a public key: `RSA 2048`, `EC P-256`, `Ed25519` (RFC 3279, section 2.3; RFC 5480; RFC 8410).
fn key_type(key: &[u8]) -> Option<String> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
    const CURVES: &[(&[u8], &str)] = &[
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "EC P-256"),
        (&[0x2b, 0x81, 4, 0, 34], "EC P-384"),
        (&[0x2b, 0x81, 4, 0, 35], "EC P-521"),
        (&[0x2b, 0x81, 4, 0, 10], "EC secp256k1"),
    ];
    let mut fields = parts(key);
    let (algorithm, _) = fields.next()?;
    let mut algorithm = parts(algorithm.content).map(|(part, _)| part.content);
    let oid = algorithm.next()?;
    let parameters = algorithm.next();
    let first_integer = |content| Some(bits(parts(content).next()?.0.content));
    if oid == RSA {
        let value = fields.next().filter(|(value, _)| value.tag == BIT_STRING)?.0.content;
        let (numbers, _) = Element::parse(value.get(1..)?).ok()?;
        return Some(format!("RSA {}", first_integer(numbers.content)?));
    }
    match oid {
        EC => Some(
            CURVES
                .iter()
                .find(|(curve, _)| Some(*curve) == parameters)
                .map_or("EC", |(_, name)| name)
                .to_owned(),
        ),
        DSA => Some(format!("DSA {}", parameters.and_then(first_integer)?)),
        [0x2b, 0x65, 0x70] => Some("Ed25519".to_owned()),
        [0x2b, 0x65, 0x71] => Some("Ed448".to_owned()),
        _ => Some(name::dotted(oid)),
    }
}

/// The bits of a positive integer.
fn bits(integer: &[u8]) -> usize {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    let first = integer.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    (integer.len() - zeros) * 8 - first
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
        other => format!("0x{other:04x}"),
    }
}

/// The suite's name in IANA's registry (TLS Cipher Suites), or its number.
fn cipher_name(cipher: u16) -> String {
    let known = CIPHERS.iter().find(|(number, _)| *number == cipher);
    known.map_or_else(|| format!("0x{cipher:04x}"), |(_, name)| (*name).to_owned())
}

/// Suites that devices agree on.
pub(crate) const CIPHERS: &[(u16, &str)] = &[
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
];

#[cfg(test)]
mod tests;
