//! The greeting and the capabilities of an IMAP server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Lines};

/// IMAP: the greeting, then CAPABILITY, then LOGOUT.
pub(crate) static PROBE: Probe = Probe {
    name: "imap",
    title: "IMAP greeting and capabilities",
    carrier: Carrier::Stream,
    ports: &[143],
    tls_ports: &[993],
    multicast: None,
    sends: "CAPABILITY, then LOGOUT",
    normal: "every client waits for the greeting and asks for the capabilities before it logs in",
    source: "RFC 9051, sections 6.1.1, 6.1.3 and 7.1",
    yields: &["imap", "imap.capability"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Session { lines: Lines::default(), state: State::Greeting })
}

struct Session {
    lines: Lines,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Greeting,
    Capabilities,
    Over,
}

impl Session {
    fn line(&mut self, line: &[u8], out: &mut Out) {
        match self.state {
            State::Greeting => self.greeted(line, out),
            State::Capabilities => {
                if let Some(list) = line.strip_prefix(b"* CAPABILITY ") {
                    out.say("imap.capability", list.trim_ascii());
                } else if !line.starts_with(b"* ") {
                    out.send("a2 LOGOUT\r\n");
                    self.over(out);
                }
            }
            State::Over => {}
        }
    }

    fn greeted(&mut self, line: &[u8], out: &mut Out) {
        match greeting(line) {
            Some((text, goes_on)) => {
                out.say("imap", text);
                if goes_on {
                    out.send("a1 CAPABILITY\r\n");
                    self.state = State::Capabilities;
                } else {
                    self.over(out);
                }
            }
            None => self.over(out),
        }
    }

    fn over(&mut self, out: &mut Out) {
        self.state = State::Over;
        out.done();
    }
}

/// The text of a greeting, and whether the server stays.
fn greeting(line: &[u8]) -> Option<(&[u8], bool)> {
    let rest = line.strip_prefix(b"* ")?;
    let (text, goes_on) = match rest {
        [b'O', b'K', text @ ..] => (text, true),
        [b'P', b'R', b'E', b'A', b'U', b'T', b'H', text @ ..] => (text, true),
        [b'B', b'Y', b'E', text @ ..] => (text, false),
        _ => return None,
    };
    Some((text.trim_ascii(), goes_on))
}

impl Conversation for Session {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.lines.push(bytes);
        while self.state != State::Over
            && let Some(line) = self.lines.next()
        {
            self.line(&line, out);
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if self.state == State::Greeting
            && let Some((text, _)) = greeting(self.lines.rest())
        {
            out.say("imap", text);
        }
        self.state = State::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_the_greeting_and_the_capabilities() {
        let lines = [
            Receives(b"* OK [CAPABILITY IMAP4rev1 ID] Dovecot (Debian) ready.\r\n"),
            Sends(b"a1 CAPABILITY\r\n"),
            Receives(b"* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE\r\na1 OK Pre-login\r\n"),
            Sends(b"a2 LOGOUT\r\n"),
        ];
        let outcome = play(&PROBE, &context(143), &lines);
        let expected = [
            ("imap", "[CAPABILITY IMAP4rev1 ID] Dovecot (Debian) ready."),
            ("imap.capability", "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE"),
        ];
        assert_eq!(outcome.said, said(&expected));
        assert!(outcome.done);
    }

    #[test]
    fn a_server_that_says_goodbye_is_not_asked() {
        let outcome = play(&PROBE, &context(143), &[Receives(b"* BYE Microsoft Exchange is closing\r\n")]);
        assert_eq!(outcome.said, said(&[("imap", "Microsoft Exchange is closing")]));
        assert!(outcome.done);
    }

    #[test]
    fn odd_answers_end_it() {
        let lines = [
            Receives(b"* OK ready"),
            Receives(b"\n"),
            Sends(b"a1 CAPABILITY\r\n"),
            Receives(b"* \r\n* 1 EXISTS\r\na1 BAD what\r\n* CAPABILITY late\r\n"),
            Sends(b"a2 LOGOUT\r\n"),
        ];
        assert_eq!(play(&PROBE, &context(143), &lines).said, said(&[("imap", "ready")]));
        for bytes in [&b"220 mail ESMTP\r\n"[..], b"* NO\r\n", b"\r\n"] {
            let outcome = play(&PROBE, &context(143), &[Receives(bytes)]);
            assert!(outcome.said.is_empty() && outcome.done);
        }
        let outcome = play(&PROBE, &context(143), &[Receives(b"* OK cut of"), Quiet]);
        assert_eq!(outcome.said, said(&[("imap", "cut of")]));
    }
}
