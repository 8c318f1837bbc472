//! The version of a memcached server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Lines};

/// memcached: `version`, then `quit`.
pub(crate) static PROBE: Probe = Probe {
    name: "memcached",
    title: "memcached version",
    carrier: Carrier::Stream,
    ports: &[11211],
    tls_ports: &[],
    multicast: None,
    sends: "version, then quit; never a key",
    normal: "clients ask for the version to test a connection",
    source: "memcached's protocol.txt: Other commands",
    yields: &["memcached.version"],
    safety: Safety::Careful,
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
    fn opened(&mut self, out: &mut Out) {
        out.send("version\r\n");
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.lines.push(bytes);
        if let Some(line) = self.lines.next() {
            out.done();
            if let Some(version) = line.strip_prefix(b"VERSION ") {
                out.say("memcached.version", version.trim_ascii());
                out.send("quit\r\n");
            }
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_the_version() {
        let lines = [Sends(b"version\r\n"), Receives(b"VERSION 1.6.18\r\n"), Sends(b"quit\r\n")];
        let outcome = play(&PROBE, &context(11211), &lines);
        assert_eq!(outcome.said, said(&[("memcached.version", "1.6.18")]));
        assert!(outcome.done);
    }

    #[test]
    fn other_answers_say_nothing() {
        for answer in [&b"CLIENT_ERROR unauthenticated\r\n"[..], b"ERROR\r\n", b"\r\n", b"VERSION\r\n"] {
            let outcome = play(&PROBE, &context(11211), &[Sends(b"version\r\n"), Receives(answer)]);
            assert!(outcome.said.is_empty() && outcome.done);
        }
        assert!(
            play(&PROBE, &context(11211), &[Sends(b"version\r\n"), Receives(b"VERSION 1"), Quiet])
                .said
                .is_empty()
        );
    }
}
