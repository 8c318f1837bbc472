//! One device of a lan and how it behaves.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::{MacAddr, PortSet, Transport};
use serde::{Deserialize, Serialize};

use super::LanError;

/// One device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Persona {
    /// What it is called in the description.
    pub name: String,
    /// Its link-layer address; needed on the attached subnet.
    pub mac: Option<MacAddr>,
    /// Its addresses on that interface.
    pub addresses: Vec<Ipv4Addr>,
    /// Further interfaces.
    #[serde(rename = "nic")]
    pub more_nics: Vec<Nic>,
    /// Its name in the DNS.
    pub ptr: Option<String>,
    /// Whether it answers ARP requests for its addresses.
    pub arp: bool,
    /// Whether it answers ICMP echo requests.
    pub echo: bool,
    /// The time to live of what it sends.
    pub ttl: u8,
    /// Its open TCP ports.
    pub tcp: PortSet,
    /// What it does with a SYN to any other port.
    pub closed: Closed,
    /// It accepts connections on every port (a tarpit).
    pub every_port: bool,
    /// The UDP services that it has, on their usual ports.
    pub udp: Vec<UdpService>,
    /// What its TCP ports say beyond accepting connections.
    #[serde(rename = "service")]
    pub services: Vec<Service>,
    /// What its SNMP agent tells to whoever knows its community.
    pub snmp: Option<Agent>,
    /// The services that it announces by multicast DNS.
    #[serde(rename = "dnssd")]
    pub announced: Vec<Announced>,
    /// The `Server` header of its answers to SSDP.
    pub ssdp_server: Option<String>,
    /// How many ICMP port unreachables it sends in a second at the most; 0: none.
    pub unreachables_per_second: u32,
    /// The shortest time to an answer, in milliseconds.
    pub latency_ms: f64,
    /// What is added to it at random, at the most, in milliseconds.
    pub jitter_ms: f64,
    /// It is the lan's name server: answers PTR questions for every persona on UDP port 53.
    pub dns: bool,
    /// It dies for a while of too many packets.
    pub silent_above: Option<SilentAbove>,
    /// More connections than this at once, open or half-open, and it hangs until somebody pulls the plug.
    pub connections: Option<u32>,
    /// More half-open connections than this at once, and it drops further ones: nobody else gets in.
    pub listen_queue: Option<u32>,
    /// On these TCP ports every byte written comes out on paper.
    pub any_written_byte_prints: PortSet,
    /// Its radio sleeps when nothing comes.
    pub sleepy: Option<Sleepy>,
    /// What it is, as far as it tells anybody who asks.
    pub is: Option<Truth>,
    /// Why nobody can tell what it is.
    pub silent: Option<String>,
}

impl Default for Persona {
    fn default() -> Self {
        Self {
            name: String::new(),
            mac: None,
            addresses: Vec::new(),
            more_nics: Vec::new(),
            ptr: None,
            arp: true,
            echo: true,
            ttl: 64,
            tcp: PortSet::new(),
            closed: Closed::Rst,
            every_port: false,
            udp: Vec::new(),
            services: Vec::new(),
            snmp: None,
            announced: Vec::new(),
            ssdp_server: None,
            unreachables_per_second: 1,
            latency_ms: 0.3,
            jitter_ms: 0.2,
            dns: false,
            silent_above: None,
            connections: None,
            listen_queue: None,
            any_written_byte_prints: PortSet::new(),
            sleepy: None,
            is: None,
            silent: None,
        }
    }
}

/// What must be found out about a persona; what is not given is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Truth {
    /// Its `device.type`.
    #[serde(rename = "type")]
    pub device_type: Option<String>,
    /// Its `device.vendor`.
    pub vendor: Option<String>,
    /// A part of its product or model, or of the product of its operating system or of one of its services.
    pub product: Option<String>,
    /// Its `device.version`.
    pub version: Option<String>,
    /// Its `device.serial`.
    pub serial: Option<String>,
    /// The exposures that it must be found with, by id.
    pub exposures: Vec<String>,
}

/// One network interface of a persona.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nic {
    /// Its link-layer address; needed on the attached subnet.
    #[serde(default)]
    pub mac: Option<MacAddr>,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// What a host does with a SYN to a port where nothing listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// It resets (RFC 9293, section 3.10.7.1).
    #[default]
    Rst,
    /// It drops: a firewall on the host.
    Drop,
}

/// A UDP service that a persona has, on its usual port. Each answers only what a client of its protocol sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UdpService {
    /// A name server that refuses (53); `dns = true` makes one that answers.
    Dns,
    /// NTP (123).
    Ntp,
    /// NetBIOS node status (137).
    Nbstat,
    /// SNMPv3 engine discovery (161); wrong communities of v1 and v2c stay unanswered.
    Snmp,
    /// SSDP search (1900).
    Ssdp,
    /// Multicast DNS, asked by unicast (5353).
    Mdns,
    /// BACnet/IP who-is (47808).
    Bacnet,
}

impl UdpService {
    /// Its port.
    pub const fn port(self) -> u16 {
        match self {
            Self::Dns => 53,
            Self::Ntp => 123,
            Self::Nbstat => 137,
            Self::Snmp => 161,
            Self::Ssdp => 1900,
            Self::Mdns => 5353,
            Self::Bacnet => 47808,
        }
    }
}

/// What is said on TCP ports: a greeting when a connection stands, and answers to what is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// On these ports.
    pub ports: PortSet,
    /// Said as soon as a connection stands.
    #[serde(default)]
    pub greeting: String,
    /// The first whose `to` is in what was written is said; without one, it is kept waiting.
    #[serde(default)]
    pub answers: Vec<ServiceAnswer>,
}

/// One answer of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAnswer {
    /// What must have been written; empty: anything.
    #[serde(default)]
    pub to: String,
    /// What is said to it; empty with `close`: nothing.
    #[serde(default)]
    pub say: String,
    /// Whether the connection is closed after it.
    #[serde(default)]
    pub close: bool,
}

impl Service {
    /// The greeting.
    pub fn greeting(&self) -> &[u8] {
        self.greeting.as_bytes()
    }

    /// The answer to what was written.
    pub fn answer(&self, heard: &[u8]) -> Option<&ServiceAnswer> {
        let asked = |answer: &&ServiceAnswer| {
            answer.to.is_empty() || heard.windows(answer.to.len()).any(|part| part == answer.to.as_bytes())
        };
        self.answers.iter().find(asked)
    }
}

impl ServiceAnswer {
    /// What is said.
    pub fn bytes(&self) -> &[u8] {
        self.say.as_bytes()
    }
}

/// An SNMP agent (v1 and v2c) that answers one community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The community that it answers.
    #[serde(default = "public")]
    pub community: String,
    /// Its objects: dotted object identifier to text; a value `oid:1.3.6…` is an object identifier.
    pub objects: std::collections::BTreeMap<String, String>,
}

fn public() -> String {
    "public".to_owned()
}

/// A DNS-SD service instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// Its type: `_ipp._tcp`.
    pub service: String,
    /// Its instance name.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// Its TXT strings.
    #[serde(default)]
    pub txt: Vec<String>,
}

/// A device that falls silent under load: more than `pps` packets addressed to it (unicast, or ARP requests for its
/// own addresses) within any second, and it says nothing for `for_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilentAbove {
    /// The most that it stands within any second.
    pub pps: u32,
    /// How long it is silent.
    pub for_seconds: f64,
}

/// A device whose radio sleeps: the first packet after a pause is answered late.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sleepy {
    /// How long nothing must come before it sleeps.
    pub idle_seconds: f64,
    /// How long it takes to wake, from and to, in milliseconds.
    pub wake_ms: [f64; 2],
}

/// A time that is given as a number of milliseconds. What is no time at all is none.
pub(crate) fn millis(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default()
}

impl Persona {
    /// All its interfaces.
    pub fn nics(&self) -> impl Iterator<Item = Nic> + '_ {
        let first = Nic { mac: self.mac, addresses: self.addresses.clone() };
        std::iter::once(first)
            .filter(|nic| nic.mac.is_some() || !nic.addresses.is_empty())
            .chain(self.more_nics.iter().cloned())
    }

    /// All its addresses.
    pub fn all_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.addresses.iter().chain(self.more_nics.iter().flat_map(|nic| &nic.addresses)).copied()
    }

    /// Whether `address` is one of its own.
    pub fn has(&self, address: Ipv4Addr) -> bool {
        self.all_addresses().any(|own| own == address)
    }

    /// Whether it accepts connections to `port`.
    pub fn accepts(&self, port: u16) -> bool {
        self.every_port || self.tcp.contains(port)
    }

    /// The UDP service on `port`.
    pub fn udp_service(&self, port: u16) -> Option<UdpService> {
        let dns = self.dns.then_some(UdpService::Dns);
        self.udp.iter().copied().chain(dns).find(|service| service.port() == port)
    }

    /// What it says on a port.
    pub fn service(&self, transport: Transport, port: u16) -> Option<&Service> {
        let here = |service: &&Service| transport == Transport::Tcp && service.ports.contains(port);
        self.services.iter().find(here)
    }

    /// The ports of its UDP services.
    pub fn udp_ports(&self) -> PortSet {
        let dns = self.dns.then_some(UdpService::Dns);
        self.udp.iter().copied().chain(dns).map(UdpService::port).collect()
    }

    pub(super) fn check(&self) -> Result<(), LanError> {
        let times = [self.latency_ms, self.jitter_ms];
        let wakes = self.sleepy.iter().flat_map(|sleepy| [sleepy.idle_seconds * 1e3, sleepy.wake_ms[0]]);
        let silent = self.silent_above.iter().map(|silent| silent.for_seconds * 1e3);
        let a_day = 0.0..=86_400_000.0;
        let problem = if self.name.is_empty() {
            "a persona needs a name"
        } else if self.all_addresses().next().is_none() {
            "a persona needs an address"
        } else if self.ttl == 0 {
            "a time to live of 0 reaches nobody"
        } else if !times.into_iter().chain(wakes).chain(silent).all(|ms| a_day.contains(&ms)) {
            "times are from 0 to a day"
        } else if self
            .sleepy
            .is_some_and(|sleepy| !(sleepy.wake_ms[0]..=86_400_000.0).contains(&sleepy.wake_ms[1]))
        {
            "the longest time to wake is below the shortest"
        } else if self.silent_above.is_some_and(|silent| silent.pps == 0 || silent.pps > 100_000) {
            "a device that stands no packet at all is not there"
        } else if self.connections == Some(0) || self.listen_queue == Some(0) {
            "a device that takes no connection at all has no open port"
        } else if !self.any_written_byte_prints.as_slice().iter().all(|port| self.accepts(*port)) {
            "a port that prints must be open"
        } else {
            return Ok(());
        };
        Err(LanError::Number(self.name.clone(), problem))
    }
}
