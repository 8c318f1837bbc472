//! Which security an RDP server wants.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// RDP: the X.224 connection request with its negotiation; nothing after it.
pub(crate) static PROBE: Probe = Probe {
    name: "rdp",
    title: "RDP security negotiation",
    carrier: Carrier::Stream,
    ports: &[3389],
    tls_ports: &[],
    multicast: None,
    sends: "one connection request that offers TLS and CredSSP, without the cookie that would carry a name",
    normal: "every client's first packet",
    source: "MS-RDPBCGR, sections 2.2.1.1 and 2.2.1.2; RFC 1006; ITU-T X.224, sections 13.3 and 13.4",
    yields: &["rdp.protocols"],
    safety: Safety::Careful,
    budget: Budget::GREETING,
    begin,
};

/// TPKT (19 bytes in all), X.224 connection request, RDP_NEG_REQ for TLS, CredSSP, and CredSSP with early
/// authorization.
const REQUEST: [u8; 19] = [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0x0b, 0, 0, 0];
/// Low four bits are a credit.
const CONNECTION_CONFIRM: u8 = 0xd0;
const NEG_RSP: u8 = 2;
const NEG_FAILURE: u8 = 3;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Request::default())
}

#[derive(Default)]
struct Request {
    bytes: Vec<u8>,
    over: bool,
}

impl Conversation for Request {
    fn opened(&mut self, out: &mut Out) {
        out.send(REQUEST);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        const LONGEST: usize = 64;
        if self.over {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let length = match *self.bytes.as_slice() {
            [] | [3] | [3, _] | [3, _, _] => return,
            [3, _, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        if (11..=LONGEST).contains(&length) {
            let Some(packet) = self.bytes.get(..length) else { return };
            if let Some(protocols) = protocols(packet) {
                out.say("rdp.protocols", protocols);
            }
        }
        self.over = true;
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.over = true;
    }
}

/// What the server chose, or insists on.
fn protocols(packet: &[u8]) -> Option<&'static str> {
    let confirm = packet.get(5)? & 0xf0 == CONNECTION_CONFIRM;
    match packet.get(11..) {
        _ if !confirm => None,
        // A server that does not negotiate knows only RDP's own security.
        None | Some([]) => Some("rdp"),
        Some([NEG_RSP, _, 8, 0, chosen, _, _, _]) => match chosen {
            0 => Some("rdp"),
            1 => Some("tls"),
            2 => Some("credssp"),
            4 => Some("rdstls"),
            8 => Some("credssp-early"),
            _ => None,
        },
        Some([NEG_FAILURE, _, 8, 0, code, _, _, _]) => match code {
            1 | 6 => Some("tls"),
            2 | 3 => Some("rdp"),
            5 => Some("credssp"),
            _ => None,
        },
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn confirm(negotiation: &[u8]) -> Vec<u8> {
        let length = 11 + negotiation.len() as u8;
        [&[3, 0, 0, length, length - 5, 0xd0, 0, 0, 0x12, 0x34, 0], negotiation].concat()
    }

    #[test]
    fn reads_what_the_server_chose() {
        for (negotiation, protocols) in [
            (&[2, 0x1f, 8, 0, 2, 0, 0, 0][..], "credssp"),
            (&[2, 0x1f, 8, 0, 8, 0, 0, 0], "credssp-early"),
            (&[2, 0, 8, 0, 1, 0, 0, 0], "tls"),
            (&[2, 0, 8, 0, 0, 0, 0, 0], "rdp"),
            (&[3, 0, 8, 0, 5, 0, 0, 0], "credssp"),
            (&[3, 0, 8, 0, 2, 0, 0, 0], "rdp"),
            (&[], "rdp"),
        ] {
            let answer = confirm(negotiation);
            let outcome = play(&PROBE, &context(3389), &[Sends(&REQUEST), Receives(&answer)]);
            assert_eq!(outcome.said, said(&[("rdp.protocols", protocols)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn other_answers_say_nothing() {
        let disconnect = [3, 0, 0, 11, 6, 0x80, 0, 0, 0, 0, 0];
        let odd = confirm(&[2, 0, 9, 0, 2, 0, 0, 0]);
        let cases: [&[u8]; 6] =
            [b"SSH-2.0-x\r\n", &[3, 0, 0, 0], &[3, 0, 0xff, 0xff, 0], &disconnect, &odd, &odd[..12]];
        for answer in cases {
            let outcome = play(&PROBE, &context(3389), &[Sends(&REQUEST), Receives(answer), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{answer:?}");
        }
    }
}
