//! What a device said of itself, and what that says about it.

use std::{borrow::Cow, fmt, net::Ipv4Addr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _};

use crate::{Timestamp, Transport};

/// Bytes as a device sent them.
///
/// In JSON a string where they are UTF-8, else `{"hex": "…"}`, so that nothing is lost and nothing is guessed.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raw(pub Vec<u8>);

impl Raw {
    /// The text, with the replacement character where the bytes are not UTF-8. It may hold control characters.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The first `limit` bytes.
    #[must_use]
    pub fn cut(&self, limit: usize) -> Self {
        Self(self.0.iter().take(limit).copied().collect())
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Raw {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return serializer.serialize_str(text);
        }
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("hex", &hex)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Bytes { hex: String },
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self(text.into_bytes())),
            Form::Bytes { hex } => {
                from_hex(&hex).map(Self).ok_or_else(|| D::Error::custom("odd or foreign hex digits"))
            }
        }
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

impl JsonSchema for Raw {
    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Bytes as a device sent them: a string where they are UTF-8, else their hex digits.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "hex": { "type": "string", "pattern": "^([0-9a-f]{2})*$" } },
                    "required": ["hex"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// Where something was said: a port of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The address.
    pub address: Ipv4Addr,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
}

/// One thing that a device said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// Where it said so.
    pub endpoint: Endpoint,
    /// The name of the probe that asked.
    pub probe: String,
    /// The field, as in `headcount fingerprints list`: `http.server`, `snmp.sysdescr`.
    pub field: String,
    /// What it said.
    pub value: Raw,
    /// When.
    pub at: Timestamp,
}

/// A statement and the fingerprint that it matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The fingerprint's id: `http.server/hikvision-webs`, `rule/…`, `oui`.
    pub fingerprint: String,
    /// The field that it matched.
    pub field: String,
    /// What the device said, cut to 256 bytes.
    pub value: Raw,
    /// How sure this fingerprint alone is, from 0 to 1.
    pub certainty: f64,
    /// Where it was said, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

/// One thing that is thought to be so of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// Its name in the vocabulary: `device.type`, `device.vendor`, `service.product`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// How likely it is so, from 0 to 1: of claims with 0.9, nine in ten are right.
    pub confidence: f64,
    /// The port that it is about, for `service.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// What speaks for it, strongest first.
    pub evidence: Vec<Evidence>,
    /// What else was claimed, likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival>,
}

/// A value that lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rival {
    /// The value.
    pub value: String,
    /// How likely it is, from 0 to 1.
    pub confidence: f64,
    /// What speaks for it, strongest first.
    pub evidence: Vec<Evidence>,
}

/// How an exposure is known, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The device itself says so: its realm or page names the default account, or that no password is set.
    Disclosed,
    /// It shows the state in which it left the factory: a setup wizard, "not activated", the factory certificate.
    FactoryState,
    /// It offers its service without any authentication.
    NoAuthentication,
    /// The model shipped with a known account: a lead to follow, no finding.
    KnownDefault,
}

impl Grade {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disclosed => "disclosed",
            Self::FactoryState => "factory-state",
            Self::NoAuthentication => "no-authentication",
            Self::KnownDefault => "known-default",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A state in which a device should not stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// The rule's id.
    pub id: String,
    /// How it is known.
    pub grade: Grade,
    /// What it is, in a few words.
    pub title: String,
    /// How likely it is so, from 0 to 1.
    pub confidence: f64,
    /// The port that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub remedy: String,
    /// The controls of ISO/IEC 27001:2022, Annex A, that it bears on.
    pub controls: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_json_as_they_were() {
        for bytes in [&b"HTTP/1.1"[..], b"\xff\x00a", b"", "grün".as_bytes(), b"{\"hex\":1}"] {
            let json = serde_json::to_string(&Raw::from(bytes)).unwrap();
            assert_eq!(serde_json::from_str::<Raw>(&json).unwrap().0, bytes, "{json}");
        }
        for bad in [r#"{"hex":"abc"}"#, r#"{"hex":"zz"}"#, "7"] {
            assert!(serde_json::from_str::<Raw>(bad).is_err(), "{bad}");
        }
    }
}
