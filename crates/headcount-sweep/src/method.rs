//! What a discovery method is, and the list of them.

use std::{net::Ipv4Addr, ops::RangeInclusive};

use headcount_model::{Instant, MacAddr, Method, PortState, Reason, Transport};
use headcount_wire::frame::Frame;

use crate::{Key, arp::Arp, icmp_echo::IcmpEcho, tcp_syn::TcpSyn, udp::Udp};

/// Every method that sends raw frames, in the order of their names. Help and the dry run are made from it.
pub const ALL: &[&dyn SweepMethod] = &[&Arp, &IcmpEcho, &TcpSyn, &Udp];

/// A discovery method: how to ask one question in one frame, and how to know its answer.
pub trait SweepMethod: Sync {
    /// What the method is, for help, the dry run and the run's record.
    fn description(&self) -> &'static Description;

    /// Writes the frame that asks into `buf` (at least 256 bytes); returns its length.
    fn frame(&self, ask: &Ask<'_>, key: Key, buf: &mut [u8]) -> usize;

    /// What `frame` answers, if it answers a question of this method that carried a cookie of `key`.
    fn classify(&self, frame: &Frame<'_>, key: Key, source_ports: &RangeInclusive<u16>) -> Option<Answer>;
}

/// What a method is.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Which method.
    pub method: Method,
    /// Where its frames go.
    pub layer: Layer,
    /// What it sends.
    pub sends: &'static str,
    /// Why a normal host sends that too, so that the most fragile device must stand it.
    pub normal: &'static str,
}

/// How far a method reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The link itself, by broadcast.
    Link,
    /// Beyond routers.
    Network,
}

/// One question to one host: a method and, where the method has ports, a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// The port; 0 where the method has none.
    pub port: u16,
}

impl Question {
    /// An ARP request.
    pub const ARP: Self = Self { method: Method::Arp, port: 0 };
    /// An ICMP echo request.
    pub const ECHO: Self = Self { method: Method::IcmpEcho, port: 0 };

    /// A TCP SYN to `port`.
    pub const fn syn(port: u16) -> Self {
        Self { method: Method::TcpSyn, port }
    }

    /// The question of `port`'s own protocol over UDP.
    pub const fn udp(port: u16) -> Self {
        Self { method: Method::Udp, port }
    }

    /// The transport whose port is asked, if the question is about a port.
    pub const fn transport(self) -> Option<Transport> {
        match self.method {
            Method::TcpSyn | Method::TcpConnect => Some(Transport::Tcp),
            Method::Udp => Some(Transport::Udp),
            Method::Arp
            | Method::IcmpEcho
            | Method::NeighbourTable
            | Method::Interface
            | Method::Dns
            | Method::Probe => None,
        }
    }

    /// Writes the frame that asks this into `buf` (at least 256 bytes); returns its length, 0 for a method that
    /// sends no frames.
    pub fn frame(self, ask: &Ask<'_>, key: Key, buf: &mut [u8]) -> usize {
        let method = ALL.iter().find(|method| method.description().method == self.method);
        method.map_or(0, |method| method.frame(ask, key, buf))
    }
}

/// Whom to ask, and from where.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The sending interface's address.
    pub source: Ipv4Addr,
    /// The sending interface's link-layer address.
    pub source_mac: MacAddr,
    /// Where the frame goes on the link: the target, its router, or everybody.
    pub next_hop: MacAddr,
    /// The host that is asked.
    pub target: Ipv4Addr,
    /// The port that is asked; 0 where the method has none.
    pub port: u16,
    /// Which source ports may be used.
    pub source_ports: &'a RangeInclusive<u16>,
    /// Now; echo requests carry it so that their replies tell the round-trip time.
    pub now: Instant,
}

/// A frame that answers one of our questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The host that was asked.
    pub target: Ipv4Addr,
    /// What it was asked.
    pub question: Question,
    /// Who sent the answer on the link: the host, or a router.
    pub mac: MacAddr,
    /// The answer's time to live, where it has one.
    pub ttl: Option<u8>,
    /// What it says.
    pub sign: Sign,
    /// When the question left, where the answer carries it.
    pub sent: Option<Instant>,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The host is there.
    Present(Reason),
    /// The host is there, and this is its port's state.
    Port(PortState, Reason),
    /// Another machine says that the host or port cannot be reached.
    Unreachable(Ipv4Addr, Reason),
}

/// What `frame` answers, whichever method asked.
pub fn classify(frame: &Frame<'_>, key: Key, source_ports: &RangeInclusive<u16>) -> Option<Answer> {
    ALL.iter().find_map(|method| method.classify(frame, key, source_ports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_unique_and_described() {
        let names: Vec<&str> = ALL.iter().map(|method| method.description().method.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        for method in ALL {
            assert!(method.description().sends.len() > 10);
            assert!(method.description().normal.len() > 10);
        }
    }
}
