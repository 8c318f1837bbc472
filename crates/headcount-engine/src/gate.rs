//! The gate: no frame, datagram or connection leaves but through here.
//!
//! It alone knows the scope with its exclusions, the rates, and the ports that nothing is ever written to. What it
//! lets through it says with a [`Permit`], and only a permit can be turned into a frame or command.

use std::net::Ipv4Addr;

use headcount_model::{AddressRange, AddressSet, Instant, Method, Scope};
use headcount_sweep::{Question, ports};
use ipnetwork::Ipv4Network;

use crate::{
    Limits,
    pace::{Bucket, HostClock},
};

/// A question that somebody wants to ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent {
    pub(crate) segment: u16,
    pub(crate) target: Ipv4Addr,
    pub(crate) question: Question,
    /// Every host of the segment receives it.
    pub(crate) broadcast: bool,
}

/// Leave to ask one question once. Only the gate makes it.
#[derive(Debug)]
pub(crate) struct Permit {
    intent: Intent,
}

impl Permit {
    pub(crate) fn intent(&self) -> &Intent {
        &self.intent
    }
}

/// What the gate says.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Ask.
    Go(Permit),
    /// Not before then: this host has had enough.
    HostBusy(Instant),
    /// Not before then: the segment or the whole run has had enough.
    Busy(Instant),
    /// Never.
    Never,
}

/// See the module's documentation.
pub(crate) struct Gate {
    scope: Scope,
    /// Routers of the plan: asked by ARP even where they are no target, since nothing behind them can be reached
    /// otherwise.
    routers: Vec<Ipv4Addr>,
    total: Bucket,
    broadcast: Vec<Bucket>,
    hosts: HostClock,
    passed: u64,
}

impl Gate {
    pub(crate) fn new(scope: Scope, routers: Vec<Ipv4Addr>, segments: usize, limits: &Limits) -> Self {
        Self {
            scope,
            routers,
            total: Bucket::new(limits.total, burst(limits.total)),
            broadcast: vec![Bucket::new(limits.broadcast, burst(limits.broadcast)); segments],
            hosts: HostClock::new(limits.per_host, limits.total),
            passed: 0,
        }
    }

    /// The controller's rate, never above the limit.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.total.change(rate, burst(rate));
    }

    /// Questions let through so far.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    pub(crate) fn admit(&mut self, now: Instant, intent: Intent) -> Verdict {
        if !self.may_touch(&intent)
            || is_written(intent.question) && ports::is_never_written(intent.question.port)
        {
            return Verdict::Never;
        }
        let packets = packets(intent.question);
        let host = self.hosts.ready(intent.target);
        if host > now {
            return Verdict::HostBusy(host);
        }
        let segment = usize::from(intent.segment);
        let broadcast =
            self.broadcast.get(segment).filter(|_| intent.broadcast).map_or(Instant::ZERO, Bucket::ready);
        let ready = self.total.ready().max(broadcast);
        if ready > now {
            return Verdict::Busy(ready);
        }
        self.total.take(now, packets);
        self.hosts.take(now, intent.target, packets);
        if intent.broadcast
            && let Some(bucket) = self.broadcast.get_mut(segment)
        {
            bucket.take(now, packets);
        }
        self.passed += 1;
        Verdict::Go(Permit { intent })
    }

    /// Leave to put one question to a multicast group on a segment, which every host of its subnet receives: all of
    /// them must be in the scope. Else when to ask again, or `FAR` for never.
    pub(crate) fn admit_group(
        &mut self,
        now: Instant,
        segment: u16,
        network: Ipv4Network,
        port: u16,
    ) -> Result<(), Instant> {
        if !self.contains_all(network) || ports::is_never_written(port) {
            return Err(Instant::FAR);
        }
        let bucket = self.broadcast.get_mut(usize::from(segment)).ok_or(Instant::FAR)?;
        let ready = bucket.ready().max(self.total.ready());
        if ready > now {
            return Err(ready);
        }
        bucket.take(now, 1);
        self.total.take(now, 1);
        self.passed += 1;
        Ok(())
    }

    /// The kernel sends `packets` more to `host` by itself: a RST for each SYN/ACK, or the rest of a connection.
    pub(crate) fn follow_up(&mut self, now: Instant, host: Ipv4Addr, packets: u32) {
        self.hosts.take(now, host, packets);
        self.total.take(now, packets);
    }

    /// Whether every host of the subnet may be touched; its network and broadcast addresses are no hosts.
    fn contains_all(&self, network: Ipv4Network) -> bool {
        let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
        let (first, last) = if network.prefix() >= 31 { (first, last) } else { (first + 1, last - 1) };
        let hosts = AddressSet::from_iter([AddressRange { first: first.into(), last: last.into() }]);
        hosts.difference(&self.scope.allowed).is_empty()
    }

    fn may_touch(&self, intent: &Intent) -> bool {
        let router = intent.question.method == Method::Arp && self.routers.contains(&intent.target);
        router && !self.scope.excluded.contains(intent.target) || self.scope.contains(intent.target)
    }
}

/// Whether the question puts payload on its port.
fn is_written(question: Question) -> bool {
    matches!(question.method, Method::Udp | Method::Probe)
}

/// How many packets a question becomes: the kernel asks by ARP up to three times (`mcast_solicit`).
fn packets(question: Question) -> u32 {
    if question.method == Method::NeighbourTable { 3 } else { 1 }
}

/// A driver's timers tick in milliseconds: it may catch up four of them.
fn burst(rate: f64) -> f64 {
    (rate * 0.004).max(1.0) + 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> Limits {
        Limits {
            total: 1000.0,
            per_host: 40.0,
            broadcast: 100.0,
            passes: 3,
            port_tries: 3,
            connections_per_host: 1,
            in_flight: 10,
        }
    }

    fn gate() -> Gate {
        let set = |a: u32, b: u32| AddressSet::from(vec![AddressRange { first: a.into(), last: b.into() }]);
        let scope = Scope { allowed: set(0x0a00_0000, 0x0a00_00ef), excluded: set(0x0a00_00f0, 0x0a00_00ff) };
        Gate::new(scope, vec![Ipv4Addr::new(10, 9, 9, 1), Ipv4Addr::new(10, 0, 0, 255)], 1, &limits())
    }

    fn ask(target: [u8; 4], question: Question) -> Intent {
        Intent { segment: 0, target: target.into(), question, broadcast: question == Question::ARP }
    }

    proptest! {
        #[test]
        fn nothing_outside_the_scope_gets_a_permit(target: u32, port: u16, kind in 0..3) {
            let question = [Question::ECHO, Question::syn(port), Question::udp(port)][kind as usize];
            let intent = Intent { segment: 0, target: target.into(), question, broadcast: false };
            let verdict = gate().admit(Instant::from_nanos(1_000_000_000), intent);
            let inside = (0x0a00_0000..=0x0a00_00ef).contains(&target);
            prop_assert_eq!(matches!(verdict, Verdict::Go(_)), inside && !(kind == 2 && ports::is_never_written(port)));
        }
    }

    #[test]
    fn routers_are_asked_by_arp_alone_and_never_when_excluded() {
        let now = Instant::from_nanos(1_000_000_000);
        assert!(matches!(gate().admit(now, ask([10, 9, 9, 1], Question::ARP)), Verdict::Go(_)));
        assert!(matches!(gate().admit(now, ask([10, 9, 9, 1], Question::ECHO)), Verdict::Never));
        assert!(matches!(gate().admit(now, ask([10, 0, 0, 255], Question::ARP)), Verdict::Never));
    }

    #[test]
    fn printing_ports_are_asked_for_their_state_and_never_written() {
        let now = Instant::from_nanos(1_000_000_000);
        assert!(matches!(gate().admit(now, ask([10, 0, 0, 1], Question::syn(9100))), Verdict::Go(_)));
        assert!(matches!(gate().admit(now, ask([10, 0, 0, 1], Question::udp(9100))), Verdict::Never));
    }

    #[test]
    fn a_group_is_asked_only_where_all_who_hear_it_are_in_the_scope() {
        let now = Instant::from_nanos(1_000_000_000);
        let asked = |network: &str, port| gate().admit_group(now, 0, network.parse().unwrap(), port);
        assert_eq!(asked("10.0.0.0/25", 5353), Ok(()));
        // From 10.0.0.240 on, addresses are excluded, and 10.0.1.0 is not in the scope.
        for network in ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/23", "10.9.9.0/24"] {
            assert_eq!(asked(network, 5353), Err(Instant::FAR), "{network}");
        }
        assert_eq!(asked("10.0.0.0/25", 9100), Err(Instant::FAR));
    }

    #[test]
    fn each_limit_binds() {
        let mut gate = gate();
        let now = Instant::from_nanos(1_000_000_000);
        assert!(matches!(gate.admit(now, ask([10, 0, 0, 1], Question::ECHO)), Verdict::Go(_)));
        assert!(matches!(gate.admit(now, ask([10, 0, 0, 1], Question::ECHO)), Verdict::HostBusy(_)));
        let mut broadcasts = 0;
        while let Verdict::Go(_) = gate.admit(now, ask([10, 0, 0, 10 + broadcasts], Question::ARP)) {
            broadcasts += 1;
        }
        assert!((1..=3).contains(&broadcasts), "{broadcasts} broadcasts at once");
        assert!(matches!(gate.admit(now, ask([10, 0, 0, 99], Question::ARP)), Verdict::Busy(_)));
        assert!(matches!(gate.admit(now, ask([10, 0, 0, 99], Question::ECHO)), Verdict::Go(_)));
    }
}
