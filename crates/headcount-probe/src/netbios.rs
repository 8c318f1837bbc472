//! The names of a Windows or Samba host.

use std::collections::BTreeSet;

use headcount_wire::netbios::{self, Name, NodeStatus};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// NetBIOS: node status.
pub(crate) static PROBE: Probe = Probe {
    name: "netbios",
    title: "NetBIOS node status",
    carrier: Carrier::Datagram,
    ports: &[netbios::PORT],
    tls_ports: &[],
    multicast: None,
    sends: "one node status request for all names",
    normal: "Windows asks it before it connects to a share by address",
    source: "RFC 1002, sections 4.2.17 and 4.2.18",
    yields: &["netbios.name", "netbios.group", "netbios.mac"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const WORKSTATION: u8 = 0x00;
const FILE_SERVER: u8 = 0x20;

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Status { id: context.id() })
}

struct Status {
    id: u16,
}

impl Conversation for Status {
    fn opened(&mut self, out: &mut Out) {
        out.send(netbios::node_status_query(self.id));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(status) = NodeStatus::parse(bytes) else { return };
        if status.id != self.id {
            return;
        }
        let names = |group, suffix| {
            let wanted =
                status.names.iter().filter(move |name| name.is_group() == group && name.suffix == suffix);
            wanted.map(text_of).collect::<BTreeSet<Vec<u8>>>()
        };
        let mut own = names(false, WORKSTATION);
        if own.is_empty() {
            own = names(false, FILE_SERVER);
        }
        own.iter().for_each(|name| out.say("netbios.name", name));
        names(true, WORKSTATION).iter().for_each(|name| out.say("netbios.group", name));
        // Samba has none to tell.
        if let Some(mac) = status.mac.filter(|mac| mac.0 != [0; 6]) {
            out.say("netbios.mac", mac.to_string());
        }
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

/// The name in the host's own character set, without its padding.
fn text_of(name: &Name) -> Vec<u8> {
    let end = name.bytes.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |last| last + 1);
    name.bytes[..end].to_vec()
}

#[cfg(test)]
mod tests {
    use headcount_model::MacAddr;

    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn answer(names: &[(&[u8; 15], u8, u16)], mac: [u8; 6]) -> Vec<u8> {
        let names = names.iter().map(|(bytes, suffix, flags)| Name {
            bytes: **bytes,
            suffix: *suffix,
            flags: *flags,
        });
        let status = NodeStatus { id: context(137).id(), names: names.collect(), mac: Some(MacAddr(mac)) };
        let mut out = Vec::new();
        status.emit(&mut out);
        out
    }

    #[test]
    fn reads_windows_and_samba() {
        let windows = answer(
            &[
                (b"DESKTOP-7A1    ", 0x00, 0x0400),
                (b"DESKTOP-7A1    ", 0x20, 0x0400),
                (b"WORKGROUP      ", 0x00, 0x8400),
                (b"WORKGROUP      ", 0x1e, 0x8400),
            ],
            [0, 0x15, 0x5d, 1, 2, 3],
        );
        let outcome = play(&PROBE, &context(137), &[SendsAny, Receives(&windows)]);
        let expected = said(&[
            ("netbios.name", "DESKTOP-7A1"),
            ("netbios.group", "WORKGROUP"),
            ("netbios.mac", "00:15:5d:01:02:03"),
        ]);
        assert_eq!(outcome.said, expected);
        let samba =
            answer(&[(b"DISKSTATION    ", 0x20, 0x0400), (b"\x01\x02__MSBROWSE__\x02", 1, 0x8400)], [0; 6]);
        let outcome = play(&PROBE, &context(137), &[SendsAny, Receives(&samba)]);
        assert_eq!(outcome.said, said(&[("netbios.name", "DISKSTATION")]));
        assert!(outcome.done);
    }

    #[test]
    fn an_echo_or_another_answer_says_nothing() {
        let query = netbios::node_status_query(context(137).id());
        let mut other = answer(&[(b"X              ", 0, 0x0400)], [2; 6]);
        other[0] ^= 0xff;
        let outcome = play(&PROBE, &context(137), &[SendsAny, Receives(&query), Receives(&other), Quiet]);
        assert!(outcome.said.is_empty());
    }
}
