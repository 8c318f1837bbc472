//! Ports, their states, and sets of them.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What carries a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// What a port did when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PortState {
    /// It accepted (TCP) or answered (UDP).
    Open,
    /// The host refused it.
    Closed,
    /// No answer, or a router's refusal: something between drops or rejects.
    Filtered,
}

impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
        })
    }
}

/// A set of port numbers, written `22,80-90,443`. Sorted, each once. Port 0 is reserved (RFC 6335) and refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<u16>);

impl PortSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every port from 1 to 65535.
    pub fn all() -> Self {
        Self((1..=u16::MAX).collect())
    }

    /// The ports in rising order.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }

    /// How many ports.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.0.binary_search(&port).is_ok()
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(iter: I) -> Self {
        let mut ports: Vec<u16> = iter.into_iter().filter(|port| *port != 0).collect();
        ports.sort_unstable();
        ports.dedup();
        Self(ports)
    }
}

/// The text is not a list of ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePortsError {
    /// A part is no number from 1 to 65535.
    #[error("\"{0}\" is not a port: ports are numbers from 1 to 65535")]
    Number(String),
    /// A range runs backwards.
    #[error("\"{0}\" runs backwards: write the lower port first")]
    Backwards(String),
    /// Nothing between two commas, or nothing at all.
    #[error("the port list is empty or has an empty part: write it as 22,80-90,443")]
    Empty,
}

impl FromStr for PortSet {
    type Err = ParsePortsError;

    /// `22`, `80-90`, `-1024` (from 1), `1024-` (to 65535), `-` (all), parted by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut ports = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = match part.split_once('-') {
                None if part.is_empty() => return Err(ParsePortsError::Empty),
                None => (number(part)?, number(part)?),
                Some((a, b)) => (
                    if a.is_empty() { 1 } else { number(a)? },
                    if b.is_empty() { u16::MAX } else { number(b)? },
                ),
            };
            if last < first {
                return Err(ParsePortsError::Backwards(part.to_owned()));
            }
            ports.extend(first..=last);
        }
        Ok(ports.into_iter().collect())
    }
}

fn number(text: &str) -> Result<u16, ParsePortsError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse::<u16>()
        .ok()
        .filter(|port| digits && *port != 0)
        .ok_or_else(|| ParsePortsError::Number(text.to_owned()))
}

impl fmt::Display for PortSet {
    /// Runs of three or more as `first-last`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut comma = "";
        while let Some(first) = rest.first() {
            let run = rest
                .iter()
                .enumerate()
                .take_while(|(i, port)| usize::from(**port) == usize::from(*first) + i)
                .count();
            let last = rest[run - 1];
            match run {
                1 => write!(f, "{comma}{first}")?,
                2 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
            rest = &rest[run..];
        }
        Ok(())
    }
}

impl Serialize for PortSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::new());
        }
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PortSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PortSet".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$",
            "description": "Ports and ranges of ports, as in 22,80-90,443."
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_round_trips(ports in prop::collection::btree_set(1u16.., 1..40)) {
            let set: PortSet = ports.iter().copied().collect();
            prop_assert_eq!(set.to_string().parse(), Ok(set));
        }
    }

    #[test]
    fn open_ends_and_all() {
        assert_eq!("-3,65534-".parse::<PortSet>().unwrap().to_string(), "1-3,65534,65535");
        assert_eq!("-".parse::<PortSet>().unwrap(), PortSet::all());
    }

    #[test]
    fn errors_name_the_part() {
        assert_eq!("22,70000".parse::<PortSet>(), Err(ParsePortsError::Number("70000".into())));
        assert_eq!("0".parse::<PortSet>(), Err(ParsePortsError::Number("0".into())));
        assert_eq!("90-80".parse::<PortSet>(), Err(ParsePortsError::Backwards("90-80".into())));
        assert_eq!("22,,80".parse::<PortSet>(), Err(ParsePortsError::Empty));
    }
}
