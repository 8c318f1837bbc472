//! Takes out of values what tells whose device it is.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::LazyLock};

use headcount_model::{Device, Scope, Statement};
use regex::{Captures, Regex};

/// Fields that say what a device is and are the same on all of its kind. A name that ends in `.` stands for all fields
/// that begin with it.
const SHARED: &[&str] = &[
    "airplay.model",
    "airplay.version",
    "banner",
    "cast.model",
    "cast.version",
    "coap.resource",
    "dahua.init",
    "dahua.model",
    "dahua.vendor",
    "dahua.version",
    "dhcp.params",
    "dhcp.vendor_class",
    "dns.version",
    "esphome.project",
    "esphome.version",
    "ftp",
    "hap.ci",
    "hap.md",
    "http.auth_realm",
    "http.favicon.",
    "http.generator",
    "http.location",
    "http.server",
    "http.set_cookie",
    "http.title",
    "http.www_authenticate",
    "http.x_powered_by",
    "imap",
    "ipmi.",
    "ipp.device_id",
    "ipp.firmware",
    "ipp.make_and_model",
    "kasa.hw",
    "kasa.model",
    "kasa.sw",
    "kasa.type",
    "ldap.vendor",
    "mdns.device_info",
    "mdns.service",
    "mdns.txt",
    "memcached.version",
    "mndp.board",
    "mndp.platform",
    "mndp.version",
    "mqtt.connect",
    "mysql",
    "nntp",
    "ntp.readvar",
    "ntp.version",
    "pjl.id",
    "pop3",
    "postgres.",
    "printer.device_id",
    "rdp.protocols",
    "redis.",
    "roku.model",
    "roku.version",
    "rtsp.auth_realm",
    "rtsp.public",
    "rtsp.server",
    "rtsp.www_authenticate",
    "sadp.activated",
    "sadp.firmware",
    "sadp.model",
    "sip.",
    "smb.dialect",
    "smb.native_lm",
    "smb.native_os",
    "smb.signing",
    "smtp",
    "snmp.enterprise",
    "snmp.entphysicaldescr",
    "snmp.entphysicalfirmwarerev",
    "snmp.entphysicalhardwarerev",
    "snmp.entphysicalmfgname",
    "snmp.entphysicalmodelname",
    "snmp.entphysicalsoftwarerev",
    "snmp.hrdevicedescr",
    "snmp.sysdescr",
    "snmp.sysobjectid",
    "snmp.sysservices",
    "snmp.upsident.agentsoftwareversion",
    "snmp.upsident.manufacturer",
    "snmp.upsident.model",
    "snmp.upsident.upssoftwareversion",
    "sonos.model",
    "ssdp.header.server",
    "ssdp.server",
    "ssdp.st",
    "ssh",
    "ssh.kex",
    "telnet",
    "tls.cipher",
    "tls.issuer",
    "tls.key_type",
    "tls.self_signed",
    "tls.subject",
    "tls.version",
    "ubiquiti.firmware",
    "ubiquiti.model",
    "ubiquiti.platform",
    "ubiquiti.version",
    "upnp.devicetype",
    "upnp.manufacturer",
    "upnp.manufacturerurl",
    "upnp.modeldescription",
    "upnp.modelname",
    "upnp.modelnumber",
    "vnc.error",
    "vnc.security",
    "vnc.version",
    "wsd.scope",
    "wsd.types",
];

/// Fields whose values are digests and numbers that only look like something of one device.
const PLAIN: [&str; 6] =
    ["dhcp.params", "http.favicon.md5", "http.favicon.mmh3", "snmp.sysobjectid", "ssh.kex", "tls.cipher"];

/// Fields whose values are names or numbers of this one device: they are taken out of the other fields too.
const OWN: [&str; 17] = [
    "airplay.name",
    "cast.name",
    "dns.name",
    "esphome.name",
    "kasa.alias",
    "llmnr.name",
    "mdns.host",
    "netbios.group",
    "netbios.name",
    "ntlm.dns_computer",
    "ntlm.dns_domain",
    "ntlm.target",
    "roku.name",
    "snmp.syscontact",
    "snmp.syslocation",
    "snmp.sysname",
    "ubiquiti.hostname",
];

/// Keys of TXT records whose values are of this one device.
const OWN_KEYS: [&str; 20] = [
    "adminurl", "bs", "cd", "deviceid", "duuid", "fn", "gid", "hkid", "id", "mac", "note", "pi", "pk", "pn",
    "psi", "rmodel", "serial", "sn", "usb_sn", "uuid",
];

/// Shorter names are words of the language rather than names of a device.
const SHORTEST_NAME: usize = 4;
/// The most names that are looked for.
const MOST_NAMES: usize = 64;

/// Whether a field tells what a device is rather than whose.
pub(super) fn is_shared(field: &str) -> bool {
    SHARED.iter().any(|known| field == *known || (known.ends_with('.') && field.starts_with(known)))
}

/// What is taken out of one device's values.
pub(super) struct Scrub<'a> {
    scope: &'a Scope,
    /// Its own names and numbers, longest first, in lower case, each with what stands in its place.
    own: Vec<(String, &'static str)>,
}

impl<'a> Scrub<'a> {
    pub(super) fn new(device: &Device, scope: &'a Scope) -> Self {
        let mut own = BTreeSet::new();
        for interface in &device.interfaces {
            if let Some(mac) = interface.mac {
                let digits: String = mac.to_string().chars().filter(char::is_ascii_hexdigit).collect();
                // Factory names end in the last three octets.
                own.extend(digits.get(6..).map(|half| (half.to_lowercase(), "<mac>")));
                own.insert((digits.to_lowercase(), "<mac>"));
            }
        }
        let names = device.names.iter().map(|name| name.name.as_str());
        let said = device.statements.iter().filter(|s| OWN.contains(&s.field.as_str()));
        let said: Vec<_> = said.map(|statement| statement.value.text()).collect();
        for name in names.chain(said.iter().map(AsRef::as_ref)) {
            let name = name.trim().trim_end_matches('.').to_lowercase();
            own.extend(name.split_once('.').map(|(label, _)| (label.to_owned(), "<name>")));
            own.insert((name, "<name>"));
        }
        own.extend(
            device
                .statements
                .iter()
                .filter(|s| is_serial(s))
                .map(|statement| (statement.value.text().trim().to_lowercase(), "<serial>")),
        );
        let serials = device.attributes.iter().filter(|attribute| attribute.name == "device.serial");
        own.extend(serials.map(|attribute| (attribute.value.to_lowercase(), "<serial>")));
        let mut own: Vec<_> = own.into_iter().filter(|(name, _)| name.len() >= SHORTEST_NAME).collect();
        own.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        own.truncate(MOST_NAMES);
        Self { scope, own }
    }

    /// The value as it may be shared; `None` where nothing is left of it.
    pub(super) fn shared(&self, field: &str, value: &str) -> Option<String> {
        let value = match field {
            "http.set_cookie" => format!("{}=", value.split_once('=')?.0),
            "mdns.txt" => {
                let (key, _) = value.split_once('=')?;
                if OWN_KEYS.contains(&key.to_ascii_lowercase().as_str()) {
                    return None;
                }
                value.to_owned()
            }
            // A scope may name a place (ONVIF Core Specification, section 7.3.2.2).
            "wsd.scope" => {
                let tells = ["/hardware/", "/type/", "/Profile/"].iter().any(|part| value.contains(part));
                if !tells {
                    return None;
                }
                value.to_owned()
            }
            plain if PLAIN.contains(&plain) => return Some(value.to_owned()),
            "printer.device_id" | "ipp.device_id" => without_serial(value),
            _ => value.to_owned(),
        };
        // Shapes go first: a UUID may end in the MAC address.
        let mut value = shapes(&value, self.scope);
        for (name, placeholder) in &self.own {
            value = replace_word(&value, name, placeholder);
        }
        (!value.trim().is_empty()).then_some(value)
    }
}

fn is_serial(statement: &Statement) -> bool {
    statement.field.contains("serial") || matches!(statement.field.as_str(), "printer.device_id.sn")
}

/// An IEEE 1284 device ID without its serial number (IEEE 1284-2000, section 7.6).
fn without_serial(value: &str) -> String {
    let own = |pair: &&str| {
        let key = pair.split(':').next().unwrap_or_default().trim().to_ascii_uppercase();
        matches!(key.as_str(), "SN" | "SERN" | "SERIALNUMBER" | "UUID" | "NAME")
    };
    value.split(';').filter(|pair| !own(pair)).collect::<Vec<_>>().join(";")
}

/// Replaces `name`, in any case and where no letter or digit goes on; of a MAC address's digits also within a word.
fn replace_word(value: &str, name: &str, placeholder: &str) -> String {
    let inside = placeholder == "<mac>";
    let lower = value.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let mut result = String::with_capacity(value.len());
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find(&name)).map(|at| from + at) {
        let end = at + name.len();
        let before = value.get(..at).and_then(|text| text.chars().next_back());
        let after = value.get(end..).and_then(|text| text.chars().next());
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        result.push_str(value.get(from..at).unwrap_or_default());
        if inside || (apart(before) && apart(after)) {
            result.push_str(placeholder);
        } else {
            result.push_str(value.get(at..end).unwrap_or_default());
        }
        from = end;
    }
    result.push_str(value.get(from..).unwrap_or_default());
    result
}

/// What has the shape of something that only one device has.
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        r"(?P<uuid>\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b)",
        r"(?P<mac>\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b|\b(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}\b|\b[0-9A-Fa-f]{12}\b)",
        r"(?P<mail>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)",
        r"(?P<host>\bhttps?://[^/\s]+)",
        r"(?P<ip>\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|\b(?:[0-9A-Fa-f]{1,4}:){4,7}(?::?[0-9A-Fa-f]{1,4})+\b|\bfe80::[0-9A-Fa-f:]+)",
        r"(?P<serial>(?i:\bs/n|\bsn|\bserial(?: ?(?:number|no))?)\b[:#. =]+[0-9A-Za-z-]{4,}|\b[0-9]{9,}\b|\b[0-9A-Fa-f]{16,}\b)",
    ];
    Regex::new(&shapes.join("|")).ok()
});

const PLACEHOLDERS: [(&str, &str); 5] = [
    ("uuid", "<uuid>"),
    ("mac", "<mac>"),
    ("mail", "<mail>"),
    ("host", "http://<ip>"),
    ("serial", "<serial>"),
];

fn shapes(value: &str, scope: &Scope) -> String {
    // Without the patterns nothing is shared: better than too much.
    let Some(shapes) = SHAPES.as_ref() else { return String::new() };
    let placeholder = |found: &Captures<'_>| -> String {
        if let Some((_, placeholder)) = PLACEHOLDERS.iter().find(|(name, _)| found.name(name).is_some()) {
            return (*placeholder).to_owned();
        }
        let whole = found.get(0).map_or("", |whole| whole.as_str());
        if is_version(whole, scope) { whole.to_owned() } else { "<ip>".to_owned() }
    };
    shapes.replace_all(value, placeholder).into_owned()
}

/// Whether four numbers with dots are rather a version than an address: it is nobody's in the scope, nor one of the
/// private ranges that begin with a number which versions do not have.
fn is_version(text: &str, scope: &Scope) -> bool {
    if text.contains(':') {
        return false;
    }
    let Ok(address) = text.parse::<Ipv4Addr>() else { return true };
    let private = address.is_private() && address.octets()[0] != 10;
    !scope.contains(address) && !private && !address.is_link_local()
}
