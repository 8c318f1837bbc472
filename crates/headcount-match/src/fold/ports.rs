//! What the ports of one address answered.

use std::collections::BTreeMap;

use headcount_model::{Method, PortSet, PortState, Reason, Timestamp, Transport};

use super::host::{Heard, Sign};

/// A transport's port and how it answered.
pub(crate) type Entry = ((Transport, u16), Answer);

/// How one port answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) state: PortState,
    pub(crate) reason: Reason,
    pub(crate) method: Method,
    pub(crate) ttl: Option<u8>,
    pub(crate) rtt_us: Option<u32>,
    pub(crate) at: Timestamp,
}

impl Answer {
    /// The sign of life that it is.
    pub(crate) fn sign(&self) -> Sign {
        Sign { method: self.method, reason: self.reason, ttl: self.ttl, mac: None }
    }

    /// When that sign was heard, from `port`.
    pub(crate) fn heard(&self, port: u16) -> Heard {
        Heard { first: (self.at, Some(port)), last: self.at, rtt_us: self.rtt_us }
    }

    /// Of two answers the weightier is believed: any before none, open before closed before filtered, the later
    /// before the earlier. The rest only makes the order total.
    fn weight(&self) -> impl Ord + use<> {
        let state = match self.state {
            PortState::Open => 2,
            PortState::Closed => 1,
            PortState::Filtered => 0,
        };
        let answered = self.reason != Reason::NoAnswer;
        (answered, state, self.at, self.reason, self.method, self.ttl, self.rtt_us)
    }
}

/// The ports of one address: single answers, and lists of ports that answered alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports {
    single: Vec<Entry>,
    /// How many ports `single` held when each was last in it once.
    settled: usize,
    lists: BTreeMap<(Transport, PortState, Reason, Method, Timestamp), PortSet>,
}

impl Ports {
    pub(crate) fn add(&mut self, transport: Transport, port: u16, answer: Answer) {
        // Port 0 is reserved (RFC 6335) and never asked.
        if port == 0 {
            return;
        }
        self.single.push(((transport, port), answer));
        // Repeats may not fill the memory.
        if self.single.len() > 2 * self.settled + 32 {
            settle(&mut self.single);
            self.settled = self.single.len();
        }
    }

    pub(crate) fn add_list(&mut self, transport: Transport, ports: &PortSet, answer: Answer) {
        let key = (transport, answer.state, answer.reason, answer.method, answer.at);
        let list = self.lists.entry(key).or_default();
        *list = list.as_slice().iter().chain(ports.as_slice()).copied().collect();
    }

    /// Each port once with the answer that is believed, in rising order.
    pub(crate) fn settled(&self) -> Vec<Entry> {
        let mut all = self.single.clone();
        for ((transport, state, reason, method, at), list) in &self.lists {
            let answer =
                Answer { state: *state, reason: *reason, method: *method, ttl: None, rtt_us: None, at: *at };
            all.extend(list.as_slice().iter().map(|port| ((*transport, *port), answer)));
        }
        settle(&mut all);
        all
    }
}

fn settle(entries: &mut Vec<Entry>) {
    entries.sort_unstable_by(|(port_a, a), (port_b, b)| {
        port_a.cmp(port_b).then_with(|| b.weight().cmp(&a.weight()))
    });
    entries.dedup_by_key(|(port, _)| *port);
}
