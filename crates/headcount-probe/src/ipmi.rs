//! What a management controller requires of those who log in.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// IPMI: Get Channel Authentication Capabilities.
pub(crate) static PROBE: Probe = Probe {
    name: "ipmi",
    title: "IPMI channel authentication capabilities",
    carrier: Carrier::Datagram,
    ports: &[623],
    tls_ports: &[],
    multicast: None,
    sends: "one Get Channel Authentication Capabilities for the channel itself, outside of any session",
    normal: "every client's first message, sent before a user is named",
    source: "IPMI 2.0, sections 13.1.3, 13.6 and 22.13",
    yields: &["ipmi.version", "ipmi.auth", "ipmi.null_user", "ipmi.anonymous", "ipmi.oem"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

/// RMCP version 1.0, no acknowledgement wanted, class IPMI.
const RMCP: [u8; 4] = [6, 0, 0xff, 7];
const CONTROLLER: u8 = 0x20;
const REMOTE_CONSOLE: u8 = 0x81;
/// Network function application, even for requests.
const APPLICATION: u8 = 0x06;
const GET_CAPABILITIES: u8 = 0x38;
/// The channel that the message came by.
const THIS_CHANNEL: u8 = 0x0e;
/// Also tell about version 2.0.
const EXTENDED: u8 = 0x80;
const ADMINISTRATOR: u8 = 4;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Capabilities { extended: true })
}

struct Capabilities {
    extended: bool,
}

impl Conversation for Capabilities {
    fn opened(&mut self, out: &mut Out) {
        out.send(request(THIS_CHANNEL | EXTENDED));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        match answer(bytes) {
            Some((0, data)) => {
                say(data, out);
                out.done();
            }
            Some(_) => self.without_extension(out),
            None => {}
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end == End::Quiet {
            self.without_extension(out);
        }
    }
}

impl Capabilities {
    /// Controllers of version 1.5 may not know the bit that asks for more.
    fn without_extension(&mut self, out: &mut Out) {
        if self.extended {
            self.extended = false;
            out.send(request(THIS_CHANNEL));
        } else {
            out.done();
        }
    }
}

fn request(channel: u8) -> Vec<u8> {
    let head = [CONTROLLER, APPLICATION << 2];
    let body = [REMOTE_CONSOLE, 0, GET_CAPABILITIES, channel, ADMINISTRATOR];
    let mut message = RMCP.to_vec();
    // No authentication, sequence 0, session 0, and the length of what follows.
    message.extend([0; 9]);
    message.push(9);
    message.extend(head);
    message.push(checksum(&head));
    message.extend(body);
    message.push(checksum(&body));
    message
}

/// What makes the sum zero (section 13.8).
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte))
}

/// Completion code and data of the answer.
fn answer(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let message = bytes.strip_prefix(&RMCP)?;
    let (session, message) = message.split_first_chunk::<10>()?;
    if session[..9] != [0; 9] {
        return None;
    }
    let message = message.get(..usize::from(session[9]))?;
    let [REMOTE_CONSOLE, function, _, CONTROLLER, _, GET_CAPABILITIES, code, data @ .., _] = message else {
        return None;
    };
    (function >> 2 == APPLICATION | 1).then_some((*code, data))
}

fn say(data: &[u8], out: &mut Out) {
    let [_channel, types, status, rest @ ..] = data else { return };
    // Which versions can be used is only told by those that know 2.0.
    let extended = (types & 0x80 != 0).then(|| rest.first().copied().unwrap_or(1));
    let versions = extended.unwrap_or(1);
    for (bit, version) in [(0, "1.5"), (1, "2.0")] {
        if versions >> bit & 1 == 1 {
            out.say("ipmi.version", version);
        }
    }
    for (bit, name) in [(0, "none"), (1, "md2"), (2, "md5"), (4, "password"), (5, "oem")] {
        if types >> bit & 1 == 1 {
            out.say("ipmi.auth", name);
        }
    }
    let truth = |bit: u8| if status >> bit & 1 == 1 { "true" } else { "false" };
    out.say("ipmi.null_user", truth(1));
    out.say("ipmi.anonymous", truth(0));
    if let [_, a, b, c, ..] = rest {
        let number = u32::from_le_bytes([*a, *b, *c, 0]);
        if number != 0 {
            out.say("ipmi.oem", number.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const REQUEST: &[u8] = b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x8e\x04\xb5";

    fn reply(code: u8, data: &[u8]) -> Vec<u8> {
        let length = 8 + data.len() as u8;
        [&RMCP[..], &[0; 9], &[length, 0x81, 0x1c, 0x63, 0x20, 0, 0x38, code], data, &[0]].concat()
    }

    #[test]
    fn reads_versions_types_and_null_users() {
        // A controller of version 2.0 that lets users without a name in.
        let bytes = reply(0, &[1, 0x97, 0x06, 3, 0xa2, 2, 0, 0]);
        let outcome = play(&PROBE, &context(623), &[Sends(REQUEST), Receives(&bytes)]);
        let expected = said(&[
            ("ipmi.version", "1.5"),
            ("ipmi.version", "2.0"),
            ("ipmi.auth", "none"),
            ("ipmi.auth", "md2"),
            ("ipmi.auth", "md5"),
            ("ipmi.auth", "password"),
            ("ipmi.null_user", "true"),
            ("ipmi.anonymous", "false"),
            ("ipmi.oem", "674"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn an_old_controller_is_asked_without_the_extension() {
        let refused = reply(0xcc, &[]);
        let bytes = reply(0, &[1, 0x04, 0x04, 0, 0, 0, 0, 0]);
        let plain = b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x0e\x04\x35";
        let expected = said(&[
            ("ipmi.version", "1.5"),
            ("ipmi.auth", "md5"),
            ("ipmi.null_user", "false"),
            ("ipmi.anonymous", "false"),
        ]);
        for first in [Receives(&refused), Quiet] {
            let outcome =
                play(&PROBE, &context(623), &[Sends(REQUEST), first, Sends(plain), Receives(&bytes)]);
            assert_eq!(outcome.said, expected);
        }
    }

    #[test]
    fn an_echo_and_a_length_that_lies_say_nothing() {
        let mut long = reply(0, &[1, 0x97, 0x06, 3, 0, 0, 0, 0]);
        long[13] = 200;
        for bytes in [REQUEST, &long, &RMCP] {
            assert!(play(&PROBE, &context(623), &[SendsAny, Receives(bytes)]).said.is_empty());
        }
    }
}
