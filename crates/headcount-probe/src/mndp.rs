//! What MikroTik routers tell their neighbours.

use std::net::Ipv4Addr;

use headcount_model::MacAddr;

use crate::{Budget, Carrier, Context, Conversation, End, Group, Out, Probe, Safety};

/// MNDP: a refresh request. Routers mostly broadcast their answer, so that only those on the same link hear it, and on
/// this very port; there the request is a broadcast too.
pub(crate) static PROBE: Probe = Probe {
    name: "mndp",
    title: "MikroTik neighbour discovery",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::heard(Ipv4Addr::BROADCAST, PORT)),
    sends: "one refresh request of four zero bytes",
    normal: "the maker's WinBox sends it to list the routers of a link",
    source: "MikroTik RouterOS documentation, Neighbor discovery; Wireshark's field names of MNDP",
    yields: &[
        "mndp.mac",
        "mndp.identity",
        "mndp.version",
        "mndp.platform",
        "mndp.softwareid",
        "mndp.board",
        "mndp.interface",
    ],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const PORT: u16 = 5678;
const REFRESH: [u8; 4] = [0; 4];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Refresh)
}

struct Refresh;

impl Conversation for Refresh {
    fn opened(&mut self, out: &mut Out) {
        out.send(REFRESH);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        // A header of two bytes and a sequence number of two.
        let Some((_, mut rest)) = bytes.split_first_chunk::<4>() else { return };
        let mut said = false;
        while let Some(([kind_high, kind_low, high, low], after)) = rest.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((value, after)) = after.split_at_checked(length) else { break };
            said |= say(u16::from_be_bytes([*kind_high, *kind_low]), value, out);
            rest = after;
        }
        if said {
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

/// Whether it was an entry that is known.
fn say(kind: u16, value: &[u8], out: &mut Out) -> bool {
    let field = match kind {
        1 => {
            if let Ok(mac) = <[u8; 6]>::try_from(value) {
                out.say("mndp.mac", MacAddr(mac).to_string());
            }
            return value.len() == 6;
        }
        5 => "mndp.identity",
        7 => "mndp.version",
        8 => "mndp.platform",
        11 => "mndp.softwareid",
        12 => "mndp.board",
        16 => "mndp.interface",
        _ => return false,
    };
    out.say(field, value);
    !value.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_a_router() {
        let mut bytes = vec![0, 0, 0x12, 0x34];
        for (kind, value) in [
            (1_u16, &[0x4c, 0x5e, 0x0c, 1, 2, 3][..]),
            (5, b"office"),
            (7, b"6.49.10 (stable) Jul/17/2023 12:00:00"),
            (8, b"MikroTik"),
            (10, &[1, 2, 3, 4]),
            (11, b"ABCD-1234"),
            (12, b"RB750Gr3"),
            (14, &[1]),
            (16, b"bridge/ether2"),
        ] {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(value);
        }
        let outcome = play(&PROBE, &context(5678), &[Sends(&REFRESH), Receives(&bytes)]);
        let expected = said(&[
            ("mndp.mac", "4c:5e:0c:01:02:03"),
            ("mndp.identity", "office"),
            ("mndp.version", "6.49.10 (stable) Jul/17/2023 12:00:00"),
            ("mndp.platform", "MikroTik"),
            ("mndp.softwareid", "ABCD-1234"),
            ("mndp.board", "RB750Gr3"),
            ("mndp.interface", "bridge/ether2"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn another_requester_and_lengths_that_lie_say_nothing() {
        for bytes in [&REFRESH[..], b"\0\0\0\0\0\x05\xff\xffx", b"\0\0\0\0\0\x01\0\x03abc", b"\0"] {
            assert!(play(&PROBE, &context(5678), &[SendsAny, Receives(bytes), Quiet]).said.is_empty());
        }
    }
}
