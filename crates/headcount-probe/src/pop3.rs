//! The greeting of a POP3 server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Lines};

/// POP3: the greeting, then QUIT.
pub(crate) static PROBE: Probe = Probe {
    name: "pop3",
    title: "POP3 greeting",
    carrier: Carrier::Stream,
    ports: &[110],
    tls_ports: &[995],
    multicast: None,
    sends: "QUIT, after it has read the greeting",
    normal: "every client waits for the greeting, and leaves with QUIT",
    source: "RFC 1939, sections 3 and 4",
    yields: &["pop3"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Session::default())
}

#[derive(Default)]
struct Session {
    lines: Lines,
}

impl Conversation for Session {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.lines.push(bytes);
        if let Some(line) = self.lines.next() {
            out.done();
            if let Some(text) = line.strip_prefix(b"+OK") {
                out.say("pop3", text.trim_ascii());
                out.send("QUIT\r\n");
            }
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if let Some(text) = self.lines.rest().strip_prefix(b"+OK") {
            out.say("pop3", text.trim_ascii());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_the_greeting() {
        for (line, text) in [
            (&b"+OK Dovecot (Debian) ready.\r\n"[..], "Dovecot (Debian) ready."),
            (
                b"+OK Microsoft Exchange POP3 service ready <a@b>\r\n",
                "Microsoft Exchange POP3 service ready <a@b>",
            ),
        ] {
            let outcome = play(&PROBE, &context(110), &[Receives(line), Sends(b"QUIT\r\n")]);
            assert_eq!(outcome.said, said(&[("pop3", text)]));
            assert!(outcome.done);
        }
        let outcome = play(&PROBE, &context(110), &[Receives(b"+OK Hello th"), Closes]);
        assert_eq!(outcome.said, said(&[("pop3", "Hello th")]));
    }

    #[test]
    fn what_is_not_pop3_says_nothing_and_is_told_nothing() {
        for line in [&b"-ERR too many connections\r\n"[..], b"220 ftp\r\n", b"\n+OK\n"] {
            let outcome = play(&PROBE, &context(110), &[Receives(line)]);
            assert!(outcome.said.is_empty() && outcome.done);
        }
    }
}
