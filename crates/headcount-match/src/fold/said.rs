//! What one address said.

use std::collections::BTreeMap;

use headcount_model::{Endpoint, Raw, Statement, Timestamp, Transport};

/// A host that says more than this is lying; the rest is dropped, so that it cannot fill the memory.
const MOST_STATEMENTS: usize = 512;
const MOST_BYTES: usize = 256 << 10;
/// The most bytes of one value that are kept.
const MOST_VALUE: usize = 16 << 10;
/// Longer values give way to shorter ones.
const LONG: usize = 1 << 10;

/// Statements in the order in which they are kept: short ones first, then by port, field and value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    long: bool,
    transport: Transport,
    port: u16,
    field: String,
    value: Raw,
    probe: String,
}

impl Key {
    fn size(&self) -> usize {
        self.field.len() + self.probe.len() + self.value.0.len()
    }
}

/// The statements of one address, and when each was made first. Which are kept does not depend on their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements {
    kept: BTreeMap<Key, Timestamp>,
    bytes: usize,
    /// The first one that found no room: nothing behind it is taken either.
    beyond: Option<Key>,
}

impl Statements {
    pub(crate) fn add(&mut self, place: (Transport, u16), said: (&str, &str, &Raw), at: Timestamp) {
        let (probe, field, value) = said;
        let key = Key {
            long: value.0.len() > LONG,
            transport: place.0,
            port: place.1,
            field: field.to_owned(),
            value: value.cut(MOST_VALUE),
            probe: probe.to_owned(),
        };
        if self.beyond.as_ref().is_some_and(|beyond| key >= *beyond) {
            return;
        }
        if let Some(first) = self.kept.get_mut(&key) {
            *first = (*first).min(at);
            return;
        }
        self.bytes += key.size();
        self.kept.insert(key, at);
        while (self.kept.len() > MOST_STATEMENTS || self.bytes > MOST_BYTES)
            && let Some((last, _)) = self.kept.pop_last()
        {
            self.bytes -= last.size();
            self.beyond = Some(last);
        }
    }

    /// Each with its port, field and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ((Transport, u16), &str, &Raw)> {
        self.kept.keys().map(|key| ((key.transport, key.port), key.field.as_str(), &key.value))
    }

    /// All of them as said by `address`, with values of at most `most` bytes.
    pub(crate) fn of(&self, address: std::net::Ipv4Addr, most: usize) -> impl Iterator<Item = Statement> {
        self.kept.iter().map(move |(key, at)| Statement {
            endpoint: Endpoint { address, transport: key.transport, port: key.port },
            probe: key.probe.clone(),
            field: key.field.clone(),
            value: key.value.cut(most),
            at: *at,
        })
    }
}
