//! What a run did: scope, methods, rates, counts, completeness.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AddressSet, MacAddr, Method, PortSet, Scope, Timestamp};

/// The version of the run's JSON and of the run log. The first number changes when a reader of the old form would
/// misread the new one, the second when something was added.
pub const SCHEMA_VERSION: &str = "1.1";

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Names the run: its start and its seed.
    pub id: String,
    /// The version of headcount that ran.
    pub version: String,
    /// The command line, as given.
    pub command: Vec<String>,
    /// The host name of the machine that it ran on.
    pub host: Option<String>,
    /// What it could use of the system.
    pub privilege: Privilege,
    /// The seed of every random choice; the same seed asks in the same order.
    pub seed: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended or was interrupted.
    pub ended: Timestamp,
    /// What it was allowed to touch.
    pub scope: Scope,
    /// The methods that ran.
    pub methods: Vec<MethodUse>,
    /// The methods that did not run, and why.
    pub skipped: Vec<Skipped>,
    /// The TCP ports that present hosts were asked.
    pub ports: PortSet,
    /// The UDP ports that present hosts were asked.
    pub udp_ports: PortSet,
    /// The limits it kept.
    pub rates: Rates,
    /// The segments that it swept.
    pub segments: Vec<SegmentRecord>,
    /// What it sent and received.
    pub counters: Counters,
    /// Whether it looked at everything.
    pub completeness: Completeness,
}

/// What a run could use of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Raw sockets.
    Raw,
    /// What any user may do.
    Unprivileged,
    /// The simulated network.
    Simulated,
}

/// A method that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodUse {
    /// The method.
    pub method: Method,
    /// What it was used for.
    pub purpose: String,
}

/// A method that did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The method.
    pub method: Method,
    /// Why it did not run, what is lost, and how to get it.
    pub why: String,
}

/// The limits that the gate kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// The profile that the limits come from.
    pub profile: String,
    /// Packets a second in all.
    pub total: f64,
    /// Packets a second to any one host.
    pub per_host: f64,
    /// Broadcasts a second on any one segment.
    pub broadcast: f64,
    /// How often the controller slowed down because replies showed loss.
    pub backed_off: u32,
}

/// How a segment is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentKind {
    /// On the link of an interface of this machine.
    Attached,
    /// Behind a router.
    Routed,
    /// This machine itself.
    Local,
}

/// One segment of a run: addresses that are reached in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentRecord {
    /// Its number in the run.
    pub id: u16,
    /// How it is reached.
    pub kind: SegmentKind,
    /// The interface that it is reached through.
    pub interface: String,
    /// The router that it is reached through.
    pub gateway: Option<Ipv4Addr>,
    /// The address that it was swept from: the vantage.
    pub source: Option<Ipv4Addr>,
    /// The link-layer address that it was swept from.
    pub source_mac: Option<MacAddr>,
    /// The addresses that were asked.
    pub addresses: AddressSet,
    /// How many they are.
    pub asked: u64,
    /// How many of them answered and count as present.
    pub present: u64,
    /// How many answered only through something that answers for all.
    pub phantoms: u64,
    /// How many a router called unreachable and that never answered.
    pub unreachable: u64,
    /// How many full passes over the silent addresses were made.
    pub passes: u32,
    /// The share of re-asked present hosts (the controls) that failed to answer one question.
    pub control_loss: Option<f64>,
    /// How often controls were asked.
    pub controls_asked: u64,
    /// The estimated chance that a host which is present and answers was missed; unknown where nobody answered.
    pub miss_chance: Option<f64>,
    /// All planned passes were made.
    pub complete: bool,
}

/// What went over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Frames, datagrams and connection attempts sent.
    pub sent: u64,
    /// Frames and events received that answered one of ours.
    pub received: u64,
    /// Received, and not an answer to anything asked.
    pub foreign: u64,
    /// Received, and not to be decoded.
    pub malformed: u64,
    /// Times the interface could not take a frame at once (it was sent later).
    pub delayed: u64,
    /// Frames that the kernel dropped before headcount could read them.
    pub dropped: u64,
    /// Reverse look-ups made.
    pub lookups: u64,
}

/// Whether a run looked at everything it meant to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Completeness {
    /// Every planned question was asked; false after an interrupt.
    pub complete: bool,
    /// Why not.
    pub why: Option<String>,
    /// The greatest estimated miss chance of any segment.
    pub miss_chance: Option<f64>,
}
