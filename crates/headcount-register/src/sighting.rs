//! What one run saw of one device, as far as the register keeps it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{Device, Grade, PortSet, PortState, Timestamp, Transport};
use serde::{Deserialize, Serialize};

use crate::key::{Key, keys_of};

/// Claims below this confidence are not kept: they come and go with the packets that are lost.
const KEPT: f64 = 0.5;

/// One device in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its id in the run.
    pub device: String,
    /// What recognises it.
    pub keys: BTreeSet<Key>,
    /// Its addresses.
    pub addresses: BTreeSet<Ipv4Addr>,
    /// What it is: attributes of the device and its system, by name.
    pub facts: BTreeMap<String, Fact>,
    /// What answers where. Written as a list, since JSON's names are texts.
    #[serde(with = "listed")]
    pub services: BTreeMap<ServiceAt, Software>,
    /// The ports that refused a connection.
    pub closed: BTreeMap<Transport, PortSet>,
    /// Its names.
    pub names: BTreeSet<String>,
    /// SHA-256 of its certificates, by port.
    pub certificates: BTreeMap<u16, String>,
    /// States in which it should not stand, by the rule's id.
    pub exposures: BTreeMap<String, Grade>,
    /// When it was first and last heard in the run.
    pub heard: (Timestamp, Timestamp),
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its value.
    pub value: String,
    /// How likely it is so, from 0 to 1.
    pub confidence: f64,
}

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceAt {
    /// TCP or UDP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
}

/// What answers on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// The name that the port is registered under.
    pub name: Option<String>,
    /// The software.
    pub product: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

/// What a run saw, device by device, in the run's order; this machine is one of them.
pub fn sightings(devices: &[Device]) -> Vec<Sighting> {
    devices.iter().map(sighting).collect()
}

fn sighting(device: &Device) -> Sighting {
    let kept = device.attributes.iter().filter(|a| a.endpoint.is_none() && a.confidence >= KEPT);
    let fact = |a: &headcount_model::Attribute| Fact { value: a.value.clone(), confidence: a.confidence };
    let open = device.services.iter().filter(|service| service.state == PortState::Open);
    let software = |s: &headcount_model::Service| Software {
        name: s.name.clone(),
        product: s.product.clone(),
        version: s.version.clone(),
    };
    let certificates = device.statements.iter().filter(|statement| statement.field == "tls.sha256");
    Sighting {
        device: device.id.clone(),
        keys: keys_of(device),
        addresses: device.addresses().collect(),
        facts: kept.map(|a| (a.name.clone(), fact(a))).collect(),
        services: open.map(|s| (ServiceAt { transport: s.transport, port: s.port }, software(s))).collect(),
        closed: closed(device),
        names: device.names.iter().map(|name| name.name.trim_end_matches('.').to_owned()).collect(),
        certificates: certificates.map(|s| (s.endpoint.port, s.value.text().into_owned())).collect(),
        exposures: device.exposures.iter().map(|exposure| (exposure.id.clone(), exposure.grade)).collect(),
        heard: (device.first_heard, device.last_heard),
    }
}

fn closed(device: &Device) -> BTreeMap<Transport, PortSet> {
    let mut closed: BTreeMap<Transport, Vec<u16>> = BTreeMap::new();
    for ports in device.ports.iter().filter(|ports| ports.state == PortState::Closed) {
        closed.entry(ports.transport).or_default().extend(ports.ports.as_slice());
    }
    closed.into_iter().map(|(transport, ports)| (transport, ports.into_iter().collect())).collect()
}

/// A map whose keys are no texts, as a list of pairs.
mod listed {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{ServiceAt, Software};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<ServiceAt, Software>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<ServiceAt, Software>, D::Error> {
        Ok(Vec::<(ServiceAt, Software)>::deserialize(from)?.into_iter().collect())
    }
}
