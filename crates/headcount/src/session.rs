//! A run in progress: events go into the run log, the record stream and the fold; at the end stands the document.

use std::{io, sync::Arc};

use headcount_engine::{Engine, Event, Plan, Summary};
use headcount_match::{Fold, Library, Makers, Registries};
use headcount_model::{
    Completeness, HostName, Method, Observation, Rates, Run, Seen, SegmentRecord, Timestamp,
};
use headcount_net::{DriveStats, Watcher};
use headcount_report::{Document, Ndjson};
use headcount_sweep::ports;

use crate::{
    log::{LogWriter, Record, Start},
    outputs::{Output, Outputs},
    progress::Bar,
};

/// See the module's documentation.
pub(crate) struct Session {
    start: Start,
    library: Arc<Library>,
    fold: Fold,
    log: Option<LogWriter>,
    records: Option<Ndjson<Output>>,
    bar: Bar,
    quiet: bool,
    last: Timestamp,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    /// Why it was stopped before its end.
    pub stopped: Option<String>,
    /// What only the driver knows.
    pub stats: DriveStats,
}

impl Session {
    /// A run that begins; `summary` is the engine's before the first packet, `library` names the devices at the end.
    ///
    /// # Errors
    /// The first record cannot be written.
    pub(crate) fn new(
        start: Start,
        library: Arc<Library>,
        summary: Summary,
        log: Option<LogWriter>,
        outputs: &mut Outputs,
        bar: Bar,
        quiet: bool,
    ) -> io::Result<Self> {
        let mut session = Self {
            fold: Fold::new(&summary.segments),
            log,
            records: outputs.ndjson.take().map(Ndjson::new),
            bar,
            quiet,
            last: start.plan.epoch,
            start,
            library,
        };
        if let Some(records) = &mut session.records {
            let epoch = session.start.plan.epoch;
            records.start(&run(&session.start, summary, &Ending::default(), epoch))?;
        }
        let names = target_names(&session.start.plan, &session.start.names);
        names.iter().try_for_each(|name| session.take_in(name))?;
        Ok(session)
    }

    /// What an earlier process of this run saw.
    ///
    /// # Errors
    /// The records cannot be written.
    pub(crate) fn recall(&mut self, observations: &[Observation]) -> io::Result<()> {
        observations.iter().try_for_each(|observation| self.take_in(observation))
    }

    /// Takes in one event of the engine.
    ///
    /// # Errors
    /// The log or the record stream cannot be written.
    pub(crate) fn take_event(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Observation(observation) => {
                self.take_in(&observation)?;
                self.write(&Record::Observation(observation))
            }
            Event::Warning(text) => {
                if !self.quiet {
                    self.bar.say(&format!("warning: {text}"));
                }
                self.write(&Record::Warning { text })
            }
            Event::Checkpoint(checkpoint) => {
                let at = self.last;
                self.write(&Record::Checkpoint { at, checkpoint })?;
                self.flush()
            }
            Event::Finished => self.flush(),
        }
    }

    /// The run is over: folds what was seen, and ends the log and the record stream.
    ///
    /// # Errors
    /// The log or the record stream cannot be written.
    pub(crate) fn finish(
        self,
        summary: Summary,
        ending: &Ending,
        ended: Timestamp,
    ) -> (Document, anyhow::Result<()>) {
        self.bar.clear();
        let document = document(&self.start, &self.library, self.fold, summary, ending, ended);
        let written = end(self.log, self.records, &document);
        (document, written)
    }

    fn take_in(&mut self, observation: &Observation) -> io::Result<()> {
        self.fold.push(observation);
        self.last = self.last.max(observation.at);
        match &mut self.records {
            Some(records) => records.observation(observation),
            None => Ok(()),
        }
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        match &mut self.log {
            Some(log) => log.write(record),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        match &mut self.records {
            Some(records) => records.flush(),
            None => Ok(()),
        }
    }
}

impl Watcher for Session {
    fn event(&mut self, event: Event, _: &Engine) -> io::Result<()> {
        self.take_event(event)
    }

    fn tick(&mut self, engine: &Engine) {
        self.bar.show(&engine.progress());
    }
}

/// Both are tried, whatever becomes of the other.
fn end(log: Option<LogWriter>, records: Option<Ndjson<Output>>, document: &Document) -> anyhow::Result<()> {
    let logged = log.map_or(Ok(()), |mut log| {
        log.write(&Record::End(Box::new(document.run.clone())))?;
        log.flush()
    });
    let recorded = records.map_or(Ok(()), |records| records.finish(document)?.finish());
    logged?;
    recorded
}

/// The names that the user gave, as something that was seen: they are names of these addresses if a host is there.
pub(crate) fn target_names(plan: &Plan, names: &[HostName]) -> Vec<Observation> {
    names
        .iter()
        .filter_map(|name| {
            let segment = plan.segments.iter().find(|segment| segment.addresses.contains(name.address))?;
            let seen = Seen::Name { name: name.name.clone(), source: name.source };
            Some(Observation {
                at: plan.epoch,
                segment: segment.id,
                address: name.address,
                method: Method::Dns,
                seen,
            })
        })
        .collect()
}

/// Makes the document of a run.
pub(crate) fn document(
    start: &Start,
    library: &Library,
    fold: Fold,
    mut summary: Summary,
    ending: &Ending,
    ended: Timestamp,
) -> Document {
    let makers = Makers::embedded();
    let registries = Registries { makers: &makers, library, service_name: &ports::service_name };
    let folded = fold.finish(&registries);
    for segment in &mut summary.segments {
        let counts = folded.segments.get(&segment.id).copied().unwrap_or_default();
        segment.present = counts.present;
        segment.phantoms = counts.phantoms;
    }
    Document::new(run(start, summary, ending, ended), folded.devices, folded.findings)
}

fn run(start: &Start, summary: Summary, ending: &Ending, ended: Timestamp) -> Run {
    let mut counters = summary.counters;
    ending.stats.complement(&mut counters);
    let miss_chance = summary.segments.iter().filter_map(|segment| segment.miss_chance).reduce(f64::max);
    let why = why_incomplete(ending, summary.complete, &summary.segments);
    let plan = &start.plan;
    let limits = &plan.limits;
    Run {
        id: start.id.clone(),
        version: start.version.clone(),
        command: start.command.clone(),
        host: start.host.clone(),
        privilege: start.privilege,
        seed: plan.seed,
        started: plan.epoch,
        ended,
        scope: plan.scope.clone(),
        methods: start.methods.clone(),
        skipped: start.skipped.clone(),
        ports: plan.ports.clone(),
        udp_ports: plan.udp_ports.clone(),
        rates: Rates {
            profile: start.profile.clone(),
            total: limits.total,
            per_host: limits.per_host,
            broadcast: limits.broadcast,
            backed_off: summary.backed_off,
        },
        segments: summary.segments,
        counters,
        completeness: Completeness { complete: why.is_none(), why, miss_chance },
    }
}

fn why_incomplete(ending: &Ending, complete: bool, segments: &[SegmentRecord]) -> Option<String> {
    if let Some(stopped) = &ending.stopped {
        return Some(stopped.clone());
    }
    if let Some(interface) = ending.stats.went_down.first() {
        return Some(format!("the interface {interface} went down"));
    }
    if ending.stats.lost > 0 {
        return Some(format!("{} frames could not be sent", ending.stats.lost));
    }
    if complete {
        return None;
    }
    let silent = segments.iter().find(|segment| !segment.complete);
    Some(match silent.and_then(|segment| segment.gateway) {
        Some(gateway) => format!("the router {gateway} did not answer"),
        None => "not every segment could be swept to its end".to_owned(),
    })
}
