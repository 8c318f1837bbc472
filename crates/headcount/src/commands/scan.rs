//! `headcount scan`.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, anyhow};
use headcount_engine::Path;
use headcount_match::Library;
use headcount_model::{AddressRange, Privilege, SCHEMA_VERSION, SegmentKind, Skipped};
use headcount_net::{Capabilities, Segmented};

use super::{fingerprints::files, register};
use crate::{
    args::{Color, ScanArgs},
    estimate,
    exit::{self, Failure},
    log::{Log, Start},
    prepare::{self, Ingredients},
    profile, say, session_output,
    sweep_run::{self, Done, LogTo, Prepared, run_id},
    targets::{self, Targets},
};

/// Sweeps, or says what would be swept.
pub(super) fn run(args: &ScanArgs, color: Color) -> Result<u8, Failure> {
    if args.db.db.is_some() && !args.register {
        return Err(Failure::usage(anyhow!(
            "--db names the register that --register takes the run into: give both"
        )));
    }
    let library = files::library(&args.library)?;
    let mut prepared = match &args.log.resume {
        Some(path) => resume(path, args, library)?,
        None => prepare(args, library)?,
    };
    if args.dry_run {
        let start = &prepared.start;
        session_output::print(&estimate::describe(
            &start.plan,
            &start.methods,
            &start.skipped,
            &start.profile,
        ))?;
        return Ok(exit::OK);
    }
    let (start, quiet) = (prepared.start.clone(), args.output.quiet);
    let db = args.register.then(|| args.db.clone());
    prepared.before = Some(Box::new(move |user| {
        if let Some(db) = db {
            register::open_or_make(&db, user).map_err(Failure::Usage)?;
        }
        if !quiet {
            announce(&start);
        }
        Ok(())
    }));
    let done = sweep_run::run(prepared, &args.output)?;
    let taken = args.register.then(|| register::take_in(&done.document, &args.db, done.user));
    let code = finish(done, quiet, color)?;
    if let Some(taken) = taken {
        let said = taken.map_err(Failure::Failed)?;
        if !quiet {
            say(&said);
        }
    }
    Ok(code)
}

/// Writes what a run found, and says how it ended.
pub(super) fn finish(done: Done, quiet: bool, color: Color) -> Result<u8, Failure> {
    let written = session_output::write(done.outputs, &done.document, color);
    if let Some(log) = done.log.filter(|_| !quiet) {
        let again =
            if done.interrupted { "; go on with `headcount scan --resume` and this file" } else { "" };
        say(&format!("run log: {}{again}", log.display()));
    }
    if let Some(failure) = done.failure {
        return Err(Failure::Failed(failure));
    }
    written?;
    Ok(if done.interrupted { exit::INTERRUPTED } else { exit::OK })
}

fn prepare(args: &ScanArgs, library: Library) -> Result<Prepared, Failure> {
    let ports = prepare::ports_of(&args.what).map_err(Failure::Usage)?;
    let probing = prepare::probing_of(&args.probes, &args.what).map_err(Failure::Usage)?;
    let can = headcount_net::capabilities().map_err(Failure::usage)?;
    let targets = read_targets(args)?;
    let raw = can.raw_frames.is_there() && !args.unprivileged;
    let interface = args.scope.interface.as_deref();
    let segmented = headcount_net::segments(&targets.scope, interface, raw).map_err(Failure::usage)?;
    reachable(&segmented, interface)?;
    let (resolver, no_dns) = name_servers(&args.names.dns, args.names.no_dns)?;
    let epoch = prepare::now();
    let seed = args.seed.unwrap_or_else(prepare::random_seed);
    let Segmented { segments, links, unroutable } = segmented;
    let plan = prepare::plan(Ingredients {
        scope: targets.scope,
        segments,
        ports,
        echo: !args.what.no_echo,
        can: &can,
        limits: profile::limits(&args.care),
        names: resolver.is_some(),
        probing,
        epoch,
        seed,
    });
    if !unroutable.is_empty() {
        say(&format!("warning: no route to {unroutable}; these addresses are not asked"));
    }
    let skipped = prepare::skipped(&plan, &can, args.unprivileged, args.what.no_echo, no_dns.as_deref());
    let start = Start {
        schema: SCHEMA_VERSION.to_owned(),
        id: run_id(epoch, seed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().collect(),
        host: prepare::host_name(),
        privilege: privilege(&plan.segments),
        profile: args.care.profile.as_str().to_owned(),
        methods: prepare::methods(&plan),
        skipped,
        names: targets.names,
        dns: args.names.dns.clone(),
        plan,
    };
    Ok(Prepared { start, links, library, resolver, resume: None, log: log_to(args), before: None })
}

/// What the segments need of the system.
pub(super) fn privilege(segments: &[headcount_engine::Segment]) -> Privilege {
    let raw = segments.iter().any(|segment| matches!(segment.path, Path::Frames { .. }));
    if raw { Privilege::Raw } else { Privilege::Unprivileged }
}

fn log_to(args: &ScanArgs) -> LogTo {
    match &args.log.log {
        _ if args.log.no_log => LogTo::Nowhere,
        Some(path) => LogTo::File(path.clone()),
        None => LogTo::Default,
    }
}

fn read_targets(args: &ScanArgs) -> Result<Targets, Failure> {
    let interface = args.scope.interface.as_deref();
    let attached: Vec<AddressRange> = if args.targets.is_empty() { attached(interface)? } else { Vec::new() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::failed)?;
    let resolve = |name: &str| -> anyhow::Result<Vec<Ipv4Addr>> {
        if args.names.no_dns {
            return Err(anyhow!("target \"{name}\" is a name, and --no-dns forbids to look it up"));
        }
        let resolver = targets::resolver(&args.names.dns)?;
        Ok(runtime.block_on(resolver.resolve_name(name))?)
    };
    targets::read(&args.targets, &args.scope, &attached, &resolve)
}

fn attached(interface: Option<&str>) -> Result<Vec<AddressRange>, Failure> {
    if let Some(name) = interface {
        let interfaces = headcount_net::interfaces().map_err(Failure::usage)?;
        if !interfaces.iter().any(|interface| interface.name == name) {
            let known: Vec<&str> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
            return Err(Failure::Usage(anyhow!(
                "--interface {name}: there is no such interface; there are {}",
                known.join(", ")
            )));
        }
    }
    let subnets = prepare::attached(interface).map_err(Failure::usage)?;
    if subnets.is_empty() {
        let through = interface.map_or(String::new(), |name| format!(" through {name}"));
        return Err(Failure::Usage(anyhow!(
            "no target was given, and no subnet is attached to this machine{through}"
        )));
    }
    Ok(subnets.into_iter().map(|(_, network)| network.into()).collect())
}

fn reachable(segmented: &Segmented, interface: Option<&str>) -> Result<(), Failure> {
    if !segmented.segments.is_empty() {
        return Ok(());
    }
    let through = interface.map_or(String::new(), |name| format!(" through {name}"));
    Err(Failure::Usage(anyhow!("there is no route to any target{through}: {}", segmented.unroutable)))
}

/// Who is asked for names, or why nobody is.
fn name_servers(
    servers: &[IpAddr],
    no_dns: bool,
) -> Result<(Option<headcount_net::Resolver>, Option<String>), Failure> {
    if no_dns {
        return Ok((None, Some("left out by --no-dns".to_owned())));
    }
    match targets::resolver(servers) {
        Ok(resolver) => Ok((Some(resolver), None)),
        Err(error) if servers.is_empty() => Ok((None, Some(format!("{error}; --dns names a server")))),
        Err(error) => Err(Failure::usage(error)),
    }
}

fn resume(path: &std::path::Path, args: &ScanArgs, library: Library) -> Result<Prepared, Failure> {
    let log = Log::read(path).map_err(Failure::Usage)?;
    if log.end.as_ref().is_some_and(|run| run.completeness.complete) {
        return Err(Failure::Usage(anyhow!(
            "{} is the log of a complete run: `headcount show` renders it",
            path.display()
        )));
    }
    let can = headcount_net::capabilities().map_err(Failure::usage)?;
    let start = Start { command: std::env::args().collect(), ..log.start.clone() };
    let needs_raw = start.privilege == Privilege::Raw;
    raw_is_there(&can, needs_raw).map_err(Failure::Usage)?;
    let context = || format!("cannot go on with {}: the network is not as it was", path.display());
    let links =
        headcount_net::links_of(&start.plan.segments).with_context(context).map_err(Failure::Usage)?;
    let chosen = if args.names.dns.is_empty() { &log.start.dns } else { &args.names.dns };
    let (resolver, _) =
        if start.plan.names { name_servers(chosen, args.names.no_dns)? } else { (None, None) };
    Ok(Prepared {
        start,
        links,
        library,
        resolver,
        log: LogTo::File(path.to_owned()),
        resume: Some(log),
        before: None,
    })
}

fn raw_is_there(can: &Capabilities, needed: bool) -> anyhow::Result<()> {
    match &can.raw_frames {
        headcount_net::Ability::No { why, way_out } if needed => Err(anyhow!(
            "the run was begun with raw frames, and this process may not use them: {why}; {way_out}"
        )),
        _ => Ok(()),
    }
}

/// What will be swept, named before the first packet.
fn announce(start: &Start) {
    for segment in &start.plan.segments {
        let how = match segment.kind {
            SegmentKind::Local => continue,
            SegmentKind::Attached => "attached",
            SegmentKind::Routed => "routed",
        };
        say(&format!("sweeping {} ({how}) through {}", segment.addresses, prepare::vantage(segment)));
    }
    for Skipped { method, why } in &start.skipped {
        say(&format!("not used: {method}: {why}"));
    }
}
