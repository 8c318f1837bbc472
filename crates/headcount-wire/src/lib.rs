//! Bytes on the wire and the valid values they stand for, one file per protocol.
//!
//! Readers take whatever the network sends: they never panic, never trust a length or a count, and answer
//! [`Malformed`] for what they cannot read. Writers take any value and write only what the format can hold. Formats
//! of one fixed shape have `parse(&[u8])`, `len()` and `emit(&self, &mut [u8])`, which writes exactly `len()` bytes and
//! panics only if the buffer is shorter; formats of growing shape append to a `Vec<u8>`. [`frame`] joins the layers.

pub mod arp;
pub mod ber;
mod bytes;
pub mod checksum;
pub mod dns;
mod error;
pub mod ethernet;
pub mod frame;
pub mod icmpv4;
pub mod ipv4;
pub mod netbios;
pub mod ntp;
pub mod snmp;
pub mod ssdp;
pub mod tcp;
pub mod udp;

pub use error::{Layer, Malformed, Problem};
