//! The names that a device gives itself.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{HostName, NameSource, Raw};

use super::Member;

/// The most names of one address that come from what it said.
const MOST: usize = 32;
/// The longest name, in characters (RFC 1035, section 2.3.4).
const LONGEST: usize = 255;

/// The names that `member` gives itself.
pub(super) fn said(member: &Member<'_>) -> BTreeSet<HostName> {
    let names = member.host.statements.iter().filter_map(|(_, field, value)| {
        let (source, name) = name(field, value)?;
        Some(HostName { name, source, address: member.key.1 })
    });
    names.take(MOST).collect()
}

fn name(field: &str, value: &Raw) -> Option<(NameSource, String)> {
    let text = value.text();
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let (source, text) = match field {
        "mdns.host" => (NameSource::Mdns, text),
        "netbios.name" => (NameSource::Netbios, text),
        "llmnr.name" => (NameSource::Llmnr, text),
        "snmp.sysname" => (NameSource::Snmp, text),
        "dns.name" => (NameSource::Ptr, text),
        "tls.subject" => (NameSource::Tls, host_in(text)?),
        "upnp.friendlyname" => (NameSource::Upnp, text),
        "mndp.identity" | "ubiquiti.hostname" | "kasa.alias" | "cast.name" | "roku.name" | "airplay.name"
        | "esphome.name" | "ntlm.dns_computer" => (NameSource::Announced, text),
        _ => return None,
    };
    let name: String = text.chars().take(LONGEST).collect();
    (!name.is_empty()).then_some((source, name))
}

/// The common name in `CN=…,O=…`, where it looks like the name of one host.
fn host_in(subject: &str) -> Option<&str> {
    let name = subject.split(',').find_map(|part| part.trim().strip_prefix("CN="))?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let dotted = name.split('.').filter(|label| !label.is_empty()).count() > 1;
    let is_address = name.parse::<Ipv4Addr>().is_ok();
    (plain && dotted && !is_address).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_where_they_are_names() {
        let name = |field, value: &str| name(field, &Raw::from(value)).map(|(_, name)| name);
        assert_eq!(name("snmp.sysname", " sw-1\0").as_deref(), Some("sw-1"));
        assert_eq!(name("tls.subject", "O=Example,CN=nas.example,OU=x").as_deref(), Some("nas.example"));
        for subject in ["CN=*.example", "CN=10.0.0.1", "CN=localhost", "CN=HP LaserJet", "O=x", ""] {
            assert_eq!(name("tls.subject", subject), None, "{subject}");
        }
        assert_eq!(name("mdns.host", " \0"), None);
        assert_eq!(name("upnp.friendlyname", &"x".repeat(9000)).unwrap().len(), LONGEST);
        assert_eq!(name("http.title", "x"), None);
    }
}
