//! Rows whose answers are known: `{"kind", "input", "truth", "visible"}`.

use std::collections::BTreeSet;

use anyhow::Result;
use headcount_match::Truth;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::commands::identify::Bytes;

/// The properties of a device description; they are fields of UPnP, whatever the kind.
const DESCRIPTION: [&str; 6] =
    ["deviceType", "friendlyName", "manufacturer", "manufacturerURL", "modelDescription", "modelName"];

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The kind of observation, by which rows are summed up.
    pub kind: String,
    /// What was seen: fields and values.
    pub observations: Vec<(String, Vec<u8>)>,
    /// What is so.
    pub truth: Truth,
}

/// Other members are for people.
#[derive(Deserialize)]
struct Written<I> {
    kind: String,
    input: I,
    truth: Truth,
    #[serde(default)]
    visible: BTreeSet<String>,
}

impl Row {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> Result<Self> {
        // Only in plain values may lone surrogates stand for bytes that are no UTF-8.
        if let Ok(written) = serde_json::from_slice::<Written<Bytes>>(line) {
            let kind = written.kind.clone();
            return Ok(Self::new(written, |input| vec![(kind, input.0)]));
        }
        let written: Written<Map<String, Value>> = serde_json::from_slice(line)?;
        let kind = written.kind.clone();
        Ok(Self::new(written, |input| {
            let full = input.iter().filter(|(_, value)| !is_empty(value));
            full.flat_map(|(key, value)| spread(&kind, key, value)).collect()
        }))
    }

    fn new<I>(written: Written<I>, observations: impl FnOnce(I) -> Vec<(String, Vec<u8>)>) -> Self {
        let Written { kind, input, mut truth, visible } = written;
        truth.visible = visible;
        Self { kind, observations: observations(input), truth }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The fields that a member of an input stands for.
fn spread(kind: &str, key: &str, value: &Value) -> Vec<(String, Vec<u8>)> {
    let lower = key.to_lowercase();
    let each = |start: &str, members: &Map<String, Value>| -> Vec<(String, Vec<u8>)> {
        members.iter().map(|(name, value)| (format!("{start}{}", name.to_lowercase()), text(value))).collect()
    };
    let field = match (kind, value) {
        ("snmp", Value::Object(physical)) => return each("snmp.", physical),
        ("snmp", _) => format!("snmp.{}", lower.trim_end_matches(".1")),
        ("mdns", Value::Object(properties)) => {
            let pair = |(name, value): (&String, &Value)| [name.as_bytes(), b"=", &text(value)].concat();
            return properties.iter().map(|member| ("mdns.txt".to_owned(), pair(member))).collect();
        }
        ("mdns", _) => format!("mdns.{}", if key == "type" { "service" } else { key }),
        ("ssdp" | "upnp", Value::Object(members)) => {
            return each(if key == "upnp" { "upnp." } else { "ssdp.header." }, members);
        }
        ("ssdp" | "upnp", _) if DESCRIPTION.contains(&key) => format!("upnp.{lower}"),
        ("ssdp" | "upnp", _) => format!("ssdp.{}", lower.trim_start_matches("ssdp_")),
        ("enip.identity" | "bacnet.device", _) => format!("{kind}.{}", lower.replace('-', "_")),
        ("s7.szl", _) => format!("s7.szl.{key}"),
        (kind, _) if kind.contains('.') => kind.to_owned(),
        (kind, _) => format!("{kind}.{}", lower.replace('-', "_")),
    };
    vec![(field, text(value))]
}

fn text(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(line: &str) -> Vec<(String, String)> {
        let row = Row::read(line.as_bytes()).unwrap();
        let shown = |value: Vec<u8>| value.escape_ascii().to_string();
        let mut all: Vec<_> =
            row.observations.into_iter().map(|(field, value)| (field, shown(value))).collect();
        // Members have no order.
        all.sort();
        all
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_plain_value_is_one_observation() {
        let line =
            r#"{"id":"x","kind":"telnet","input":"\udcffa","truth":{"vendor":null},"visible":["vendor"]}"#;
        assert_eq!(observed(line), pairs(&[("telnet", r"\xffa")]));
        let row = Row::read(line.as_bytes()).unwrap();
        assert_eq!(row.truth.visible, BTreeSet::from(["vendor".to_owned()]));
    }

    #[test]
    fn an_object_is_spread_into_fields() {
        let line = r#"{"kind":"snmp","truth":{},"input":{"sysDescr":"a","hrDeviceDescr.1":"b","sysName":"",
            "entPhysical":{"entPhysicalModelName":"c"},"sysServices":72}}"#;
        let wanted = [
            ("snmp.entphysicalmodelname", "c"),
            ("snmp.hrdevicedescr", "b"),
            ("snmp.sysdescr", "a"),
            ("snmp.sysservices", "72"),
        ];
        assert_eq!(observed(line), pairs(&wanted));
        let line =
            r#"{"kind":"mdns","truth":{},"input":{"type":"_ipp._tcp","name":"p","properties":{"ty":"x"}}}"#;
        assert_eq!(
            observed(line),
            pairs(&[("mdns.name", "p"), ("mdns.service", "_ipp._tcp"), ("mdns.txt", "ty=x")])
        );
        let line = r#"{"kind":"ssdp","truth":{},"input":{"st":"a","modelName":"b","upnp":{"UDN":"c"},"h":{"X":"d"}}}"#;
        let wanted = [("ssdp.header.x", "d"), ("ssdp.st", "a"), ("upnp.modelname", "b"), ("upnp.udn", "c")];
        assert_eq!(observed(line), pairs(&wanted));
        let line = r#"{"kind":"dhcp","truth":{},"input":{"vendor-class":"a"}}"#;
        assert_eq!(observed(line), pairs(&[("dhcp.vendor_class", "a")]));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for line in ["", "7", "{}", r#"{"kind":"x","input":7,"truth":{}}"#, r#"{"kind":"x","input":"a"}"#] {
            assert!(Row::read(line.as_bytes()).is_err(), "{line}");
        }
    }
}
