//! A run on the real network, from a prepared plan to its document.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use headcount_engine::{Engine, Pages, Path, Plan};
use headcount_match::Library;
use headcount_model::{Instant, Timestamp};
use headcount_net::{DriveOptions, DriveStats, EchoSocket, LinkSpec, Links, Resolver, drive, privilege};
use headcount_report::Document;

use crate::{
    args::OutputArgs,
    exit::Failure,
    log::{Log, LogWriter, Start, default_folder},
    outputs::Outputs,
    prepare::now,
    progress::Bar,
    session::{Ending, Session},
};

/// A run that is ready to begin.
pub(crate) struct Prepared {
    /// What it is to do.
    pub start: Start,
    /// The links that it needs.
    pub links: Vec<LinkSpec>,
    /// What names the devices that are found.
    pub library: Library,
    /// Who is asked for names.
    pub resolver: Option<Resolver>,
    /// The run that it goes on with.
    pub resume: Option<Log>,
    /// Where the log goes.
    pub log: LogTo,
    /// Runs after privileges are dropped, with the user that the process became, and before the first packet, which is
    /// not sent if it fails.
    pub before: Option<Before>,
}

/// See [`Prepared::before`].
pub(crate) type Before = Box<dyn FnOnce(Option<u32>) -> Result<(), Failure>>;

/// Where the run log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTo {
    /// A new file in the state directory.
    Default,
    /// This file.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// What a run came to.
pub(crate) struct Done {
    /// What was found.
    pub document: Document,
    /// The outputs that are still to be written.
    pub outputs: Outputs,
    /// It was interrupted.
    pub interrupted: bool,
    /// Where its log is.
    pub log: Option<PathBuf>,
    /// The user that the process became when it dropped root's privileges.
    pub user: Option<u32>,
    /// Why it failed on the way; what was found until then is in the document.
    pub failure: Option<anyhow::Error>,
}

/// Opens what needs privileges, drops them, opens the outputs, and runs.
///
/// # Errors
/// A socket, an output or the log cannot be opened; nothing was sent then.
pub(crate) fn run(prepared: Prepared, output: &OutputArgs) -> Result<Done, Failure> {
    let links =
        Links::open(&prepared.links, prepared.start.plan.source_ports.clone()).map_err(Failure::usage)?;
    let echo = echo_socket(&prepared.start.plan);
    let dropped = privilege::drop().map_err(Failure::failed)?;
    tracing::info!(user = ?dropped.user, "privileges dropped");
    let mut outputs = Outputs::open(output).map_err(Failure::Usage)?;
    let log = open_log(&prepared, dropped.user).map_err(Failure::Usage)?;
    let log_path = log.as_ref().map(|log| log.path().to_owned());
    let bar = Bar::new(!output.quiet);
    let start = prepared.start.clone();
    let (engine, begin) = engine(&prepared);
    let library = Arc::new(prepared.library);
    let mut engine = engine.with_pages(pages(&library));
    let mut session = Session::new(start, library, engine.summary(), log, &mut outputs, bar, output.quiet)
        .map_err(Failure::failed)?;
    if let Some(resume) = &prepared.resume {
        session.recall(&resume.observations).map_err(Failure::failed)?;
    }
    if let Some(before) = prepared.before {
        before(dropped.user)?;
    }
    let options = DriveOptions { start: begin.elapsed(), resolver: prepared.resolver, echo };
    let (stats, mut failure) = match drive_to_end(&mut engine, links, options, &mut session) {
        Ok(stats) => (stats, None),
        Err(error) => (DriveStats::default(), Some(error)),
    };
    let stopped = failure.as_ref().map(|error| format!("{error:#}")).or(stats.stopped.map(str::to_owned));
    let interrupted = stats.stopped.is_some();
    let ending = Ending { stopped, stats };
    let (document, written) = session.finish(engine.summary(), &ending, now());
    if failure.is_none() {
        failure = written.err();
    }
    Ok(Done { document, outputs, interrupted, log: log_path, user: dropped.user, failure })
}

fn engine(prepared: &Prepared) -> (Engine, Instant) {
    let plan = prepared.start.plan.clone();
    match &prepared.resume {
        None => (Engine::new(plan, Instant::ZERO), Instant::ZERO),
        Some(log) => {
            let since = now().as_micros().saturating_sub(plan.epoch.as_micros());
            let begin = Instant::from_nanos(u64::try_from(since).unwrap_or(0).saturating_mul(1_000));
            (Engine::resume(plan, begin, &log.observations, &log.checkpoint), begin)
        }
    }
}

/// The pages that the fingerprints ask for.
pub(crate) fn pages(library: &Arc<Library>) -> Pages {
    let library = Arc::clone(library);
    Pages::new(move |field, value| library.asks(field, value).into_iter().map(str::to_owned).collect())
}

fn drive_to_end(
    engine: &mut Engine,
    links: Links,
    options: DriveOptions,
    session: &mut Session,
) -> anyhow::Result<DriveStats> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the run")?;
    let stats = runtime.block_on(async {
        let stop = stop_signal()?;
        Ok::<_, anyhow::Error>(drive(engine, links, options, stop, session).await?)
    })?;
    Ok(stats)
}

/// Ready when the user or the system wants the run to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "interrupted (SIGINT)",
            _ = terminate.recv() => "stopped (SIGTERM)",
        }
    })
}

/// Opened before privileges go, since some systems allow echo to root alone.
fn echo_socket(plan: &Plan) -> Option<EchoSocket> {
    let by_kernel = plan.segments.iter().any(|segment| segment.path == Path::Kernel);
    (by_kernel && plan.echo && plan.kernel_echo).then(|| EchoSocket::open().ok()).flatten()
}

fn open_log(prepared: &Prepared, user: Option<u32>) -> anyhow::Result<Option<LogWriter>> {
    match (&prepared.log, &prepared.resume) {
        (LogTo::File(path), Some(log)) => LogWriter::append(path, log, now()).map(Some),
        (LogTo::File(path), None) => LogWriter::create(path, prepared.start.clone()).map(Some),
        (LogTo::Default, _) => {
            let folder = default_folder(user);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder of run logs {}", folder.display()))?;
            let path = folder.join(format!("{}.ndjson", prepared.start.id));
            LogWriter::create(&path, prepared.start.clone()).map(Some)
        }
        (LogTo::Nowhere, _) => Ok(None),
    }
}

/// The run's id: when it began, and its seed, so that two runs of one second differ.
pub(crate) fn run_id(epoch: Timestamp, seed: u64) -> String {
    let time: String = epoch.to_string().chars().take(19).filter(|c| *c != '-' && *c != ':').collect();
    format!("{time}Z-{:08x}", seed as u32 ^ (seed >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_sort_by_time() {
        let id = run_id(Timestamp::from_micros(1_795_000_000_123_456), 0xabcd);
        assert_eq!(id, "20261118T110640Z-0000abcd");
    }
}
