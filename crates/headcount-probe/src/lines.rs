//! Lines of a stream, however it was cut, and replies that are a code and text.

use std::mem;

/// Takes a stream and gives its lines. Each byte is looked at once.
#[derive(Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    start: usize,
    seen: usize,
}

impl Lines {
    /// More of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line that is there whole, without its end.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let unseen = self.bytes.get(self.seen..).unwrap_or_default();
        let Some(length) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.seen = self.bytes.len();
            return None;
        };
        let end = self.seen + length;
        let line = self.bytes.get(self.start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.start = end + 1;
        self.seen = self.start;
        Some(line)
    }

    /// What has no line end yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// A reply: a code of three digits and text, of one line or of several (RFC 5321, section 4.2.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The code.
    pub(crate) code: u16,
    /// The text of its lines, without their codes.
    pub(crate) text: Vec<u8>,
}

/// Takes a stream and gives its replies.
#[derive(Default)]
pub(crate) struct Replies {
    lines: Lines,
    code: Option<u16>,
    text: Vec<u8>,
}

impl Replies {
    /// More of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// The next reply that is there whole.
    pub(crate) fn next(&mut self) -> Option<Reply> {
        while let Some(line) = self.lines.next() {
            if self.add(&line) {
                return self.taken();
            }
        }
        None
    }

    /// What there is of a reply whose end never came.
    pub(crate) fn partial(mut self) -> Option<Reply> {
        let rest = self.lines.rest().to_vec();
        self.add(&rest);
        self.taken()
    }

    /// Adds a line; whether it is the last of its reply.
    fn add(&mut self, line: &[u8]) -> bool {
        let (code, last, text) = match line {
            [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let digit = |byte: &u8| u16::from(byte - b'0');
                let code = digit(a) * 100 + digit(b) * 10 + digit(c);
                match rest {
                    [b' ', text @ ..] => (Some(code), true, text),
                    [b'-', text @ ..] => (Some(code), false, text),
                    [] => (Some(code), true, rest),
                    _ => (None, false, line),
                }
            }
            _ => (None, false, line),
        };
        self.code = code.or(self.code);
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(text);
        last
    }

    fn taken(&mut self) -> Option<Reply> {
        let text = mem::take(&mut self.text).trim_ascii().to_vec();
        self.code.take().map(|code| Reply { code, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_or_without_a_return() {
        let mut lines = Lines::default();
        lines.push(b"one\r\ntwo\n\nthr");
        assert_eq!(lines.next().as_deref(), Some(&b"one"[..]));
        assert_eq!(lines.next().as_deref(), Some(&b"two"[..]));
        assert_eq!(lines.next().as_deref(), Some(&b""[..]));
        assert_eq!((lines.next(), lines.rest()), (None, &b"thr"[..]));
        lines.push(b"ee\n");
        assert_eq!(lines.next().as_deref(), Some(&b"three"[..]));
    }

    #[test]
    fn replies_are_read_to_their_last_line() {
        let mut replies = Replies::default();
        replies.push(b"220-a\r\nnot coded\r\n220 b\r\n250\r\n550-c");
        assert_eq!(replies.next(), Some(Reply { code: 220, text: b"a\nnot coded\nb".to_vec() }));
        assert_eq!(replies.next(), Some(Reply { code: 250, text: Vec::new() }));
        assert_eq!(replies.next(), None);
        assert_eq!(replies.partial(), Some(Reply { code: 550, text: b"c".to_vec() }));
        assert_eq!(Replies::default().partial(), None);
    }
}
