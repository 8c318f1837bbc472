//! The version and the security types of a VNC server.

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// VNC: both sides' versions, then the server's list of security types; none is chosen.
pub(crate) static PROBE: Probe = Probe {
    name: "vnc",
    title: "VNC security types",
    carrier: Carrier::Stream,
    ports: &[5900, 5901, 5902, 5903],
    tls_ports: &[],
    multicast: None,
    sends: "its protocol version; it closes before it chooses a security type",
    normal: "every client's first message; one whose user gives no password closes here",
    source: "RFC 6143, sections 7.1.1 and 7.1.2; the registry of its section 8.3",
    yields: &["vnc.version", "vnc.security", "vnc.error"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

/// Length of `RFB 003.008` and its line end.
const VERSION: usize = 12;
/// Longer than any reason.
const LONGEST_REASON: usize = 1024;

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Handshake { bytes: Vec::new(), state: State::Version })
}

struct Handshake {
    bytes: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Version,
    /// Version 3.7 and later: a list.
    Types,
    /// Version 3.3: the server decides.
    Type,
    Over,
}

impl Handshake {
    /// Answers with the highest version that both know (section 7.1.1).
    fn version(&mut self, out: &mut Out) {
        let Some(line) = self.bytes.first_chunk::<VERSION>() else {
            // Whatever does not begin so is no VNC server.
            if !self.bytes.starts_with(b"RFB ") && self.bytes.len() >= 4 {
                self.over(out);
            }
            return;
        };
        let Some((version, (major, minor))) = numbers(line) else { return self.over(out) };
        out.say("vnc.version", version);
        let (ours, state): (&[u8], _) = match (major, minor) {
            (4.., _) | (3, 8..) => (b"RFB 003.008\n", State::Types),
            (3, 7) => (b"RFB 003.007\n", State::Types),
            _ => (b"RFB 003.003\n", State::Type),
        };
        out.send(ours);
        self.state = state;
    }

    fn security(&mut self, out: &mut Out) {
        let rest = self.bytes.get(VERSION..).unwrap_or_default();
        let (types, reason) = match self.state {
            State::Types => match rest {
                [] => return,
                [0, reason @ ..] => (&[][..], reason),
                [count, types @ ..] => match types.get(..usize::from(*count)) {
                    Some(types) => (types, &[][..]),
                    None => return,
                },
            },
            _ => match rest {
                [0, 0, 0, 0, reason @ ..] => (&[][..], reason),
                [0, 0, 0, kind, ..] => (std::slice::from_ref(kind), &[][..]),
                [_, _, _, _, ..] => return self.over(out),
                _ => return,
            },
        };
        if types.is_empty() {
            let Some((length, reason)) = reason.split_first_chunk() else { return };
            let length = (u32::from_be_bytes(*length) as usize).min(LONGEST_REASON);
            let Some(reason) = reason.get(..length) else { return };
            out.say("vnc.error", reason.trim_ascii());
        }
        let mut said = [false; 256];
        for kind in types {
            if !std::mem::replace(&mut said[usize::from(*kind)], true) {
                out.say("vnc.security", name(*kind));
            }
        }
        self.over(out);
    }

    fn over(&mut self, out: &mut Out) {
        self.state = State::Over;
        out.done();
    }
}

impl Conversation for Handshake {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        if self.state == State::Over {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        if self.state == State::Version {
            self.version(out);
        }
        if matches!(self.state, State::Types | State::Type) {
            self.security(out);
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.state = State::Over;
    }
}

/// `003.008` as text and as numbers.
fn numbers(line: &[u8; VERSION]) -> Option<(&str, (u16, u16))> {
    let version = std::str::from_utf8(line.strip_prefix(b"RFB ")?.strip_suffix(b"\n")?).ok()?;
    let (major, minor) = version.split_once('.')?;
    Some((version, (major.parse().ok()?, minor.parse().ok()?)))
}

/// IANA's name for a security type, its number where it has none.
fn name(kind: u8) -> String {
    let name = match kind {
        1 => "none",
        2 => "vnc",
        3..=15 | 128.. => "realvnc",
        16 => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        20 => "sasl",
        21 => "md5",
        22 => "xvp",
        30..=35 => "apple",
        _ => return kind.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_the_types_of_new_servers() {
        let lines = [Receives(b"RFB 003.008\n"), Sends(b"RFB 003.008\n"), Receives(b"\x03\x01\x02\x13")];
        let outcome = play(&PROBE, &context(5900), &lines);
        let expected = [
            ("vnc.version", "003.008"),
            ("vnc.security", "none"),
            ("vnc.security", "vnc"),
            ("vnc.security", "vencrypt"),
        ];
        assert_eq!(outcome.said, said(&expected));
        assert!(outcome.done);
        // macOS and RealVNC.
        for version in ["003.889", "005.000", "004.001"] {
            let line = format!("RFB {version}\n");
            let lines = [Receives(line.as_bytes()), Sends(b"RFB 003.008\n"), Receives(b"\x02\x1e\x1e")];
            let outcome = play(&PROBE, &context(5900), &lines);
            assert_eq!(outcome.said, said(&[("vnc.version", version), ("vnc.security", "apple")]));
        }
    }

    #[test]
    fn reads_the_type_that_old_servers_decide() {
        for (version, answer) in [("003.003", 2), ("003.006", 2), ("003.005", 2)] {
            let line = format!("RFB {version}\n");
            let lines =
                [Receives(line.as_bytes()), Sends(b"RFB 003.003\n"), Receives(&[0, 0, 0, answer, 1, 2])];
            let outcome = play(&PROBE, &context(5900), &lines);
            assert_eq!(outcome.said, said(&[("vnc.version", version), ("vnc.security", "vnc")]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn reads_why_it_is_refused() {
        let answer = b"\0\0\0\0\x1aToo many security failures";
        let lines = [Receives(b"RFB 003.008\n"), Sends(b"RFB 003.008\n"), Receives(answer)];
        let outcome = play(&PROBE, &context(5900), &lines);
        assert_eq!(outcome.said[1..], said(&[("vnc.error", "Too many security failures")]));
        let lines = [Receives(b"RFB 003.003\n"), Sends(b"RFB 003.003\n"), Receives(b"\0\0\0\0\0\0\0\x02no")];
        assert_eq!(play(&PROBE, &context(5900), &lines).said[1..], said(&[("vnc.error", "no")]));
    }

    #[test]
    fn what_is_not_vnc_says_nothing_more() {
        for bytes in [&b"SSH-2.0-x\r\n"[..], b"RFB abc.def\n", b"RFB 003.008\r", b"RFB +03.008 ", b"\0\0\0\0"]
        {
            let outcome = play(&PROBE, &context(5900), &[Receives(bytes), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{bytes:?}");
        }
        for answer in [&b""[..], b"\x05\x01", b"\0", b"\0\xff\xff\xff\xffabc", b"\0\0\0\0\0"] {
            let lines = [Receives(b"RFB 003.008\n"), SendsAny, Receives(answer), Closes];
            assert_eq!(play(&PROBE, &context(5900), &lines).said.len(), 1, "{answer:?}");
        }
        let lines = [Receives(b"RFB 003.003\n"), SendsAny, Receives(b"HTTP"), Closes];
        assert_eq!(play(&PROBE, &context(5900), &lines).said.len(), 1);
    }
}
