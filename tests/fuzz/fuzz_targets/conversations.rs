//! Every probe's conversation, fed with whatever a device might send.
//!
//! The first byte chooses the probe, and with its highest bit a page beside the first; each further message is two bytes of length and its bytes. An empty message is
//! silence for as long as the probe waits.

#![no_main]

use std::net::Ipv4Addr;

use headcount_model::Instant;
use headcount_probe::{Context, Exchange, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, mut rest)) = bytes.split_first() else { return };
    let probe = headcount_probe::ALL[usize::from(*which) % headcount_probe::ALL.len()];
    let path = if which & 0x80 == 0 { String::new() } else { "/page".to_owned() };
    let context = Context {
        host: Ipv4Addr::new(192, 0, 2, 7),
        port: probe.ports.first().copied().unwrap_or(80),
        tls: false,
        path,
        community: Some("public".to_owned()),
        random: [7; 32],
    };
    let mut now = Instant::ZERO;
    let mut exchange = Exchange::begin(probe, context, now);
    loop {
        let mut sends = 0;
        while let Step::Send(_) = exchange.step(now) {
            sends += 1;
            assert!(sends <= probe.budget.sends);
        }
        let Some((length, after)) = rest.split_first_chunk::<2>() else { break };
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        match exchange.step(now) {
            Step::Wait(until) if length == 0 => {
                now = until;
                exchange.tick(now);
            }
            _ => exchange.received(now, &after[..length]),
        }
        rest = &after[length..];
    }
    exchange.closed();
    let _ = exchange.heard();
});
