//! `headcount show`: a run log, or the JSON of a run, rendered again.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::bail;
use headcount_engine::{Engine, Summary};
use headcount_match::{Fold, Library};
use headcount_model::{Instant, Observation, SCHEMA_VERSION};
use headcount_report::{Document, Ndjson};

use super::fingerprints::files;
use crate::{
    args::{Color, LibraryArgs, ShowArgs},
    exit::{self, Failure},
    log::Log,
    outputs::{Output, Outputs},
    session::{self, Ending},
    session_output,
};

/// Reads the log and writes what it says.
pub(super) fn run(args: &ShowArgs, color: Color) -> Result<u8, Failure> {
    let library = files::library(&args.library)?;
    let recorded = read(&args.file, &library, &args.library).map_err(Failure::Usage)?;
    let mut outputs = Outputs::open(&args.output).map_err(Failure::Usage)?;
    if let Some(output) = outputs.ndjson.take() {
        session_output::tolerate_closed_pipe(records(output, &recorded))?;
    }
    session_output::write(outputs, &recorded.document, color)?;
    Ok(exit::OK)
}

/// A run as it was recorded.
pub(super) struct Recorded {
    /// What it found.
    pub(super) document: Document,
    /// What it saw; a JSON document does not tell.
    observations: Vec<Observation>,
}

/// Reads a run log, whose devices `library` names, or the JSON document of a run, which stays as it is.
///
/// # Errors
/// It cannot be read or is neither; fingerprints of the user's own (`own`) are given for a document, which they would not
/// change.
pub(super) fn read(path: &Path, library: &Library, own: &LibraryArgs) -> anyhow::Result<Recorded> {
    let log = match Log::read(path) {
        Ok(log) => log,
        Err(error) => {
            let document = read_document(path)?.ok_or(error)?;
            if !own.fingerprints.is_empty() {
                bail!(
                    "--fingerprints: {} is the JSON of a run, whose devices are named already; give its run log",
                    path.display()
                );
            }
            return Ok(Recorded { document, observations: Vec::new() });
        }
    };
    let document = document(&log, library);
    let names = session::target_names(&log.start.plan, &log.start.names);
    Ok(Recorded { document, observations: names.into_iter().chain(log.observations).collect() })
}

/// The JSON document in the file; `None` where there is none.
fn read_document(path: &Path) -> anyhow::Result<Option<Document>> {
    let Ok(file) = File::open(path) else { return Ok(None) };
    let Ok(document) = serde_json::from_reader::<_, Document>(BufReader::new(file)) else { return Ok(None) };
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(&document.schema) != major(SCHEMA_VERSION) {
        bail!("{} has form {}, and this version reads {SCHEMA_VERSION}", path.display(), document.schema);
    }
    Ok(Some(document))
}

fn records(output: Output, recorded: &Recorded) -> anyhow::Result<()> {
    let mut records = Ndjson::new(output);
    records.start(&recorded.document.run)?;
    recorded.observations.iter().try_for_each(|observation| records.observation(observation))?;
    records.finish(&recorded.document)?.finish()
}

/// The document of a log; a run that was cut off is shown as far as it came.
fn document(log: &Log, library: &Library) -> Document {
    let ended_well = log.end.clone();
    let summary = match &ended_well {
        Some(run) => Summary {
            segments: run.segments.clone(),
            counters: run.counters,
            backed_off: run.rates.backed_off,
            complete: run.completeness.complete,
        },
        // The engine itself knows what a checkpoint says of its segments.
        None => Engine::resume(log.start.plan.clone(), Instant::ZERO, &log.observations, &log.checkpoint)
            .summary(),
    };
    let mut fold = Fold::new(&summary.segments);
    let names = session::target_names(&log.start.plan, &log.start.names);
    names.iter().chain(&log.observations).for_each(|observation| fold.push(observation));
    let ending = Ending { stopped: Some("the run was cut off".to_owned()), ..Ending::default() };
    let mut document = session::document(&log.start, library, fold, summary, &ending, log.last);
    if let Some(run) = ended_well {
        document.run = run;
    }
    document
}
