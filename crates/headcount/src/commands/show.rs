//! `headcount show`: a run log, rendered again.

use headcount_engine::{Engine, Summary};
use headcount_match::Fold;
use headcount_model::Instant;
use headcount_report::{Document, Ndjson};

use crate::{
    args::{Color, ShowArgs},
    exit::{self, Failure},
    log::Log,
    outputs::{Output, Outputs},
    session::{self, Ending},
    session_output,
};

/// Reads the log and writes what it says.
pub(super) fn run(args: &ShowArgs, color: Color) -> Result<u8, Failure> {
    let log = Log::read(&args.file).map_err(Failure::Usage)?;
    let mut outputs = Outputs::open(&args.output).map_err(Failure::Usage)?;
    let document = document(&log);
    if let Some(output) = outputs.ndjson.take() {
        session_output::tolerate_closed_pipe(records(output, &log, &document))?;
    }
    session_output::write(outputs, &document, color)?;
    Ok(exit::OK)
}

fn records(output: Output, log: &Log, document: &Document) -> anyhow::Result<()> {
    let mut records = Ndjson::new(output);
    records.start(&document.run)?;
    let names = session::target_names(&log.start.plan, &log.start.names);
    names.iter().chain(&log.observations).try_for_each(|observation| records.observation(observation))?;
    records.finish(document)?.finish()
}

/// The document of a log; a run that was cut off is shown as far as it came.
fn document(log: &Log) -> Document {
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
    let mut document = session::document(&log.start, fold, summary, &ending, log.last);
    if let Some(run) = ended_well {
        document.run = run;
    }
    document
}
