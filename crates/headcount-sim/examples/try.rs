use headcount_sim::*;
use headcount_sim::lan::Asked;
use headcount_engine::*;
use headcount_model::*;
use std::collections::*;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let kernel = std::env::args().nth(2).is_some_and(|a| a == "kernel");
    let loss: f64 = std::env::args().nth(3).map_or(0.0, |a| a.parse().unwrap());
    let lan = Lan::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let q = Questions { ports: headcount_sweep_ports(), udp_ports: "53,123,137,161,1900,5353".parse().unwrap(), discovery_ports: "80,443,22,445,3389,23,8080,554,135,9100,62078,5060".parse().unwrap(), echo: true, names: true, route: if kernel {Route::Kernel} else {Route::Frames}, limits: Limits{ total:1000.0, per_host:40.0, broadcast:800.0, passes:16, port_tries:7, connections_per_host:1, in_flight:512}, seed: 1 };
    let plan = plan_for(&lan, &q);
    let exp = lan.expected(&Asked::from(&plan));
    let t = std::time::Instant::now();
    let o = Simulation::new(plan, &lan, Link::both(Faults::loss(loss)), 1).unwrap().run();
    println!("{:?} virtual {:?} real {:?}", o.end, o.virtual_elapsed, t.elapsed());
    let mut hosts: BTreeMap<std::net::Ipv4Addr, BTreeSet<u16>> = BTreeMap::new();
    for ob in &o.observations {
        match &ob.seen { Seen::Present{..} => {hosts.entry(ob.address).or_default();}, Seen::Port{transport: Transport::Tcp, port, state: PortState::Open, ..} => {hosts.entry(ob.address).or_default().insert(*port);}, Seen::Port{..} => {hosts.entry(ob.address).or_default();}, Seen::Phantom{..} => println!("{ob:?}"), _ => {} }
    }
    for (a, h) in &exp.hosts { match hosts.get(a) { None => println!("MISSED {a} {}", h.persona), Some(p) => { let want: BTreeSet<u16> = h.tcp.as_slice().iter().copied().collect(); if *p != want && !h.tcp_unknowable.contains(*p.iter().next().unwrap_or(&1)) { println!("{a} {} ports {:?} want {:?}", h.persona, p, want);} } } }
    for a in hosts.keys() { if !exp.hosts.contains_key(a) { println!("extra {a}"); } }
    for ob in &o.observations { if ob.seen == Seen::PortsDone { let s = (ob.at.as_micros() - 1_795_000_000_000_000) / 1_000_000; if s > 30 { println!("{} done at {s} s {}", ob.address, exp.hosts.get(&ob.address).map_or("?", |h| &h.persona)); } } }
    for e in &o.events { if let Event::Warning(w) = e { println!("{w}"); } }
    for s in &o.summary.segments { println!("{:?} asked {} present {} passes {} loss {:?}/{} miss {:?} complete {}", s.kind, s.asked, s.present, s.passes, s.control_loss, s.controls_asked, s.miss_chance, s.complete); }
    println!("{:?}", o.summary.counters);
    println!("busiest {} harmed {:?}", o.statistics.busiest_persona_second(), o.statistics.personas.iter().filter(|p| p.harms > 0).map(|p| (&p.name, &p.harms)).collect::<Vec<_>>());
}
fn headcount_sweep_ports() -> PortSet { "80,443,22,445,3389,23,8080,554,135,9100,62078,5060,21,139,8443,53,631,515,5900,25,111,2049,1883,5000,8000,8008,8009,7000,502,102,44818,8081,8888,81,88,389,636,548,873,3306,5432,1433".parse().unwrap() }
