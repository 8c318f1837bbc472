//! The resources that a constrained device lists.

use std::collections::BTreeSet;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// CoAP: `GET /.well-known/core`.
pub(crate) static PROBE: Probe = Probe {
    name: "coap",
    title: "CoAP resource list",
    carrier: Carrier::Datagram,
    ports: &[5683],
    tls_ports: &[],
    multicast: None,
    sends: "GET /.well-known/core, and the further blocks of its answer",
    normal: "a client's discovery of what a device offers",
    source: "RFC 7252, sections 3 and 7.2; RFC 6690, section 4; RFC 7959, section 2.4",
    yields: &["coap.resource"],
    safety: Safety::Safe,
    budget: Budget { received: 16 << 10, ..Budget::DATAGRAM },
    begin,
};

const CONFIRMABLE: u8 = 0;
const ACKNOWLEDGEMENT: u8 = 2;
const GET: u8 = 0x01;
const CONTENT: u8 = 0x45;
const BLOCK2: u32 = 23;
const PAYLOAD_MARKER: u8 = 0xff;
/// Blocks of one answer that are asked for, the first one included.
const MOST_BLOCKS: u32 = 8;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let [a, b, token @ .., _, _] = context.random.first_chunk::<8>().copied().unwrap_or_default();
    Box::new(Discovery { id: u16::from_be_bytes([a, b]), token, block: 0, links: Vec::new() })
}

struct Discovery {
    id: u16,
    token: [u8; 4],
    /// The block that is waited for.
    block: u32,
    links: Vec<u8>,
}

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        out.send(self.request(None));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(message) = Message::parse(bytes) else { return };
        if message.token != self.token {
            return;
        }
        // An answer that comes apart from the acknowledgement wants one of its own (RFC 7252, section 5.2.2).
        if message.kind == CONFIRMABLE {
            let [high, low] = message.id.to_be_bytes();
            out.send([1 << 6 | ACKNOWLEDGEMENT << 4, 0, high, low]);
        }
        if message.code != CONTENT {
            return self.finish(out);
        }
        match message.block2 {
            Some(block) if block >> 4 != self.block => {}
            Some(block) if block & 8 != 0 && self.block + 1 < MOST_BLOCKS => {
                self.links.extend(message.payload);
                self.block += 1;
                self.id = self.id.wrapping_add(1);
                out.send(self.request(Some(self.block << 4 | block & 7)));
            }
            _ => {
                self.links.extend(message.payload);
                self.finish(out);
            }
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        self.say(out);
    }
}

impl Discovery {
    fn request(&self, block2: Option<u32>) -> Vec<u8> {
        let mut message = vec![1 << 6 | CONFIRMABLE << 4 | 4, GET];
        message.extend(self.id.to_be_bytes());
        message.extend(self.token);
        // Uri-Path (option 11), twice.
        message.extend(b"\xbb.well-known\x04core");
        if let Some(block) = block2 {
            // Option 23 is 12 further on; a number below 8 << 4 | 7 takes one byte.
            message.extend([0xc1, block as u8]);
        }
        message
    }

    fn finish(&mut self, out: &mut Out) {
        self.say(out);
        out.done();
    }

    fn say(&mut self, out: &mut Out) {
        let links: BTreeSet<&[u8]> = links(&self.links).into_iter().collect();
        links.iter().for_each(|link| out.say("coap.resource", link));
        self.links.clear();
    }
}

/// A message, as far as it is needed (RFC 7252, section 3).
struct Message<'a> {
    kind: u8,
    code: u8,
    id: u16,
    token: &'a [u8],
    block2: Option<u32>,
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let ([first, code, high, low], rest) = bytes.split_first_chunk::<4>()?;
        if first >> 6 != 1 {
            return None;
        }
        let (token, mut rest) = rest.split_at_checked(usize::from(first & 15))?;
        let (mut option, mut block2) = (0_u32, None);
        while let [head, after @ ..] = rest {
            if *head == PAYLOAD_MARKER {
                rest = after;
                break;
            }
            let (delta, after) = extended(head >> 4, after)?;
            let (length, after) = extended(head & 15, after)?;
            let (value, after) = after.split_at_checked(length as usize)?;
            option += delta;
            if option == BLOCK2 && value.len() <= 3 {
                block2 = Some(value.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)));
            }
            rest = after;
        }
        let id = u16::from_be_bytes([*high, *low]);
        Some(Self { kind: first >> 4 & 3, code: *code, id, token, block2, payload: rest })
    }
}

/// An option's delta or length, which may go on in further bytes (section 3.1).
fn extended(nibble: u8, rest: &[u8]) -> Option<(u32, &[u8])> {
    match (nibble, rest) {
        (0..=12, rest) => Some((u32::from(nibble), rest)),
        (13, [byte, rest @ ..]) => Some((u32::from(*byte) + 13, rest)),
        (14, [high, low, rest @ ..]) => Some((u32::from(u16::from_be_bytes([*high, *low])) + 269, rest)),
        _ => None,
    }
}

/// The links of a list: parted by commas, except inside of `<…>` and `"…"` (RFC 6690, section 2).
fn links(list: &[u8]) -> Vec<&[u8]> {
    let (mut quoted, mut target) = (false, false);
    let parts = list.split(|byte| {
        match byte {
            b'"' if !target => quoted = !quoted,
            b'<' if !quoted => target = true,
            b'>' if !quoted => target = false,
            _ => {}
        }
        *byte == b',' && !quoted && !target
    });
    parts.map(<[u8]>::trim_ascii).filter(|link| link.starts_with(b"<")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const REQUEST: &[u8] = b"\x44\x01\0\x01\x02\x03\x04\x05\xbb.well-known\x04core";

    #[test]
    fn reads_the_links() {
        let answer = b"\x64\x45\0\x01\x02\x03\x04\x05\xc1\x28\xff</>;title=\"General, Info\";ct=0,</time>;if=\"clock\"";
        let outcome = play(&PROBE, &context(5683), &[Sends(REQUEST), Receives(answer)]);
        let expected = said(&[
            ("coap.resource", "</>;title=\"General, Info\";ct=0"),
            ("coap.resource", "</time>;if=\"clock\""),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn asks_for_further_blocks_and_acknowledges() {
        // Block 0 of 16 bytes, more follow; then block 1, the last.
        let first = b"\x44\x45\x77\x78\x02\x03\x04\x05\xd1\x0a\x08\xff</15001>,</15004";
        let second = b"\x64\x45\0\x02\x02\x03\x04\x05\xd1\x0a\x10\xff>";
        let next = [b"\x44\x01\0\x02", &REQUEST[4..], b"\xc1\x10"].concat();
        let lines =
            [Sends(REQUEST), Receives(first), Sends(b"\x60\0\x77\x78"), Sends(&next), Receives(second)];
        let outcome = play(&PROBE, &context(5683), &lines);
        assert_eq!(outcome.said, said(&[("coap.resource", "</15001>"), ("coap.resource", "</15004>")]));
    }

    #[test]
    fn errors_and_nonsense_say_nothing() {
        let not_found = b"\x64\x84\0\x01\x02\x03\x04\x05";
        assert!(play(&PROBE, &context(5683), &[SendsAny, Receives(not_found)]).done);
        for bytes in
            [&b"\x64\x45\0\x01\x09\x09\x09\x09\xff</x>"[..], b"\x44\x45\0\x01\x02\x03\x04\x05\xf0", b"\x4f"]
        {
            assert!(play(&PROBE, &context(5683), &[SendsAny, Receives(bytes), Quiet]).said.is_empty());
        }
    }
}
