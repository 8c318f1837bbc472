//! A network as a description: who is there, how they behave, and what a sweep must find.
//!
//! Lans are written in TOML (`tests/lans/*.toml`), one `[[persona]]` for each device. Every field of a persona that
//! is left out takes the value of an ordinary host on a good link.

mod persona;
mod random;
#[cfg(test)]
mod tests;
mod truth;

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{AddressRange, MacAddr, PhantomKind, PortSet};
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

pub(crate) use persona::millis;
pub use persona::{
    Agent, Announced, Closed, Nic, Persona, Service, ServiceAnswer, SilentAbove, Sleepy, Truth, UdpService,
};
pub use random::RandomLan;
pub use truth::{Asked, Expected, ExpectedHost};

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lan {
    /// What it is called.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub note: String,
    /// The attached subnet.
    pub network: Ipv4Network,
    /// Where it is swept from.
    pub vantage: Vantage,
    /// The devices.
    #[serde(default, rename = "persona")]
    pub personas: Vec<Persona>,
    /// Subnets behind a router.
    #[serde(default)]
    pub routed: Vec<Routed>,
    /// What answers for addresses that it does not have.
    #[serde(default, rename = "phantom")]
    pub phantoms: Vec<ForAll>,
    /// What its author says must be found, beside what follows from the personas.
    #[serde(default)]
    pub expect: Stated,
}

/// The scanning machine's place in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vantage {
    /// Its address, in the attached subnet.
    pub address: Ipv4Addr,
    /// Its link-layer address.
    pub mac: MacAddr,
    /// Its default router.
    #[serde(default)]
    pub gateway: Option<Ipv4Addr>,
}

/// A subnet behind a router. Personas with an address in it are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routed {
    /// The subnet.
    pub network: Ipv4Network,
    /// The name of the persona that routes to it.
    pub router: String,
    /// What the way there and back adds to each answer, in milliseconds.
    #[serde(default)]
    pub latency_ms: f64,
    /// Whether the router tells of addresses where nobody is (ICMP host unreachable).
    #[serde(default)]
    pub unreachable: Option<HostUnreachable>,
}

/// How a router tells that nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostUnreachable {
    /// How long it asks by ARP before it gives up, in milliseconds.
    #[serde(default = "three_seconds")]
    pub after_ms: f64,
    /// How many messages it sends in a second at the most.
    #[serde(default = "ten")]
    pub per_second: u32,
}

fn three_seconds() -> f64 {
    3_000.0
}

fn ten() -> u32 {
    10
}

/// A persona that answers for every address of a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForAll {
    /// How it answers.
    pub what: PhantomKind,
    /// The name of the persona that does it.
    pub by: String,
    /// The addresses; without it, the attached subnet.
    #[serde(default)]
    pub network: Option<Ipv4Network>,
    /// The TCP ports that it accepts (`accepts-for-all`); empty: all.
    #[serde(default)]
    pub ports: PortSet,
    /// The time to live of its answers; without it, the persona's.
    #[serde(default)]
    pub ttl: Option<u8>,
}

/// What the author of a lan says must be found: a second opinion on the truth that is computed from the personas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// How many addresses a sweep must find, the vantage's own not counted.
    #[serde(default)]
    pub present: Option<usize>,
    /// What must be recognised as answering for what it does not have.
    #[serde(default)]
    pub phantoms: Vec<PhantomKind>,
    /// Addresses that must be reported as claimed by two devices.
    #[serde(default)]
    pub duplicates: Vec<Ipv4Addr>,
    /// Addresses where somebody is whom no question can tell from the rest.
    #[serde(default)]
    pub hidden: Vec<Ipv4Addr>,
}

/// Why a description is no lan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LanError {
    /// It is not the TOML that a lan is written in.
    #[error("not a lan: {0}")]
    Toml(#[from] toml::de::Error),
    /// Two personas have the same name.
    #[error("two personas are called \"{0}\"")]
    Name(String),
    /// A persona has an address that is in no subnet of the lan, or that is the vantage's.
    #[error("persona \"{0}\": {1} is in no subnet of this lan or belongs to the vantage")]
    Address(String, Ipv4Addr),
    /// A persona on the attached subnet has no link-layer address, or one that no interface can have.
    #[error("persona \"{0}\" needs an individual MAC address that nobody else has")]
    Mac(String),
    /// A router or phantom names nobody on the attached subnet.
    #[error("\"{0}\" is no persona on the attached subnet")]
    Router(String),
    /// A number makes no sense.
    #[error("persona \"{0}\": {1}")]
    Number(String, &'static str),
    /// A phantom cannot be of this kind.
    #[error("accepts-every-port belongs to a persona (`every_port = true`), not to a phantom")]
    EveryPort,
}

impl Lan {
    /// Reads a lan.
    ///
    /// # Errors
    /// Bad TOML, or a description that contradicts itself.
    pub fn parse(text: &str) -> Result<Self, LanError> {
        let lan: Self = toml::from_str(text)?;
        lan.check()?;
        Ok(lan)
    }

    /// Whether the description makes sense.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), LanError> {
        let mut names = BTreeSet::new();
        let mut macs = BTreeSet::from([self.vantage.mac]);
        for persona in &self.personas {
            if !names.insert(persona.name.as_str()) {
                return Err(LanError::Name(persona.name.clone()));
            }
            persona.check()?;
            for nic in persona.nics() {
                self.check_nic(persona, &nic, &mut macs)?;
            }
        }
        if self.phantoms.iter().any(|phantom| phantom.what == PhantomKind::AcceptsEveryPort) {
            return Err(LanError::EveryPort);
        }
        let routers = self.routed.iter().map(|routed| &routed.router);
        for name in routers.chain(self.phantoms.iter().map(|phantom| &phantom.by)) {
            let attached = self.personas.iter().filter(|persona| self.attached_mac(persona).is_some());
            if !attached.into_iter().any(|persona| persona.name == *name) {
                return Err(LanError::Router(name.clone()));
            }
        }
        Ok(())
    }

    fn check_nic(&self, persona: &Persona, nic: &Nic, macs: &mut BTreeSet<MacAddr>) -> Result<(), LanError> {
        let own_or_nowhere = |address: &&Ipv4Addr| {
            **address == self.vantage.address
                || !(self.network.contains(**address) || self.routed_to(**address).is_some())
        };
        if let Some(address) = nic.addresses.iter().find(own_or_nowhere) {
            return Err(LanError::Address(persona.name.clone(), *address));
        }
        let attached = nic.addresses.iter().any(|address| self.network.contains(*address));
        let unfit = match nic.mac {
            None => attached,
            Some(mac) => mac.is_multicast() || mac == MacAddr::ZERO || !macs.insert(mac),
        };
        if unfit { Err(LanError::Mac(persona.name.clone())) } else { Ok(()) }
    }

    /// The link-layer address that a persona has on the attached subnet.
    pub fn attached_mac(&self, persona: &Persona) -> Option<MacAddr> {
        persona
            .nics()
            .find(|nic| nic.addresses.iter().any(|address| self.network.contains(*address)))
            .and_then(|nic| nic.mac)
    }

    /// The routed subnet that holds `address`.
    pub fn routed_to(&self, address: Ipv4Addr) -> Option<&Routed> {
        self.routed.iter().find(|routed| routed.network.contains(address))
    }

    /// The PTR name of an address: its persona's name in the DNS, if a name server of the lan serves it.
    pub fn ptr(&self, address: Ipv4Addr) -> Option<&str> {
        self.personas.iter().find(|persona| persona.has(address)).and_then(|persona| persona.ptr.as_deref())
    }

    /// The address of the lan's name server.
    pub fn name_server(&self) -> Option<Ipv4Addr> {
        self.personas.iter().find(|persona| persona.dns).and_then(|persona| persona.all_addresses().next())
    }
}

impl ForAll {
    /// The addresses that it answers for.
    pub fn range(&self, lan: &Lan) -> AddressRange {
        self.network.unwrap_or(lan.network).into()
    }

    /// Whether it accepts connections to `port` (`accepts-for-all`).
    pub fn accepts(&self, port: u16) -> bool {
        self.ports.is_empty() || self.ports.contains(port)
    }
}
