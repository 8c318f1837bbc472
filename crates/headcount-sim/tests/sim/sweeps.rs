//! Every lan of `tests/lans`: what must be found is found, and nothing else.

use headcount_sim::{Link, Route, plan_for};

use crate::{STANDARD, lan, questions, rude, run, wrong};

fn sweep(name: &str, route: Route) {
    let lan = lan(name);
    for seed in crate::seeds(1, if cfg!(debug_assertions) { 1 } else { 5 }) {
        let plan = plan_for(&lan, &questions(STANDARD, route, seed));
        let outcome = run(&lan, plan.clone(), Link::default(), seed);
        let wrong: Vec<_> =
            wrong(&lan, &plan, route, &outcome).into_iter().chain(rude(&lan, &outcome)).collect();
        assert!(wrong.is_empty(), "{name} by {route:?}, HEADCOUNT_SIM_SEED={seed}:\n{}", wrong.join("\n"));
        assert!(outcome.summary.complete, "{name} by {route:?}, seed {seed}");
    }
}

macro_rules! swept {
    ($($name:ident),*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn by_frames() {
                sweep(&stringify!($name).replace('_', "-"), Route::Frames);
            }

            #[test]
            fn by_the_kernel() {
                sweep(&stringify!($name).replace('_', "-"), Route::Kernel);
            }
        }
    )*};
}

swept!(
    office,
    proxy_arp,
    resets_for_all,
    syn_proxy,
    echo_for_all,
    routed,
    fragile,
    sleepy,
    duplicates,
    tarpit
);

#[test]
fn every_lan_is_in_the_list() {
    let lans = format!("{}/../../tests/lans", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = std::fs::read_dir(lans)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    let mut listed = [
        "office",
        "proxy-arp",
        "resets-for-all",
        "syn-proxy",
        "echo-for-all",
        "routed",
        "fragile",
        "sleepy",
        "duplicates",
        "tarpit",
    ];
    listed.sort_unstable();
    assert_eq!(names, listed);
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let lan = lan("office");
    let go = |seed| {
        let plan = plan_for(&lan, &questions(STANDARD, Route::Frames, seed));
        let faults = headcount_sim::Faults { loss: 0.05, duplicate: 0.02, ..Default::default() };
        run(&lan, plan, Link::both(faults), seed)
    };
    let (a, b) = (go(5), go(5));
    assert_eq!(a.observations, b.observations);
    assert_eq!(a.statistics, b.statistics);
    assert_eq!((a.up, a.down, a.virtual_elapsed), (b.up, b.down, b.virtual_elapsed));
    assert_ne!(a.observations, go(6).observations);
}
