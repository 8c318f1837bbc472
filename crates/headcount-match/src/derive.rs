//! Fields that can be read out of other fields.

use std::borrow::Cow;

/// The most fields that are read out of one value: a hostile one may hold thousands.
const MOST: usize = 64;

/// The field of all words in which devices describe themselves, whatever field they stood in.
pub(crate) const TEXT: &str = "text";

/// Fields whose values are words of the device's maker about the device, so that a name in them is its own: not those
/// that hold what an owner typed or what runs anywhere.
const TEXTS: [&str; 33] = [
    "banner",
    "cast.model",
    "dhcp.vendor_class",
    "ftp",
    "hap.md",
    "http.auth_realm",
    "http.server",
    "http.title",
    "ipp.make_and_model",
    "mdns.txt.am",
    "mdns.txt.md",
    "mdns.txt.model",
    "onvif.hardware",
    "onvif.name",
    "pjl.id",
    "printer.device_id.des",
    "printer.device_id.mdl",
    "printer.name",
    "rtsp.auth_realm",
    "rtsp.server",
    "sip.server",
    "sip.user_agent",
    "snmp.entphysicaldescr",
    "snmp.entphysicalmodelname",
    "snmp.hrdevicedescr",
    "snmp.sysdescr",
    "snmp.upsident.model",
    "ssdp.server",
    "ssh",
    "telnet",
    "tls.subject",
    "upnp.modeldescription",
    "upnp.modelname",
];

/// A derived field and its value.
pub type Derived<'v> = (Cow<'static, str>, Cow<'v, [u8]>);

/// Everything that can be read out of `value`, a value of `field`; the field itself is not among it.
///
/// At most 64 fields; time is linear in the value's length.
pub fn derive<'v>(field: &str, value: &'v [u8]) -> Vec<Derived<'v>> {
    let mut found = Found(Vec::new());
    match field {
        "printer.device_id" => device_id(value, &mut found),
        "ipp.device_id" => {
            found.push("printer.device_id", value);
            device_id(value, &mut found);
        }
        "http.www_authenticate" => realm(value, "http.auth_realm", &mut found),
        "rtsp.www_authenticate" => realm(value, "rtsp.auth_realm", &mut found),
        "http.set_cookie" => cookie_name(value, &mut found),
        "snmp.sysobjectid" => enterprise_of_oid(value, &mut found),
        "snmp.engineid" => engine_id(value, &mut found),
        "tls.subject" => distinguished_name("tls.subject", value, &mut found),
        "tls.issuer" => distinguished_name("tls.issuer", value, &mut found),
        "mdns.txt" => text_record(value, &mut found),
        "mdns.device_info" => device_info(value, &mut found),
        "wsd.scope" => onvif_scope(value, &mut found),
        "ssdp.header.server" | "upnp.server" => found.push("ssdp.server", value),
        "ntp.readvar" => ntp_variables(value, &mut found),
        "ssdp.st" | "ssdp.nt" => found.push_if_device_type(value),
        "ssdp.usn" => {
            if let Some(at) = find(value, b"::") {
                found.push_if_device_type(value.get(at + 2..).unwrap_or_default());
            }
        }
        _ => {}
    }
    found.texts(field, value);
    found.0
}

struct Found<'v>(Vec<Derived<'v>>);

impl<'v> Found<'v> {
    fn push(&mut self, field: impl Into<Cow<'static, str>>, value: impl Into<Cow<'v, [u8]>>) {
        let value = value.into();
        if self.0.len() < MOST && !value.is_empty() {
            self.0.push((field.into(), value));
        }
    }

    /// The words among the value and what came out of it; never past the bound, for the fields go first.
    fn texts(&mut self, field: &str, value: &'v [u8]) {
        let own = TEXTS.binary_search(&field).is_ok().then_some(Cow::Borrowed(value));
        let among = self.0.iter().filter(|(field, _)| TEXTS.binary_search(&field.as_ref()).is_ok());
        let texts: Vec<_> = own.into_iter().chain(among.map(|(_, value)| value.clone())).collect();
        for text in texts {
            // To a pattern an underscore is a letter: no word ends there.
            if text.contains(&b'_') {
                let parted = text.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte });
                self.push(TEXT, parted.collect::<Vec<u8>>());
            }
            self.push(TEXT, text);
        }
    }

    /// `urn:schemas-upnp-org:device:MediaRenderer:1` (UPnP Device Architecture 2.0, section 1.3.2).
    fn push_if_device_type(&mut self, value: &'v [u8]) {
        if value.starts_with(b"urn:") {
            self.push("upnp.devicetype", value);
        }
    }
}

fn find(value: &[u8], what: &[u8]) -> Option<usize> {
    value.windows(what.len()).position(|window| window == what)
}

fn split_once(value: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = value.iter().position(|byte| *byte == at)?;
    Some((value.get(..place)?, value.get(place + 1..)?))
}

/// `KEY:value;` pairs (IEEE 1284-2000, section 7.6); keys have a long and a short name.
fn device_id<'v>(value: &'v [u8], found: &mut Found<'v>) {
    for pair in value.split(|byte| *byte == b';') {
        let Some((key, value)) = split_once(pair, b':') else { continue };
        let key = String::from_utf8_lossy(key).trim().to_ascii_uppercase();
        let field = match key.as_str() {
            "MFG" | "MANUFACTURER" | "MANU" => "printer.device_id.mfg",
            "MDL" | "MODEL" => "printer.device_id.mdl",
            "CMD" | "COMMAND SET" => "printer.device_id.cmd",
            "CLS" | "CLASS" => "printer.device_id.cls",
            "DES" | "DESCRIPTION" => "printer.device_id.des",
            "SN" | "SERN" | "SERIALNUMBER" => "printer.device_id.sn",
            _ => continue,
        };
        found.push(field, value.trim_ascii());
    }
}

/// The realm of a challenge (RFC 9110, section 11.5), quoted or not.
fn realm<'v>(value: &'v [u8], field: &'static str, found: &mut Found<'v>) {
    let Some(at) = value.windows(6).position(|window| window.eq_ignore_ascii_case(b"realm=")) else { return };
    let rest = value.get(at + 6..).unwrap_or_default();
    let Some(quoted) = rest.strip_prefix(b"\"") else {
        let end = rest.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len());
        return found.push(field, rest.get(..end).unwrap_or_default());
    };
    let (mut realm, mut escaped) = (Vec::new(), false);
    for byte in quoted {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => break,
            other => {
                realm.push(*other);
                escaped = false;
            }
        }
    }
    found.push(field, realm);
}

/// The name before `=` (RFC 6265, section 4.1.1).
fn cookie_name<'v>(value: &'v [u8], found: &mut Found<'v>) {
    if let Some((name, _)) = split_once(value, b'=') {
        found.push("http.cookie_name", name.trim_ascii());
    }
}

/// The number after 1.3.6.1.4.1 (RFC 2578, section 4).
fn enterprise_of_oid<'v>(value: &'v [u8], found: &mut Found<'v>) {
    let value = value.trim_ascii();
    let value = value.strip_prefix(b".").unwrap_or(value);
    let rest = value
        .strip_prefix(b"1.3.6.1.4.1.")
        .or_else(|| value.strip_prefix(b"iso.3.6.1.4.1."))
        .or_else(|| value.strip_prefix(b"SNMPv2-SMI::enterprises."))
        .or_else(|| value.strip_prefix(b"enterprises."));
    let Some(rest) = rest else { return };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    found.push("snmp.enterprise", rest.get(..end).unwrap_or_default());
}

/// The enterprise of an engine ID in hex, and the MAC address where format 3 carries one (RFC 3411, section 5).
fn engine_id<'v>(value: &'v [u8], found: &mut Found<'v>) {
    let text = value.strip_prefix(b"0x").unwrap_or(value);
    let digits = text.iter().filter(|byte| !matches!(byte, b':' | b' ' | b'-'));
    let digits: Option<Vec<u8>> =
        digits.take(64).map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8)).collect();
    let Some(digits) = digits else { return };
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else { return };
    let enterprise = u32::from_be_bytes(*head) & 0x7fff_ffff;
    found.push("snmp.enterprise", enterprise.to_string().into_bytes());
    if let [3, a, b, c, d, e, f] = *rest {
        let mac = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
        found.push("snmp.engineid.mac", mac.into_bytes());
    }
}

/// Attributes of a distinguished name (RFC 4514), escapes undone: `CN=a\, b,O=c`.
fn distinguished_name<'v>(field: &str, value: &'v [u8], found: &mut Found<'v>) {
    let (mut part, mut escaped) = (Vec::new(), false);
    let mut end = |part: &mut Vec<u8>| {
        if let Some((key, value)) = split_once(part, b'=') {
            let key = key.trim_ascii().to_ascii_lowercase();
            let key = if key == b"emailaddress" { b"email".to_vec() } else { key };
            if matches!(key.as_slice(), b"cn" | b"o" | b"ou" | b"c" | b"l" | b"st" | b"email") {
                let name = format!("{field}.{}", String::from_utf8_lossy(&key));
                found.push(name, value.trim_ascii().to_vec());
            }
        }
        part.clear();
    };
    for byte in value {
        match byte {
            b'\\' if !escaped => escaped = true,
            b',' | b'+' | b'/' if !escaped && (*byte == b',' || starts_attribute(&part, *byte)) => {
                end(&mut part)
            }
            other => {
                part.push(*other);
                escaped = false;
            }
        }
    }
    end(&mut part);
}

/// Whether a border other than a comma ends this part: OpenSSL's old form is `/C=US/O=…`, whose first part is empty.
fn starts_attribute(part: &[u8], border: u8) -> bool {
    border == b'/' && part.is_empty()
}

/// `key=value` of a TXT record (RFC 6763, section 6.3), and what printers say in one (Bonjour Printing, section 9).
fn text_record<'v>(value: &'v [u8], found: &mut Found<'v>) {
    let Some((key, rest)) = split_once(value, b'=') else { return };
    let name = String::from_utf8_lossy(key).to_ascii_lowercase();
    if name.is_empty() || name.len() > 64 {
        return;
    }
    match name.as_str() {
        "usb_mfg" => found.push("printer.device_id.mfg", rest),
        "usb_mdl" => found.push("printer.device_id.mdl", rest),
        "usb_cmd" => found.push("printer.device_id.cmd", rest),
        "ty" => found.push("printer.name", rest),
        "product" => {
            let inner = rest.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(rest);
            found.push("printer.name", inner);
        }
        _ => {}
    }
    found.push(format!("mdns.txt.{name}"), rest);
}

fn device_info<'v>(value: &'v [u8], found: &mut Found<'v>) {
    if let Some(model) = value.strip_prefix(b"model=") {
        found.push("mdns.txt.model", model);
    }
}

/// What an ONVIF device says of itself (ONVIF Core Specification, section 7.3.2.2).
fn onvif_scope<'v>(value: &'v [u8], found: &mut Found<'v>) {
    let Some(rest) = value.strip_prefix(b"onvif://www.onvif.org/") else { return };
    let Some((kind, rest)) = split_once(rest, b'/') else { return };
    let field = match kind.to_ascii_lowercase().as_slice() {
        b"hardware" => "onvif.hardware",
        b"name" => "onvif.name",
        b"type" => "onvif.type",
        b"location" => "onvif.location",
        _ => return,
    };
    found.push(field, unescaped(rest));
}

/// Percent signs undone (RFC 3986, section 2.1).
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, digit(0), digit(1)) {
            plain.push((high << 4 | low) as u8);
            rest = after.get(2..).unwrap_or_default();
        } else {
            plain.push(*byte);
            rest = after;
        }
    }
    plain
}

/// `name=value, name="value"` (RFC 9327, section 4).
fn ntp_variables<'v>(value: &'v [u8], found: &mut Found<'v>) {
    for pair in value.split(|byte| *byte == b',') {
        let Some((name, value)) = split_once(pair, b'=') else { continue };
        let value = value.trim_ascii();
        let value =
            value.strip_prefix(b"\"").map_or(value, |inner| inner.strip_suffix(b"\"").unwrap_or(inner));
        match name.trim_ascii() {
            b"system" => found.push("ntp.readvar.system", value),
            b"processor" => found.push("ntp.readvar.processor", value),
            b"version" => {
                found.push("ntp.readvar.version", value);
                found.push("ntp.version", value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
