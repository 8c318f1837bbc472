//! What is known of one address.

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{MacAddr, Method, NameSource, Reason, Timestamp};

use super::{ports::Ports, said::Statements};

/// A host that answers in more ways than these is lying; the rest is dropped, so that it cannot fill the memory.
const MOST_SIGNS: usize = 64;
/// The same for names.
const MOST_NAMES: usize = 32;

/// What is known of one address on one segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// Signs of life, and when each was heard.
    pub(crate) signs: BTreeMap<Sign, Heard>,
    pub(crate) ports: Ports,
    pub(crate) names: BTreeSet<(String, NameSource)>,
    /// What it said to probes.
    pub(crate) statements: Statements,
    /// A router called it unreachable.
    pub(crate) unreachable: bool,
    pub(crate) accepts_every_port: bool,
}

/// One way in which an address gave a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sign {
    pub(crate) method: Method,
    pub(crate) reason: Reason,
    pub(crate) ttl: Option<u8>,
    pub(crate) mac: Option<MacAddr>,
}

/// When and how fast a sign was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The first time, and the port that it came from then.
    pub(crate) first: (Timestamp, Option<u16>),
    pub(crate) last: Timestamp,
    /// The shortest round-trip time in microseconds.
    pub(crate) rtt_us: Option<u32>,
}

impl Heard {
    /// Both together.
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            rtt_us: shorter(self.rtt_us, other.rtt_us),
        }
    }
}

/// The shorter of two times, of which either may be unknown.
pub(crate) fn shorter(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Host {
    pub(crate) fn add_sign(&mut self, sign: Sign, heard: Heard) {
        if sign.reason.known().is_none() {
            return;
        }
        self.signs.entry(sign).and_modify(|old| *old = old.merge(heard)).or_insert(heard);
        if self.signs.len() > MOST_SIGNS {
            self.signs.pop_last();
        }
    }

    pub(crate) fn add_name(&mut self, name: &str, source: NameSource) {
        self.names.insert((name.to_owned(), source));
        if self.names.len() > MOST_NAMES {
            self.names.pop_last();
        }
    }
}
