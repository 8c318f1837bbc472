//! NetBIOS node status: the names and the MAC address of a Windows or Samba host (RFC 1002, sections 4.2.17, 4.2.18).

use std::{borrow::Cow, fmt};

use headcount_model::MacAddr;

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_mac, read_u16},
};

/// Port of the name service.
pub const PORT: u16 = 137;

const HEADER_LEN: usize = 12;
/// Length byte, 32 letters, root (RFC 1001, section 14.1).
const NAME_LEN: usize = 34;
const QUERY_LEN: usize = 50;
/// One entry of the name table.
const ENTRY_LEN: usize = 18;
/// The statistics behind the table; the MAC address comes first.
const STATISTICS_LEN: usize = 46;
const NODE_STATUS: u16 = 0x21;
const CLASS_IN: u16 = 1;
/// Response, authoritative.
const RESPONSE_FLAGS: u16 = 0x8400;
const RESPONSE_BIT: u16 = 0x8000;

/// The name `*` in first-level encoding: each half byte as a letter from `A` on.
const ANY_NAME: [u8; NAME_LEN] = *b"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0";

/// Asks a host for all of its names.
pub fn node_status_query(id: u16) -> [u8; QUERY_LEN] {
    let mut query = [0; QUERY_LEN];
    query[..2].copy_from_slice(&id.to_be_bytes());
    query[5] = 1;
    query[HEADER_LEN..HEADER_LEN + NAME_LEN].copy_from_slice(&ANY_NAME);
    query[46..48].copy_from_slice(&NODE_STATUS.to_be_bytes());
    query[48..].copy_from_slice(&CLASS_IN.to_be_bytes());
    query
}

/// One name of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name in the host's own character set, padded with spaces.
    pub bytes: [u8; 15],
    /// What the name is for: `0x00` workstation, `0x20` file server, `0x1b` and `0x1c` domain controllers.
    pub suffix: u8,
    /// Group bit (`0x8000`), node type and state, as on the wire.
    pub flags: u16,
}

impl Name {
    /// The name is shared by many hosts: a workgroup or domain.
    pub const fn is_group(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The name without its padding; what is no UTF-8 becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        let end = self.bytes.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |last| last + 1);
        String::from_utf8_lossy(&self.bytes[..end])
    }
}

impl fmt::Display for Name {
    /// As in `SERVER<20>`; control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<{:02x}>", self.text().escape_debug(), self.suffix)
    }
}

/// The answer to [`node_status_query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Number of the query.
    pub id: u16,
    /// The names, 255 at most.
    pub names: Vec<Name>,
    /// The unit identifier: the host's MAC address. Samba sends zeros.
    pub mac: Option<MacAddr>,
}

impl NodeStatus {
    /// Reads a node status response. Names cut off at the end are left out, and the MAC address with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let error = |problem| Malformed::new(Layer::Netbios, problem);
        if bytes.len() < HEADER_LEN {
            return Err(error(Problem::Truncated));
        }
        let counts = [4, 6].map(|at| read_u16(bytes, at));
        if read_u16(bytes, 2) & RESPONSE_BIT == 0 || counts[1] == 0 {
            return Err(error(Problem::Unsupported));
        }
        let mut at = HEADER_LEN;
        // Some answers repeat the question.
        if counts[0] == 1 {
            at = skip_name(bytes, at)? + 4;
        }
        let at = skip_name(bytes, at)?;
        let fields = bytes.get(at..at + 11).ok_or(error(Problem::Truncated))?;
        if read_u16(fields, 0) != NODE_STATUS {
            return Err(error(Problem::Unsupported));
        }
        let count = usize::from(fields[10]);
        let (entries, _) = bytes[at + 11..].as_chunks::<ENTRY_LEN>();
        let names = entries.iter().take(count).map(read_name).collect();
        let statistics = bytes.get(at + 11 + count * ENTRY_LEN..).filter(|rest| rest.len() >= 6);
        Ok(Self { id: read_u16(bytes, 0), names, mac: statistics.map(|rest| read_mac(rest, 0..6)) })
    }

    /// Appends the response to `out`, with at most 255 names. Without a MAC address the statistics are left out.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let names = &self.names[..self.names.len().min(usize::from(u8::MAX))];
        let statistics = if self.mac.is_some() { STATISTICS_LEN } else { 0 };
        let data_len = 1 + names.len() * ENTRY_LEN + statistics;
        for field in [self.id, RESPONSE_FLAGS, 0, 1, 0, 0] {
            out.extend(field.to_be_bytes());
        }
        out.extend(ANY_NAME);
        for field in [NODE_STATUS, CLASS_IN, 0, 0, data_len as u16] {
            out.extend(field.to_be_bytes());
        }
        out.push(names.len() as u8);
        for name in names {
            out.extend(name.bytes);
            out.push(name.suffix);
            out.extend(name.flags.to_be_bytes());
        }
        if let Some(mac) = self.mac {
            out.extend(mac.0);
            out.extend([0; STATISTICS_LEN - 6]);
        }
    }
}

fn read_name(entry: &[u8; ENTRY_LEN]) -> Name {
    let mut bytes = [0; 15];
    bytes.copy_from_slice(&entry[..15]);
    Name { bytes, suffix: entry[15], flags: read_u16(entry, 16) }
}

fn skip_name(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    crate::dns::skip_name(bytes, at).map_err(|error| Malformed::new(Layer::Netbios, error.problem))
}

impl fmt::Display for NodeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetBIOS node status")?;
        for name in &self.names {
            write!(f, " {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"\x12\x34\x84\0\0\0\0\x01\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\
        \0\x21\0\x01\0\0\0\0\0\x53\x02\
        FILES          \x20\x04\0WORKGROUP      \0\x84\0\
        \x02\0\0\0\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn status() -> NodeStatus {
        NodeStatus {
            id: 0x1234,
            names: vec![
                Name { bytes: *b"FILES          ", suffix: 0x20, flags: 0x0400 },
                Name { bytes: *b"WORKGROUP      ", suffix: 0, flags: 0x8400 },
            ],
            mac: Some(MacAddr([2, 0, 0, 0, 0, 0x14])),
        }
    }

    #[test]
    fn the_query_is_its_bytes() {
        let expected = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01";
        assert_eq!(&node_status_query(0x1234), expected);
    }

    #[test]
    fn the_response_is_its_bytes() {
        assert_eq!(NodeStatus::parse(RESPONSE), Ok(status()));
        let mut bytes = Vec::new();
        status().emit(&mut bytes);
        assert_eq!(bytes, RESPONSE);
        assert_eq!(status().to_string(), "NetBIOS node status FILES<20> WORKGROUP<00>");
        assert_eq!(status().names.iter().map(Name::is_group).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_repeated_question_is_skipped() {
        let mut bytes = RESPONSE.to_vec();
        bytes[5] = 1;
        bytes.splice(12..12, node_status_query(0)[12..].iter().copied());
        assert_eq!(NodeStatus::parse(&bytes), Ok(status()));
    }

    #[test]
    fn names_that_are_promised_only_are_left_out() {
        let mut bytes = RESPONSE.to_vec();
        bytes[56] = 255;
        let status = NodeStatus::parse(&bytes).unwrap();
        assert_eq!((status.names.len(), status.mac), (4, None));
        let status = NodeStatus::parse(&bytes[..57 + 20]).unwrap();
        assert_eq!((status.names.len(), status.mac), (1, None));
    }

    #[test]
    fn other_messages_are_refused() {
        assert_eq!(NodeStatus::parse(&node_status_query(1)).unwrap_err().problem, Problem::Unsupported);
        assert_eq!(NodeStatus::parse(&RESPONSE[..50]).unwrap_err().problem, Problem::Truncated);
        assert_eq!(NodeStatus::parse(&[]).unwrap_err().problem, Problem::Truncated);
    }
}
