//! IP packets: whom they reach and what comes back.

use std::{cmp::Reverse, net::Ipv4Addr, time::Duration};

use headcount_model::{Instant, PhantomKind, Transport};
use headcount_wire::{
    ethernet,
    frame::Content,
    icmpv4, ipv4,
    tcp::{self, Flags},
    udp,
};

use super::{
    HarmKind, MAX_WAITING, World,
    answers::{self, Speaker},
    connections::{self, Opened},
    route::Forwarded,
    statistics::Received,
    way::{self, Answer, Way},
};
use crate::lan::{Closed, ForAll};

const HOST_UNREACHABLE: u8 = 1;

impl World {
    /// An IP packet in a frame to the host `owner`.
    pub(super) fn receive_ip(
        &mut self,
        now: Instant,
        owner: usize,
        eth: &ethernet::Header,
        content: &Content<'_>,
    ) {
        let (Content::Icmp { ip, .. } | Content::Tcp { ip, .. } | Content::Udp { ip, .. }) = content else {
            return;
        };
        let way = Way {
            from: eth.destination,
            to: eth.source,
            local: ip.destination,
            remote: ip.source,
            hops: 0,
            extra: Duration::ZERO,
        };
        if self.hosts[owner].has(ip.destination) {
            self.receive_own(now, owner, way, content);
        } else if ip.ttl > 1 && !self.hosts[owner].is_silent(now) {
            self.forward(now, owner, way, ip, content);
        }
    }

    /// A router got a packet for somebody else.
    fn forward(&mut self, now: Instant, router: usize, way: Way, ip: &ipv4::Header, content: &Content<'_>) {
        match self.routes.forward(now, router, ip.destination) {
            Forwarded::Behind { host, extra } => {
                if !self.answer_for_all(now, router, Some(host), way, content) {
                    self.receive_own(now, host, Way { hops: 1, extra, ..way }, content);
                }
            }
            Forwarded::Unreachable(due) => {
                if !self.answer_for_all(now, router, None, way, content) {
                    self.tell_unreachable(due, router, way, ip, content);
                }
            }
            Forwarded::Lost => {
                self.answer_for_all(now, router, None, way, content);
            }
            Forwarded::NotHere => {
                if !self.answer_for_all(now, router, None, way, content)
                    // A proxy that was asked for a host on its own link hands the packet on; the host answers itself.
                    && let Some((host, mac)) =
                        self.by_address.get(&ip.destination).and_then(|owners| owners.first().copied())
                {
                    self.receive_own(now, host, Way { from: mac, ..way }, content);
                }
            }
        }
    }

    /// Whether the router answers for `behind`, the host that has the address, or for nobody.
    fn answer_for_all(
        &mut self,
        now: Instant,
        router: usize,
        behind: Option<usize>,
        way: Way,
        content: &Content<'_>,
    ) -> bool {
        let rule = |what, port| self.routes.rule(router, what, way.local, port);
        match content {
            Content::Icmp {
                message: icmpv4::Message::EchoRequest { identifier, sequence, payload }, ..
            } => {
                let Some(ttl) = rule(PhantomKind::EchoForAll, None).map(|rule| self.ttl_of(router, rule))
                else {
                    return false;
                };
                let (identifier, sequence) = (*identifier, *sequence);
                let reply = icmpv4::Message::EchoReply { identifier, sequence, payload };
                self.send(now, router, way, ttl, &Answer::Icmp(reply));
                true
            }
            Content::Tcp { segment, .. } => self.answer_tcp_for_all(now, router, behind, way, segment),
            Content::Udp { ip, datagram } => {
                let Some(ttl) = rule(PhantomKind::UdpForAll, None).map(|rule| self.ttl_of(router, rule))
                else {
                    return false;
                };
                let ports = (datagram.source_port, datagram.destination_port);
                let message = way::unreachable(icmpv4::CODE_PORT_UNREACHABLE, ip, ports, 0);
                self.send(now, router, way, ttl, &Answer::Icmp(message));
                true
            }
            Content::Icmp { .. } | Content::Arp(_) | Content::Other => false,
        }
    }

    fn answer_tcp_for_all(
        &mut self,
        now: Instant,
        router: usize,
        behind: Option<usize>,
        way: Way,
        segment: &tcp::Segment<'_>,
    ) -> bool {
        let port = segment.destination_port;
        if let Some(rule) = self.routes.rule(router, PhantomKind::AcceptsForAll, way.local, Some(port)) {
            let ttl = self.ttl_of(router, rule);
            self.receive_tcp(now, router, way, ttl, segment, true);
            return true;
        }
        let open = behind.is_some_and(|host| self.hosts[host].persona.accepts(port));
        let rule = self.routes.rule(router, PhantomKind::ResetsForAll, way.local, None);
        let Some(ttl) = rule.filter(|_| !open).map(|rule| self.ttl_of(router, rule)) else {
            return false;
        };
        if !segment.flags.contains(Flags::RST) {
            self.send(now, router, way, ttl, &Answer::Tcp(connections::reset_for(segment)));
        }
        true
    }

    fn ttl_of(&self, router: usize, rule: &ForAll) -> u8 {
        rule.ttl.unwrap_or(self.hosts[router].persona.ttl)
    }

    fn tell_unreachable(
        &mut self,
        due: Instant,
        router: usize,
        way: Way,
        ip: &ipv4::Header,
        content: &Content<'_>,
    ) {
        let (ports, sequence) = match content {
            Content::Tcp { segment, .. } => {
                ((segment.source_port, segment.destination_port), segment.sequence)
            }
            Content::Udp { datagram, .. } => ((datagram.source_port, datagram.destination_port), 0),
            Content::Icmp { message: icmpv4::Message::EchoRequest { identifier, sequence, .. }, .. } => {
                ((*identifier, *sequence), 0)
            }
            // RFC 1122, section 3.2.2: never about another ICMP error.
            Content::Icmp { .. } | Content::Arp(_) | Content::Other => return,
        };
        let host = &self.hosts[router];
        let on_link = |address: &&Ipv4Addr| self.by_address.contains_key(*address);
        let Some(local) = host.addresses.iter().find(on_link).copied() else { return };
        let message = way::unreachable(HOST_UNREACHABLE, ip, ports, sequence);
        let ttl = host.persona.ttl;
        if self.out.len() < MAX_WAITING {
            Way { local, ..way }.send(&mut self.out, due, ttl, &Answer::Icmp(message));
        }
    }

    /// A packet has reached the host that has its address.
    fn receive_own(&mut self, now: Instant, index: usize, way: Way, content: &Content<'_>) {
        let silent = self.endure(now, index);
        if let Content::Tcp { segment, .. } = content {
            self.count_written(index, segment);
        }
        if silent {
            return;
        }
        let ttl = self.hosts[index].persona.ttl;
        match content {
            Content::Icmp {
                message: icmpv4::Message::EchoRequest { identifier, sequence, payload }, ..
            } => {
                if self.hosts[index].persona.echo {
                    let (identifier, sequence) = (*identifier, *sequence);
                    let reply = icmpv4::Message::EchoReply { identifier, sequence, payload };
                    self.send(now, index, way, ttl, &Answer::Icmp(reply));
                }
            }
            Content::Tcp { segment, .. } => {
                let accepts = self.hosts[index].persona.accepts(segment.destination_port);
                self.receive_tcp(now, index, way, ttl, segment, accepts);
            }
            Content::Udp { ip, datagram } => self.receive_udp(now, index, way, ip, datagram),
            Content::Icmp { .. } | Content::Arp(_) | Content::Other => {}
        }
    }

    /// A segment for a port of the host `index`, or for one that it plays in another's name.
    fn receive_tcp(
        &mut self,
        now: Instant,
        index: usize,
        way: Way,
        ttl: u8,
        segment: &tcp::Segment<'_>,
        accepts: bool,
    ) {
        if segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::ACK) {
            if accepts {
                self.open(now, index, way, ttl, segment);
            } else {
                self.reset(now, index, way, ttl, segment);
            }
            return;
        }
        let host = &mut self.hosts[index];
        let service = host.persona.service(Transport::Tcp, segment.destination_port);
        let (known, replies) = host.connections.receive(now, &way, segment, service);
        if !known {
            self.reset(now, index, way, ttl, segment);
        }
        let again = |reply: &connections::Reply| {
            reply.segment.flags.contains(Flags::FIN) || !reply.payload.is_empty()
        };
        if replies.iter().any(again) {
            let ends = connections::ends(&way, segment);
            self.repeats.push(Reverse((now + connections::REPEATS[0], index, ends)));
        }
        for reply in replies {
            self.send(now, index, way, ttl, &Answer::Tcp(reply.with_data()));
        }
    }

    fn open(&mut self, now: Instant, index: usize, way: Way, ttl: u8, syn: &tcp::Segment<'_>) {
        let first = self.rng.next_u64() as u32;
        let host = &mut self.hosts[index];
        let before = host.connections.len();
        match host.connections.open(now, way, syn, host.limits(), first) {
            Opened::Accepted(answer) => {
                if host.connections.len() > before {
                    let ends = connections::ends(&way, syn);
                    self.repeats.push(Reverse((now + connections::REPEATS[0], index, ends)));
                }
                self.send(now, index, way, ttl, &Answer::Tcp(answer));
            }
            Opened::Dropped => {}
            Opened::QueueFull => self.statistics.harm(now, index, HarmKind::ListenQueueFull),
            Opened::TooMany => {
                host.hang();
                self.statistics.harm(now, index, HarmKind::TooManyConnections);
            }
        }
    }

    fn reset(&mut self, now: Instant, index: usize, way: Way, ttl: u8, segment: &tcp::Segment<'_>) {
        let strict = self.hosts[index].persona.closed == Closed::Drop;
        if !strict && !segment.flags.contains(Flags::RST) {
            self.send(now, index, way, ttl, &Answer::Tcp(connections::reset_for(segment)));
        }
    }

    fn receive_udp(
        &mut self,
        now: Instant,
        index: usize,
        way: Way,
        ip: &ipv4::Header,
        datagram: &udp::Datagram<'_>,
    ) {
        let host = &mut self.hosts[index];
        let ttl = host.persona.ttl;
        let Some(service) = host.persona.udp_service(datagram.destination_port) else {
            if host.unreachables.take(now) {
                let ports = (datagram.source_port, datagram.destination_port);
                let message = way::unreachable(icmpv4::CODE_PORT_UNREACHABLE, ip, ports, 0);
                self.send(now, index, way, ttl, &Answer::Icmp(message));
            }
            return;
        };
        let answer = if host.persona.dns && datagram.destination_port == 53 {
            answers::dns_answer(datagram.payload, |address| self.names.get(&address).cloned())
        } else {
            let speaker = Speaker {
                name: &host.persona.name,
                address: way.local,
                mac: host.mac,
                persona: &host.persona,
            };
            answers::answer(service, &speaker, datagram.payload)
        };
        if let Some(payload) = answer {
            let reply = udp::Datagram {
                source_port: datagram.destination_port,
                destination_port: datagram.source_port,
                payload: &payload,
            };
            self.send(now, index, way, ttl, &Answer::Udp(reply));
        }
    }

    fn count_written(&mut self, index: usize, segment: &tcp::Segment<'_>) {
        if segment.payload.is_empty() {
            return;
        }
        let (port, len) = (segment.destination_port, segment.payload.len() as u64);
        let persona = &self.hosts[index].persona;
        if persona.accepts(port) {
            *self.statistics.written.entry((index, port)).or_default() += len;
        }
        if persona.any_written_byte_prints.contains(port) {
            self.statistics.printed += len;
        }
    }

    fn send(&mut self, now: Instant, index: usize, way: Way, ttl: u8, answer: &Answer<'_>) {
        let due = self.hosts[index].answer_at(now, way.extra, &mut self.rng);
        if self.out.len() < MAX_WAITING {
            way.send(&mut self.out, due, ttl, answer);
        }
    }
}

impl Received {
    pub(super) fn count(&mut self, content: &Content<'_>) {
        use headcount_wire::arp::Operation;
        let kind = match content {
            Content::Arp(packet) if packet.operation == Operation::Request => &mut self.arp_requests,
            Content::Arp(packet) if packet.operation == Operation::Reply => &mut self.arp_replies,
            Content::Icmp { message: icmpv4::Message::EchoRequest { .. }, .. } => &mut self.echo_requests,
            Content::Icmp { .. } => &mut self.icmp_others,
            Content::Tcp { segment, .. } if segment.flags.contains(Flags::RST) => &mut self.tcp_resets,
            Content::Tcp { segment, .. }
                if segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::ACK) =>
            {
                &mut self.tcp_syns
            }
            Content::Tcp { .. } => &mut self.tcp_others,
            Content::Udp { .. } => &mut self.udp,
            Content::Arp(_) | Content::Other => &mut self.others,
        };
        *kind += 1;
    }
}
