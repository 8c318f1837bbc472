//! The neighbour table: who has which link-layer address, and who is asked (RFC 826; the states are those of
//! RFC 4861, section 7.3.2, which Linux uses for ARP as well).

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    time::Duration,
};

use headcount_model::{Instant, MacAddr};

use super::sockets::Packet;

/// How long a confirmation holds.
const REACHABLE: Duration = Duration::from_secs(30);
/// How long a stale entry is used before its owner is asked again.
const DELAY: Duration = Duration::from_secs(5);
/// Between two requests.
const RETRY: Duration = Duration::from_secs(1);
/// Requests before an address is given up.
const TRIES: u32 = 3;
/// Packets that wait for one address at the most; the oldest are dropped.
const WAITING: usize = 64;
/// Entries at the most (Linux: gc_thresh3 is 1,024; a sweeping machine raises it).
const ENTRIES: usize = 1 << 17;

#[derive(Clone, Debug)]
enum State {
    /// Asked so often, next at.
    Incomplete { tries: u32, next: Instant },
    /// Confirmed until.
    Reachable { until: Instant },
    /// Used without a confirmation; asked by unicast at.
    Delay { next: Instant },
    /// Asked by unicast so often, next at.
    Probe { tries: u32, next: Instant },
}

#[derive(Clone, Debug)]
struct Neighbour {
    mac: MacAddr,
    state: State,
    waiting: VecDeque<Packet>,
}

/// An ARP request to be sent: broadcast, or to the address that is to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asking {
    pub(super) address: Ipv4Addr,
    pub(super) mac: Option<MacAddr>,
}

/// Where a packet goes.
pub(super) enum Resolved {
    /// To this address, now.
    Known(MacAddr, Packet),
    /// It waits; perhaps a request is to be sent.
    Asking(Option<Asking>),
}

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    entries: BTreeMap<Ipv4Addr, Neighbour>,
    /// When which entry has something to do; entries that have changed since are skipped.
    timers: std::collections::BTreeSet<(Instant, Ipv4Addr)>,
    failed: Vec<Packet>,
}

impl Neighbours {
    /// Where `packet` goes whose next hop is `address`.
    pub(super) fn resolve(&mut self, now: Instant, address: Ipv4Addr, packet: Packet) -> Resolved {
        if let Some(known) = self.entries.get_mut(&address) {
            return match known.state {
                State::Incomplete { .. } => {
                    if known.waiting.len() >= WAITING {
                        known.waiting.pop_front();
                    }
                    known.waiting.push_back(packet);
                    Resolved::Asking(None)
                }
                State::Reachable { until } if until <= now => {
                    let next = now + DELAY;
                    known.state = State::Delay { next };
                    let mac = known.mac;
                    self.timers.insert((next, address));
                    Resolved::Known(mac, packet)
                }
                State::Reachable { .. } | State::Delay { .. } | State::Probe { .. } => {
                    Resolved::Known(known.mac, packet)
                }
            };
        }
        if self.entries.len() >= ENTRIES {
            self.failed.push(packet);
            return Resolved::Asking(None);
        }
        let next = now + RETRY;
        let state = State::Incomplete { tries: 1, next };
        let neighbour = Neighbour { mac: MacAddr::ZERO, state, waiting: VecDeque::from([packet]) };
        self.entries.insert(address, neighbour);
        self.timers.insert((next, address));
        Resolved::Asking(Some(Asking { address, mac: None }))
    }

    /// A reply came; what waited for it can go. The first of two replies counts, as Linux ignores a second one for a
    /// while.
    pub(super) fn learn(&mut self, now: Instant, address: Ipv4Addr, mac: MacAddr) -> VecDeque<Packet> {
        let Some(known) = self.entries.get_mut(&address) else {
            return VecDeque::new();
        };
        if matches!(known.state, State::Reachable { until } if until > now) {
            return VecDeque::new();
        }
        known.mac = mac;
        known.state = State::Reachable { until: now + REACHABLE };
        std::mem::take(&mut known.waiting)
    }

    /// A connection shows that the neighbour is there.
    pub(super) fn confirm(&mut self, now: Instant, address: Ipv4Addr) {
        if let Some(known) = self.entries.get_mut(&address)
            && !matches!(known.state, State::Incomplete { .. })
        {
            known.state = State::Reachable { until: now + REACHABLE };
        }
    }

    /// The requests that are due. Who has been asked often enough is given up.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Asking> {
        let mut asking = Vec::new();
        while let Some((due, address)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.pop_first();
            let Some(known) = self.entries.get_mut(&address) else { continue };
            let (tries, next) = match known.state {
                State::Incomplete { tries, next } | State::Probe { tries, next } => (tries, next),
                State::Delay { next } => (0, next),
                State::Reachable { .. } => continue,
            };
            if next != due {
                continue;
            }
            if tries == TRIES {
                let gone = self.entries.remove(&address);
                self.failed.extend(gone.into_iter().flat_map(|gone| gone.waiting));
                continue;
            }
            let next = due + RETRY;
            let unicast = !matches!(known.state, State::Incomplete { .. });
            let tries = tries + 1;
            known.state =
                if unicast { State::Probe { tries, next } } else { State::Incomplete { tries, next } };
            self.timers.insert((next, address));
            asking.push(Asking { address, mac: unicast.then_some(known.mac) });
        }
        asking
    }

    /// The packets whose neighbour did not answer.
    pub(super) fn take_failed(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.failed)
    }

    /// Who is confirmed.
    pub(super) fn reachable(&self, now: Instant) -> Vec<(Ipv4Addr, MacAddr)> {
        let fresh = |known: &Neighbour| matches!(known.state, State::Reachable { until } if until > now);
        self.entries
            .iter()
            .filter(|(_, known)| fresh(known))
            .map(|(address, known)| (*address, known.mac))
            .collect()
    }

    /// When the next request is due, if at all.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }
}
