//! Whether a Redis server answers anybody.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Lines};

/// Redis: PING; where that is answered without a password, the server's own description.
pub(crate) static PROBE: Probe = Probe {
    name: "redis",
    title: "Redis PING",
    carrier: Carrier::Stream,
    ports: &[6379],
    tls_ports: &[],
    multicast: None,
    sends: "PING; INFO server only where PING was answered without a password",
    normal: "every client tests a connection with PING, and many ask INFO for the version",
    source: "Redis's documentation: RESP protocol, PING, INFO, security (protected mode)",
    yields: &["redis.auth", "redis.version"],
    safety: Safety::Careful,
    budget: Budget::GREETING,
    begin,
};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const INFO: &[u8] = b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Session { lines: Lines::default(), state: State::Ping })
}

struct Session {
    lines: Lines,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ping,
    Info,
    Over,
}

impl Session {
    fn line(&mut self, line: &[u8], out: &mut Out) {
        match self.state {
            State::Ping if line == b"+PONG" => {
                out.say("redis.auth", "none");
                out.send(INFO);
                self.state = State::Info;
            }
            State::Ping => {
                if let Some(auth) = refusal(line) {
                    out.say("redis.auth", auth);
                }
                self.over(out);
            }
            State::Info => {
                if let Some(version) = line.strip_prefix(b"redis_version:") {
                    out.say("redis.version", version.trim_ascii());
                    self.over(out);
                } else if line.starts_with(b"-") {
                    self.over(out);
                }
            }
            State::Over => {}
        }
    }

    fn over(&mut self, out: &mut Out) {
        self.state = State::Over;
        out.done();
    }
}

/// What an error says of who may ask.
fn refusal(line: &[u8]) -> Option<&'static str> {
    // Servers before 2.8 had no code of their own for it.
    if line.starts_with(b"-NOAUTH") || line == b"-ERR operation not permitted" {
        Some("required")
    } else if line.starts_with(b"-DENIED") {
        Some("protected")
    } else {
        None
    }
}

impl Conversation for Session {
    fn opened(&mut self, out: &mut Out) {
        out.send(PING);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.lines.push(bytes);
        while self.state != State::Over
            && let Some(line) = self.lines.next()
        {
            self.line(&line, out);
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.state = State::Over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn an_open_server_tells_its_version() {
        let info = b"$60\r\n# Server\r\nredis_version:7.0.15\r\nredis_git_sha1:00000000\r\n\r\n";
        let lines = [Sends(PING), Receives(b"+PONG\r\n"), Sends(INFO), Receives(info)];
        let outcome = play(&PROBE, &context(6379), &lines);
        assert_eq!(outcome.said, said(&[("redis.auth", "none"), ("redis.version", "7.0.15")]));
        assert!(outcome.done);
    }

    #[test]
    fn a_server_with_a_password_is_not_asked_more() {
        for (answer, auth) in [
            (&b"-NOAUTH Authentication required.\r\n"[..], "required"),
            (b"-ERR operation not permitted\r\n", "required"),
            (
                b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
                "protected",
            ),
        ] {
            let outcome = play(&PROBE, &context(6379), &[Sends(PING), Receives(answer)]);
            assert_eq!(outcome.said, said(&[("redis.auth", auth)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn other_answers_say_nothing() {
        for answer in [&b"-ERR unknown command\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n", b"\r\n", b"$-1\r\n"]
        {
            let outcome = play(&PROBE, &context(6379), &[Sends(PING), Receives(answer)]);
            assert!(outcome.said.is_empty() && outcome.done);
        }
        let lines =
            [Sends(PING), Receives(b"+PONG\r\n"), Sends(INFO), Receives(b"-NOPERM\r\nredis_version:1\r\n")];
        assert_eq!(play(&PROBE, &context(6379), &lines).said, said(&[("redis.auth", "none")]));
        assert!(play(&PROBE, &context(6379), &[Sends(PING), Receives(b"+PON"), Quiet]).said.is_empty());
    }
}
