//! What recognises a device in another run.

use std::{collections::BTreeSet, fmt};

use headcount_model::{
    Device, MacAddr, NameSource,
    key::{telling, telling_serial},
};
use serde::{Deserialize, Serialize};

/// The most keys of one device.
const MOST: usize = 64;
/// A serial number counts from this confidence on.
const LIKELY: f64 = 0.5;
/// Names that many devices have.
const COMMON_NAMES: [&str; 14] = [
    "android",
    "camera",
    "desktop",
    "espressif",
    "gateway",
    "host",
    "iphone",
    "ipad",
    "laptop",
    "localhost",
    "openwrt",
    "printer",
    "raspberrypi",
    "router",
];

/// Kinds of keys, the firmest first. An IP address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Maker and serial number.
    Serial,
    /// The SNMP engine ID (RFC 3411, section 5).
    EngineId,
    /// The UPnP unique device name.
    Udn,
    /// The SHA-256 of an SSH host key.
    SshHostKey,
    /// The SHA-256 of a certificate's public key.
    TlsKey,
    /// A MAC address out of a block that the IEEE gave to a maker.
    Mac,
    /// A name that the device gives itself, or that the DNS gives its address.
    Name,
    /// A MAC address that software chose: it may be another one tomorrow.
    LocalMac,
}

impl KeyKind {
    /// All of them, the firmest first.
    pub const ALL: [Self; 8] = [
        Self::Serial,
        Self::EngineId,
        Self::Udn,
        Self::SshHostKey,
        Self::TlsKey,
        Self::Mac,
        Self::Name,
        Self::LocalMac,
    ];

    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::EngineId => "engine-id",
            Self::Udn => "udn",
            Self::SshHostKey => "ssh-host-key",
            Self::TlsKey => "tls-key",
            Self::Mac => "mac",
            Self::Name => "name",
            Self::LocalMac => "local-mac",
        }
    }

    /// Whether it lies in the device's hardware or memory, and is not a name that may be given to another one.
    pub const fn is_firm(self) -> bool {
        !matches!(self, Self::Name | Self::LocalMac)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something by which one device, and no other, is recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: KeyKind,
    /// Its value, in one spelling: lower case, no spaces around.
    pub value: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.value)
    }
}

/// The keys of a device as a run found it; at most 64, the firmest of them.
///
/// A value that all of a kind have (zeros, `localhost`, a virtual router's MAC address) is none.
pub fn keys_of(device: &Device) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let mut add = |kind: KeyKind, value: &str| {
        keys.extend(telling(value).map(|value| Key { kind, value }));
    };
    for statement in &device.statements {
        let kind = match statement.field.as_str() {
            "snmp.engineid" => KeyKind::EngineId,
            "upnp.udn" => KeyKind::Udn,
            "ssh.hostkey.sha256" => KeyKind::SshHostKey,
            "tls.key" => KeyKind::TlsKey,
            _ => continue,
        };
        add(kind, &statement.value.text());
    }
    if let Some(serial) = serial(device) {
        add(KeyKind::Serial, &serial);
    }
    for mac in device.interfaces.iter().filter_map(|interface| interface.mac).filter(|mac| is_own(*mac)) {
        let kind = if mac.is_locally_administered() { KeyKind::LocalMac } else { KeyKind::Mac };
        add(kind, &mac.to_string());
    }
    for name in device.names.iter().filter(|name| is_of_device(name.source)) {
        let name = name.name.trim_end_matches('.').to_lowercase();
        let label = name.split('.').next().unwrap_or_default();
        if !COMMON_NAMES.contains(&label.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-')) {
            add(KeyKind::Name, &name);
        }
    }
    keys.into_iter().take(MOST).collect()
}

/// A target's name was typed by the user, and a certificate's is often that of a farm.
fn is_of_device(source: NameSource) -> bool {
    !matches!(source, NameSource::Target | NameSource::Tls | NameSource::Upnp)
}

fn serial(device: &Device) -> Option<String> {
    let likely =
        |name: &str| device.attribute(name).filter(|a| a.confidence >= LIKELY).map(|a| a.value.as_str());
    let (vendor, serial) = (likely("device.vendor")?, likely("device.serial")?);
    telling_serial(serial).map(|plain| format!("{vendor} {plain}"))
}

/// Not an address that routers share, nor none at all.
fn is_own(mac: MacAddr) -> bool {
    !mac.is_virtual_router() && !mac.is_multicast() && mac != MacAddr::ZERO
}
