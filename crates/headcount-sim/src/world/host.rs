//! One persona at work: what it counts, how long it takes, when it dies.

use std::{collections::VecDeque, net::Ipv4Addr, time::Duration};

use headcount_model::{Instant, MacAddr};

use super::connections::{Connections, Limits};
use crate::{
    lan::{Persona, SilentAbove, Sleepy, millis},
    outbox::{Bucket, Window},
    rng::Rng,
};

/// One persona at work.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) persona: Persona,
    /// Its addresses, sorted.
    pub(super) addresses: Vec<Ipv4Addr>,
    /// Its first link-layer address, zeros where it has none.
    pub(super) mac: MacAddr,
    pub(super) connections: Connections,
    pub(super) unreachables: Bucket,
    pub(super) window: Window,
    latency: Duration,
    jitter: Duration,
    /// The last packets, at most one more than it stands in a second.
    recent: VecDeque<Instant>,
    silent_until: Instant,
    last_heard: Option<Instant>,
    /// Its answers leave in the order in which it made them.
    last_sent: Instant,
}

impl Host {
    pub(super) fn new(persona: &Persona) -> Self {
        let mut addresses: Vec<_> = persona.all_addresses().collect();
        addresses.sort_unstable();
        Self {
            addresses,
            mac: persona.nics().find_map(|nic| nic.mac).unwrap_or_default(),
            connections: Connections::default(),
            unreachables: Bucket::new(persona.unreachables_per_second),
            window: Window::default(),
            latency: millis(persona.latency_ms),
            jitter: millis(persona.jitter_ms),
            recent: VecDeque::new(),
            silent_until: Instant::ZERO,
            last_heard: None,
            last_sent: Instant::ZERO,
            persona: persona.clone(),
        }
    }

    pub(super) fn has(&self, address: Ipv4Addr) -> bool {
        self.addresses.binary_search(&address).is_ok()
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { connections: self.persona.connections, listen_queue: self.persona.listen_queue }
    }

    /// Whether it says anything at all.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now < self.silent_until
    }

    /// It hangs until somebody pulls the plug.
    pub(super) fn hang(&mut self) {
        self.silent_until = Instant::FAR;
    }

    /// A packet addressed to it. Returns whether it was the one too many; from then on it is silent for a while.
    pub(super) fn endure(&mut self, now: Instant) -> bool {
        self.window.count(now);
        let Some(SilentAbove { pps, for_seconds }) = self.persona.silent_above else {
            return false;
        };
        let pps = pps as usize;
        self.recent.push_back(now);
        if self.recent.len() <= pps {
            return false;
        }
        let too_many = self.recent.pop_front().is_some_and(|first| now.since(first) < Duration::from_secs(1));
        if !too_many || self.is_silent(now) {
            return false;
        }
        self.silent_until = now + millis(for_seconds * 1_000.0);
        true
    }

    /// When its answer to a packet that comes `now` leaves, if the way adds `extra`.
    pub(super) fn answer_at(&mut self, now: Instant, extra: Duration, rng: &mut Rng) -> Instant {
        let mut due = now + self.latency + rng.time_below(self.jitter) + extra;
        if let Some(Sleepy { idle_seconds, wake_ms: [from, to] }) = self.persona.sleepy {
            let idle = self.last_heard.is_none_or(|last| now.since(last) >= millis(idle_seconds * 1_000.0));
            if idle {
                due += millis(from) + rng.time_below(millis(to - from));
            }
        }
        self.last_heard = Some(now);
        self.last_sent = self.last_sent.max(due);
        self.last_sent
    }
}
