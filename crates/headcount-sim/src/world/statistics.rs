//! What a world has seen, for tests that ask what a sweep did to the network.

use std::{collections::BTreeMap, net::Ipv4Addr};

use headcount_model::Instant;

/// What came and what it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames that came, by kind.
    pub received: Received,
    /// Frames that were sent.
    pub sent: u64,
    /// Frames that could not be decoded.
    pub malformed: u64,
    /// Packets with a wrong checksum; not answered.
    pub bad_checksums: u64,
    /// Frames whose destination MAC address belongs to nobody here; not answered.
    pub stray: u64,
    /// Broadcast frames that came.
    pub broadcasts: u64,
    /// The most frames in any second.
    pub busiest_second: u32,
    /// The most broadcast frames in any second.
    pub busiest_broadcast_second: u32,
    /// Frames for addresses outside the scope that is watched.
    pub outside_scope: u64,
    /// The addresses that they were for, sorted, at most [`Statistics::MAX_OUTSIDE`].
    pub outside: Vec<Ipv4Addr>,
    /// By persona, in the lan's order.
    pub personas: Vec<PersonaStatistics>,
    /// What was done to fragile personas, in order of time; at most [`Statistics::MAX_HARMED`].
    pub harmed: Vec<Harm>,
    /// Bytes written to TCP ports, by persona (its place in the lan) and port.
    pub written: BTreeMap<(usize, u16), u64>,
    /// Bytes that came out on paper.
    pub printed: u64,
}

impl Statistics {
    /// The most entries in [`Statistics::harmed`].
    pub const MAX_HARMED: usize = 1_000;
    /// The most entries in [`field@Statistics::outside`].
    pub const MAX_OUTSIDE: usize = 256;

    /// The statistics of the persona called `name`.
    pub fn persona(&self, name: &str) -> Option<&PersonaStatistics> {
        self.personas.iter().find(|persona| persona.name == name)
    }

    /// The most packets that any one persona got in any second.
    pub fn busiest_persona_second(&self) -> u32 {
        self.personas.iter().map(|persona| persona.busiest_second).max().unwrap_or(0)
    }

    pub(super) fn harm(&mut self, at: Instant, persona: usize, what: HarmKind) {
        if let Some(statistics) = self.personas.get_mut(persona) {
            statistics.harms += 1;
            if self.harmed.len() < Self::MAX_HARMED {
                self.harmed.push(Harm { at, persona: statistics.name.clone(), what });
            }
        }
    }

    pub(super) fn outside(&mut self, address: Ipv4Addr) {
        self.outside_scope += 1;
        if let Err(at) = self.outside.binary_search(&address)
            && self.outside.len() < Self::MAX_OUTSIDE
        {
            self.outside.insert(at, address);
        }
    }
}

/// Frames by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// All of them.
    pub frames: u64,
    /// ARP requests.
    pub arp_requests: u64,
    /// ARP replies.
    pub arp_replies: u64,
    /// ICMP echo requests.
    pub echo_requests: u64,
    /// TCP segments that open a connection.
    pub tcp_syns: u64,
    /// TCP resets.
    pub tcp_resets: u64,
    /// Other TCP segments.
    pub tcp_others: u64,
    /// UDP datagrams.
    pub udp: u64,
    /// ICMP messages other than echo requests.
    pub icmp_others: u64,
    /// What is none of these.
    pub others: u64,
}

/// What one persona got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonaStatistics {
    /// Its name.
    pub name: String,
    /// Packets addressed to it: unicast, or ARP requests for its own addresses.
    pub received: u64,
    /// The most of them in any second.
    pub busiest_second: u32,
    /// How often it was harmed.
    pub harms: u64,
}

/// Something that was done to a fragile persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harm {
    /// When.
    pub at: Instant,
    /// To whom.
    pub persona: String,
    /// What.
    pub what: HarmKind,
}

/// What can be done to a fragile persona.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HarmKind {
    /// It got more packets within a second than it stands.
    TooManyPackets,
    /// A connection was opened while it had as many as it stands.
    TooManyConnections,
    /// More half-open connections than it has room for.
    ListenQueueFull,
}
