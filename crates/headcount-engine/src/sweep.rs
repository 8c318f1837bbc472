//! The search of one segment: passes of questions over its silent addresses, until the controls say that nobody is
//! left to be found.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    time::Duration,
};

use headcount_model::{AddressSet, Instant, MacAddr, Method, Reason};
use headcount_sweep::{Permutation, Question};

use crate::{
    SegmentProgress,
    bits::Bits,
    loss::Loss,
    rtt::RecentSends,
    tally::{Signature, Tally},
};

/// What the sweep of a segment is told.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// The segment's number in the plan.
    pub(crate) segment: u16,
    /// Asked through the kernel rather than by frames.
    pub(crate) kernel: bool,
    pub(crate) addresses: AddressSet,
    /// In the order in which they are asked.
    pub(crate) questions: Vec<Question>,
    pub(crate) improbable: Vec<Ipv4Addr>,
    /// The link-layer address that questions go to, where it is not each host's own.
    pub(crate) via: Via,
    /// Passes at the most.
    pub(crate) passes: u32,
    pub(crate) seed: u64,
}

/// Where questions go on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// To everybody: the question itself finds the host.
    Broadcast,
    /// To a router whose link-layer address is not known yet.
    Router(Ipv4Addr),
    /// To this link-layer address.
    Mac(MacAddr),
    /// Wherever the kernel sends them.
    Kernel,
}

/// A question that the sweep wants to ask next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) target: Ipv4Addr,
    pub(crate) question: Question,
    pub(crate) next_hop: Option<MacAddr>,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Router,
    Improbable,
    Target,
    Control,
}

/// What the sweep wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    Ask(Asking),
    Wait(Instant),
    Done,
}

/// What the sweep has to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// A host is present and may be asked more. With the time its answer took, where that is known.
    Found(Ipv4Addr, MacAddr, Option<Duration>),
    /// Not a host after all: only a phantom answered.
    Lost(Ipv4Addr),
    /// Something answers for all; these addresses have nothing else to show.
    Phantom { signature: Signature, witness: Ipv4Addr, addresses: Vec<Ipv4Addr> },
    /// A control answered or did not.
    Control(bool),
    /// The router does not answer, so nothing behind it can be asked.
    RouterSilent(Ipv4Addr),
    /// A pass ended.
    PassEnded,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    FindRouter { tries: u32, next: Instant },
    Improbable { next: usize },
    Settle { until: Instant, after_pass: bool },
    Pass,
    Done,
}

/// See the module's documentation.
pub(crate) struct Sweep {
    task: Task,
    order: Permutation,
    stage: Stage,
    answered: Bits,
    unreachable: Bits,
    pass: u32,
    index: u64,
    tally: Tally,
    held: Vec<(Ipv4Addr, MacAddr)>,
    loss: Loss,
    controls: Vec<(Ipv4Addr, Question, MacAddr)>,
    next_control: usize,
    controls_this_pass: u64,
    pending: BTreeMap<Ipv4Addr, Instant>,
    deadlines: VecDeque<(Instant, Ipv4Addr)>,
    recent: RecentSends,
    slowest: Duration,
    found_in_pass: bool,
    pass_began: Instant,
    complete: bool,
    said: Vec<Said>,
}

impl Sweep {
    /// Passes at the least, unless nobody is silent.
    const LEAST_PASSES: u32 = 2;
    /// Passes where nobody has answered at all, so that nothing can be measured.
    const EMPTY_PASSES: u32 = 3;
    /// Questions to an improbable address at the most.
    const IMPROBABLE_QUESTIONS: usize = 8;
    /// How often a router is asked for before it counts as silent.
    const ROUTER_TRIES: u32 = 8;
    /// The kernel asks three times, a second apart, before it gives a neighbour up.
    const KERNEL_ARP: Duration = Duration::from_millis(3_300);

    pub(crate) fn new(task: Task, now: Instant) -> Self {
        let len = task.addresses.len();
        let first = match task.via {
            Via::Router(_) => Stage::FindRouter { tries: 0, next: now },
            Via::Broadcast | Via::Mac(_) | Via::Kernel => Stage::Improbable { next: 0 },
        };
        Self {
            order: Permutation::new(len, task.seed),
            stage: if len == 0 || task.questions.is_empty() { Stage::Done } else { first },
            answered: Bits::new(len),
            unreachable: Bits::new(len),
            pass: 0,
            index: 0,
            tally: Tally::new(task.improbable.clone()),
            held: Vec::new(),
            loss: Loss::default(),
            controls: Vec::new(),
            next_control: 0,
            controls_this_pass: 0,
            pending: BTreeMap::new(),
            deadlines: VecDeque::new(),
            recent: RecentSends::new(len),
            slowest: Duration::ZERO,
            found_in_pass: false,
            pass_began: now,
            complete: true,
            said: Vec::new(),
            task,
        }
    }

    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Every planned pass was made.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete && self.is_done()
    }

    pub(crate) fn loss(&self) -> Loss {
        self.loss
    }

    pub(crate) fn passes(&self) -> u32 {
        self.pass
    }

    pub(crate) fn present(&self) -> u64 {
        self.answered.count()
    }

    /// Addresses that a router called unreachable and that never answered.
    pub(crate) fn unreachable(&self) -> u64 {
        self.unreachable.count()
    }

    pub(crate) fn miss_chance(&self) -> Option<f64> {
        match self.present() {
            0 => None,
            present if present == self.task.addresses.len() => Some(0.0),
            _ if self.by_contact() => None,
            _ => Some(self.loss.miss_chance(self.pass)),
        }
    }

    /// Questions that a further pass would ask, and how many passes are still to be expected.
    pub(crate) fn expected(&self) -> u64 {
        let silent = (self.task.addresses.len() - self.answered.count()) * self.task.questions.len() as u64;
        match self.stage {
            Stage::Done => 0,
            Stage::FindRouter { .. } | Stage::Improbable { .. } => silent * 3,
            Stage::Pass | Stage::Settle { .. } => {
                let total = self.slots().max(1);
                let rest = silent * (total - self.index.min(total)) / total;
                rest + silent * u64::from(2u32.saturating_sub(self.pass))
            }
        }
    }

    pub(crate) fn progress(&self) -> SegmentProgress {
        SegmentProgress {
            passes: self.pass,
            index: self.index,
            done: self.is_done(),
            controls_asked: self.loss.asked,
            controls_lost: self.loss.lost,
        }
    }

    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// What to do now. The same until [`Sweep::asked`] or an answer changes it.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        self.expire_controls(now);
        loop {
            match self.stage {
                Stage::Done => return Next::Done,
                Stage::FindRouter { tries, next } => match self.find_router(now, tries, next) {
                    Some(next) => return next,
                    None => continue,
                },
                Stage::Improbable { next } => match self.improbable(next) {
                    Some(asking) => return Next::Ask(asking),
                    None => self.settle(now, false),
                },
                Stage::Settle { until, .. } if until > now => {
                    return Next::Wait(until.min(self.next_deadline()));
                }
                Stage::Settle { after_pass, .. } => {
                    self.pass_began = now;
                    if after_pass {
                        self.end_pass();
                    } else {
                        self.stage = Stage::Pass;
                    }
                }
                Stage::Pass => match self.in_pass() {
                    Some(asking) => return Next::Ask(asking),
                    None => self.settle(now, true),
                },
            }
        }
    }

    /// The question that [`Sweep::next`] gave has left.
    pub(crate) fn asked(&mut self, now: Instant, asking: &Asking) {
        self.recent.sent(asking.target, now);
        match asking.role {
            Role::Router => {
                if let Stage::FindRouter { tries, .. } = self.stage {
                    let pause = Duration::from_millis(250) * (tries + 1);
                    self.stage = Stage::FindRouter { tries: tries + 1, next: now + pause };
                }
            }
            Role::Improbable => self.skip(asking),
            Role::Target => self.index += 1,
            Role::Control => {
                self.controls_this_pass += 1;
                self.next_control += 1;
                let deadline = now + self.patience();
                self.pending.insert(asking.target, deadline);
                self.deadlines.push_back((deadline, asking.target));
            }
        }
    }

    /// The gate will never let the question through.
    pub(crate) fn skip(&mut self, asking: &Asking) {
        match asking.role {
            Role::Router => self.router_is_silent(),
            Role::Improbable => {
                if let Stage::Improbable { next } = &mut self.stage {
                    *next += 1;
                }
            }
            Role::Target => self.index += 1,
            Role::Control => self.next_control += 1,
        }
    }

    /// The router's link-layer address.
    pub(crate) fn router_found(&mut self, router: Ipv4Addr, mac: MacAddr) {
        if self.task.via == Via::Router(router) {
            self.task.via = Via::Mac(mac);
            self.stage = Stage::Improbable { next: 0 };
        }
    }

    /// `target` gave a sign of presence. Returns its round-trip time, where it is known, or `None` when the sign is
    /// nobody's: not asked, or a phantom's.
    pub(crate) fn sign(
        &mut self,
        now: Instant,
        target: Ipv4Addr,
        question: Question,
        mac: MacAddr,
        reason: Reason,
        ttl: Option<u8>,
    ) -> Option<Sign> {
        let index = self.task.addresses.index_of(target)?;
        // The neighbour table tells that the kernel was answered, not when.
        let since = self.recent.since(target, now).filter(|_| !self.by_contact());
        let rtt = since.filter(|rtt| *rtt < Duration::from_secs(3));
        self.slowest = self.slowest.max(rtt.unwrap_or_default());
        self.control_answered(target);
        let signature = Signature::new(reason, mac, ttl)?;
        if self.tally.is_ignored(signature) {
            return None;
        }
        let first = self.answered.insert(index);
        if first {
            self.first_sign(target, question, mac, signature, rtt);
        }
        self.unreachable.remove(index);
        Some(Sign { first, rtt })
    }

    /// A router says that `target` cannot be reached.
    pub(crate) fn unreachable_by_router(&mut self, target: Ipv4Addr) {
        if let Some(index) = self.task.addresses.index_of(target)
            && !self.answered.contains(index)
        {
            self.unreachable.insert(index);
        }
    }

    /// What the log of an earlier process knows: `target` was present.
    pub(crate) fn recall(
        &mut self,
        target: Ipv4Addr,
        question: Question,
        mac: MacAddr,
        reason: Reason,
        ttl: Option<u8>,
    ) {
        let Some(index) = self.task.addresses.index_of(target) else { return };
        let Some(signature) = Signature::new(reason, mac, ttl) else { return };
        if !self.tally.is_ignored(signature) && self.answered.insert(index) {
            self.tally.found(target, signature);
            self.controls.push((target, question, mac));
        }
    }

    /// What the log of an earlier process knows: this signature is nobody's.
    /// Returns the addresses that had nothing else to show.
    pub(crate) fn recall_phantom(&mut self, signature: Signature) -> Vec<Ipv4Addr> {
        self.tally.ignore(signature);
        let addresses: Vec<Ipv4Addr> = self.tally.found_only_by(signature).collect();
        for address in &addresses {
            self.unfind(*address);
        }
        addresses
    }

    /// The hosts that count as present, with the link-layer addresses that they answered from.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (Ipv4Addr, MacAddr)> + '_ {
        self.controls
            .iter()
            .filter(|(address, _, _)| !self.is_subnet_end(*address))
            .map(|(address, _, mac)| (*address, *mac))
    }

    /// Goes on where an earlier process stopped.
    pub(crate) fn resume(&mut self, from: &SegmentProgress) {
        self.pass = from.passes;
        self.index = from.index;
        self.loss = Loss { asked: from.controls_asked, lost: from.controls_lost.min(from.controls_asked) };
        if from.done {
            self.stage = Stage::Done;
        }
    }

    fn first_sign(
        &mut self,
        target: Ipv4Addr,
        question: Question,
        mac: MacAddr,
        signature: Signature,
        rtt: Option<Duration>,
    ) {
        self.tally.found(target, signature);
        self.found_in_pass = true;
        if self.pass > 0 && !self.by_contact() {
            // Whoever is found late was missed before: that is loss as well.
            self.loss.asked += u64::from(self.pass) + 1;
            self.loss.lost += u64::from(self.pass);
        }
        // An improbable address of a subnet is no host; whoever answers for it is judged by the tally.
        if self.tally.improbable().contains(&target) || self.tally.is_doubtful(signature) {
            self.held.push((target, mac));
        } else {
            self.controls.push((target, question, mac));
            self.said.push(Said::Found(target, mac, rtt));
        }
    }

    fn control_answered(&mut self, target: Ipv4Addr) {
        if self.pending.remove(&target).is_some() {
            self.loss.asked += 1;
            self.said.push(Said::Control(true));
        }
    }

    fn expire_controls(&mut self, now: Instant) {
        while let Some((deadline, target)) = self.deadlines.front().copied()
            && deadline <= now
        {
            self.deadlines.pop_front();
            if self.pending.get(&target) == Some(&deadline) {
                self.pending.remove(&target);
                self.loss.asked += 1;
                self.loss.lost += 1;
                self.said.push(Said::Control(false));
            }
        }
    }

    fn next_deadline(&self) -> Instant {
        self.deadlines.front().map_or(Instant::FAR, |(deadline, _)| *deadline)
    }

    fn find_router(&mut self, now: Instant, tries: u32, next: Instant) -> Option<Next> {
        let Via::Router(router) = self.task.via else {
            self.stage = Stage::Improbable { next: 0 };
            return None;
        };
        if next > now {
            return Some(Next::Wait(next));
        }
        if tries >= Self::ROUTER_TRIES {
            self.router_is_silent();
            return None;
        }
        Some(Next::Ask(Asking {
            target: router,
            question: Question::ARP,
            next_hop: None,
            role: Role::Router,
        }))
    }

    fn router_is_silent(&mut self) {
        if let Via::Router(router) = self.task.via {
            self.said.push(Said::RouterSilent(router));
        }
        self.complete = false;
        self.stage = Stage::Done;
    }

    fn improbable(&self, next: usize) -> Option<Asking> {
        let improbable = self.tally.improbable();
        let questions = self.task.questions.len().min(Self::IMPROBABLE_QUESTIONS);
        // All of them are asked one question before any is asked the next.
        let question = next.checked_div(improbable.len()).filter(|question| *question < questions)?;
        let target = improbable[next % improbable.len()];
        Some(self.asking(target, self.task.questions[question], self.next_hop(), Role::Improbable))
    }

    fn slots(&self) -> u64 {
        self.task.addresses.len() * self.task.questions.len() as u64
    }

    fn in_pass(&mut self) -> Option<Asking> {
        let (len, slots) = (self.task.addresses.len(), self.slots());
        if let Some(control) = self.control_due(slots) {
            return Some(control);
        }
        while self.index < slots {
            let address = self.order.at(self.index % len);
            if !self.answered.contains(address)
                && let Some(target) = self.task.addresses.nth(address)
            {
                // The same order for every question: a host is asked again only after all others were.
                let question = self.task.questions[(self.index / len) as usize];
                return Some(self.asking(target, question, self.next_hop(), Role::Target));
            }
            self.index += 1;
        }
        None
    }

    /// Controls are spread over the pass.
    fn control_due(&mut self, slots: u64) -> Option<Asking> {
        let quota = (self.controls.len() as u64).clamp(16, 64 + slots / 20);
        let due = quota * (self.index + 1) / slots.max(1);
        if self.by_contact()
            || self.controls.is_empty()
            || self.controls_this_pass >= due
            || self.index >= slots
        {
            return None;
        }
        let (target, question, mac) = self.controls[self.next_control % self.controls.len()];
        if self.pending.contains_key(&target) {
            return None;
        }
        let next_hop = if self.task.via == Via::Broadcast { Some(mac) } else { self.next_hop() };
        Some(self.asking(target, question, next_hop, Role::Control))
    }

    fn asking(&self, target: Ipv4Addr, question: Question, next_hop: Option<MacAddr>, role: Role) -> Asking {
        Asking { target, question, next_hop, role }
    }

    fn next_hop(&self) -> Option<MacAddr> {
        match self.task.via {
            Via::Mac(mac) => Some(mac),
            Via::Broadcast | Via::Router(_) | Via::Kernel => None,
        }
    }

    /// How long an answer may take, as far as the answers so far tell.
    fn patience(&self) -> Duration {
        let seen = if self.present() == 0 { Duration::from_millis(300) } else { self.slowest * 2 };
        (seen + Duration::from_millis(60)).clamp(Duration::from_millis(120), Duration::from_millis(1_500))
    }

    fn settle(&mut self, now: Instant, after_pass: bool) {
        // On the link itself the first pass may follow at once: what answers for all is judged after it.
        let asked = after_pass || !self.tally.improbable().is_empty() && self.task.via != Via::Broadcast;
        let mut wait = if asked { self.patience() } else { Duration::ZERO };
        // A long pass has waited for its own answers; only the last needs to wait for more.
        let waited = now.since(self.pass_began) >= wait && self.pass + 1 < Self::LEAST_PASSES;
        if after_pass && waited {
            wait = Duration::ZERO;
        }
        if self.by_contact() && after_pass {
            wait = wait.max(Self::KERNEL_ARP);
        }
        self.stage = Stage::Settle { until: now + wait, after_pass };
    }

    fn end_pass(&mut self) {
        self.pass += 1;
        self.index = 0;
        self.controls_this_pass = 0;
        self.judge_phantoms();
        self.said.push(Said::PassEnded);
        self.stage = if self.is_enough() { Stage::Done } else { Stage::Pass };
        self.found_in_pass = false;
    }

    fn is_enough(&self) -> bool {
        let silent = self.task.addresses.len() - self.answered.count();
        if silent == 0 || self.pass >= self.task.passes {
            return true;
        }
        if self.controls.is_empty() {
            return self.pass >= Self::EMPTY_PASSES.min(self.task.passes);
        }
        if self.by_contact() {
            return self.pass >= Self::LEAST_PASSES && !self.found_in_pass;
        }
        let expected = self.loss.expected_missed(self.present(), self.pass);
        self.pass >= Self::LEAST_PASSES && expected < Loss::GOAL
    }

    /// The kernel asks in our place, up to three times a pass, and does not say how often it was in vain: nothing can
    /// be measured, so passes end with the first that finds nobody.
    fn by_contact(&self) -> bool {
        self.task.questions.iter().any(|question| question.method == Method::NeighbourTable)
    }

    fn judge_phantoms(&mut self) {
        for (signature, witness) in self.tally.verdict(self.task.addresses.len()) {
            let addresses: Vec<Ipv4Addr> = self.tally.found_only_by(signature).collect();
            self.held.retain(|(address, _)| addresses.binary_search(address).is_err());
            for address in &addresses {
                if self.unfind(*address) {
                    self.said.push(Said::Lost(*address));
                }
            }
            self.said.push(Said::Phantom { signature, witness, addresses });
        }
        for (address, mac) in std::mem::take(&mut self.held) {
            if self.task.addresses.contains(address) && !self.is_subnet_end(address) {
                self.controls.push((address, self.task.questions[0], mac));
                self.said.push(Said::Found(address, mac, None));
            }
        }
    }

    /// The ends of an attached subnet are no host's addresses (RFC 1122, section 3.2.1.3).
    fn is_subnet_end(&self, address: Ipv4Addr) -> bool {
        self.task.via == Via::Broadcast && self.tally.improbable().contains(&address)
    }

    /// Whether the address had been said to be found.
    fn unfind(&mut self, address: Ipv4Addr) -> bool {
        self.tally.forget(address);
        if let Some(index) = self.task.addresses.index_of(address) {
            self.answered.remove(index);
        }
        let before = self.controls.len();
        self.controls.retain(|(control, _, _)| *control != address);
        self.controls.len() < before
    }
}

/// A sign of presence that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sign {
    /// The first of this address.
    pub(crate) first: bool,
    /// Time since this address was last asked.
    pub(crate) rtt: Option<Duration>,
}
