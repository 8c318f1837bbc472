use headcount_engine::{Limits, Path, Probing};
use headcount_model::{PortSet, SegmentKind};

use super::*;
use crate::{faults::Faults, lan::RandomLan};

fn questions(route: Route) -> Questions {
    Questions {
        ports: "22,80".parse().unwrap(),
        udp_ports: PortSet::new(),
        discovery_ports: "22,80".parse().unwrap(),
        echo: true,
        names: false,
        probing: Probing::default(),
        route,
        limits: Limits {
            total: 1_000.0,
            per_host: 40.0,
            broadcast: 500.0,
            passes: 8,
            port_tries: 5,
            connections_per_host: 1,
            in_flight: 128,
        },
        seed: 3,
    }
}

fn lan() -> Lan {
    Lan::random(&RandomLan { network: "10.0.0.0/26".parse().unwrap(), density: 0.3, seed: 1 })
}

#[test]
fn every_address_is_in_one_segment() {
    let mut lan = lan();
    let router = lan.personas[0].name.clone();
    lan.routed.push(crate::lan::Routed {
        network: "10.1.0.0/28".parse().unwrap(),
        router,
        latency_ms: 1.0,
        unreachable: None,
    });
    let plan = plan_for(&lan, &questions(Route::Frames));
    let kinds: Vec<_> = plan.segments.iter().map(|segment| segment.kind).collect();
    assert_eq!(kinds, [SegmentKind::Attached, SegmentKind::Routed, SegmentKind::Local]);
    assert_eq!(plan.segments.iter().map(|segment| segment.addresses.len()).sum::<u64>(), 64 + 16);
    assert_eq!(plan.scope.allowed.len(), 80);
    let gateway = lan.personas[0].addresses[0];
    assert!(
        matches!(plan.segments[1].path, Path::Frames { gateway: Some(address), .. } if address == gateway)
    );
    assert!(plan.segments.iter().zip(0..).all(|(segment, id)| segment.id == id));
}

#[test]
fn a_run_ends_and_a_seed_repeats_it() {
    let lan = lan();
    for route in [Route::Frames, Route::Kernel] {
        let go = |seed| {
            let plan = plan_for(&lan, &questions(route));
            Simulation::new(plan, &lan, Link::both(Faults::loss(0.1)), seed).unwrap().run()
        };
        let (a, b) = (go(1), go(1));
        assert_eq!(a.end, End::Finished);
        assert_eq!(a.observations, b.observations);
        assert_eq!(a.statistics, b.statistics);
        assert_ne!(go(2).statistics, a.statistics);
        assert_eq!(a.events.last(), Some(&Event::Finished));
        assert!(a.up.sent >= a.statistics.received.frames && a.up.lost > 0);
    }
}

#[test]
fn a_cancelled_run_ends_at_once() {
    let lan = lan();
    let plan = plan_for(&lan, &questions(Route::Frames));
    let at = Instant::ZERO + Duration::from_millis(50);
    let outcome = Simulation::new(plan, &lan, Link::default(), 1).unwrap().cancel_at(at).run();
    assert_eq!((outcome.end, outcome.virtual_elapsed), (End::Finished, at.elapsed()));
    assert!(!outcome.summary.complete);
}

#[test]
fn a_run_that_takes_too_long_is_given_up() {
    let lan = lan();
    let plan = plan_for(&lan, &questions(Route::Frames));
    let limit = Duration::from_millis(100);
    let outcome = Simulation::new(plan, &lan, Link::default(), 1).unwrap().limit(limit).run();
    assert_eq!(outcome.end, End::TimeLimit);
    assert!(outcome.virtual_elapsed <= limit);
}
