//! The greeting of a MySQL or MariaDB server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// MySQL: the server speaks first; nothing is sent.
pub(crate) static PROBE: Probe = Probe {
    name: "mysql",
    title: "MySQL greeting",
    carrier: Carrier::Stream,
    ports: &[3306],
    tls_ports: &[],
    multicast: None,
    sends: "nothing; it reads the greeting and closes",
    normal: "every client waits for the greeting before it logs in",
    source: "MySQL's protocol documentation: Protocol::HandshakeV10, Protocol::HandshakeV9, ERR_Packet",
    yields: &["mysql", "mysql.auth", "mysql.capabilities", "mysql.error"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

/// Longer than any greeting or refusal.
const LONGEST: usize = 4096;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Greeting::default())
}

#[derive(Default)]
struct Greeting {
    bytes: Vec<u8>,
    over: bool,
}

impl Conversation for Greeting {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.over {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let Some(([a, b, c, sequence], rest)) = self.bytes.split_first_chunk() else { return };
        let length = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
        if *sequence != 0 || length > LONGEST {
            self.over = true;
        } else if let Some(payload) = rest.get(..length) {
            read(payload, out);
            self.over = true;
        }
        if self.over {
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.over = true;
    }
}

fn read(payload: &[u8], out: &mut Out) {
    match payload {
        [9, rest @ ..] => out.say("mysql", text(rest)),
        [10, rest @ ..] => read_greeting(rest, out),
        [0xff, _, _, rest @ ..] => {
            // The five letters of the SQL state follow a hash sign, in servers since 4.1.
            let message = match rest {
                [b'#', _, _, _, _, _, message @ ..] => message,
                _ => rest,
            };
            out.say("mysql.error", message.trim_ascii());
        }
        _ => {}
    }
}

/// Version 10: the version, then the thread (4), the salt's first part and a zero (9), the low capabilities (2), the
/// character set (1), the status (2), the high capabilities (2), the salt's length (1), and ten reserved bytes; then
/// the salt's second part (at least 13) and the authentication plugin. Old servers end after any of these.
fn read_greeting(bytes: &[u8], out: &mut Out) {
    const PLUGIN_AUTH: u32 = 1 << 19;
    let version = text(bytes);
    if !version.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return;
    }
    out.say("mysql", version);
    let rest = bytes.get(version.len() + 1..).unwrap_or_default();
    let Some(low) = rest.get(13..15) else { return };
    let high = rest.get(18..20).unwrap_or(&[0, 0]);
    let capabilities = low.iter().chain(high).rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    out.say("mysql.capabilities", format!("{capabilities:08x}"));
    if capabilities & PLUGIN_AUTH != 0 {
        let salt = rest.get(20).map_or(13, |length| usize::from(*length).saturating_sub(8).max(13));
        out.say("mysql.auth", text(rest.get(31 + salt..).unwrap_or_default()));
    }
}

/// What comes before the first zero.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn packet(payload: &[u8]) -> Vec<u8> {
        [&[payload.len() as u8, (payload.len() >> 8) as u8, 0, 0], payload].concat()
    }

    fn greeting(version: &[u8], capabilities: [u8; 4], plugin: &[u8]) -> Vec<u8> {
        let [a, b, c, d] = capabilities;
        let fixed = [7, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, a, b, 0x2d, 2, 0, c, d, 21];
        packet(&[&[10], version, &[0], &fixed, &[0; 10], b"abcdefghijkl\0", plugin, b"\0"].concat())
    }

    #[test]
    fn reads_version_and_plugin() {
        for (version, plugin) in [
            ("8.0.36-0ubuntu0.22.04.1", "caching_sha2_password"),
            ("5.5.5-10.11.6-MariaDB-0+deb12u1", "mysql_native_password"),
        ] {
            let answer = greeting(version.as_bytes(), [0xff, 0xff, 0xff, 0xdf], plugin.as_bytes());
            let outcome = play(&PROBE, &context(3306), &[Receives(&answer)]);
            let expected = [("mysql", version), ("mysql.capabilities", "dfffffff"), ("mysql.auth", plugin)];
            assert_eq!(outcome.said, said(&expected));
            assert!(outcome.done);
        }
    }

    #[test]
    fn reads_a_refusal() {
        let message = b"\xff\x6a\x04Host '192.0.2.1' is not allowed to connect to this MySQL server";
        let outcome = play(&PROBE, &context(3306), &[Receives(&packet(message)), Closes]);
        let expected = "Host '192.0.2.1' is not allowed to connect to this MySQL server";
        assert_eq!(outcome.said, said(&[("mysql.error", expected)]));
        let outcome =
            play(&PROBE, &context(3306), &[Receives(&packet(b"\xff\x10\x04#08004Too many connections"))]);
        assert_eq!(outcome.said, said(&[("mysql.error", "Too many connections")]));
    }

    #[test]
    fn reads_what_an_old_server_has() {
        let outcome = play(&PROBE, &context(3306), &[Receives(&packet(b"\x0a3.23.58\0"))]);
        assert_eq!(outcome.said, said(&[("mysql", "3.23.58")]));
        let outcome = play(&PROBE, &context(3306), &[Receives(&packet(b"\x093.20\0abcd"))]);
        assert_eq!(outcome.said, said(&[("mysql", "3.20")]));
    }

    #[test]
    fn what_is_not_a_greeting_says_nothing() {
        for bytes in [
            &b"SSH-2.0-x\r\n"[..],
            &[0, 0, 0, 0],
            &[1, 0, 0, 0, 0xff],
            &[3, 0, 0, 0, 10, 1, 0],
            b"\xff\xff\xff\0",
        ] {
            let outcome = play(&PROBE, &context(3306), &[Receives(bytes), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{bytes:?}");
        }
        assert!(play(&PROBE, &context(3306), &[Receives(&[9, 0, 0, 0, 10, b'8']), Quiet]).said.is_empty());
    }
}
