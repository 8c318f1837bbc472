//! The text with which a Telnet server greets.

use std::time::Duration;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// Telnet: every option is refused, the greeting is read up to the first prompt.
pub(crate) static PROBE: Probe = Probe {
    name: "telnet",
    title: "Telnet greeting",
    carrier: Carrier::Stream,
    ports: &[23, 2323],
    tls_ports: &[992],
    multicast: None,
    sends: "WONT and DONT for each option that the server names; never a character of text",
    normal: "a client without options (RFC 1123, section 3.2.1) refuses them all and waits for the prompt",
    source: "RFC 854; RFC 855; RFC 1143",
    yields: &["telnet"],
    safety: Safety::Safe,
    budget: Budget {
        sends: ANSWERS + 1,
        time: Duration::from_secs(12),
        quiet: Duration::from_secs(5),
        ..Budget::GREETING
    },
    begin,
};

/// Options that are answered; nothing else is ever sent.
const ANSWERS: u32 = 40;
/// Silence after text.
const PAUSE: Duration = Duration::from_secs(2);
/// Silence after what looks like a prompt.
const PROMPT: Duration = Duration::from_millis(700);

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Terminal { text: Vec::new(), state: State::Text, refused: Vec::new(), over: false })
}

struct Terminal {
    text: Vec<u8>,
    state: State,
    /// What was refused: command and option. Once is enough (RFC 854: no loops).
    refused: Vec<(u8, u8)>,
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Command,
    Option(u8),
    Parameters,
    ParametersCommand,
}

impl Terminal {
    fn byte(&mut self, byte: u8, out: &mut Out) {
        self.state = match (self.state, byte) {
            (State::Text, IAC) => State::Command,
            (State::Text, 0) => State::Text,
            (State::Text, _) | (State::Command, IAC) => {
                self.text.push(byte);
                State::Text
            }
            (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
            (State::Command, SB) | (State::ParametersCommand, IAC) => State::Parameters,
            (State::Command, _) | (State::ParametersCommand, SE) => State::Text,
            (State::Option(command), option) => {
                self.refuse(command, option, out);
                State::Text
            }
            (State::Parameters, IAC) => State::ParametersCommand,
            (State::Parameters | State::ParametersCommand, _) => State::Parameters,
        };
    }

    fn refuse(&mut self, command: u8, option: u8, out: &mut Out) {
        let answer = match command {
            DO => WONT,
            WILL => DONT,
            _ => return,
        };
        if self.refused.len() < ANSWERS as usize && !self.refused.contains(&(answer, option)) {
            self.refused.push((answer, option));
            out.send([IAC, answer, option]);
        }
    }

    /// How long the next byte is waited for: it cannot be known whether a prompt is one.
    fn pause(&self) -> Duration {
        let text = self.text.trim_ascii_end();
        match text.last() {
            None => PROBE.budget.quiet,
            Some(b':' | b'>' | b'#' | b'$' | b'%' | b'?' | b']') => PROMPT,
            Some(_) => PAUSE,
        }
    }
}

impl Conversation for Terminal {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        for byte in bytes {
            self.byte(*byte, out);
        }
        out.wait(self.pause());
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if !self.over {
            out.say("telnet", self.text.trim_ascii());
        }
        self.over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn refuses_options_and_reads_up_to_the_prompt() {
        let lines = [
            Receives(b"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x01"),
            Sends(b"\xff\xfc\x18"),
            Sends(b"\xff\xfc\x20"),
            Sends(b"\xff\xfe\x01"),
            Receives(b"\xff\xfd\x18\xff\xfe\x18\r\nHP JetDirect\r\0\nPassword is not set\r\n>"),
            Quiet,
        ];
        let outcome = play(&PROBE, &context(23), &lines);
        assert_eq!(outcome.said, said(&[("telnet", "HP JetDirect\r\nPassword is not set\r\n>")]));
        assert!(outcome.done);
    }

    #[test]
    fn skips_parameters_and_keeps_escaped_bytes() {
        let lines = [Receives(b"\xff\xfa\x18\x01\xff\xff\x02\xff\xf0A\xff\xffB\xff\xf9C login: "), Quiet];
        assert_eq!(play(&PROBE, &context(23), &lines).said, said(&[("telnet", r"A\xffBC login:")]));
    }

    #[test]
    fn a_server_that_only_negotiates_says_nothing() {
        let all: Vec<u8> = (0..=255).flat_map(|option| [IAC, DO, option]).collect();
        let sends: Vec<[u8; 3]> = (0..ANSWERS as u8).map(|option| [IAC, WONT, option]).collect();
        let mut lines = vec![Receives(&all)];
        lines.extend(sends.iter().map(|answer| Sends(answer)));
        lines.extend([Receives(&all), Closes]);
        let outcome = play(&PROBE, &context(23), &lines);
        assert!(outcome.said.is_empty() && outcome.done);
    }

    #[test]
    fn ends_in_the_middle_of_anything() {
        for end in [&b"\xff"[..], b"\xff\xfd", b"\xff\xfa", b"\xff\xfa\xff", b"\0\0"] {
            let outcome = play(&PROBE, &context(23), &[Receives(b"Router\r\n"), Receives(end), Closes]);
            assert_eq!(outcome.said, said(&[("telnet", "Router")]));
        }
    }
}
