//! Loss x rate x density: what is found, what is missed, and what it costs.

use std::fmt::Write;

use headcount_sim::{Faults, Lan, Link, RandomLan, Route, plan_for};

use crate::{FAST, GENTLE, STANDARD, fold, questions, run};

#[test]
fn grid() {
    let mut table = String::from("loss  rate  density  devices  found  missed  frames  virtual seconds\n");
    for (density, (total, host, broadcast), loss) in cells() {
        let seed = 7;
        let lan = Lan::random(&RandomLan { network: "10.50.0.0/24".parse().unwrap(), density, seed });
        let plan = plan_for(&lan, &questions((total, host, broadcast), Route::Frames, seed));
        let outcome = run(&lan, plan, Link::both(Faults::loss(loss)), seed);
        let found = fold(&outcome.observations).hosts;
        let there = lan.personas.iter().flat_map(|persona| persona.all_addresses());
        let missed = there.filter(|address| !found.contains_key(address)).count();
        writeln!(
            table,
            "{:>3}%  {total:>5}  {density:>7}  {:>7}  {:>5}  {missed:>6}  {:>6}  {:>15.1}",
            loss * 100.0,
            lan.personas.len(),
            // This machine is found as well.
            found.len() - 1,
            outcome.up.sent,
            outcome.virtual_elapsed.as_secs_f64()
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

fn cells() -> impl Iterator<Item = (f64, (f64, f64, f64), f64)> {
    [0.02, 0.2, 0.8].into_iter().flat_map(|density| {
        [GENTLE, STANDARD, FAST].into_iter().flat_map(move |profile| {
            [0.0, 0.01, 0.05, 0.1, 0.2].into_iter().map(move |loss| (density, profile, loss))
        })
    })
}
