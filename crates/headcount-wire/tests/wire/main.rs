//! What holds for every codec: parse ∘ emit is the identity, no bytes make a reader panic, other implementations
//! agree, and every reader is fuzzed.

mod fuzz_targets;
mod hostile;
mod round_trip;
mod second_opinion;
mod values;
