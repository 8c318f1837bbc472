use std::collections::BTreeSet;

use headcount_model::Instant;
use proptest::prelude::*;

use crate::{ALL, Carrier, Exchange, Safety, Step, select, transcript::context};

#[test]
fn probes_are_sorted_unique_and_described() {
    assert!(ALL.is_sorted_by(|a, b| a.name < b.name), "sort ALL by name");
    for probe in ALL {
        let name = probe.name;
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        for text in [probe.title, probe.sends, probe.normal, probe.source] {
            assert!(
                text.len() > 8 || text == probe.title && text.len() > 2,
                "{name}: {text:?} says too little"
            );
        }
        assert!(!probe.yields.is_empty(), "{name} yields nothing");
        let budget = probe.budget;
        assert!(budget.received <= 512 << 10 && budget.sent <= 16 << 10 && budget.sends <= 64, "{name}");
        assert!(budget.quiet <= budget.time && budget.time.as_secs() <= 20, "{name}");
        for port in probe.ports.iter().chain(probe.tls_ports) {
            let never = *port == 515 || (9100..=9107).contains(port) || (9112..=9116).contains(port);
            assert!(!(never && probe.carrier == Carrier::Stream), "{name} speaks on printing port {port}");
        }
    }
}

#[test]
fn every_probe_has_a_fuzz_target_of_all() {
    // The target `conversations` feeds every probe of ALL; its source must name this list.
    let target = include_str!("../../../tests/fuzz/fuzz_targets/conversations.rs");
    assert!(target.contains("headcount_probe::ALL"));
}

#[test]
fn careful_probes_are_opt_in() {
    let open = select::Host { tcp: (1..=u16::MAX).collect(), ..select::Host::default() };
    let asked: BTreeSet<&str> = select::questions(&open, false, true).iter().map(|q| q.probe).collect();
    for probe in ALL.iter().filter(|probe| probe.safety == Safety::Careful) {
        assert!(!asked.contains(probe.name), "{}", probe.name);
    }
}

#[test]
fn a_flood_ends_a_conversation_that_still_waits_for_leave_to_send() {
    let probe = crate::named("imap").unwrap();
    let now = Instant::ZERO;
    let mut exchange = Exchange::begin(probe, context(143), now);
    exchange.received(now, b"* OK ready\r\n");
    assert!(exchange.wants_to_send());
    // It waits for leave, and the server talks on.
    for _ in 0..=probe.budget.received / 1000 {
        exchange.received(now, &[b'x'; 1000]);
    }
    assert_eq!(exchange.step(now), Step::Done);
}

#[test]
fn a_conversation_that_never_gets_leave_to_send_ends_and_a_short_wait_costs_it_nothing() {
    let probe = crate::named("ntp").unwrap();
    let begin = Instant::ZERO;
    let mut exchange = Exchange::begin(probe, context(123), begin);
    let later = begin + probe.budget.time * 2;
    exchange.tick(later);
    assert!(matches!(exchange.step(later), Step::Send(_)), "the wait was not the host's");
    exchange.tick(later);
    assert!(matches!(exchange.step(later), Step::Wait(until) if until > later));
    let mut exchange = Exchange::begin(probe, context(123), begin);
    exchange.tick(begin + probe.budget.time * 8);
    assert_eq!(exchange.step(begin + probe.budget.time * 8), Step::Done);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_conversation_panics_or_exceeds_its_budget(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..20), port: u16) {
        for probe in ALL {
            let mut now = Instant::ZERO;
            let mut exchange = Exchange::begin(probe, context(port), now);
            let (mut sent, mut sends) = (0, 0);
            for part in &parts {
                loop {
                    match exchange.step(now) {
                        Step::Send(message) => { sent += message.len(); sends += 1; }
                        Step::Wait(until) => { prop_assert!(until >= now); break; }
                        Step::Done => break,
                    }
                }
                exchange.received(now, part);
            }
            exchange.closed();
            prop_assert_eq!(exchange.step(now), Step::Done);
            now += probe.budget.time;
            exchange.tick(now);
            prop_assert!(sent <= probe.budget.sent && sends <= probe.budget.sends, "{}", probe.name);
        }
    }
}
