//! The greeting of a news server.

use std::mem;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Replies};

/// NNTP: the greeting, then QUIT.
pub(crate) static PROBE: Probe = Probe {
    name: "nntp",
    title: "NNTP greeting",
    carrier: Carrier::Stream,
    ports: &[119],
    tls_ports: &[563],
    multicast: None,
    sends: "QUIT, after it has read the greeting",
    normal: "every client waits for the greeting, and leaves with QUIT",
    source: "RFC 3977, sections 5.1 and 5.4",
    yields: &["nntp"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Session::default())
}

#[derive(Default)]
struct Session {
    replies: Replies,
}

impl Conversation for Session {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.replies.push(bytes);
        if let Some(reply) = self.replies.next() {
            out.say("nntp", reply.text);
            out.send("QUIT\r\n");
            out.done();
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if let Some(reply) = mem::take(&mut self.replies).partial() {
            out.say("nntp", reply.text);
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
            (
                "200 news.example InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n",
                "news.example InterNetNews NNRP server INN 2.7.1 ready (posting ok)",
            ),
            (
                "201 NNTP Service 5.00.0984 Version: 5.0.2195.7034 Posting Allowed \r\n",
                "NNTP Service 5.00.0984 Version: 5.0.2195.7034 Posting Allowed",
            ),
            ("502 no permission\r\n", "no permission"),
        ] {
            let outcome = play(&PROBE, &context(119), &[Receives(line.as_bytes()), Sends(b"QUIT\r\n")]);
            assert_eq!(outcome.said, said(&[("nntp", text)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn what_is_not_nntp_says_nothing() {
        let outcome = play(&PROBE, &context(119), &[Receives(b"* OK ready\r\n\r\n+OK\r\n"), Quiet]);
        assert!(outcome.said.is_empty() && outcome.done);
        let outcome = play(&PROBE, &context(119), &[Receives(b"200 news.exam"), Closes]);
        assert_eq!(outcome.said, said(&[("nntp", "news.exam")]));
    }
}
