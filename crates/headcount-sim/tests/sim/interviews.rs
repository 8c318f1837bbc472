//! Hosts are asked about themselves: completely, once, gently.

use std::{collections::BTreeSet, time::Duration};

use headcount_engine::{Engine, MOST_PAGES, Pages, Probing};
use headcount_model::{Instant, Observation, PortSet, PortState, Seen, Transport};
use headcount_sim::{Faults, Lan, Link, Outcome, Questions, Route, Simulation, plan_for};

use crate::{FAST, GENTLE, STANDARD, lan, questions, rude, run};

const TALKATIVE: &str = r#"
name = "talkative"
note = "a host that speaks FTP, HTTP and SNMP, and one that greets and listens"
network = "10.0.0.0/28"

[vantage]
address = "10.0.0.1"
mac = "02:00:00:00:00:01"

[expect]
present = 2

[[persona]]
name = "printer"
mac = "02:00:00:00:00:02"
addresses = ["10.0.0.2"]
tcp = "21,80,9100"
any_written_byte_prints = "9100"
udp = ["snmp"]
snmp = { objects = { "1.3.6.1.2.1.1.1.0" = "Printer 3000", "1.3.6.1.2.1.1.2.0" = "oid:1.3.6.1.4.1.11.2.3" } }
service = [
  { ports = "21", greeting = "220 Printer 3000 FTP\r\n" },
  { ports = "80", answers = [{ to = "\r\n\r\n", say = "HTTP/1.1 200 OK\r\nServer: printd/3\r\nContent-Length: 26\r\n\r\n<title>Printer 3000</title", close = true }] },
]

[[persona]]
name = "mail"
mac = "02:00:00:00:00:03"
addresses = ["10.0.0.3"]
tcp = "110"
service = [{ ports = "110", greeting = "+OK ready\r\n" }]
"#;

fn asking(profile: (f64, f64, f64), route: Route, seed: u64) -> Questions {
    let probing = Probing { enabled: true, careful: true, community: Some("public".to_owned()) };
    Questions { probing, ..questions(profile, route, seed) }
}

/// What was said: address, port, field, value.
fn said(observations: &[Observation]) -> BTreeSet<(String, u16, String, String)> {
    let said = observations.iter().filter_map(|one| match &one.seen {
        Seen::Said { port, field, value, .. } => {
            Some((one.address.to_string(), *port, field.clone(), value.text().into_owned()))
        }
        _ => None,
    });
    said.collect()
}

fn interview(lan: &Lan, route: Route, link: Link, seed: u64) -> Outcome {
    let outcome = run(lan, plan_for(lan, &asking(STANDARD, route, seed)), link, seed);
    let hosts = outcome.observations.iter().filter(|one| one.seen == Seen::ProbesDone).count();
    // This machine is one of its network's hosts.
    assert_eq!(hosts, lan.personas.len() + 1);
    outcome
}

#[test]
fn what_hosts_say_is_heard_by_either_route_also_on_a_bad_link() {
    let lan = Lan::parse(TALKATIVE).unwrap();
    let expected = [
        ("10.0.0.2", 21, "ftp", "Printer 3000 FTP"),
        ("10.0.0.2", 80, "http.server", "printd/3"),
        ("10.0.0.2", 161, "snmp.sysdescr", "Printer 3000"),
        ("10.0.0.2", 161, "snmp.sysobjectid", "1.3.6.1.4.1.11.2.3"),
        ("10.0.0.2", 161, "snmp.community", "public"),
        ("10.0.0.3", 110, "pop3", "ready"),
    ];
    for route in [Route::Frames, Route::Kernel] {
        let outcome = interview(&lan, route, Link::default(), 1);
        let heard = said(&outcome.observations);
        for (address, port, field, value) in expected {
            let one = (address.to_owned(), port, field.to_owned(), value.to_owned());
            assert!(heard.contains(&one), "{one:?} was not heard by {route:?}: {heard:#?}");
        }
        let lossy = Faults { loss: 0.05, jitter: Duration::from_millis(20), ..Faults::default() };
        let streams: BTreeSet<_> = heard.iter().filter(|one| one.1 < 161).cloned().collect();
        for seed in crate::seeds(1, 10) {
            let again = said(&interview(&lan, route, Link::both(lossy.clone()), seed).observations);
            let missing: Vec<_> = streams.difference(&again).collect();
            // A connection can die on such a link; most do not.
            assert!(missing.len() <= streams.len() / 2, "HEADCOUNT_SIM_SEED={seed}: {missing:?}");
        }
    }
}

#[test]
fn nobody_is_harmed_and_nothing_is_printed() {
    for name in ["fragile", "office"] {
        let lan = lan(name);
        for profile in [GENTLE, STANDARD, FAST] {
            for route in [Route::Frames, Route::Kernel] {
                for seed in crate::seeds(1, if cfg!(debug_assertions) { 1 } else { 5 }) {
                    let plan = plan_for(&lan, &asking(profile, route, seed));
                    let outcome = run(&lan, plan, Link::default(), seed);
                    let rude = rude_beside_probes(&lan, &outcome);
                    assert!(
                        rude.is_empty(),
                        "{name}, {profile:?} by {route:?}, HEADCOUNT_SIM_SEED={seed}:\n{}",
                        rude.join("\n")
                    );
                    // Look-ups of names come to the name server beside its own questions.
                    let others = outcome.statistics.personas.iter().zip(&lan.personas);
                    for (persona, is) in others.filter(|(_, is)| !is.dns) {
                        let (busiest, who) = (persona.busiest_second, &persona.name);
                        // The rate is that of an address.
                        let most = (profile.1 * 1.25 + 8.0) * is.all_addresses().count() as f64;
                        assert!(
                            f64::from(busiest) <= most,
                            "{name}: {busiest} packets to {who} in a second, {profile:?} by {route:?}"
                        );
                    }
                }
            }
        }
    }
}

/// What was rude, apart from the bytes that probes write to ports that may be written to.
fn rude_beside_probes(lan: &Lan, outcome: &Outcome) -> Vec<String> {
    let mut without = outcome.clone();
    without.statistics.written.retain(|(_, port), _| headcount_sweep::ports::is_never_written(*port));
    rude(lan, &without)
}

#[test]
fn a_port_that_only_an_interview_asked_is_said_to_be_open() {
    let lan = Lan::parse(TALKATIVE).unwrap();
    let asked = Questions { udp_ports: PortSet::new(), ..asking(STANDARD, Route::Frames, 1) };
    let outcome = run(&lan, plan_for(&lan, &asked), Link::default(), 1);
    let open = outcome.observations.iter().filter(|one| {
        matches!(one.seen, Seen::Port { transport: Transport::Udp, port: 161, state: PortState::Open, .. })
    });
    let open: Vec<String> = open.map(|one| one.address.to_string()).collect();
    assert_eq!(open, ["10.0.0.2"], "once, and only where it answered");
}

#[test]
fn an_interrupted_interview_goes_on_and_says_the_same() {
    let lan = Lan::parse(TALKATIVE).unwrap();
    let plan = plan_for(&lan, &asking(STANDARD, Route::Frames, 3));
    let whole = run(&lan, plan.clone(), Link::default(), 3);
    let half = Instant::ZERO + whole.virtual_elapsed / 2;
    let first = Simulation::new(plan.clone(), &lan, Link::default(), 3).unwrap().cancel_at(half).run();
    let checkpoint = first.checkpoint().unwrap().clone();
    let engine = Engine::resume(plan, Instant::ZERO, &first.observations, &checkpoint);
    let second = Simulation::with_engine(engine, &lan, Link::default(), 4).unwrap().run();
    let both: Vec<Observation> = first.observations.iter().chain(&second.observations).cloned().collect();
    let stable = |observations: &[Observation]| {
        let mut said = said(observations);
        // The time since an agent's start is another in every run.
        said.retain(|one| !one.2.starts_with("snmp.engine"));
        said
    };
    assert_eq!(stable(&both), stable(&whole.observations));
    let finished: BTreeSet<_> =
        first.observations.iter().filter(|one| one.seen == Seen::ProbesDone).map(|one| one.address).collect();
    let asked_again = second.observations.iter().filter(|one| matches!(one.seen, Seen::Said { .. }));
    for one in asked_again {
        assert!(!finished.contains(&one.address), "{} was asked again", one.address);
    }
}

const PAGES: &str = r#"
name = "pages"
note = "a web server whose first page tells the family and another page the rest"
network = "10.0.0.0/28"

[vantage]
address = "10.0.0.1"
mac = "02:00:00:00:00:01"

[expect]
present = 1

[[persona]]
name = "board"
mac = "02:00:00:00:00:02"
addresses = ["10.0.0.2"]
tcp = "80,9100"
any_written_byte_prints = "9100"
service = [
  { ports = "80", answers = [
    { to = "GET /1 ", say = "HTTP/1.1 200 OK\r\nServer: board/2\r\nContent-Length: 5\r\n\r\nmodel", close = true },
    { to = "GET /2 ", say = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nmodel", close = true },
    { to = "GET / ", say = "HTTP/1.1 200 OK\r\nServer: board/1\r\nContent-Length: 0\r\n\r\n", close = true },
    { to = "GET ", say = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore", close = true },
  ] },
]
"#;

/// What an engine that asks for `pages` where it hears `http.server` hears of pages.
fn pages_of(lan: &Lan, route: Route, pages: Option<&'static [&'static str]>) -> (Vec<String>, Outcome) {
    let plan = plan_for(lan, &asking(STANDARD, route, 1));
    let mut engine = Engine::new(plan, Instant::ZERO);
    if let Some(pages) = pages {
        engine = engine.with_pages(Pages::new(move |field, value| {
            assert!(field != "http.page", "a page called for others");
            let asks = field == "http.server" && value.starts_with(b"board/");
            pages.iter().filter(|_| asks).map(|&path| path.to_owned()).collect()
        }));
    }
    let outcome = Simulation::with_engine(engine, lan, Link::default(), 1).unwrap().run();
    let pages = said(&outcome.observations).into_iter().filter(|one| one.2 == "http.page");
    (pages.map(|one| format!("{}: {}", one.1, one.3)).collect(), outcome)
}

#[test]
fn pages_that_answers_call_for_are_asked_for_within_bounds() {
    let lan = Lan::parse(PAGES).unwrap();
    for route in [Route::Frames, Route::Kernel] {
        let (pages, outcome) = pages_of(&lan, route, Some(&["/1", "/2", "/1", "/3", "/4"]));
        // The second says nothing, the fourth is one too many.
        assert_eq!(pages, ["80: /1\nmodel", "80: /3\nmore"], "{route:?}");
        assert_eq!(MOST_PAGES, 3);
        let servers: Vec<_> = said(&outcome.observations)
            .into_iter()
            .filter(|one| one.2 == "http.server")
            .map(|one| one.3)
            .collect();
        assert_eq!(servers, ["board/1"], "of another page only its body counts");
        assert!(rude_beside_probes(&lan, &outcome).is_empty());
        let (none, without) = pages_of(&lan, route, None);
        assert!(none.is_empty());
        // Three requests more, one byte of path longer, and nothing else.
        let written = |outcome: &Outcome| outcome.statistics.written.get(&(0, 80)).copied().unwrap_or(0);
        assert_eq!(written(&outcome), 4 * written(&without) + 3, "each page is asked for once");
        let (again, repeated) = pages_of(&lan, route, Some(&["/1", "/2", "/1", "/3", "/4"]));
        assert_eq!((again, repeated.observations), (pages, outcome.observations), "the same run twice");
    }
}
