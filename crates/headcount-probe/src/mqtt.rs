//! Whether an MQTT broker takes a client without a name.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// MQTT: CONNECT without user and password, then DISCONNECT; nothing is published or subscribed to.
pub(crate) static PROBE: Probe = Probe {
    name: "mqtt",
    title: "MQTT connect",
    carrier: Carrier::Stream,
    ports: &[1883],
    tls_ports: &[8883],
    multicast: None,
    sends: "CONNECT with a clean session, a generated client identifier and neither user nor password; DISCONNECT",
    normal: "every client's first packet where no user is set up",
    source: "MQTT 3.1.1 (OASIS), sections 3.1, 3.2 and 3.14; MQTT 5.0, section 3.2",
    yields: &["mqtt.connect"],
    safety: Safety::Careful,
    budget: Budget::GREETING,
    begin,
};

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const DISCONNECT: [u8; 2] = [0xe0, 0];
const LEVEL: u8 = 4;
const CLEAN_SESSION: u8 = 2;
const KEEP_ALIVE: [u8; 2] = [0, 60];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let [a, b, c, d, ..] = context.random;
    Box::new(Session {
        client: format!("headcount-{:08x}", u32::from_be_bytes([a, b, c, d])),
        bytes: Vec::new(),
        over: false,
    })
}

struct Session {
    client: String,
    bytes: Vec<u8>,
    over: bool,
}

impl Conversation for Session {
    fn opened(&mut self, out: &mut Out) {
        let client = self.client.as_bytes();
        let mut body =
            vec![0, 4, b'M', b'Q', b'T', b'T', LEVEL, CLEAN_SESSION, KEEP_ALIVE[0], KEEP_ALIVE[1], 0];
        // Both lengths are one byte: the identifier has 18.
        body.push(client.len() as u8);
        body.extend_from_slice(client);
        out.send([&[CONNECT, body.len() as u8], &body[..]].concat());
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.over {
            return;
        }
        self.bytes.extend(bytes.iter().take(4));
        match *self.bytes.as_slice() {
            // A broker of version 5 only answers with properties behind the code.
            [CONNACK, length @ 2..0x80, flags @ ..=1, code, ..] => {
                if code == 0 {
                    out.say("mqtt.connect", "accepted");
                    out.send(DISCONNECT);
                } else if length > 2 || flags == 0 {
                    out.say("mqtt.connect", code.to_string());
                }
            }
            [] | [CONNACK] | [CONNACK, 2..0x80] | [CONNACK, 2..0x80, ..=1] => return,
            _ => {}
        }
        self.over = true;
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const REQUEST: &[u8] = b"\x10\x1e\0\x04MQTT\x04\x02\0\x3c\0\x12headcount-00010203";

    #[test]
    fn an_open_broker_is_left_at_once() {
        let lines = [Sends(REQUEST), Receives(b"\x20\x02\0\0"), Sends(&DISCONNECT)];
        let outcome = play(&PROBE, &context(1883), &lines);
        assert_eq!(outcome.said, said(&[("mqtt.connect", "accepted")]));
        assert!(outcome.done);
    }

    #[test]
    fn a_refusal_is_said_by_its_code() {
        for (answer, code) in
            [(&b"\x20\x02\0\x05"[..], "5"), (b"\x20\x02\0\x04", "4"), (b"\x20\x03\0\x84\0", "132")]
        {
            let outcome = play(&PROBE, &context(1883), &[Sends(REQUEST), Receives(answer), Closes]);
            assert_eq!(outcome.said, said(&[("mqtt.connect", code)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn other_answers_say_nothing() {
        for answer in [
            &b"HTTP/1.1 400\r\n"[..],
            b"\x20",
            b"\x20\x01\0\0",
            b"\x20\xff\xff\xff",
            b"\x20\x02\x07\0",
            b"\x20\x02\0",
        ] {
            let outcome = play(&PROBE, &context(1883), &[Sends(REQUEST), Receives(answer), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{answer:?}");
        }
    }
}
