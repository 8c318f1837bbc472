//! A lan as a pure machine over frames: what a cable into it would show.
//!
//! [`World`] knows no clock but the `now` that it is given and no chance but its seed, so that it plays the same in
//! virtual time and, driven by a thread with a real clock, over a real interface. A driver feeds frames in with
//! [`World::handle_frame`], drains [`World::poll_frame`], and comes back at [`World::poll_timeout`] at the latest.

mod answers;
mod connections;
mod host;
mod receive;
mod route;
mod statistics;
#[cfg(test)]
mod tests;
mod way;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    net::Ipv4Addr,
};

use headcount_model::{AddressSet, Instant, MacAddr};
use headcount_wire::{
    arp,
    ethernet::{self, EtherType},
    frame::{self, Content, Frame},
    ipv4::Protocol,
};

use self::{connections::Ends, host::Host, route::Routes};
use crate::{
    lan::{Lan, LanError},
    outbox::{Outbox, Window},
    rng::Rng,
};

pub use statistics::{Harm, HarmKind, PersonaStatistics, Received, Statistics};

/// A lan at work.
#[derive(Clone, Debug)]
pub struct World {
    hosts: Vec<Host>,
    /// Who owns a link-layer address of the attached subnet.
    by_mac: BTreeMap<MacAddr, usize>,
    /// Who answers ARP requests for an address, and with which link-layer address.
    by_address: BTreeMap<Ipv4Addr, Vec<(usize, MacAddr)>>,
    routes: Routes,
    /// The PTR names.
    names: BTreeMap<Ipv4Addr, String>,
    out: Outbox,
    /// Connections that have something to repeat: when, whose, which.
    repeats: BinaryHeap<Reverse<(Instant, usize, Ends)>>,
    rng: Rng,
    statistics: Statistics,
    window: Window,
    broadcasts: Window,
    scope: Option<AddressSet>,
    incomplete_checksums: bool,
}

/// Frames that wait to leave, at the most; more are dropped, as a switch does.
const MAX_WAITING: usize = 1 << 20;

impl World {
    /// The lan at work; `seed` decides every latency.
    ///
    /// # Errors
    /// A lan that contradicts itself.
    pub fn new(lan: &Lan, seed: u64) -> Result<Self, LanError> {
        lan.check()?;
        let hosts: Vec<Host> = lan.personas.iter().map(Host::new).collect();
        let mut by_mac = BTreeMap::new();
        let mut by_address: BTreeMap<Ipv4Addr, Vec<(usize, MacAddr)>> = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (index, persona) in lan.personas.iter().enumerate() {
            for nic in persona.nics() {
                let on_link = || nic.addresses.iter().filter(|address| lan.network.contains(**address));
                let Some(mac) = nic.mac.filter(|_| on_link().next().is_some()) else { continue };
                by_mac.insert(mac, index);
                for address in on_link() {
                    by_address.entry(*address).or_default().push((index, mac));
                }
            }
            for address in persona.all_addresses() {
                names.extend(persona.ptr.clone().map(|name| (address, name)));
            }
        }
        let personas = lan
            .personas
            .iter()
            .map(|persona| PersonaStatistics { name: persona.name.clone(), ..PersonaStatistics::default() })
            .collect();
        Ok(Self {
            routes: Routes::new(lan),
            hosts,
            by_mac,
            by_address,
            names,
            out: Outbox::default(),
            repeats: BinaryHeap::new(),
            rng: Rng::new(seed, 0x3071d),
            statistics: Statistics { personas, ..Statistics::default() },
            window: Window::default(),
            broadcasts: Window::default(),
            scope: None,
            incomplete_checksums: false,
        })
    }

    /// Counts frames for addresses outside `scope` in [`Statistics::outside_scope`].
    pub fn watch_scope(&mut self, scope: AddressSet) {
        self.scope = Some(scope);
    }

    /// Takes TCP and UDP checksums that the sender's kernel left to its hardware, as it does on virtual links: only
    /// the pseudo header has been summed. Every other wrong checksum stays wrong.
    pub fn accept_incomplete_checksums(&mut self, accept: bool) {
        self.incomplete_checksums = accept;
    }

    /// A frame comes from the scanning machine.
    pub fn handle_frame(&mut self, now: Instant, bytes: &[u8]) {
        self.repeat_due(now);
        self.statistics.received.frames += 1;
        self.window.count(now);
        let Ok(frame) = frame::parse(bytes) else {
            self.statistics.malformed += 1;
            return;
        };
        self.census(now, &frame);
        let broadcast = frame.ethernet.destination == MacAddr::BROADCAST;
        let owner = self.by_mac.get(&frame.ethernet.destination).copied();
        if owner.is_none() && !broadcast {
            self.statistics.stray += u64::from(!frame.ethernet.destination.is_multicast());
            return;
        }
        match &frame.content {
            Content::Arp(packet) => self.receive_arp(now, owner, packet),
            _ if !self.checksum_holds(bytes, &frame.content) => self.statistics.bad_checksums += 1,
            content => {
                if let Some(owner) = owner {
                    self.receive_ip(now, owner, &frame.ethernet, content);
                }
            }
        }
    }

    /// The next frame that is due, copied into `buf`; returns its length. A frame that `buf` cannot hold is lost.
    pub fn poll_frame(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.repeat_due(now);
        loop {
            let frame = self.out.pop(now)?;
            let fits = buf.get_mut(..frame.len());
            let len = fits.map(|to| {
                to.copy_from_slice(&frame);
                frame.len()
            });
            self.out.reuse(frame);
            if len.is_some() {
                self.statistics.sent += 1;
                return len;
            }
        }
    }

    /// When [`World::poll_frame`] may have something next; `None` while nothing is under way.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let repeat = self.repeats.peek().map(|Reverse((due, _, _))| *due);
        self.out.next_due().into_iter().chain(repeat).min()
    }

    /// What came so far and what it did.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.statistics.clone();
        statistics.busiest_second = self.window.busiest();
        statistics.busiest_broadcast_second = self.broadcasts.busiest();
        for (persona, host) in statistics.personas.iter_mut().zip(&self.hosts) {
            persona.busiest_second = host.window.busiest();
        }
        statistics
    }

    /// How many connections the personas hold, half-open ones counted.
    pub fn open_connections(&self) -> usize {
        self.hosts.iter().map(|host| host.connections.len()).sum()
    }

    fn census(&mut self, now: Instant, frame: &Frame<'_>) {
        self.statistics.received.count(&frame.content);
        if frame.ethernet.destination == MacAddr::BROADCAST {
            self.statistics.broadcasts += 1;
            self.broadcasts.count(now);
        }
        let target = match &frame.content {
            Content::Arp(packet) => Some(packet.target),
            Content::Icmp { ip, .. } | Content::Tcp { ip, .. } | Content::Udp { ip, .. } => {
                Some(ip.destination)
            }
            Content::Other => None,
        };
        if let (Some(scope), Some(target)) = (&self.scope, target)
            && !scope.contains(target)
        {
            self.statistics.outside(target);
        }
    }

    fn receive_arp(&mut self, now: Instant, owner: Option<usize>, packet: &arp::Packet) {
        if packet.operation != arp::Operation::Request {
            if let Some(owner) = owner {
                self.endure(now, owner);
            }
            return;
        }
        let owners = self.by_address.get(&packet.target).cloned().unwrap_or_default();
        for (index, mac) in owners {
            let reached = owner.is_none_or(|owner| owner == index);
            if reached && !self.endure(now, index) && self.hosts[index].persona.arp {
                self.send_arp(now, index, mac, packet);
            }
        }
        for (index, mac) in self.routes.arp_proxies(packet.target) {
            let own = self.hosts[index].has(packet.target) || packet.sender == packet.target;
            if !own && owner.is_none_or(|owner| owner == index) {
                self.send_arp(now, index, mac, packet);
            }
        }
    }

    fn send_arp(&mut self, now: Instant, index: usize, mac: MacAddr, request: &arp::Packet) {
        if self.hosts[index].is_silent(now) {
            return;
        }
        let due = self.hosts[index].answer_at(now, std::time::Duration::ZERO, &mut self.rng);
        let ethernet =
            ethernet::Header { destination: request.sender_mac, source: mac, ether_type: EtherType::Arp };
        let reply = arp::Packet {
            operation: arp::Operation::Reply,
            sender_mac: mac,
            sender: request.target,
            target_mac: request.sender_mac,
            target: request.sender,
        };
        let mut buf = [0; ethernet::HEADER_LEN + arp::LEN];
        let len = frame::arp(&mut buf, &ethernet, &reply);
        if self.out.len() < MAX_WAITING {
            self.out.push(due, &buf[..len]);
        }
    }

    /// Counts a packet addressed to a host. Returns whether it is silent.
    fn endure(&mut self, now: Instant, index: usize) -> bool {
        let host = &mut self.hosts[index];
        self.statistics.personas[index].received += 1;
        if host.endure(now) {
            self.statistics.harm(now, index, HarmKind::TooManyPackets);
        }
        self.hosts[index].is_silent(now)
    }

    fn checksum_holds(&self, bytes: &[u8], content: &Content<'_>) -> bool {
        use headcount_wire::checksum;
        let Some(packet) = bytes.get(ethernet::HEADER_LEN..) else { return false };
        let ip = match content {
            Content::Icmp { ip, .. } | Content::Tcp { ip, .. } | Content::Udp { ip, .. } => ip,
            Content::Arp(_) | Content::Other => return true,
        };
        let header_len = packet.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
        let Some(segment) = packet.get(header_len..header_len + usize::from(ip.payload_len)) else {
            return false;
        };
        let at = match ip.protocol {
            Protocol::Icmp => return checksum::internet(&[segment]) == 0,
            Protocol::Tcp => 16,
            Protocol::Udp => 6,
            Protocol::Other(_) => return true,
        };
        let written = segment.get(at..at + 2).map_or(0, |sum| u16::from_be_bytes([sum[0], sum[1]]));
        let protocol = u8::from(ip.protocol);
        let not_computed = ip.protocol == Protocol::Udp && written == 0;
        let len = ip.payload_len.to_be_bytes();
        let pseudo = [&ip.source.octets()[..], &ip.destination.octets(), &[0, protocol], &len];
        not_computed
            || checksum::transport_v4(ip.source, ip.destination, protocol, segment) == 0
            || (self.incomplete_checksums && written == !checksum::internet(&pseudo))
    }

    /// SYN/ACKs and FINs that nobody has acknowledged are sent again.
    fn repeat_due(&mut self, now: Instant) {
        while let Some(Reverse((due, index, ends))) = self.repeats.peek().copied()
            && due <= now
        {
            self.repeats.pop();
            let host = &mut self.hosts[index];
            let (way, replies, again) = host.connections.repeat(due, ends);
            self.repeats.extend(again.map(|again| Reverse((again, index, ends))));
            let Some(way) = way.filter(|_| !host.is_silent(due)) else { continue };
            for reply in replies {
                if self.out.len() < MAX_WAITING {
                    way.send(&mut self.out, due, host.persona.ttl, &way::Answer::Tcp(reply.with_data()));
                }
            }
        }
    }
}
