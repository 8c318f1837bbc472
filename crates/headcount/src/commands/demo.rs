//! `headcount demo`: a simulated office on a network of its own, swept by the ordinary driver, beside the truth.

mod naming;

use std::{collections::BTreeMap, fmt::Write as _, net::Ipv4Addr, sync::Arc};

use headcount_engine::{Engine, Event, Plan, Probing};
use headcount_match::Library;
use headcount_model::{Instant, MacAddr, PortState, Privilege, SCHEMA_VERSION, Transport};
use headcount_net::{
    Segmented,
    namespace::{self, Entered, Wire},
};
use headcount_report::{Document, escape};
use headcount_sim::{Expected, Lan, Link, Questions, Route, Simulation, World, lan::Asked, plan_for};
use headcount_sweep::{payload, ports};
use ipnetwork::Ipv4Network;

use self::naming::{Naming, namings};
use crate::{
    args::{Color, DemoArgs, ScopeArgs},
    exit::{self, Failure},
    log::{LogWriter, Start},
    outputs::Outputs,
    player::Player,
    prepare::{self, Ingredients, Ports},
    progress::Bar,
    say,
    session::{Ending, Session},
    session_output,
    sweep_run::{self, Done, LogTo, Prepared, run_id},
    targets,
};

/// The office.
const OFFICE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lans/office.toml"));
/// The interface that is swept, and the one that the office hangs on.
const CABLE: [&str; 2] = ["demo0", "office0"];

/// Sweeps the office.
pub(super) fn run(args: &DemoArgs, color: Color) -> Result<u8, Failure> {
    let lan = Lan::parse(OFFICE).map_err(Failure::failed)?;
    let (done, asked) = if args.simulate {
        simulate(args, &lan)?
    } else {
        match namespace::enter() {
            Ok(entered) => over_an_interface(args, &lan, entered)?,
            Err(error) => {
                say(&format!(
                    "no network of its own: {error}\nrunning in pure simulation instead, under virtual time"
                ));
                simulate(args, &lan)?
            }
        }
    };
    let expected = lan.expected(&asked);
    let comparison = Comparison::new(&lan, &expected, &done.document);
    let to_stdout = done.outputs.table;
    let quiet = args.output.quiet;
    let code = super::scan::finish(done, true, color)?;
    if to_stdout {
        session_output::print(&comparison.text())?;
    } else if !quiet {
        say(&comparison.summary());
    }
    Ok(if code == exit::OK && !comparison.is_right() { exit::FAILED } else { code })
}

fn over_an_interface(args: &DemoArgs, lan: &Lan, entered: Entered) -> Result<(Done, Asked), Failure> {
    let mut prepared = prepare_office(args, lan).map_err(Failure::Failed)?;
    if !args.output.quiet {
        let who = if entered == Entered::User { "without root" } else { "as root" };
        say(&format!(
            "a network of its own ({who}): {} simulated devices on {} behind the interface {}",
            lan.personas.len(),
            lan.network,
            CABLE[0],
        ));
    }
    let world = World::new(lan, args.seed).map_err(Failure::failed)?;
    let wire = Wire::open(CABLE[1]).map_err(Failure::failed)?;
    let player = Player::new(world, wire, 0.0, args.seed);
    let playing = std::rc::Rc::new(std::cell::RefCell::new(None));
    let begun = std::rc::Rc::clone(&playing);
    prepared.before = Some(Box::new(move |_| {
        *begun.borrow_mut() = Some(player.start());
        Ok(())
    }));
    let asked = Asked::from(&prepared.start.plan);
    let done = sweep_run::run(prepared, &args.output)?;
    if let Some(playing) = playing.take() {
        playing.stop();
    }
    Ok((done, asked))
}

fn prepare_office(args: &DemoArgs, lan: &Lan) -> anyhow::Result<Prepared> {
    let own = Ipv4Network::new(lan.vantage.address, lan.network.prefix())?;
    namespace::veth(
        namespace::End { name: CABLE[0], mac: Some(lan.vantage.mac), address: Some(own) },
        namespace::End { name: CABLE[1], mac: None, address: None },
    )?;
    for routed in &lan.routed {
        namespace::add_route(routed.network, lan.vantage.gateway, None)?;
    }
    // Without root inside, echo goes by datagram sockets, which a new namespace forbids at first.
    namespace::set_sysctl("ipv4/ping_group_range", "0 0")?;
    let can = headcount_net::capabilities()?;
    let raw = can.raw_frames.is_there() && !args.unprivileged;
    let wanted: Vec<String> = std::iter::once(lan.network)
        .chain(lan.routed.iter().map(|routed| routed.network))
        .map(|n| n.to_string())
        .collect();
    let scope_args = ScopeArgs {
        interface: None,
        exclude: Vec::new(),
        exclude_file: Vec::new(),
        allow_public: false,
        allow_large: false,
    };
    let no_names = |name: &str| -> anyhow::Result<Vec<Ipv4Addr>> { anyhow::bail!("{name} is no address") };
    let targets = targets::read(&wanted, &scope_args, &[], &no_names)
        .map_err(|failure| anyhow::anyhow!(failure.message()))?;
    let Segmented { segments, links, .. } = headcount_net::segments(&targets.scope, None, raw)?;
    let resolver = lan.name_server().map(|server| targets::resolver(&[server.into()])).transpose()?;
    let epoch = prepare::now();
    let plan = prepare::plan(Ingredients {
        scope: targets.scope,
        segments,
        ports: default_ports(),
        echo: true,
        can: &can,
        limits: args.profile.limits(),
        names: resolver.is_some(),
        probing: demo_probing(),
        epoch,
        seed: args.seed,
    });
    let privilege = super::scan::privilege(&plan.segments);
    let skipped = prepare::skipped(&plan, &can, args.unprivileged, false, None);
    let start = Start { skipped, ..start(args, plan, privilege) };
    Ok(Prepared {
        start,
        links,
        library: Library::embedded(),
        resolver,
        resume: None,
        log: log_to(args),
        before: None,
    })
}

fn default_ports() -> Ports {
    Ports {
        tcp: ports::default_ports(),
        udp: payload::PORTS.iter().map(|(port, _)| *port).collect(),
        discovery: None,
    }
}

/// What the office is asked about itself: what a scan asks unless it is told otherwise.
fn demo_probing() -> Probing {
    Probing { enabled: true, careful: false, community: Some("public".to_owned()) }
}

fn start(args: &DemoArgs, plan: Plan, privilege: Privilege) -> Start {
    Start {
        schema: SCHEMA_VERSION.to_owned(),
        id: run_id(plan.epoch, plan.seed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().collect(),
        host: prepare::host_name(),
        privilege,
        profile: args.profile.as_str().to_owned(),
        methods: prepare::methods(&plan),
        skipped: Vec::new(),
        names: Vec::new(),
        dns: Vec::new(),
        plan,
    }
}

fn log_to(args: &DemoArgs) -> LogTo {
    args.log.log.clone().map_or(LogTo::Nowhere, LogTo::File)
}

fn simulate(args: &DemoArgs, lan: &Lan) -> Result<(Done, Asked), Failure> {
    let ports = default_ports();
    let questions = Questions {
        discovery_ports: ports.tcp.clone(),
        ports: ports.tcp,
        udp_ports: ports.udp,
        echo: true,
        names: true,
        probing: demo_probing(),
        route: if args.unprivileged { Route::Kernel } else { Route::Frames },
        limits: args.profile.limits(),
        seed: args.seed,
    };
    let plan = Plan { epoch: prepare::now(), ..plan_for(lan, &questions) };
    let asked = Asked::from(&plan);
    let epoch = plan.epoch;
    let start = start(args, plan.clone(), Privilege::Simulated);
    let mut outputs = Outputs::open(&args.output).map_err(Failure::Usage)?;
    let log = match log_to(args) {
        LogTo::File(path) => Some(LogWriter::create(&path, start.clone()).map_err(Failure::Usage)?),
        LogTo::Default | LogTo::Nowhere => None,
    };
    let quiet = args.output.quiet;
    let library = Arc::new(Library::embedded());
    let engine = Engine::new(plan, Instant::ZERO).with_pages(sweep_run::pages(&library));
    let mut session =
        Session::new(start, library, engine.summary(), log, &mut outputs, Bar::new(false), quiet)
            .map_err(Failure::failed)?;
    let outcome =
        Simulation::with_engine(engine, lan, Link::default(), args.seed).map_err(Failure::failed)?.run();
    let observations = outcome.observations.into_iter().map(Event::Observation);
    observations
        .chain(outcome.events)
        .try_for_each(|event| session.take_event(event))
        .map_err(Failure::failed)?;
    let ended = epoch + outcome.virtual_elapsed;
    let (document, written) = session.finish(outcome.summary, &Ending::default(), ended);
    Ok((Done { document, outputs, interrupted: false, log: None, user: None, failure: written.err() }, asked))
}

/// What was found beside what is really there.
struct Comparison {
    rows: Vec<Row>,
    invented: Vec<Ipv4Addr>,
    namings: Vec<Naming>,
}

struct Row {
    address: Ipv4Addr,
    persona: String,
    macs: Vec<MacAddr>,
    open: String,
    wrong: Option<String>,
}

impl Comparison {
    fn new(lan: &Lan, expected: &Expected, document: &Document) -> Self {
        let found = found(document);
        let rows = expected
            .hosts
            .iter()
            .map(|(address, host)| {
                let wrong = match found.get(address) {
                    None => Some("missed".to_owned()),
                    Some(seen) => seen.wrong(host),
                };
                let (macs, open) = (host.macs.clone(), host.tcp.to_string());
                Row { address: *address, persona: host.persona.clone(), macs, open, wrong }
            })
            .collect();
        let real =
            |address: &Ipv4Addr| expected.hosts.contains_key(address) || *address == lan.vantage.address;
        let invented = found.keys().filter(|address| !real(address)).copied().collect();
        Self { rows, invented, namings: namings(lan, expected, document) }
    }

    fn is_right(&self) -> bool {
        let named = self.namings.iter().all(|naming| naming.wrong.is_empty());
        named && self.invented.is_empty() && self.rows.iter().all(|row| row.wrong.is_none())
    }

    fn summary(&self) -> String {
        let right = self.rows.iter().filter(|row| row.wrong.is_none()).count();
        let named = self.namings.iter().filter(|naming| naming.wrong.is_empty()).count();
        format!(
            "demo: {right} of {} simulated addresses found with their MAC addresses and open ports, {} invented\n\
             demo: {named} of {} devices named rightly",
            self.rows.len(),
            self.invented.len(),
            self.namings.len(),
        )
    }

    fn text(&self) -> String {
        let mut text = "\nWhat is really there\n".to_owned();
        let width = self.rows.iter().map(|row| row.persona.len()).max().unwrap_or(0);
        for row in &self.rows {
            let verdict = row.wrong.as_deref().unwrap_or("found");
            let mac = row.macs.first().map_or_else(|| "-".to_owned(), ToString::to_string);
            let open = if row.open.is_empty() { "no open port" } else { &row.open };
            let persona = escape::terminal(&row.persona);
            let _ =
                writeln!(text, "  {:<15} {mac:<17}  {persona:<width$}  {verdict:<6}  {open}", row.address);
        }
        for address in &self.invented {
            let _ = writeln!(text, "  {address:<15} is not there and was reported");
        }
        for naming in self.namings.iter().filter(|naming| !naming.wrong.is_empty()) {
            let (persona, wrong) = (escape::terminal(&naming.persona), naming.wrong.join(", "));
            let _ =
                writeln!(text, "  {:<15} {persona:<width$}  {}", naming.address, escape::terminal(&wrong));
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }
}

/// What the document says of one address.
#[derive(Default)]
struct SeenHost {
    macs: Vec<MacAddr>,
    open: Vec<u16>,
}

impl SeenHost {
    fn wrong(&self, host: &headcount_sim::lan::ExpectedHost) -> Option<String> {
        let missing = host.tcp.as_slice().iter().filter(|port| !self.open.contains(port)).count();
        let beyond = |port: &&u16| !host.tcp.contains(**port) && !host.tcp_unknowable.contains(**port);
        let invented = self.open.iter().filter(beyond).count();
        if host.macs.iter().any(|mac| !self.macs.contains(mac)) {
            Some("wrong MAC address".to_owned())
        } else if missing + invented > 0 {
            Some(format!("{missing} ports missed, {invented} invented"))
        } else {
            None
        }
    }
}

fn found(document: &Document) -> BTreeMap<Ipv4Addr, SeenHost> {
    let mut found: BTreeMap<Ipv4Addr, SeenHost> = BTreeMap::new();
    for device in &document.devices {
        for interface in &device.interfaces {
            for address in &interface.addresses {
                found.entry(address.address).or_default().macs.extend(interface.mac);
            }
        }
        for service in &device.services {
            if service.state == PortState::Open && service.transport == Transport::Tcp {
                found.entry(service.address).or_default().open.push(service.port);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputArgs;

    fn args() -> DemoArgs {
        DemoArgs {
            output: OutputArgs { quiet: true, ..OutputArgs::default() },
            log: crate::args::DemoLogArgs { log: None },
            profile: crate::profile::ProfileName::Standard,
            seed: 1,
            unprivileged: false,
            simulate: true,
        }
    }

    #[test]
    fn the_office_is_found_whole_and_named_rightly_in_simulation() {
        let lan = Lan::parse(OFFICE).unwrap();
        let (done, asked) = simulate(&args(), &lan).unwrap();
        let comparison = Comparison::new(&lan, &lan.expected(&asked), &done.document);
        assert!(comparison.is_right(), "{}", comparison.text());
        let telling = lan.personas.iter().filter(|persona| persona.is.is_some()).count();
        assert_eq!(comparison.namings.len(), telling);
        assert!(comparison.summary().ends_with(&format!("{telling} of {telling} devices named rightly")));
    }

    #[test]
    fn the_office_says_of_each_device_what_it_is_or_why_nobody_can_tell() {
        let lan = Lan::parse(OFFICE).unwrap();
        for persona in &lan.personas {
            assert_ne!(persona.is.is_some(), persona.silent.is_some(), "{}", persona.name);
        }
        let telling = || lan.personas.iter().filter_map(|persona| persona.is.as_ref());
        assert!(telling().filter(|is| is.device_type.is_some()).count() >= 35);
        assert!(telling().filter(|is| !is.exposures.is_empty()).count() >= 10);
    }

    const BOARD: &str = r#"
name = "board"
network = "10.0.0.0/28"
[vantage]
address = "10.0.0.1"
mac = "02:00:5e:00:00:01"
gateway = "10.0.0.14"
[[persona]]
name = "board"
mac = "02:00:5e:00:00:02"
addresses = ["10.0.0.2"]
tcp = "80"
is = { type = "bmc", vendor = "HP", product = "ProLiant DL380 Gen9", version = "2.50", serial = "CZ1234ABCD" }
[[persona.service]]
ports = "80"
answers = [
    { to = "GET / ", close = true, say = "HTTP/1.1 200 OK\r\nServer: HPE-iLO-Server/1.30\r\n\r\n<html></html>" },
    { to = "GET /xmldata?item=all ", close = true, say = """HTTP/1.1 200 OK\r\n\r\n<?xml version="1.0"?><RIMP><HSI>\
<SBSN>CZ1234ABCD      </SBSN><SPN>ProLiant DL380 Gen9</SPN></HSI><MP><PN>Integrated Lights-Out 4 (iLO 4)</PN>\
<FWRI>2.50</FWRI></MP></RIMP>""" },
    { to = "GET ", close = true, say = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
]
"#;

    #[test]
    fn a_page_that_a_fingerprint_asks_for_tells_model_firmware_and_serial_number() {
        let lan = Lan::parse(BOARD).unwrap();
        let (done, asked) = simulate(&args(), &lan).unwrap();
        let comparison = Comparison::new(&lan, &lan.expected(&asked), &done.document);
        assert!(comparison.is_right(), "{}", comparison.text());
        let mut devices = done.document.devices.iter();
        let board = devices.find(|device| device.addresses().any(|own| own.octets()[3] == 2)).unwrap();
        for (name, fingerprint) in [
            ("device.model", "http.page/ilo-server"),
            ("device.version", "http.page/ilo-firmware"),
            ("device.serial", "http.page/ilo-serial"),
        ] {
            let evidence = &board.attribute(name).unwrap().evidence;
            assert!(evidence.iter().any(|one| one.fingerprint == fingerprint), "{name}: {evidence:?}");
        }
    }

    #[test]
    fn a_device_taken_for_another_is_told() {
        let lan = Lan::parse(
            "name = \"one\"\nnetwork = \"10.0.0.0/24\"\n\
             [vantage]\naddress = \"10.0.0.250\"\nmac = \"02:00:5e:00:00:01\"\ngateway = \"10.0.0.1\"\n\
             [[persona]]\nname = \"nas\"\nmac = \"00:11:32:00:00:01\"\naddresses = [\"10.0.0.2\"]\n\
             is = { type = \"camera\", vendor = \"Synology\", product = \"P1365\", exposures = [\"snmp-public\"] }\n",
        )
        .unwrap();
        let (done, asked) = simulate(&args(), &lan).unwrap();
        let comparison = Comparison::new(&lan, &lan.expected(&asked), &done.document);
        let wrong = &comparison.namings[0].wrong;
        let expected = ["type: none instead of camera", "product: no P1365", "exposure: no snmp-public"];
        assert_eq!(wrong, &expected);
        assert!(!comparison.is_right() && comparison.text().contains("type: none instead of camera"));
        assert!(comparison.summary().ends_with("0 of 1 devices named rightly"));
    }
}
