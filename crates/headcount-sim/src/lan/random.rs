//! Lans made by chance, for grids and benches.

use std::net::Ipv4Addr;

use headcount_model::{AddressRange, MacAddr, PortSet};
use ipnetwork::Ipv4Network;

use super::{Closed, Lan, Persona, Stated, UdpService, Vantage};
use crate::rng::Rng;

/// What a lan made by chance is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomLan {
    /// The attached subnet, at most a /8.
    pub network: Ipv4Network,
    /// The share of its addresses where somebody is, from 0 to 1.
    pub density: f64,
    /// Chooses everything.
    pub seed: u64,
}

/// Address blocks from the IEEE registry, of makers found in offices and plants.
const OUIS: [[u8; 3]; 32] = [
    [0x00, 0x00, 0x0c], // Cisco Systems
    [0x00, 0x01, 0x05], // Beckhoff Automation
    [0x00, 0x04, 0x00], // Lexmark International
    [0x00, 0x04, 0x13], // snom technology
    [0x00, 0x07, 0x4d], // Zebra Technologies
    [0x00, 0x0b, 0x86], // Aruba
    [0x00, 0x0e, 0x58], // Sonos
    [0x00, 0x11, 0x32], // Synology
    [0x00, 0x14, 0x22], // Dell
    [0x00, 0x15, 0x5d], // Microsoft
    [0x00, 0x15, 0x65], // Yealink
    [0x00, 0x17, 0x88], // Philips Lighting
    [0x00, 0x1b, 0x1b], // Siemens
    [0x00, 0x1b, 0x21], // Intel
    [0x00, 0x25, 0x90], // Super Micro Computer
    [0x00, 0x26, 0x73], // Ricoh
    [0x00, 0x30, 0xde], // WAGO
    [0x00, 0x40, 0x8c], // Axis Communications
    [0x00, 0x50, 0x56], // VMware
    [0x00, 0x80, 0x77], // Brother Industries
    [0x00, 0x80, 0xf4], // Telemecanique Electrique
    [0x00, 0x90, 0xe8], // Moxa
    [0x00, 0xa0, 0x45], // Phoenix Contact
    [0x00, 0xc0, 0xb7], // American Power Conversion
    [0x24, 0x0a, 0xc4], // Espressif
    [0x24, 0x5e, 0xbe], // QNAP Systems
    [0x3c, 0xd9, 0x2b], // Hewlett Packard
    [0x44, 0x19, 0xb6], // Hangzhou Hikvision
    [0x4c, 0x5e, 0x0c], // Routerboard.com
    [0x78, 0x8a, 0x20], // Ubiquiti Networks
    [0xa4, 0x83, 0xe7], // Apple
    [0xb8, 0x27, 0xeb], // Raspberry Pi Foundation
];

/// Ports that devices of some kind have open.
const KINDS: [&[u16]; 8] = [
    &[22, 80, 443],
    &[80, 443, 515, 631, 9100],
    &[80, 554],
    &[135, 139, 445, 3389],
    &[22, 111, 2049],
    &[502],
    &[5060, 80],
    &[],
];

impl Lan {
    /// A lan made by chance: hosts of several kinds at addresses of the subnet, half of them as strict as a host
    /// firewall makes them.
    pub fn random(random: &RandomLan) -> Self {
        let mut rng = Rng::new(random.seed, 0x1a4);
        let hosts = AddressRange::from(random.network);
        let usable = hosts.count().saturating_sub(2);
        let vantage = u32::from(hosts.last).saturating_sub(1);
        let personas = (1..=usable)
            .map(|n| u32::from(hosts.first).saturating_add(n as u32))
            .filter(|address| *address != vantage)
            .filter(|_| rng.chance(random.density))
            .map(Ipv4Addr::from)
            .collect::<Vec<_>>();
        let personas =
            personas.into_iter().enumerate().map(|(n, address)| host(n, address, &mut rng)).collect();
        Self {
            name: "random".to_owned(),
            note: String::new(),
            network: random.network,
            vantage: Vantage {
                address: vantage.into(),
                mac: MacAddr([0x02, 0, 0, 0, 0xff, 0x01]),
                gateway: None,
            },
            personas,
            routed: Vec::new(),
            phantoms: Vec::new(),
            expect: Stated::default(),
        }
    }
}

fn host(n: usize, address: Ipv4Addr, rng: &mut Rng) -> Persona {
    let [.., a, b, c] = (n as u32).to_be_bytes();
    let [d, e, f] = OUIS[rng.below(OUIS.len() as u64) as usize];
    let tcp: PortSet = KINDS[rng.below(KINDS.len() as u64) as usize].iter().copied().collect();
    let strict = rng.chance(0.5);
    let udp = if rng.chance(0.2) { vec![UdpService::Snmp] } else { Vec::new() };
    Persona {
        name: format!("host-{n}"),
        mac: Some(MacAddr([d, e, f, a, b, c])),
        addresses: vec![address],
        echo: !strict || rng.chance(0.5),
        closed: if strict { Closed::Drop } else { Closed::Rst },
        ttl: if rng.chance(0.3) { 128 } else { 64 },
        tcp,
        udp,
        latency_ms: 0.2 + 3.0 * rng.unit(),
        jitter_ms: rng.unit(),
        ..Persona::default()
    }
}
