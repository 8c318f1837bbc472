//! What speaks on a port that has no protocol of its own.

use std::time::Duration;

use crate::{Budget, Carrier, Context, Conversation, End, Follow, Out, Probe, Safety, fetch, lines::Lines};

/// First read: it listens, then asks for a page, and leaves the rest to the probe whose protocol was recognised.
pub(crate) static PROBE: Probe = Probe {
    name: "first-read",
    title: "first words of an unknown port",
    carrier: Carrier::Stream,
    ports: &[],
    tls_ports: &[],
    multicast: None,
    sends: "nothing to a server that speaks first; to one that waits, one GET for /",
    normal: "a person who wonders what is there connects, waits, and tries a browser",
    source: "the greetings of RFC 4253, 5321, 959, 1939, 9051, 3977, 6143 and 854, and of MySQL; RFC 9112; RFC 8446, section 6",
    yields: &["banner"],
    safety: Safety::Safe,
    budget: Budget { sends: 1, quiet: Duration::from_millis(2500), ..Budget::GREETING },
    begin,
};

/// Bytes that are looked at.
const LONGEST: usize = 4096;
/// A page may take longer than a greeting.
const ANSWER: Duration = Duration::from_secs(4);

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Listener {
        context: context.clone(),
        heard: Vec::new(),
        lines: Lines::default(),
        taken: 0,
        state: State::Listening,
    })
}

struct Listener {
    context: Context,
    heard: Vec<u8>,
    lines: Lines,
    /// How much of what was heard went into lines.
    taken: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Listening,
    Asked,
    Over,
}

/// Where the words lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Probe(&'static str),
    Web,
    WebInTls,
}

impl Listener {
    /// Decides as soon as the words suffice, whatever comes after them.
    fn look(&mut self) -> Option<Lead> {
        let head = self.heard.first_chunk::<5>()?;
        if let Some(lead) = binary(*head) {
            return Some(lead);
        }
        if self.state == State::Asked && head == b"HTTP/" {
            // Only the text of a refusal can say that the port wants TLS; it is waited for.
            let code = self.heard.get(9..12)?;
            return (code != b"400").then_some(Lead::Web);
        }
        self.lines.push(self.heard.get(self.taken..).unwrap_or_default());
        self.taken = self.heard.len();
        while let Some(line) = self.lines.next() {
            if let Some(lead) = greeting(&line) {
                return Some(lead);
            }
        }
        None
    }

    /// Decides by what there is.
    fn conclude(&self, end: End) -> Option<Lead> {
        if self.heard.is_empty() {
            // A TLS server that got a request in the clear often just closes.
            return (self.state == State::Asked && end == End::Closed).then_some(Lead::WebInTls);
        }
        let last = self.heard.get(self.taken..).filter(|rest| !rest.is_empty()).unwrap_or(self.lines.rest());
        if let Some(lead) = greeting(last) {
            return Some(lead);
        }
        let text = self.heard.to_ascii_lowercase();
        let holds = |word: &str| text.windows(word.len()).any(|window| window == word.as_bytes());
        if self.state == State::Asked {
            return match text.as_slice() {
                [0x15 | 0x16, 3, ..] => Some(Lead::WebInTls),
                [b'h', b't', b't', b'p', b'/', ..] if holds("https") || holds("ssl") => Some(Lead::WebInTls),
                [b'h', b't', b't', b'p', b'/', ..] => Some(Lead::Web),
                _ if text.trim_ascii_start().starts_with(b"<") => Some(Lead::Web),
                _ => None,
            };
        }
        let prompts = ["login:", "username:", "user name:", "password:", "login "];
        let negotiates = self.heard.windows(2).any(|pair| matches!(pair, [255, 251..=254]));
        (negotiates || prompts.iter().any(|prompt| holds(prompt))).then_some(Lead::Probe("telnet"))
    }

    fn follow(&mut self, lead: Lead, out: &mut Out) {
        let (probe, tls) = match lead {
            Lead::Probe(probe) => (probe, false),
            Lead::Web => ("http", false),
            Lead::WebInTls => ("http", true),
        };
        let (port, tls) = (self.context.port, tls || self.context.tls);
        out.follow(Follow { probe, port, tls, path: String::new() });
        self.over(out);
    }

    fn over(&mut self, out: &mut Out) {
        self.state = State::Over;
        out.done();
    }

    fn finish(&mut self, end: End, out: &mut Out) {
        match self.conclude(end) {
            Some(lead) => self.follow(lead, out),
            None => {
                out.say("banner", self.heard.trim_ascii());
                self.over(out);
            }
        }
    }
}

impl Conversation for Listener {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.state == State::Over {
            return;
        }
        let left = LONGEST.saturating_sub(self.heard.len());
        self.heard.extend(bytes.iter().take(left));
        if let Some(lead) = self.look() {
            self.follow(lead, out);
        } else if self.heard.len() >= LONGEST {
            self.finish(End::Spent, out);
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if self.state == State::Listening && end == End::Quiet && self.heard.is_empty() {
            out.send(fetch::get(&self.context, ""));
            out.wait(ANSWER);
            self.state = State::Asked;
        } else if self.state != State::Over {
            self.finish(end, out);
        }
    }
}

/// What the first bytes of a protocol that is not text lead to.
fn binary(head: [u8; 5]) -> Option<Lead> {
    match head {
        // Telnet's negotiation.
        [255, 251..=254, ..] => Some(Lead::Probe("telnet")),
        // TLS: an alert or a handshake.
        [0x15 | 0x16, 3, 0..=4, ..] => Some(Lead::WebInTls),
        // MySQL's greeting or refusal: a short packet, the first.
        [_, 0..=15, 0, 0, 9 | 10 | 255] => Some(Lead::Probe("mysql")),
        _ => None,
    }
}

/// What a line of a greeting leads to.
fn greeting(line: &[u8]) -> Option<Lead> {
    let lower = line.to_ascii_lowercase();
    let holds = |word: &str| lower.windows(word.len()).any(|window| window == word.as_bytes());
    let probe = match lower.as_slice() {
        [b's', b's', b'h', b'-', b'1'..=b'2', b'.', ..] => "ssh",
        [b'r', b'f', b'b', b' ', b'0'..=b'9', ..] => "vnc",
        // Mail servers name their protocol or their purpose; file servers often do not.
        [b'2', b'2', b'0', b' ' | b'-', ..] if holds("smtp") || holds("mail") => "smtp",
        [b'2', b'2', b'0', b' ' | b'-', ..] => "ftp",
        [b'5', b'5', b'4', b' ' | b'-', ..] if holds("smtp") => "smtp",
        [b'2', b'0', b'0' | b'1', b' ', ..] if holds("nntp") || holds("news") => "nntp",
        [b'+', b'o', b'k', ..] => "pop3",
        [b'*', b' ', b'o', b'k', ..] => "imap",
        [b'*', b' ', b'p', b'r', b'e', b'a', b'u', b't', b'h', ..] => "imap",
        _ => return None,
    };
    Some(Lead::Probe(probe))
}

#[cfg(test)]
mod tests;
