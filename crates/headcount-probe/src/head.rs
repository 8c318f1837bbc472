//! One tolerant reader for the answers of HTTP and its relatives: HTTP (RFC 9112), RTSP (RFC 2326), SIP (RFC 3261),
//! SHOUTcast's ICY.
//!
//! It keeps order, spelling and bad lines, and takes what devices really send: bare line feeds, NUL bytes, folded
//! lines, status lines without a reason, a head without an end, a body without a head. It reads each byte once and
//! keeps a bounded number of them, and what it finds does not depend on how the stream was cut.

/// Bytes of all heads of one answer at the most; a longer one is cut there and has no body.
const LONGEST_HEAD: usize = 48 << 10;
/// Bytes kept of one line.
const LONGEST_LINE: usize = 8 << 10;
/// Lines kept.
const MOST_LINES: usize = 128;

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status line as sent; empty if the answer has no head.
    pub(crate) start: Vec<u8>,
    /// The lines in order.
    pub(crate) lines: Vec<Line>,
}

/// A line of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The name as spelt; empty for a line that has none.
    pub(crate) name: Vec<u8>,
    /// The value without surrounding blanks, folded lines joined by a space.
    pub(crate) value: Vec<u8>,
}

impl Head {
    /// The status code: the first number behind a blank.
    pub(crate) fn status(&self) -> Option<u16> {
        let word = self
            .start
            .split(|byte| matches!(byte, b' ' | b'\t' | 0))
            .skip(1)
            .find(|word| !word.is_empty())?;
        let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits != 3 {
            return None;
        }
        Some(word[..3].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0')))
    }

    /// The values of that name, whatever its case.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |line: &&Line| line.name.eq_ignore_ascii_case(name.as_bytes());
        self.lines.iter().filter(named).map(|line| line.value.as_slice())
    }

    /// The first value of that name that says something.
    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Takes the next line; gives whether it ended the head.
    fn take(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            return true;
        }
        if self.start.is_empty() {
            self.start = line.to_vec();
            return false;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        let last = self.lines.last_mut();
        if let Some(last) = last.filter(|last| folded && last.value.len() + line.len() < LONGEST_LINE) {
            last.value.push(b' ');
            last.value.extend_from_slice(line.trim_ascii());
        } else if self.lines.len() < MOST_LINES {
            let colon = line.iter().position(|byte| *byte == b':').filter(|at| *at > 0);
            let (name, value) = colon.map_or((&b""[..], line), |at| (&line[..at], &line[at + 1..]));
            self.lines.push(Line { name: name.trim_ascii().to_vec(), value: value.trim_ascii().to_vec() });
        }
        false
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Head,
    Body,
    Length(usize),
    ChunkSize,
    Chunk(usize),
    ChunkEnd,
    Over,
}

/// An answer as it comes in.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    place: Place,
    line: Vec<u8>,
    head_bytes: usize,
    head: Head,
    body: Vec<u8>,
    most: usize,
    whole: bool,
}

impl Answer {
    /// Nothing yet; at most `most` bytes of the body will be kept.
    pub(crate) fn new(most: usize) -> Self {
        let (line, body) = (Vec::new(), Vec::new());
        Self { place: Place::Start, line, head_bytes: 0, head: Head::default(), body, most, whole: false }
    }

    /// The answer that one datagram holds.
    pub(crate) fn of_datagram(bytes: &[u8]) -> Self {
        let mut answer = Self::new(bytes.len());
        answer.push(bytes);
        answer.finish(true);
        answer
    }

    /// What is there of the head.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// What is there of the body, without transfer coding.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_over(&self) -> bool {
        self.place == Place::Over
    }

    /// Whether the head is there and its end was seen.
    pub(crate) fn has_head(&self) -> bool {
        !self.head.start.is_empty() && !matches!(self.place, Place::Start | Place::Head)
    }

    /// Whether the body is there to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether nothing came.
    pub(crate) fn is_blank(&self) -> bool {
        self.head.start.is_empty() && self.body.is_empty()
    }

    /// Whether the body is packed although nobody asked for that. Nothing here unpacks.
    pub(crate) fn is_packed(&self) -> bool {
        self.head
            .all("content-encoding")
            .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    }

    /// Takes the next part of the stream.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_over() {
            let taken = match self.place {
                Place::Start => self.find_start(bytes),
                Place::Head => self.read_head(bytes),
                Place::ChunkSize | Place::ChunkEnd => self.read_chunk_line(bytes),
                Place::Body | Place::Length(_) | Place::Chunk(_) => self.read_body(bytes),
                Place::Over => bytes.len(),
            };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// The stream is over: `closed` by the peer, or left.
    pub(crate) fn finish(&mut self, closed: bool) {
        let line = std::mem::take(&mut self.line);
        match self.place {
            Place::Start => self.keep(&line),
            Place::Head => {
                self.head.take(without_return(&line));
            }
            Place::Body => self.whole = closed,
            _ => {}
        }
        self.place = Place::Over;
    }

    /// Looks at the first four bytes that are no blanks: a protocol's name, or a body without a head.
    fn find_start(&mut self, bytes: &[u8]) -> usize {
        const NAMES: [&[u8]; 4] = [b"HTTP", b"RTSP", b"SIP/", b"ICY "];
        for (at, byte) in bytes.iter().enumerate() {
            self.head_bytes += 1;
            let blank = self.line.is_empty() && (byte.is_ascii_whitespace() || *byte == 0);
            if !blank {
                self.line.push(*byte);
            }
            if self.line.len() == 4 {
                if NAMES.iter().any(|name| name.eq_ignore_ascii_case(&self.line)) {
                    self.place = Place::Head;
                } else {
                    let start = std::mem::take(&mut self.line);
                    self.keep(&start);
                    self.go(Place::Body);
                }
            } else if self.head_bytes >= LONGEST_HEAD {
                self.place = Place::Over;
            }
            if self.place != Place::Start {
                return at + 1;
            }
        }
        bytes.len()
    }

    fn read_head(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        let taken = end.min(LONGEST_HEAD - self.head_bytes);
        self.head_bytes += taken;
        self.keep_line(&bytes[..taken]);
        if bytes[..taken].ends_with(b"\n") {
            let line = std::mem::take(&mut self.line);
            self.head_line(without_return(&line));
        }
        if self.head_bytes >= LONGEST_HEAD && matches!(self.place, Place::Head | Place::Start) {
            self.finish(false);
        }
        taken
    }

    fn head_line(&mut self, line: &[u8]) {
        // Some devices forget the empty line.
        let markup = line.starts_with(b"<") && !self.head.start.is_empty();
        if !markup && !self.head.take(line) {
            return;
        }
        let status = self.head.status();
        if !markup && matches!(status, Some(100 | 102..=199)) {
            self.head = Head::default();
            self.place = Place::Start;
            return;
        }
        let next = self.framing(status);
        if markup {
            self.go(if next == Place::ChunkSize { Place::Body } else { next });
            self.read_body(line);
            self.read_body(b"\n");
        } else {
            self.go(next);
        }
    }

    /// How the body ends (RFC 9112, section 6.3).
    fn framing(&self, status: Option<u16>) -> Place {
        let holds =
            |value: &[u8], word: &[u8]| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        if matches!(status, Some(204 | 304)) {
            return Place::Length(0);
        }
        if self.head.all("transfer-encoding").any(|coding| holds(coding, b"chunked")) {
            return Place::ChunkSize;
        }
        let length = self.head.all("content-length").chain(self.head.all("l"));
        let mut lengths = length.filter_map(|value| std::str::from_utf8(value).ok()?.parse().ok());
        lengths.next().map_or(Place::Body, Place::Length)
    }

    fn go(&mut self, place: Place) {
        self.place = place;
        if place == Place::Length(0) {
            self.whole = true;
            self.place = Place::Over;
        }
    }

    fn read_chunk_line(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        self.keep_line(&bytes[..taken]);
        if !bytes[..taken].ends_with(b"\n") {
            return taken;
        }
        let line = std::mem::take(&mut self.line);
        if self.place == Place::ChunkEnd {
            self.place = Place::ChunkSize;
            return taken;
        }
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size =
            std::str::from_utf8(&line[..digits]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        match size {
            Some(0) => self.go(Place::Length(0)),
            Some(size) => self.place = Place::Chunk(size),
            // Announced and not done: what follows is the body itself.
            None => {
                self.keep(&line);
                self.place = if self.place == Place::Over { Place::Over } else { Place::Body };
            }
        }
        taken
    }

    fn read_body(&mut self, bytes: &[u8]) -> usize {
        let left = match self.place {
            Place::Length(left) | Place::Chunk(left) => left,
            Place::Body => usize::MAX,
            _ => return bytes.len(),
        };
        let taken = left.min(bytes.len());
        let place = match self.place {
            Place::Length(_) if taken == left => Place::Length(0),
            Place::Length(_) => Place::Length(left - taken),
            Place::Chunk(_) if taken == left => Place::ChunkEnd,
            Place::Chunk(_) => Place::Chunk(left - taken),
            other => other,
        };
        self.go(place);
        self.keep(&bytes[..taken]);
        taken
    }

    /// Keeps part of the body; ends the answer when there is more than is wanted.
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.most - self.body.len();
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            self.whole = false;
            self.place = Place::Over;
        }
    }

    fn keep_line(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
    &line[..end]
}

/// The realm of a challenge (RFC 9110, section 11.5): `Basic realm="x"`, without its quotes.
pub(crate) fn realm(challenge: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"realm";
    let named = |part: &[u8]| part.eq_ignore_ascii_case(NAME);
    let at = challenge.windows(NAME.len()).position(named)? + NAME.len();
    let rest = challenge[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let Some(quoted) = rest.strip_prefix(b"\"") else {
        return Some(rest.split(|byte| matches!(byte, b',' | b' ' | b';')).next()?.to_vec());
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => value.extend(bytes.next()),
            byte => value.push(*byte),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests;
