//! The simulated network: lans as descriptions, a world of simulated devices, faults, and the deterministic driver.
//!
//! - [`lan`]: a network as a description, and what a sweep of it must find.
//! - [`world`]: the described devices at work, as a pure machine over frames.
//! - [`faults`]: what goes wrong on the way.
//! - [`kernel`]: the scanning machine's own network stack.
//! - [`driver`]: the engine against a world in virtual time.
//!
//! The same lan, plan, faults and seed give the same run, byte for byte.

pub mod driver;
pub mod faults;
pub mod kernel;
pub mod lan;
mod outbox;
pub mod rng;
pub mod world;

pub use driver::{End, Outcome, Questions, Route, Simulation, plan_for};
pub use faults::{Faults, Link};
pub use lan::{Expected, Lan, LanError, RandomLan};
pub use world::{Statistics, World};
