//! What an ESPHome node says of itself.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, fetch::USER_AGENT};

/// ESPHome: hello and device information of its native API.
pub(crate) static PROBE: Probe = Probe {
    name: "esphome",
    title: "ESPHome node information",
    carrier: Carrier::Stream,
    ports: &[6053],
    tls_ports: &[],
    multicast: None,
    sends: "a hello, a question for the device information and a goodbye, in the clear; never a password or a key",
    normal: "Home Assistant begins so with every node; the node tells both before anyone logs in",
    source: "ESPHome, api.proto: HelloRequest, DeviceInfoRequest, DisconnectRequest; esphome.io, native API",
    yields: &["esphome.*"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

/// Message types of api.proto.
const HELLO_REQUEST: u8 = 1;
const HELLO_RESPONSE: u64 = 2;
const DISCONNECT_REQUEST: u8 = 5;
const DEVICE_INFO_REQUEST: u8 = 9;
const DEVICE_INFO_RESPONSE: u64 = 10;

/// A longer message is not one of these.
const LONGEST: u64 = 8 << 10;

/// Fields of DeviceInfoResponse that are text.
const SAID: &[(u64, &str)] = &[
    (2, "esphome.name"),
    (3, "esphome.mac"),
    (4, "esphome.version"),
    (6, "esphome.model"),
    (8, "esphome.project"),
    (9, "esphome.project_version"),
    (12, "esphome.vendor"),
    (13, "esphome.friendly_name"),
];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Node { bytes: Vec::new(), hello: Vec::new(), over: false })
}

struct Node {
    /// What came and is not read.
    bytes: Vec<u8>,
    /// What the hello said, should nothing better come.
    hello: Vec<(&'static str, Vec<u8>)>,
    over: bool,
}

impl Conversation for Node {
    fn opened(&mut self, out: &mut Out) {
        let mut hello = vec![0x0a, USER_AGENT.len() as u8];
        hello.extend_from_slice(USER_AGENT.as_bytes());
        hello.extend([0x10, 1, 0x18, 10]);
        out.send(frame(HELLO_REQUEST, &hello));
        out.send(frame(DEVICE_INFO_REQUEST, &[]));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        for byte in bytes {
            if self.over {
                return;
            }
            self.bytes.push(*byte);
            self.take(out);
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if !self.over {
            self.tell_hello(out);
        }
        out.done();
    }
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0, body.len() as u8, kind], body].concat()
}

impl Node {
    /// Reads a frame if one is whole: indicator, length, type, body.
    fn take(&mut self, out: &mut Out) {
        match self.bytes.first() {
            Some(0) => {}
            // The node only speaks inside Noise.
            Some(1) => {
                out.say("esphome.encryption", "noise");
                return self.end(out);
            }
            _ => return self.end(out),
        }
        let mut rest = self.bytes.get(1..).unwrap_or_default();
        let (Some(length), Some(kind)) = (varint(&mut rest), varint(&mut rest)) else {
            if rest.len() > 20 {
                self.end(out);
            }
            return;
        };
        if length > LONGEST {
            return self.end(out);
        }
        let Some(body) = rest.get(..length as usize) else { return };
        let body = body.to_vec();
        self.bytes.clear();
        match kind {
            HELLO_RESPONSE => self.keep_hello(&body),
            DEVICE_INFO_RESPONSE => {
                for (number, value) in texts(&body) {
                    if let Some((_, field)) = SAID.iter().find(|(known, _)| *known == number) {
                        out.say(field, value);
                    }
                }
                out.send(frame(DISCONNECT_REQUEST, &[]));
                self.end(out);
            }
            _ => {}
        }
    }

    fn keep_hello(&mut self, body: &[u8]) {
        const SERVER_INFO: u64 = 3;
        const NAME: u64 = 4;
        self.hello.clear();
        for (number, value) in texts(body) {
            match number {
                NAME => self.hello.push(("esphome.name", value.to_vec())),
                SERVER_INFO => {
                    self.hello.extend(version(value).map(|version| ("esphome.version", version.to_vec())))
                }
                _ => {}
            }
        }
    }

    fn tell_hello(&mut self, out: &mut Out) {
        self.hello.drain(..).for_each(|(field, value)| out.say(field, value));
    }

    fn end(&mut self, out: &mut Out) {
        self.over = true;
        out.done();
    }
}

/// The version in `kitchen (esphome v2023.12.5)`.
fn version(text: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"(esphome v";
    let at = text.windows(BEFORE.len()).position(|part| part == BEFORE)?;
    text[at + BEFORE.len()..].split(|byte| *byte == b')').next()
}

/// A base-128 number of at most ten bytes (Protocol Buffers, encoding).
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).wrapping_shl(7 * at as u32);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 1..];
            return Some(value);
        }
    }
    None
}

/// The fields of a message that hold bytes, as far as it can be read.
fn texts(mut rest: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while let Some(key) = varint(&mut rest) {
        let skipped = match key & 7 {
            0 => varint(&mut rest).map(|_| 0),
            1 => Some(8),
            5 => Some(4),
            2 => {
                let length = varint(&mut rest).and_then(|length| usize::try_from(length).ok());
                let text = length.and_then(|length| rest.get(..length));
                found.extend(text.map(|text| (key >> 3, text)));
                text.map(<[u8]>::len)
            }
            _ => None,
        };
        let Some(after) = skipped.and_then(|skipped| rest.get(skipped..)) else { break };
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn text(number: u8, text: &str) -> Vec<u8> {
        [&[number << 3 | 2, text.len() as u8], text.as_bytes()].concat()
    }

    fn hello() -> Vec<u8> {
        frame(2, &[&[8, 1, 0x10, 9][..], &text(3, "lamp (esphome v2023.12.5)"), &text(4, "lamp")].concat())
    }

    #[test]
    fn reads_a_node() {
        let node = [
            &[8, 0][..],
            &text(2, "lamp"),
            &text(3, "00:00:5E:00:53:01"),
            &text(4, "2023.12.5"),
            &[0x38, 0],
            &text(6, "esp32dev"),
            &text(8, "athom.rgbww-light"),
        ]
        .concat();
        let answer = [hello(), frame(10, &node)].concat();
        let outcome = play(
            &PROBE,
            &context(6053),
            &[SendsAny, Sends(&[0, 0, 9]), Receives(&answer), Sends(&[0, 0, 5])],
        );
        assert_eq!(
            outcome.said,
            said(&[
                ("esphome.name", "lamp"),
                ("esphome.mac", "00:00:5E:00:53:01"),
                ("esphome.version", "2023.12.5"),
                ("esphome.model", "esp32dev"),
                ("esphome.project", "athom.rgbww-light")
            ])
        );
        assert!(outcome.done);
    }

    #[test]
    fn takes_the_hello_if_nothing_better_comes() {
        let outcome = play(&PROBE, &context(6053), &[SendsAny, SendsAny, Receives(&hello()), Closes]);
        assert_eq!(outcome.said, said(&[("esphome.version", "2023.12.5"), ("esphome.name", "lamp")]));
    }

    #[test]
    fn says_that_a_node_wants_encryption() {
        let refusal = b"\x01\x00\x13\x01Bad indicator byte";
        let outcome = play(&PROBE, &context(6053), &[SendsAny, SendsAny, Receives(refusal), Closes]);
        assert_eq!(outcome.said, said(&[("esphome.encryption", "noise")]));
    }

    #[test]
    fn false_lengths_end() {
        for answer in [
            &[0, 0xff, 0xff, 0xff, 0xff, 0x0f, 2][..],
            &[0; 40],
            &[0xff; 40],
            &[0, 0x80, 0x80, 0x80],
            &[0, 3, 10, 0x12, 9, 9],
            &[0, 12, 10, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            let outcome = play(&PROBE, &context(6053), &[SendsAny, SendsAny, Receives(answer), Closes]);
            assert!(outcome.said.is_empty() && outcome.follows.is_empty());
        }
        let endless = [&[0][..], &[0x80; 4000]].concat();
        play(&PROBE, &context(6053), &[SendsAny, SendsAny, Receives(&endless), Closes]);
    }
}
