//! One JSON record a line, written while the run goes on.

use std::io;

use headcount_model::{
    Device, Findings, MethodUse, Observation, PortSet, Privilege, Run, SCHEMA_VERSION, Scope, Skipped,
    Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Document,
    document::{generator, schema_of},
    json::json_line,
};

/// One line of the stream: first one `start`, then `observation`s as they are made, at the end the `device`s, the
/// `findings` and, last, the `run`. Without a `run` line the stream was cut short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The run begins.
    Start(Start),
    /// Something was seen.
    Observation(Observation),
    /// A device, after the last observation.
    Device(Device),
    /// What was found out about the network itself.
    Findings(Findings),
    /// What was done; the last line.
    Run(Run),
}

/// What is known of a run when it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The version of this form, as in `1.0`.
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub schema: String,
    /// The program that writes and its version.
    pub generator: String,
    /// Names the run.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// The command line, as given.
    pub command: Vec<String>,
    /// The host name of the machine that it runs on.
    pub host: Option<String>,
    /// What it can use of the system.
    pub privilege: Privilege,
    /// What it may touch.
    pub scope: Scope,
    /// The methods that run.
    pub methods: Vec<MethodUse>,
    /// The methods that do not run, and why.
    pub skipped: Vec<Skipped>,
    /// The TCP ports that present hosts are asked.
    pub ports: PortSet,
    /// The UDP ports that present hosts are asked.
    pub udp_ports: PortSet,
}

impl Start {
    /// What `run` knows at its beginning.
    pub fn of(run: &Run) -> Self {
        Self {
            schema: SCHEMA_VERSION.to_owned(),
            generator: generator(run),
            id: run.id.clone(),
            started: run.started,
            command: run.command.clone(),
            host: run.host.clone(),
            privilege: run.privilege,
            scope: run.scope.clone(),
            methods: run.methods.clone(),
            skipped: run.skipped.clone(),
            ports: run.ports.clone(),
            udp_ports: run.udp_ports.clone(),
        }
    }
}

/// The JSON Schema (draft 2020-12) of [`Record`].
pub fn record_schema() -> Value {
    schema_of::<Record>("record", "A line of a headcount stream", "One line of headcount's NDJSON output.")
}

/// As [`Record`], without a copy of what is written.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum Line<'a> {
    Start(&'a Start),
    Observation(&'a Observation),
    Device(&'a Device),
    Findings(&'a Findings),
    Run(&'a Run),
}

/// Writes the stream. It does not flush by itself: call [`Ndjson::flush`] whenever a reader waits.
#[derive(Debug)]
pub struct Ndjson<W> {
    out: W,
}

impl<W: io::Write> Ndjson<W> {
    /// A stream that goes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// The first line. `run` is the run as far as it is known when it begins.
    ///
    /// # Errors
    /// When the line cannot be written, as with all of these.
    pub fn start(&mut self, run: &Run) -> io::Result<()> {
        self.line(&Line::Start(&Start::of(run)))
    }

    /// Something was seen.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn observation(&mut self, observation: &Observation) -> io::Result<()> {
        self.line(&Line::Observation(observation))
    }

    /// The last lines: the devices, the findings, the run. Gives the flushed output back.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn finish(mut self, document: &Document) -> io::Result<W> {
        for device in &document.devices {
            self.line(&Line::Device(device))?;
        }
        self.line(&Line::Findings(&document.findings))?;
        self.line(&Line::Run(&document.run))?;
        self.flush()?;
        Ok(self.out)
    }

    /// Hands what was written so far to the reader.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        json_line(line, &mut self.out)
    }
}
