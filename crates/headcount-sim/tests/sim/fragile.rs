//! Fragile devices survive every profile, whichever way they are asked.

use headcount_sim::{Faults, Link, Route, plan_for};

use crate::{FAST, GENTLE, STANDARD, lan, questions, rude, run, wrong};

#[test]
fn fragile_devices_survive_every_profile() {
    for name in ["fragile", "office"] {
        let lan = lan(name);
        for (profile, route) in
            [GENTLE, STANDARD, FAST].into_iter().flat_map(|p| [(p, Route::Frames), (p, Route::Kernel)])
        {
            for seed in crate::seeds(1, if cfg!(debug_assertions) { 1 } else { 10 }) {
                let plan = plan_for(&lan, &questions(profile, route, seed));
                let outcome = run(&lan, plan.clone(), Link::default(), seed);
                let mut wrong = wrong(&lan, &plan, route, &outcome);
                wrong.extend(rude(&lan, &outcome));
                assert!(
                    wrong.is_empty(),
                    "{name}, {profile:?} by {route:?}, HEADCOUNT_SIM_SEED={seed}:\n{}",
                    wrong.join("\n")
                );
                let busiest = outcome.statistics.busiest_second;
                assert!(f64::from(busiest) <= profile.0 * 1.5 + 100.0, "{busiest} packets in a second");
            }
        }
    }
}

#[test]
fn fragile_devices_survive_a_bad_link() {
    let lan = lan("fragile");
    let faults = Faults {
        loss: 0.1,
        duplicate: 0.05,
        jitter: std::time::Duration::from_millis(80),
        ..Faults::default()
    };
    for route in [Route::Frames, Route::Kernel] {
        for seed in crate::seeds(1, if cfg!(debug_assertions) { 3 } else { 30 }) {
            let plan = plan_for(&lan, &questions(STANDARD, route, seed));
            let outcome = run(&lan, plan, Link::both(faults.clone()), seed);
            let mut rude = rude(&lan, &outcome);
            // A device that never gets our reset holds the connection open; no one who asks can know that.
            rude.retain(|line| !line.contains("TooManyConnections") && !line.contains("ListenQueueFull"));
            assert!(rude.is_empty(), "{route:?}, HEADCOUNT_SIM_SEED={seed}:\n{}", rude.join("\n"));
        }
    }
}
