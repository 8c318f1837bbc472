//! The dialect and the names of an SMB server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, ntlm};

mod v1;
mod v2;

/// SMB: negotiation, then the first step of a session setup, whose answer is a challenge; it is not answered.
pub(crate) static PROBE: Probe = Probe {
    name: "smb",
    title: "SMB negotiation and NTLM challenge",
    carrier: Carrier::Stream,
    ports: &[445],
    tls_ports: &[],
    multicast: None,
    sends: "a negotiation for both generations of the protocol, and a session setup that asks for an NTLM challenge; \
            no name, no proof, no session",
    normal: "the first two or three messages of every client that knows no Kerberos",
    source: "MS-SMB2, sections 2.2.3 to 2.2.6 and 3.2.4.2.2; MS-CIFS, section 2.2.4.52; MS-SMB, section 2.2.4.6; MS-NLMP",
    yields: &["smb.dialect", "smb.signing", "smb.native_os", "smb.native_lm", ntlm::FIELD],
    safety: Safety::Careful,
    budget: Budget { received: 64 << 10, ..Budget::GREETING },
    begin,
};

/// Longer than any of these answers.
const LONGEST: usize = 16 << 10;
const KEEP_ALIVE: u8 = 0x85;

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Session { random: context.random, bytes: Vec::new(), start: 0, state: State::Negotiate })
}

struct Session {
    random: [u8; 32],
    bytes: Vec<u8>,
    start: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The question for both generations is out.
    Negotiate,
    /// The server knows the second generation and was asked for its dialect.
    Dialect,
    /// The challenge of the first generation is asked for.
    ChallengeV1,
    /// The challenge of the second generation is asked for.
    ChallengeV2,
    Over,
}

impl Session {
    /// The next message of the stream (RFC 1002, section 4.3.1, and MS-SMB2, section 2.1), or that it holds none.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ()> {
        loop {
            let bytes = self.bytes.get(self.start..).unwrap_or_default();
            let Some(([kind, high, middle, low], rest)) = bytes.split_first_chunk() else { return Ok(None) };
            let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            if !matches!(*kind, 0 | KEEP_ALIVE) || length > LONGEST {
                return Err(());
            }
            let Some(message) = rest.get(..length) else { return Ok(None) };
            self.start += 4 + length;
            if *kind == 0 {
                return Ok(Some(message.to_vec()));
            }
        }
    }

    fn message(&mut self, message: &[u8], out: &mut Out) {
        let next = match self.state {
            State::Negotiate if message.starts_with(v2::MAGIC) => self.negotiated_v2(message, 1, out),
            State::Negotiate => Self::negotiated_v1(message, out),
            State::Dialect => self.negotiated_v2(message, 2, out),
            State::ChallengeV1 => {
                v1::say_challenge(message, out);
                None
            }
            State::ChallengeV2 => {
                if let Some(token) = v2::challenge(message) {
                    ntlm::say(token, out);
                }
                None
            }
            State::Over => None,
        };
        self.state = next.unwrap_or(State::Over);
        if self.state == State::Over {
            out.done();
        }
    }

    /// `id`: the next message's number.
    fn negotiated_v2(&self, message: &[u8], id: u64, out: &mut Out) -> Option<State> {
        let negotiated = v2::Negotiated::parse(message)?;
        if negotiated.dialect == v2::ANY && id == 1 {
            out.send(framed(&v2::negotiate(&self.random)));
            return Some(State::Dialect);
        }
        out.say("smb.dialect", v2::dialect_name(negotiated.dialect)?);
        out.say("smb.signing", negotiated.signing);
        out.send(framed(&v2::session_setup(id)));
        Some(State::ChallengeV2)
    }

    fn negotiated_v1(message: &[u8], out: &mut Out) -> Option<State> {
        let negotiated = v1::Negotiated::parse(message)?;
        out.say("smb.dialect", "1.0");
        out.say("smb.signing", negotiated.signing);
        if !negotiated.extended_security {
            return None;
        }
        out.send(framed(&v1::session_setup()));
        Some(State::ChallengeV1)
    }
}

impl Conversation for Session {
    fn opened(&mut self, out: &mut Out) {
        out.send(framed(&v1::negotiate()));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.state == State::Over {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        while self.state != State::Over {
            match self.next() {
                Ok(Some(message)) => self.message(&message, out),
                Ok(None) => return,
                Err(()) => {
                    self.state = State::Over;
                    out.done();
                }
            }
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.state = State::Over;
    }
}

/// With the length before it; ours are short.
fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

#[cfg(test)]
mod tests;
