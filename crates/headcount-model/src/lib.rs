//! The words of headcount: addresses, scope, observations, devices.
//!
//! Types here carry their own invariants and nothing else: no I/O, no clock, no randomness. Everything that is
//! written to disk or shown to a user is one of these types, so they serialise and describe their own schema.

mod address_set;
mod device;
mod finding;
mod identity;
pub mod key;
mod mac;
mod observation;
mod port;
mod run;
mod scope;
mod target;
mod time;

pub use address_set::{AddressRange, AddressSet};
pub use device::{
    Address, Device, FoldReason, HostName, Interface, NameSource, PortSummary, Presence, Service,
};
pub use finding::{ClonedKey, DuplicateAddress, Findings, Phantom, PhantomKind};
pub use identity::{Attribute, Endpoint, Evidence, Exposure, Grade, Raw, Rival, Statement};
pub use mac::{MacAddr, ParseMacError};
pub use observation::{Known, Method, Observation, Reason, Seen};
pub use port::{ParsePortsError, PortSet, PortState, Transport};
pub use run::{
    Completeness, Counters, MethodUse, Privilege, Rates, Run, SCHEMA_VERSION, SegmentKind, SegmentRecord,
    Skipped,
};
pub use scope::{Scope, ScopeError, is_private};
pub use target::{ParseTargetError, TargetSpec, targets_in_text};
pub use time::{Instant, Timestamp};
