//! The words of a probe: its description, its conversation, and what passes between that and the driver.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use headcount_model::Raw;

/// A multicast group, or the broadcast address of a link (255.255.255.255).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its address and port.
    pub at: SocketAddrV4,
    /// Whether answers come to the group instead of to whoever asked: then it is joined while they are gathered. Only for
    /// a protocol whose answers cannot be taken for the questions of others.
    pub hears_answers: bool,
}

impl Group {
    /// A group whose members answer whoever asked.
    pub const fn asked(address: Ipv4Addr, port: u16) -> Self {
        Self { at: SocketAddrV4::new(address, port), hears_answers: false }
    }

    /// A group whose members answer to the group.
    pub const fn heard(address: Ipv4Addr, port: u16) -> Self {
        Self { at: SocketAddrV4::new(address, port), hears_answers: true }
    }
}

/// A protocol, described.
pub struct Probe {
    /// Its name in output, logs and follow-ups: lower case, with hyphens.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What carries it.
    pub carrier: Carrier,
    /// The ports on which it is asked without any other sign, in the clear.
    pub ports: &'static [u16],
    /// The ports on which it is asked inside TLS.
    pub tls_ports: &'static [u16],
    /// The group to which its first message may also be sent, once for a whole segment. That message must then be
    /// the same for every host.
    pub multicast: Option<Group>,
    /// What it sends.
    pub sends: &'static str,
    /// Why a normal client sends that.
    pub normal: &'static str,
    /// The specification: RFC and section, or the maker's document.
    pub source: &'static str,
    /// The fields that it can yield; a final `*` stands for any ending.
    pub yields: &'static [&'static str],
    /// How fragile devices stand it.
    pub safety: Safety,
    /// What one conversation may cost at the most.
    pub budget: Budget,
    /// A fresh conversation.
    pub begin: fn(&Context) -> Box<dyn Conversation>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What carries a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// A TCP connection, in the clear or inside TLS.
    Stream,
    /// UDP datagrams.
    Datagram,
}

/// How fragile devices stand a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Asked by default.
    Safe,
    /// Asked only where the user opted in.
    Careful,
}

/// What one conversation may cost at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes read. What comes beyond is not handed to the conversation, and ends it.
    pub received: usize,
    /// Bytes written.
    pub sent: usize,
    /// Messages written.
    pub sends: u32,
    /// From the moment at which the connection stands to its end.
    pub time: Duration,
    /// Silence after which [`End::Quiet`] is told; a conversation can ask for another with [`Out::wait`].
    pub quiet: Duration,
}

impl Budget {
    /// For a greeting: some kilobytes, few messages, seconds.
    pub const GREETING: Self = Self {
        received: 16 << 10,
        sent: 4 << 10,
        sends: 8,
        time: Duration::from_secs(10),
        quiet: Duration::from_secs(4),
    };
    /// For a page or a description.
    pub const PAGE: Self = Self {
        received: 256 << 10,
        sent: 4 << 10,
        sends: 4,
        time: Duration::from_secs(12),
        quiet: Duration::from_secs(5),
    };
    /// For datagrams: an answer comes at once or not at all.
    pub const DATAGRAM: Self = Self {
        received: 64 << 10,
        sent: 4 << 10,
        sends: 16,
        time: Duration::from_secs(6),
        quiet: Duration::from_millis(1200),
    };
}

/// What a conversation may know of where it takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The host.
    pub host: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// Whether the stream runs inside TLS.
    pub tls: bool,
    /// The path to ask for; empty: the protocol's own first (`/`).
    pub path: String,
    /// The read community that SNMP is asked with, unless the user turned it off.
    pub community: Option<String>,
    /// Bytes that differ by run, host and port, for transaction ids and key shares.
    pub random: [u8; 32],
}

impl Context {
    /// A transaction id.
    pub fn id(&self) -> u16 {
        u16::from_be_bytes([self.random[0], self.random[1]])
    }
}

/// A conversation: told what happened, says what to do. The same for any cutting of a stream; a datagram comes whole.
///
/// It must bear anything: every byte that it is given is hostile.
pub trait Conversation: Send {
    /// The connection stands (a datagram socket always does): send the first message, or wait to be greeted.
    fn opened(&mut self, out: &mut Out);
    /// The peer sent something: part of a stream, or one datagram.
    fn received(&mut self, bytes: &[u8], out: &mut Out);
    /// It ended, or nothing came for a while. After [`End::Quiet`] it may send something and go on.
    fn ended(&mut self, end: End, out: &mut Out);
}

/// How a conversation ends unless it ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer closed or reset the stream, or refused the datagram.
    Closed,
    /// Nothing came for as long as was waited.
    Quiet,
    /// The budget is used up.
    Spent,
}

/// Why no stream came to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was refused, or reset at once.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// The host cannot be reached, or a filter forbids it.
    Unreachable,
    /// TCP stood, the TLS handshake failed.
    Tls,
    /// This machine could not even ask.
    NotSent,
}

/// What the TLS handshake told. Nothing of it was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version as on the wire: 0x0303 is TLS 1.2.
    pub version: u16,
    /// The cipher suite as on the wire.
    pub cipher: u16,
    /// The certificates as sent, DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The field.
    pub field: &'static str,
    /// What.
    pub value: Raw,
}

/// Another question that an answer calls for, to the same host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Follow {
    /// The probe's name.
    pub probe: &'static str,
    /// The port.
    pub port: u16,
    /// Whether inside TLS.
    pub tls: bool,
    /// The path to ask for; may be empty.
    pub path: String,
}

/// What a conversation wants.
#[derive(Debug, Default)]
pub struct Out {
    pub(crate) sends: Vec<Vec<u8>>,
    pub(crate) said: Vec<Said>,
    pub(crate) follows: Vec<Follow>,
    pub(crate) quiet: Option<Duration>,
    pub(crate) done: bool,
    statements: usize,
}

impl Out {
    /// Statements of one conversation at the most; a device that says more is not listened to.
    pub const MOST_STATEMENTS: usize = 256;
    /// Bytes of one statement at the most; the rest is cut.
    pub const LONGEST: usize = 8 << 10;
    /// Follow-ups of one conversation at the most.
    pub const MOST_FOLLOWS: usize = 8;

    /// Sends a message (a datagram, or bytes of the stream).
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.sends.push(bytes.into());
    }

    /// Says that the host said something. Empty values say nothing.
    pub fn say(&mut self, field: &'static str, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        if value.is_empty() || self.statements >= Self::MOST_STATEMENTS {
            return;
        }
        self.statements += 1;
        self.said.push(Said { field, value: Raw::from(&value[..value.len().min(Self::LONGEST)]) });
    }

    /// Asks for another conversation with the same host.
    pub fn follow(&mut self, follow: Follow) {
        if self.follows.len() < Self::MOST_FOLLOWS {
            self.follows.push(follow);
        }
    }

    /// Silence of this length, from now on, is told as [`End::Quiet`].
    pub fn wait(&mut self, quiet: Duration) {
        self.quiet = Some(quiet);
    }

    /// Nothing more is wanted: close.
    pub fn done(&mut self) {
        self.done = true;
    }
}
