//! The real network: interfaces, routes, privileges, raw sockets and rings, names, and the driver that runs a
//! [`headcount_engine::Engine`] on them.
//!
//! A run goes: [`segments`] splits the scope, [`Links::open`] opens what needs a privilege, [`privilege::drop`] gives
//! the privileges up, [`drive`] runs the engine. Without raw sockets, `segments` is asked for the kernel's path only
//! and the links are [`Links::none`].
//!
//! The driver is for Linux. Elsewhere the functions are there and say [`NetError::Unsupported`]. This is the only
//! crate with `unsafe` code: in `sys` and `ring`.
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only the driver uses much of this"))]

mod capabilities;
mod error;
mod interface;
pub mod privilege;
mod resolve;
mod route;
mod segment;
#[cfg(target_os = "linux")]
mod tls;
mod watch;

#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod converse;
#[cfg(target_os = "linux")]
mod drive;
#[cfg(target_os = "linux")]
mod exchange;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod link;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod port;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod sys;

#[cfg(not(target_os = "linux"))]
mod elsewhere;

pub use capabilities::{Ability, Capabilities, capabilities};
#[cfg(target_os = "linux")]
pub use drive::drive;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{EchoSocket, Links, drive};
pub use error::NetError;
#[cfg(target_os = "linux")]
pub use exchange::EchoSocket;
pub use interface::{Interface, InterfaceKind, attached_subnets, interfaces};
#[cfg(target_os = "linux")]
pub use link::Links;
pub use resolve::Resolver;
pub use route::{Route, route_to};
pub use segment::{LinkSpec, Segmented, links_of, segments};
pub use watch::{DriveOptions, DriveStats, Watcher};
