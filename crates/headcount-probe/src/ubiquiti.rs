//! What Ubiquiti's devices tell to their maker's discovery tool.

use std::collections::BTreeSet;

use headcount_model::MacAddr;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// Ubiquiti discovery, version 1, then 2.
pub(crate) static PROBE: Probe = Probe {
    name: "ubiquiti",
    title: "Ubiquiti discovery",
    carrier: Carrier::Datagram,
    ports: &[10_001],
    tls_ports: &[],
    multicast: None,
    sends: "one discovery request of four bytes; if that stays silent, one of version 2",
    normal: "the maker's discovery tool and its controllers send it to find devices",
    source: "Rapid7, Understanding Ubiquiti Discovery Service Exposures (2019); Wireshark's field names of UBDP; \
             nmap/nmap#1454",
    yields: &[
        "ubiquiti.mac",
        "ubiquiti.firmware",
        "ubiquiti.hostname",
        "ubiquiti.model",
        "ubiquiti.platform",
        "ubiquiti.essid",
        "ubiquiti.version",
    ],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const VERSION_1: [u8; 4] = [1, 0, 0, 0];
const VERSION_2: [u8; 4] = [2, 8, 0, 0];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Discovery { asked_again: false })
}

struct Discovery {
    asked_again: bool,
}

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        out.send(VERSION_1);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(entries) = entries(bytes) else { return };
        let mut said = BTreeSet::new();
        for (kind, value) in entries {
            let Some((field, value)) = statement(kind, value) else { continue };
            if said.insert((field, value.clone())) {
                out.say(field, value);
            }
        }
        if !said.is_empty() {
            out.done();
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end == End::Quiet && !self.asked_again {
            self.asked_again = true;
            out.send(VERSION_2);
        }
    }
}

/// Types and values, as far as they can be read; none if the message is no answer.
fn entries(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let answer = matches!(head[..2], [1, 0] | [2, 6 | 9 | 11]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let mut rest = rest.get(..length).unwrap_or(rest);
    if !answer || length == 0 {
        return None;
    }
    let mut entries = Vec::new();
    while let Some(([kind, high, low], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, after)) = after.split_at_checked(length) else { break };
        entries.push((*kind, value));
        rest = after;
    }
    Some(entries)
}

fn statement(kind: u8, value: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let field = match kind {
        // The second one has an IPv4 address behind.
        0x01 | 0x02 => {
            let mac = MacAddr(*value.first_chunk()?);
            return Some(("ubiquiti.mac", mac.to_string().into_bytes()));
        }
        0x03 => "ubiquiti.firmware",
        0x0b => "ubiquiti.hostname",
        0x0c => "ubiquiti.platform",
        0x0d => "ubiquiti.essid",
        0x14 | 0x15 => "ubiquiti.model",
        0x16 => "ubiquiti.version",
        _ => return None,
    };
    let end = value.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Some((field, value[..end].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn answer(version: u8, command: u8, entries: &[(u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in entries {
            body.push(*kind);
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
        }
        [&[version, command][..], &(body.len() as u16).to_be_bytes(), &body].concat()
    }

    #[test]
    fn reads_version_1() {
        let mac = [0xdc, 0x9f, 0xdb, 0x81, 0x9b, 0x57];
        let with_address = [&mac[..], &[192, 0, 2, 7]].concat();
        let bytes = answer(
            1,
            0,
            &[
                (0x02, &with_address),
                (0x01, &mac),
                (0x0a, &[0, 0, 1, 0]),
                (0x0b, b"roof"),
                (0x0c, b"N2N"),
                (0x03, b"XM.ar7240.v6.3.2.33267.200316.1104"),
                (0x0d, b"link\0"),
                (0x14, b"NanoStation M2"),
            ],
        );
        let outcome = play(&PROBE, &context(10_001), &[Sends(&VERSION_1), Receives(&bytes)]);
        let expected = said(&[
            ("ubiquiti.mac", "dc:9f:db:81:9b:57"),
            ("ubiquiti.hostname", "roof"),
            ("ubiquiti.platform", "N2N"),
            ("ubiquiti.firmware", "XM.ar7240.v6.3.2.33267.200316.1104"),
            ("ubiquiti.essid", "link"),
            ("ubiquiti.model", "NanoStation M2"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn reads_version_2_after_silence() {
        let bytes = answer(2, 9, &[(0x15, b"UCK-v2"), (0x16, b"0.6.4"), (0x99, b"?")]);
        let outcome = play(&PROBE, &context(10_001), &[SendsAny, Quiet, Sends(&VERSION_2), Receives(&bytes)]);
        assert_eq!(outcome.said, said(&[("ubiquiti.model", "UCK-v2"), ("ubiquiti.version", "0.6.4")]));
    }

    #[test]
    fn an_echo_and_lengths_that_lie_say_nothing() {
        for bytes in [
            &VERSION_1[..],
            &VERSION_2,
            b"\x01\0\0\x20\x0b\xff\xff",
            b"\x01\0\0\x05\x01\0\x02ab",
            b"\x05\0\0\x04\x0b\0\x01a",
        ] {
            assert!(play(&PROBE, &context(10_001), &[SendsAny, Receives(bytes), Quiet]).said.is_empty());
        }
    }
}
