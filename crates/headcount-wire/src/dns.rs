//! DNS messages (RFC 1035), as unicast DNS and multicast DNS (RFC 6762) carry them.
//!
//! The reader is tolerant where devices are careless: a record that cannot be read is lost and counted, the others
//! stay. It never follows a pointer forwards, trusts no count, and takes at most 64 KiB.

mod name;
pub(crate) use name::skip as skip_name;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_u16, read_u32},
};

/// Bytes of a message header.
pub const HEADER_LEN: usize = 12;
/// Bytes of the longest message.
pub const MAX_LEN: usize = 65_535;

/// Class Internet.
pub const CLASS_IN: u16 = 1;
/// Class Chaos, home of `version.bind`.
pub const CLASS_CHAOS: u16 = 3;
/// Top bit of a class in multicast DNS: in a question "answer by unicast" (RFC 6762, section 5.4), in a record
/// "forget other values" (section 10.2).
pub const CLASS_TOP_BIT: u16 = 0x8000;

/// The message is a response.
pub const FLAG_RESPONSE: u16 = 0x8000;
/// The responder owns the data.
pub const FLAG_AUTHORITATIVE: u16 = 0x0400;
/// The message was cut.
pub const FLAG_TRUNCATED: u16 = 0x0200;
/// The resolver is asked to ask on.
pub const FLAG_RECURSION_DESIRED: u16 = 0x0100;

/// The name that lists the service types of a link by multicast DNS (RFC 6763, section 9).
pub const SERVICE_TYPES: &str = "_services._dns-sd._udp.local";

/// What a record says, or a question asks for (IANA "Resource Record (RR) TYPEs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordType {
    /// 1: an IPv4 address.
    A,
    /// 12: another name.
    Ptr,
    /// 16: byte strings.
    Txt,
    /// 28: an IPv6 address.
    Aaaa,
    /// 33: host and port of a service.
    Srv,
    /// 255, in questions: any type.
    Any,
    /// Any other type.
    Other(u16),
}

impl From<u16> for RecordType {
    fn from(value: u16) -> Self {
        match value {
            1 => Self::A,
            12 => Self::Ptr,
            16 => Self::Txt,
            28 => Self::Aaaa,
            33 => Self::Srv,
            255 => Self::Any,
            other => Self::Other(other),
        }
    }
}

impl From<RecordType> for u16 {
    fn from(value: RecordType) -> Self {
        match value {
            RecordType::A => 1,
            RecordType::Ptr => 12,
            RecordType::Txt => 16,
            RecordType::Aaaa => 28,
            RecordType::Srv => 33,
            RecordType::Any => 255,
            RecordType::Other(other) => other,
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Ptr => "PTR",
            Self::Txt => "TXT",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
            Self::Any => "ANY",
            Self::Other(other) => return write!(f, "TYPE{other}"),
        })
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name in presentation form: labels parted by dots without a last dot, `.` for the root; UTF-8 as it is,
    /// `\.` and `\\` for those characters inside a label, `\DDD` for control characters and other bytes.
    pub name: String,
    /// The type of record wanted.
    pub kind: RecordType,
    /// The class, with [`CLASS_TOP_BIT`] as on the wire.
    pub class: u16,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Owner, as in [`Question::name`].
    pub name: String,
    /// The class, with [`CLASS_TOP_BIT`] as on the wire.
    pub class: u16,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

impl Record {
    /// The type of the record.
    pub fn kind(&self) -> RecordType {
        match &self.data {
            RecordData::A(_) => RecordType::A,
            RecordData::Ptr(_) => RecordType::Ptr,
            RecordData::Txt(_) => RecordType::Txt,
            RecordData::Aaaa(_) => RecordType::Aaaa,
            RecordData::Srv { .. } => RecordType::Srv,
            RecordData::Other { kind, .. } => (*kind).into(),
        }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// A name, as in [`Question::name`].
    Ptr(String),
    /// Byte strings of at most 255 bytes each.
    Txt(Vec<Vec<u8>>),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower is asked first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// Port of the service.
        port: u16,
        /// Host of the service, as in [`Question::name`].
        target: String,
    },
    /// A type that is not read here; names inside may be compressed and mean nothing outside of their message.
    Other {
        /// Number of the type.
        kind: u16,
        /// The data as it came, at most 65,535 bytes.
        bytes: Vec<u8>,
    },
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Number that a response repeats; 0 in multicast DNS.
    pub id: u16,
    /// Flags, operation and response code as on the wire.
    pub flags: u16,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What answers it.
    pub answers: Vec<Record>,
    /// Who knows more.
    pub authorities: Vec<Record>,
    /// What helps.
    pub additionals: Vec<Record>,
    /// Questions and records that could not be read or were promised and not there; not written.
    pub lost: usize,
}

/// Appends a query to `out`. Names are in presentation form as in [`Question::name`]; a label over 63 bytes is cut,
/// and a name ends before the label that takes it over 255 bytes. At most 65,535 questions are written.
pub fn query(id: u16, recursion_desired: bool, questions: &[Question], out: &mut Vec<u8>) {
    let questions = counted(questions);
    let flags = if recursion_desired { FLAG_RECURSION_DESIRED } else { 0 };
    write_header(id, flags, [questions.len(), 0, 0, 0], out);
    for question in questions {
        question.emit(out);
    }
}

/// The name under which the PTR record of an address lies (RFC 1035, section 3.5).
pub fn reverse_name(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

impl Message {
    /// Reads a message. Only a message without a whole header or over 64 KiB is refused; what is broken further
    /// inside is counted in [`lost`](Self::lost).
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() < HEADER_LEN {
            return Err(Malformed::new(Layer::Dns, Problem::Truncated));
        }
        if bytes.len() > MAX_LEN {
            return Err(Malformed::new(Layer::Dns, Problem::TooLong));
        }
        let mut sections = Sections { bytes, at: HEADER_LEN, broken: false, lost: 0 };
        let counts = [4, 6, 8, 10].map(|at| read_u16(bytes, at));
        Ok(Self {
            id: read_u16(bytes, 0),
            flags: read_u16(bytes, 2),
            questions: sections.read(counts[0], Sections::question),
            answers: sections.read(counts[1], Sections::record),
            authorities: sections.read(counts[2], Sections::record),
            additionals: sections.read(counts[3], Sections::record),
            lost: sections.lost,
        })
    }

    /// Appends the message to `out`, names uncompressed and cut as by [`query`].
    pub fn emit(&self, out: &mut Vec<u8>) {
        let questions = counted(&self.questions);
        let sections = [&self.answers, &self.authorities, &self.additionals].map(|records| counted(records));
        let [answers, authorities, additionals] = sections.map(<[Record]>::len);
        write_header(self.id, self.flags, [questions.len(), answers, authorities, additionals], out);
        for question in questions {
            question.emit(out);
        }
        for record in sections.into_iter().flatten() {
            record.emit(out);
        }
    }

    /// Whether it answers.
    pub fn is_response(&self) -> bool {
        self.flags & FLAG_RESPONSE != 0
    }

    /// The response code: 0 no error, 3 no such name, 5 refused (RFC 1035, section 4.1.1).
    pub fn response_code(&self) -> u8 {
        (self.flags & 0x0f) as u8
    }
}

/// As many entries as a count can name.
fn counted<T>(entries: &[T]) -> &[T] {
    &entries[..entries.len().min(usize::from(u16::MAX))]
}

fn write_header(id: u16, flags: u16, counts: [usize; 4], out: &mut Vec<u8>) {
    out.extend(id.to_be_bytes());
    out.extend(flags.to_be_bytes());
    for count in counts {
        out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
    }
}

impl Question {
    fn emit(&self, out: &mut Vec<u8>) {
        name::write(&self.name, out);
        out.extend(u16::from(self.kind).to_be_bytes());
        out.extend(self.class.to_be_bytes());
    }
}

impl Record {
    fn emit(&self, out: &mut Vec<u8>) {
        name::write(&self.name, out);
        out.extend(u16::from(self.kind()).to_be_bytes());
        out.extend(self.class.to_be_bytes());
        out.extend(self.ttl.to_be_bytes());
        let mut data = Vec::new();
        self.data.emit(&mut data);
        data.truncate(usize::from(u16::MAX));
        out.extend((data.len() as u16).to_be_bytes());
        out.append(&mut data);
    }
}

impl RecordData {
    /// The data that lies at `place` of the message; names in it may point to elsewhere.
    fn parse(message: &[u8], kind: u16, place: Range<usize>) -> Result<Self, Malformed> {
        let error = || Malformed::new(Layer::Dns, Problem::Length);
        let start = place.start;
        let bytes = &message[place];
        Ok(match kind.into() {
            RecordType::A => Self::A(<[u8; 4]>::try_from(bytes).map_err(|_| error())?.into()),
            RecordType::Aaaa => Self::Aaaa(<[u8; 16]>::try_from(bytes).map_err(|_| error())?.into()),
            RecordType::Ptr => Self::Ptr(read_target(message, start, bytes.len())?),
            RecordType::Txt => Self::Txt(read_strings(bytes)?),
            RecordType::Srv => {
                let target = bytes.len().checked_sub(6).ok_or_else(error)?;
                Self::Srv {
                    priority: read_u16(bytes, 0),
                    weight: read_u16(bytes, 2),
                    port: read_u16(bytes, 4),
                    target: read_target(message, start + 6, target)?,
                }
            }
            RecordType::Any | RecordType::Other(_) => Self::Other { kind, bytes: bytes.to_vec() },
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::A(address) => out.extend(address.octets()),
            Self::Aaaa(address) => out.extend(address.octets()),
            Self::Ptr(target) => name::write(target, out),
            Self::Txt(strings) => {
                for string in strings {
                    let string = &string[..string.len().min(usize::from(u8::MAX))];
                    out.push(string.len() as u8);
                    out.extend(string);
                }
            }
            Self::Srv { priority, weight, port, target } => {
                for field in [priority, weight, port] {
                    out.extend(field.to_be_bytes());
                }
                name::write(target, out);
            }
            Self::Other { bytes, .. } => out.extend(bytes),
        }
    }
}

/// A name that must end within the `len` bytes of its record.
fn read_target(message: &[u8], at: usize, len: usize) -> Result<String, Malformed> {
    if name::skip(message, at)? > at + len {
        return Err(Malformed::new(Layer::Dns, Problem::Length));
    }
    name::read(message, at)
}

fn read_strings(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut strings = Vec::new();
    while let [len, rest @ ..] = bytes {
        let (string, rest) =
            rest.split_at_checked(usize::from(*len)).ok_or(Malformed::new(Layer::Dns, Problem::Length))?;
        strings.push(string.to_vec());
        bytes = rest;
    }
    Ok(strings)
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_response() { "response" } else { "query" };
        write!(f, "DNS {kind} {}", self.id)?;
        for question in &self.questions {
            write!(f, " {question}?")?;
        }
        write!(f, " answers {}", self.answers.len())
    }
}

/// A walk through the sections of a message.
struct Sections<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the next entry starts is no longer known.
    broken: bool,
    lost: usize,
}

impl<'a> Sections<'a> {
    /// Up to `count` entries. `entry` moves on by one entry even when it is lost, or sets `broken`.
    fn read<T>(&mut self, count: u16, entry: fn(&mut Self) -> Result<T, Malformed>) -> Vec<T> {
        let mut entries = Vec::new();
        for left in (1..=usize::from(count)).rev() {
            if self.broken {
                self.lost += left;
                break;
            }
            match entry(self) {
                Ok(value) => entries.push(value),
                Err(_) => self.lost += 1,
            }
        }
        entries
    }

    fn question(&mut self) -> Result<Question, Malformed> {
        let start = self.at;
        let fields = self.fixed::<4>()?;
        Ok(Question {
            name: name::read(self.bytes, start)?,
            kind: read_u16(fields, 0).into(),
            class: read_u16(fields, 2),
        })
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let start = self.at;
        let fields = self.fixed::<10>()?;
        let data_start = self.at;
        self.take(usize::from(read_u16(fields, 8)))?;
        Ok(Record {
            name: name::read(self.bytes, start)?,
            class: read_u16(fields, 2),
            ttl: read_u32(fields, 4),
            data: RecordData::parse(self.bytes, read_u16(fields, 0), data_start..self.at)?,
        })
    }

    /// Skips a name and takes the fields behind it.
    fn fixed<const N: usize>(&mut self) -> Result<&'a [u8], Malformed> {
        match name::skip(self.bytes, self.at) {
            Ok(end) => self.at = end,
            Err(error) => {
                self.broken = true;
                return Err(error);
            }
        }
        self.take(N)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let taken = self.bytes.get(self.at..self.at + len);
        self.broken = taken.is_none();
        self.at += len;
        taken.ok_or(Malformed::new(Layer::Dns, Problem::Truncated))
    }
}
