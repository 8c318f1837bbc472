//! The scanning machine's own network stack, as far as a sweep meets it.
//!
//! It serves the commands of a plan on the kernel's path (connections, echo, datagrams, the neighbour table, PTR
//! look-ups). Beside a plan on raw frames it does what a real kernel does unasked: it answers ARP requests for its
//! own address, resets connections that it knows nothing of, and calls unknown UDP ports unreachable.

mod neighbours;
mod sockets;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, net::Ipv4Addr};

use headcount_engine::{Command, CommandId, Reply, Told};
use headcount_model::{Instant, MacAddr};
use headcount_wire::{
    arp,
    ethernet::{self, EtherType},
    frame::{self, Content},
    icmpv4,
    ipv4::{self, Protocol},
    tcp, udp,
};
use ipnetwork::Ipv4Network;

use self::{
    neighbours::{Asking, Neighbours, Resolved},
    sockets::{Packet, Sockets},
};
use crate::{lan::Lan, outbox::Bucket};

/// The scanning machine's network stack.
#[derive(Clone, Debug)]
pub struct Kernel {
    address: Ipv4Addr,
    mac: MacAddr,
    network: Ipv4Network,
    gateway: Option<Ipv4Addr>,
    neighbours: Neighbours,
    sockets: Sockets,
    frames: VecDeque<Vec<u8>>,
    replies: VecDeque<(CommandId, Reply)>,
    /// ICMP errors: Linux allows a thousand a second in all.
    errors: Bucket,
}

impl Kernel {
    /// The stack of the machine at the lan's vantage.
    pub fn new(lan: &Lan) -> Self {
        Self {
            address: lan.vantage.address,
            mac: lan.vantage.mac,
            network: lan.network,
            gateway: lan.vantage.gateway,
            neighbours: Neighbours::default(),
            sockets: Sockets::new(lan.vantage.address, lan.name_server()),
            frames: VecDeque::new(),
            replies: VecDeque::new(),
            errors: Bucket::new(1_000),
        }
    }

    /// The engine wants something done.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::ReadNeighbours { id, .. } => {
                self.replies.push_back((id, Reply::Neighbours(self.neighbours.reachable(now))));
            }
            Command::Connect { id, to, timeout } => self.sockets.connect(now, id, to, timeout),
            Command::Converse { id, to, carrier, tls, timeout } => {
                self.sockets.converse(now, id, to, carrier, tls, timeout);
            }
            Command::Send { id, bytes } => self.sockets.say(now, id, bytes),
            Command::HangUp { id } => self.sockets.hang_up(id),
            // Personas are in no groups.
            Command::Gather { id, .. } => self.sockets.told.push_back((id, Told::Closed)),
            Command::Echo { id, to, timeout } => self.sockets.echo(now, id, to, timeout),
            Command::Datagram { id, to, payload, timeout } => {
                self.sockets.datagram(now, id, to, payload, timeout);
            }
            Command::Resolve { id, address } => self.sockets.resolve(now, id, address),
        }
        self.drain(now);
    }

    /// A frame comes from the network.
    pub fn handle_frame(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(frame) = frame::parse(bytes) else { return };
        let to = frame.ethernet.destination;
        if to != self.mac && to != MacAddr::BROADCAST {
            return;
        }
        match &frame.content {
            Content::Arp(packet) => self.receive_arp(now, packet),
            Content::Icmp { ip, message } if ip.destination == self.address => {
                self.sockets.receive_icmp(ip, message);
            }
            Content::Tcp { ip, segment } if ip.destination == self.address => {
                self.neighbours.confirm(now, ip.source);
                self.sockets.receive_tcp(now, ip, segment);
            }
            Content::Udp { ip, datagram } if ip.destination == self.address => {
                if !self.sockets.receive_udp(ip, datagram) && self.errors.take(now) {
                    self.sockets.port_unreachable(ip, datagram);
                }
            }
            Content::Icmp { .. } | Content::Tcp { .. } | Content::Udp { .. } | Content::Other => {}
        }
        self.drain(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for asking in self.neighbours.due(now) {
            self.ask(asking);
        }
        for lost in self.neighbours.take_failed() {
            self.sockets.unreachable(&lost);
        }
        self.sockets.handle_timeout(now);
        self.drain(now);
    }

    /// The next frame to send.
    pub fn poll_frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    /// The next command that has ended.
    pub fn poll_reply(&mut self) -> Option<(CommandId, Reply)> {
        self.replies.pop_front()
    }

    /// The next thing that happened to a conversation.
    pub fn poll_told(&mut self) -> Option<(CommandId, Told)> {
        self.sockets.told.pop_front()
    }

    /// When to call [`Kernel::handle_timeout`] at the latest; `None` while it waits for nothing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.neighbours.next_due().into_iter().chain(self.sockets.next_due()).min()
    }

    fn receive_arp(&mut self, now: Instant, packet: &arp::Packet) {
        if packet.target == self.address && packet.operation == arp::Operation::Request {
            let eth = self.ethernet(packet.sender_mac);
            let reply = arp::Packet {
                operation: arp::Operation::Reply,
                sender_mac: self.mac,
                sender: self.address,
                target_mac: packet.sender_mac,
                target: packet.sender,
            };
            self.send_arp(&eth, &reply);
        }
        if packet.target == self.address && packet.operation == arp::Operation::Reply {
            for queued in self.neighbours.learn(now, packet.sender, packet.sender_mac) {
                self.send_packet(packet.sender_mac, &queued);
            }
        }
    }

    /// What the sockets want sent goes to the neighbour that it is for, once that one's address is known.
    fn drain(&mut self, now: Instant) {
        while let Some(packet) = self.sockets.poll_packet() {
            self.route(now, packet);
        }
        self.replies.extend(std::iter::from_fn(|| self.sockets.poll_reply()));
    }

    fn route(&mut self, now: Instant, packet: Packet) {
        if packet.to == self.address {
            self.sockets.refuse_local(&packet);
            return;
        }
        if packet.to == self.network.broadcast() {
            self.sockets.prohibit(&packet);
            return;
        }
        let hop = if self.network.contains(packet.to) { Some(packet.to) } else { self.gateway };
        let Some(hop) = hop else {
            self.sockets.unreachable(&packet);
            return;
        };
        match self.neighbours.resolve(now, hop, packet) {
            Resolved::Known(mac, packet) => self.send_packet(mac, &packet),
            Resolved::Asking(asking) => asking.into_iter().for_each(|asking| self.ask(asking)),
        }
    }

    fn ask(&mut self, Asking { address, mac }: Asking) {
        let eth = self.ethernet(mac.unwrap_or(MacAddr::BROADCAST));
        let request = arp::Packet {
            operation: arp::Operation::Request,
            sender_mac: self.mac,
            sender: self.address,
            target_mac: MacAddr::ZERO,
            target: address,
        };
        self.send_arp(&eth, &request);
    }

    fn send_arp(&mut self, eth: &ethernet::Header, packet: &arp::Packet) {
        let mut buf = vec![0; ethernet::HEADER_LEN + arp::LEN];
        frame::arp(&mut buf, eth, packet);
        self.frames.push_back(buf);
    }

    fn send_packet(&mut self, mac: MacAddr, packet: &Packet) {
        let eth = self.ethernet(mac);
        let ip = ipv4::Header {
            source: self.address,
            destination: packet.to,
            protocol: Protocol::Tcp,
            ttl: 64,
            identification: 0,
            dont_fragment: true,
            payload_len: 0,
        };
        let mut buf = vec![0; frame::TRANSPORT + 64 + packet.payload.len()];
        let len = match &packet.content {
            sockets::Content::Tcp(segment) => {
                let segment = tcp::Segment { payload: &packet.payload, ..*segment };
                frame::tcp(&mut buf, &eth, &ip, &segment)
            }
            sockets::Content::Echo { identifier } => {
                let request = icmpv4::Message::EchoRequest {
                    identifier: *identifier,
                    sequence: 1,
                    payload: &packet.payload,
                };
                frame::icmp(&mut buf, &eth, &ip, &request)
            }
            sockets::Content::Udp { source_port, destination_port } => {
                let (source_port, destination_port) = (*source_port, *destination_port);
                let datagram = udp::Datagram { source_port, destination_port, payload: &packet.payload };
                frame::udp(&mut buf, &eth, &ip, &datagram)
            }
            sockets::Content::Unreachable(message) => frame::icmp(&mut buf, &eth, &ip, message),
        };
        buf.truncate(len);
        self.frames.push_back(buf);
    }

    fn ethernet(&self, destination: MacAddr) -> ethernet::Header {
        ethernet::Header { destination, source: self.mac, ether_type: EtherType::Ipv4 }
    }
}

/// A segment without data.
fn segment(
    ports: (u16, u16),
    sequence: u32,
    acknowledgment: u32,
    flags: tcp::Flags,
) -> tcp::Segment<'static> {
    let mss = flags.contains(tcp::Flags::SYN).then_some(1_460);
    tcp::Segment {
        source_port: ports.0,
        destination_port: ports.1,
        sequence,
        acknowledgment,
        flags,
        window: 64_240,
        mss,
        payload: &[],
    }
}
