//! The identity of a Canon printer, as Canon's drivers ask for it. Nothing is printed: that is another command, by TCP.

use headcount_model::MacAddr;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// BJNP: discover, then get identity.
pub(crate) static PROBE: Probe = Probe {
    name: "bjnp",
    title: "Canon BJNP discovery",
    carrier: Carrier::Datagram,
    ports: &[8611],
    tls_ports: &[],
    multicast: None,
    sends: "one discover command and, where that is answered, one get-identity command",
    normal: "Canon's drivers find printers and learn their models so",
    source: "the headers of the open BJNP back-ends for CUPS and SANE; no public specification",
    yields: &["printer.device_id", "bjnp.mac"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const MAGIC: &[u8; 4] = b"BJNP";
const PRINTER: u8 = 0x01;
const ANSWER: u8 = 0x80;
const DISCOVER: u8 = 0x01;
const GET_IDENTITY: u8 = 0x30;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Discovery)
}

struct Discovery;

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        out.send(command(DISCOVER, 0));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        match answer(bytes) {
            Some((DISCOVER, payload)) => {
                // Four bytes unknown, the lengths of the two addresses, the MAC address.
                if let Some(mac) = payload.get(6..12).and_then(|mac| <[u8; 6]>::try_from(mac).ok()) {
                    out.say("bjnp.mac", MacAddr(mac).to_string());
                }
                out.send(command(GET_IDENTITY, 1));
            }
            Some((GET_IDENTITY, payload)) => {
                // A length first, as IEEE 1284 has it.
                out.say("printer.device_id", payload.get(2..).unwrap_or_default().trim_ascii_end());
                out.done();
            }
            _ => {}
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

fn command(code: u8, sequence: u8) -> Vec<u8> {
    // Kind of device, command, two bytes unknown, sequence, session 0, length of the payload 0.
    [&MAGIC[..], &[PRINTER, code, 0, 0, 0, sequence, 0, 0, 0, 0, 0, 0]].concat()
}

/// Command and payload of an answer.
fn answer(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (head, payload) = bytes.split_first_chunk::<16>()?;
    let length = u32::from_be_bytes([head[12], head[13], head[14], head[15]]) as usize;
    let ours = head.starts_with(MAGIC) && head[4] == PRINTER | ANSWER;
    ours.then(|| (head[5], payload.get(..length).unwrap_or(payload)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const DISCOVERED: &[u8] =
        b"BJNP\x81\x01\0\0\0\0\0\0\0\0\0\x10\0\x01\x08\0\x06\x04\x00\x1e\x8f\x01\x02\x03\xc0\0\x02\x07";

    #[test]
    fn reads_address_and_identity() {
        let identity = b"MFG:Canon;CMD:BJRaster3,NCCe,IVEC;SOJ:CHMP;MDL:MG5300 series;CLS:PRINTER;DES:Canon MG5300 series;VER:1.000;";
        let length = [0, identity.len() as u8 + 2];
        let answer = [&b"BJNP\x81\x30\0\0\0\x01\0\0\0\0"[..], &length, &length, identity].concat();
        let lines = [
            Sends(b"BJNP\x01\x01\0\0\0\0\0\0\0\0\0\0"),
            Receives(DISCOVERED),
            Sends(b"BJNP\x01\x30\0\0\0\x01\0\0\0\0\0\0"),
            Receives(&answer),
        ];
        let outcome = play(&PROBE, &context(8611), &lines);
        let expected = said(&[
            ("bjnp.mac", "00:1e:8f:01:02:03"),
            ("printer.device_id", std::str::from_utf8(identity).unwrap()),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn an_echo_or_a_scanner_says_nothing() {
        let mut scanner = DISCOVERED.to_vec();
        scanner[4] = 0x82;
        for bytes in [command(DISCOVER, 0), scanner, b"BJNP\x81".to_vec()] {
            assert!(play(&PROBE, &context(8611), &[SendsAny, Receives(&bytes), Quiet]).said.is_empty());
        }
        // An answer that repeats for ever costs the budget.
        let again = [SendsAny, Receives(DISCOVERED), Receives(DISCOVERED), Receives(DISCOVERED)];
        assert_eq!(play(&PROBE, &context(8611), &again).said.len(), 3);
    }
}
