//! A run as a pure machine: schedule, retries, care, and the gate.
//!
//! [`Engine`] does no I/O and knows no clock but the `now` that it is given. A driver feeds frames, replies and
//! the passing of time in, and after every input drains [`Engine::poll_frame`], [`Engine::poll_command`] and
//! [`Engine::poll_event`] until each gives `None`, then sleeps until [`Engine::poll_timeout`] or the next input.
//! A late or needless [`Engine::handle_timeout`] is harmless.
//!
//! A run has three tiers. The *sweep* of each segment asks every address, statelessly but for one bit each, in keyed
//! permutations, pass after pass over the silent ones. Every host that answers gets a *lane*: its ports, one at a
//! time, at the pace that the host stands; then an *interview*: what it says of itself, conversation by conversation.
//! All ask through one gate.

mod answers;
mod asking;
mod bits;
mod engine;
mod gate;
mod interview;
mod io;
mod lane;
mod loss;
mod pace;
mod pages;
mod plan;
mod resume;
mod rtt;
mod sweep;
mod talk;
mod tally;

pub use engine::{Engine, MAX_FRAME, Summary};
pub use interview::{MOST_CONVERSATIONS, MOST_PAGES};
pub use io::{Checkpoint, Command, CommandId, Event, Progress, Reply, SegmentProgress, Transmit};
pub use pages::Pages;
pub use plan::{Limits, LinkId, Path, Plan, Probing, Segment};
pub use talk::Told;

pub use headcount_probe::{Carrier, Failure, TlsFacts};

#[cfg(test)]
mod tests;
