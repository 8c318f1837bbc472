//! Discovery methods, one file each: make a frame, classify a reply.
//!
//! The two halves share only a [`Key`]: what a frame carries is a keyed hash of whom it asks and what, so a reply
//! proves which question it answers and no state is kept per target. Both halves are pure and may run on different
//! threads.

mod cookie;
mod method;
pub mod payload;
mod permutation;
pub mod ports;

mod arp;
mod icmp_echo;
mod tcp_syn;
mod udp;

pub use cookie::Key;
pub use method::{ALL, Answer, Ask, Description, Layer, Question, Sign, SweepMethod, classify};
pub use permutation::Permutation;
