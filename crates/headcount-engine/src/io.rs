//! What goes into the engine and comes out of it.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use headcount_model::{MacAddr, Observation};
use headcount_probe::Carrier;
use serde::{Deserialize, Serialize};

use crate::LinkId;

/// A frame that [`Engine::poll_frame`](crate::Engine::poll_frame) wrote into the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The link to send it on.
    pub link: LinkId,
    /// How many bytes of the buffer it fills.
    pub len: usize,
}

/// Names one command until its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// Something the driver is to do. Each gets exactly one [`Reply`] with its id, also after a failure; but
/// [`Command::Converse`] and [`Command::Gather`] get as many [`Told`](crate::Told) as there are, and [`Command::Send`] and
/// [`Command::HangUp`] get nothing.
///
/// A command has passed the gate; the driver adds no packet of its own to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open a TCP connection by the kernel and close it at once, with no byte written.
    Connect {
        /// Its id.
        id: CommandId,
        /// Where to.
        to: SocketAddrV4,
        /// When to give up.
        timeout: Duration,
    },
    /// Send one ICMP echo request by the kernel's datagram socket.
    Echo {
        /// Its id.
        id: CommandId,
        /// Where to.
        to: Ipv4Addr,
        /// When to give up.
        timeout: Duration,
    },
    /// Send one UDP datagram by the kernel and wait for the first answer.
    Datagram {
        /// Its id.
        id: CommandId,
        /// Where to.
        to: SocketAddrV4,
        /// What to send.
        payload: Vec<u8>,
        /// When to give up; zero: do not wait, reply [`Reply::TimedOut`] at once.
        timeout: Duration,
    },
    /// Open a conversation: a TCP connection by the kernel, in the clear or inside TLS with nothing verified, or a
    /// datagram socket connected to `to`, which needs no opening. It lasts until it is closed by either side.
    Converse {
        /// Its id.
        id: CommandId,
        /// With whom.
        to: SocketAddrV4,
        /// Stream or datagrams.
        carrier: Carrier,
        /// Whether inside TLS.
        tls: bool,
        /// When to give up connecting, handshake included.
        timeout: Duration,
    },
    /// Write to a conversation: bytes of the stream, or one datagram.
    Send {
        /// The conversation.
        id: CommandId,
        /// What.
        bytes: Vec<u8>,
    },
    /// End a conversation. Nothing more is told of it.
    HangUp {
        /// The conversation.
        id: CommandId,
    },
    /// Send one datagram to a multicast group or to all on one link, never routed further, and tell every answer that
    /// comes to its socket, and to the group if it is to be joined, until the window is over.
    Gather {
        /// Its id.
        id: CommandId,
        /// The interface.
        interface: String,
        /// The address to send from.
        source: Ipv4Addr,
        /// The group and port.
        to: SocketAddrV4,
        /// Whether to join the group.
        join: bool,
        /// What to send.
        payload: Vec<u8>,
        /// How long to listen.
        window: Duration,
    },
    /// Read the kernel's neighbour table of one interface.
    ReadNeighbours {
        /// Its id.
        id: CommandId,
        /// The interface's name.
        interface: String,
    },
    /// Look up the PTR record of an address.
    Resolve {
        /// Its id.
        id: CommandId,
        /// The address.
        address: Ipv4Addr,
    },
}

/// How a command ended. A peer's silence or refusal is a result, never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The connection was accepted (and has been closed).
    Connected,
    /// The connection was reset, or the datagram met ICMP port unreachable.
    Refused,
    /// An echo reply, or a datagram came back.
    Answered {
        /// The time to live of the answer, where the socket tells it.
        ttl: Option<u8>,
    },
    /// Nothing came back in time.
    TimedOut,
    /// The kernel or a router says that the host cannot be reached.
    Unreachable,
    /// A filter on the way, or this machine's own, refused (EACCES, EPERM, ICMP administratively prohibited).
    Prohibited,
    /// This machine could not even ask (out of file descriptors or buffers): ask again later.
    NotSent,
    /// The neighbour table: entries that the neighbour itself has lately confirmed (state REACHABLE). A stale entry
    /// may belong to a device that has left; contact makes the kernel confirm or fail it.
    Neighbours(Vec<(Ipv4Addr, MacAddr)>),
    /// The names of an address; empty when it has none or the servers did not say.
    Names(Vec<String>),
}

/// Something that happened, for whoever watches the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something was seen.
    Observation(Observation),
    /// Something a user should know.
    Warning(String),
    /// The run can be resumed from here, given all observations before.
    Checkpoint(Checkpoint),
    /// Nothing more will come.
    Finished,
}

/// How far a run has got; with the observations before it, enough to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How far each segment has got, by segment number.
    pub segments: Vec<SegmentProgress>,
}

/// How far the sweep of a segment has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SegmentProgress {
    /// Passes finished.
    pub passes: u32,
    /// Where in the permutation the next pass is.
    pub index: u64,
    /// The sweep of this segment is over.
    pub done: bool,
    /// How often controls were asked.
    pub controls_asked: u64,
    /// How often they did not answer.
    pub controls_lost: u64,
}

/// How a run stands, for a progress bar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Questions sent so far.
    pub sent: u64,
    /// Questions expected in all, as far as is known now; never below `sent`.
    pub expected: u64,
    /// Addresses present so far.
    pub present: u64,
    /// Packets a second that the pace allows now.
    pub rate: f64,
    /// Time left at that rate.
    pub left: Duration,
}
