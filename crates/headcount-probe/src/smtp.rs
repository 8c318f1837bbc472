//! The greeting and the extensions of an SMTP server.

use std::{mem, time::Duration};

use crate::{
    Budget, Carrier, Context, Conversation, End, Out, Probe, Safety,
    lines::{Replies, Reply},
};

/// SMTP: the greeting, then EHLO, then QUIT; no mail is begun.
pub(crate) static PROBE: Probe = Probe {
    name: "smtp",
    title: "SMTP greeting and extensions",
    carrier: Carrier::Stream,
    ports: &[25, 587, 2525],
    tls_ports: &[465],
    multicast: None,
    sends: "EHLO with the loopback address in brackets in place of a name, then QUIT",
    normal: "every client waits for the greeting and says EHLO before all else; one without a name gives an address",
    source: "RFC 5321, sections 3.1, 4.1.1.1, 4.1.3 and 4.2.1",
    yields: &["smtp", "smtp.ehlo"],
    safety: Safety::Safe,
    // Servers that hold senders back wait some seconds before the last line of their greeting.
    budget: Budget { time: Duration::from_secs(15), quiet: Duration::from_secs(8), ..Budget::GREETING },
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Session { replies: Replies::default(), state: State::Greeting })
}

struct Session {
    replies: Replies,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Greeting,
    Extensions,
    Over,
}

impl Session {
    fn reply(&mut self, reply: &Reply, out: &mut Out) {
        match self.state {
            State::Greeting => {
                out.say("smtp", &reply.text);
                if reply.code == 220 {
                    out.send("EHLO [127.0.0.1]\r\n");
                    self.state = State::Extensions;
                    return;
                }
            }
            State::Extensions if reply.code == 250 => out.say("smtp.ehlo", &reply.text),
            State::Extensions | State::Over => {}
        }
        out.send("QUIT\r\n");
        out.done();
        self.state = State::Over;
    }
}

impl Conversation for Session {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.replies.push(bytes);
        while self.state != State::Over
            && let Some(reply) = self.replies.next()
        {
            self.reply(&reply, out);
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if self.state == State::Greeting
            && let Some(reply) = mem::take(&mut self.replies).partial()
        {
            out.say("smtp", reply.text);
        }
        self.state = State::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const EHLO: &[u8] = b"EHLO [127.0.0.1]\r\n";

    #[test]
    fn reads_the_greeting_and_the_extensions() {
        let lines = [
            Receives(b"220 mail.example ESMTP Postfix (Debian/GNU)\r\n"),
            Sends(EHLO),
            Receives(b"250-mail.example\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n"),
            Sends(b"QUIT\r\n"),
        ];
        let outcome = play(&PROBE, &context(25), &lines);
        let expected = [
            ("smtp", "mail.example ESMTP Postfix (Debian/GNU)"),
            ("smtp.ehlo", "mail.example\nSIZE 10240000\n8BITMIME"),
        ];
        assert_eq!(outcome.said, said(&expected));
        assert!(outcome.done);
    }

    #[test]
    fn waits_for_the_end_of_a_long_greeting() {
        let lines = [
            Receives(b"220-mail.example ESMTP Exim 4.96 #2\r\n220-We do not authorize\r\n"),
            Receives(b"220 bulk mail.\r\n"),
            Sends(EHLO),
            Receives(b"502 unimplemented\r\n"),
            Sends(b"QUIT\r\n"),
        ];
        let outcome = play(&PROBE, &context(25), &lines);
        let expected = [("smtp", "mail.example ESMTP Exim 4.96 #2\nWe do not authorize\nbulk mail.")];
        assert_eq!(outcome.said, said(&expected));
    }

    #[test]
    fn a_server_that_refuses_is_not_asked() {
        let lines = [Receives(b"554 gw.example No SMTP service here\r\n"), Sends(b"QUIT\r\n")];
        let outcome = play(&PROBE, &context(25), &lines);
        assert_eq!(outcome.said, said(&[("smtp", "gw.example No SMTP service here")]));
        assert!(outcome.done);
    }

    #[test]
    fn what_is_not_smtp_says_nothing() {
        for bytes in [&b"SSH-2.0-x\r\n"[..], b"\n\n\n\n", b"22", b"\xff\xfd\x01"] {
            assert!(play(&PROBE, &context(25), &[Receives(bytes), Quiet]).said.is_empty());
        }
        let outcome = play(&PROBE, &context(25), &[Receives(b"220 cut o"), Closes]);
        assert_eq!(outcome.said, said(&[("smtp", "cut o")]));
    }
}
