//! The greeting of an FTP server.

use std::mem;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Replies};

/// FTP: the server speaks first; nothing is sent.
pub(crate) static PROBE: Probe = Probe {
    name: "ftp",
    title: "FTP greeting",
    carrier: Carrier::Stream,
    ports: &[21, 2121],
    tls_ports: &[990],
    multicast: None,
    sends: "nothing; it reads the greeting and closes",
    normal: "every client waits for the greeting before it logs in",
    source: "RFC 959, section 5.4",
    yields: &["ftp"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Greeting::default())
}

#[derive(Default)]
struct Greeting {
    replies: Replies,
}

impl Conversation for Greeting {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.replies.push(bytes);
        if let Some(reply) = self.replies.next() {
            out.say("ftp", reply.text.trim_ascii());
            out.done();
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if let Some(reply) = mem::take(&mut self.replies).partial() {
            out.say("ftp", reply.text.trim_ascii());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_one_line_and_many() {
        let outcome = play(&PROBE, &context(21), &[Receives(b"220 (vsFTPd 3.0.3)\r\n")]);
        assert_eq!(outcome.said, said(&[("ftp", "(vsFTPd 3.0.3)")]));
        assert!(outcome.done);
        let many = b"220-Welcome\r\n to the\r\n220-printer\r\n220 Ready\r\n";
        let outcome = play(&PROBE, &context(21), &[Receives(many)]);
        assert_eq!(outcome.said, said(&[("ftp", "Welcome\n to the\nprinter\nReady")]));
    }

    #[test]
    fn takes_what_there_is_from_a_server_that_never_ends_its_line() {
        let outcome = play(&PROBE, &context(21), &[Receives(b"220 JD FTP"), Quiet]);
        assert_eq!(outcome.said, said(&[("ftp", "JD FTP")]));
        assert!(play(&PROBE, &context(21), &[Quiet]).said.is_empty());
    }
}
