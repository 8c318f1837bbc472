//! The greeting of an FTP server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

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
    text: Vec<u8>,
}

impl Conversation for Greeting {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.text.extend_from_slice(bytes);
        if let Some(greeting) = complete(&self.text) {
            out.say("ftp", greeting);
            out.done();
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if !self.text.is_empty() && complete(&self.text).is_none() {
            out.say("ftp", text_of(&self.text));
        }
    }
}

/// The text of the reply once its last line (code, space, text; RFC 959, section 4.2) is there.
fn complete(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        let last = line.len() > 3 && line[..3].iter().all(u8::is_ascii_digit) && line[3] == b' ';
        if line.ends_with(b"\n") && last {
            return Some(text_of(&bytes[..end]));
        }
    }
    None
}

/// The lines without their codes.
fn text_of(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let coded =
            line.len() > 3 && line[..3].iter().all(u8::is_ascii_digit) && matches!(line[3], b' ' | b'-');
        if coded { &line[4..] } else { line }
    });
    lines.collect::<Vec<_>>().join(&b'\n').trim_ascii().to_vec()
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
