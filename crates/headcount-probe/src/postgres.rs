//! Whether a PostgreSQL server takes TLS.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// PostgreSQL: the request for TLS. The next message would carry a user's name, so there is none.
pub(crate) static PROBE: Probe = Probe {
    name: "postgres",
    title: "PostgreSQL TLS request",
    carrier: Carrier::Stream,
    ports: &[5432],
    tls_ports: &[],
    multicast: None,
    sends: "SSLRequest; never the startup message, which carries a user's name",
    normal: "the first message of every client whose sslmode is not disable",
    source: "PostgreSQL's documentation, Frontend/Backend Protocol: SSL Session Encryption, SSLRequest, ErrorResponse",
    yields: &["postgres.ssl", "postgres.error"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

/// Length, and the code that stands in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// Longer than the errors that come this early.
const LONGEST: usize = 2048;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Request::default())
}

#[derive(Default)]
struct Request {
    bytes: Vec<u8>,
    over: bool,
}

impl Conversation for Request {
    fn opened(&mut self, out: &mut Out) {
        out.send(SSL_REQUEST);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.over {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        self.over = match self.bytes.first() {
            None => false,
            Some(b'S') => {
                out.say("postgres.ssl", "yes");
                true
            }
            Some(b'N') => {
                out.say("postgres.ssl", "no");
                true
            }
            Some(b'E') => match error(&self.bytes) {
                Some(text) => {
                    out.say("postgres.error", text);
                    true
                }
                None => false,
            },
            Some(_) => true,
        };
        if self.over || self.bytes.len() > LONGEST {
            self.over = true;
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.over = true;
    }
}

/// The text of an error that is there whole: with fields, or, before the server knows the client's version, bare.
fn error(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"E")?;
    let (length, fields) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > LONGEST {
        let end = rest.iter().position(|byte| *byte == 0)?;
        return rest.get(..end).map(<[u8]>::trim_ascii);
    }
    let fields = fields.get(..length.saturating_sub(4))?;
    let message = fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
    Some(message.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_yes_and_no() {
        for (answer, value) in [(b"S", "yes"), (b"N", "no")] {
            let outcome = play(&PROBE, &context(5432), &[Sends(&SSL_REQUEST), Receives(answer)]);
            assert_eq!(outcome.said, said(&[("postgres.ssl", value)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn reads_errors_of_both_forms() {
        let fields = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";
        let length = (fields.len() + 4) as u32;
        let answer = [b"E", &length.to_be_bytes()[..], fields].concat();
        let outcome = play(&PROBE, &context(5432), &[Sends(&SSL_REQUEST), Receives(&answer)]);
        assert_eq!(outcome.said, said(&[("postgres.error", "sorry, too many clients already")]));
        let bare = b"Ecould not fork new process for connection\n\0";
        let outcome = play(&PROBE, &context(5432), &[Sends(&SSL_REQUEST), Receives(bare)]);
        assert_eq!(outcome.said, said(&[("postgres.error", "could not fork new process for connection")]));
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        for answer in [&b"HTTP/1.1 400\r\n"[..], b"E", b"E\0\0\0\0", b"E\0\0\0\x04", b"E\0\0\x07\0abc", b"\0"]
        {
            let outcome = play(&PROBE, &context(5432), &[Sends(&SSL_REQUEST), Receives(answer), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{answer:?}");
        }
        let endless = [b"E\x7f\x7f\x7f\x7f", &[b'x'; LONGEST][..]].concat();
        let outcome = play(&PROBE, &context(5432), &[Sends(&SSL_REQUEST), Receives(&endless), Closes]);
        assert!(outcome.said.is_empty());
    }
}
