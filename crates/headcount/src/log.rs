//! The run log: what a run saw, written as it sees it. It is the truth: every report can be made from it again, and a
//! run that was cut off goes on from it.
//!
//! One JSON record a line. The first says what the run is to do; observations and checkpoints follow; the last, when
//! the run came to an end, is its own record. A line that a crash cut short is left out by the reader.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use headcount_engine::{Checkpoint, Plan};
use headcount_model::{HostName, MethodUse, Observation, Privilege, Run, SCHEMA_VERSION, Skipped, Timestamp};
use serde::{Deserialize, Serialize};

/// What a run is to do, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The version of the log's form: [`SCHEMA_VERSION`].
    pub schema: String,
    /// The run's id.
    pub id: String,
    /// The version of headcount.
    pub version: String,
    /// The command line.
    pub command: Vec<String>,
    /// The machine's host name.
    pub host: Option<String>,
    /// What it can use of the system.
    pub privilege: Privilege,
    /// The profile that the limits come from.
    pub profile: String,
    /// The methods that run.
    pub methods: Vec<MethodUse>,
    /// The methods that do not run.
    pub skipped: Vec<Skipped>,
    /// Names that the user gave as targets.
    pub names: Vec<HostName>,
    /// The name servers that the user chose; none: the system's.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
    /// The plan itself.
    pub plan: Plan,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(crate) enum Record {
    /// The run begins.
    Start(Box<Start>),
    /// A later process goes on with it.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// Something was seen.
    Observation(Observation),
    /// Something a user should know.
    Warning {
        /// What.
        text: String,
    },
    /// It can be resumed from here.
    Checkpoint {
        /// When.
        at: Timestamp,
        /// How far it had got.
        checkpoint: Checkpoint,
    },
    /// It came to an end, complete or not.
    End(Box<Run>),
}

/// A log as read back.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// What the run is to do.
    pub start: Start,
    /// What was seen, in order.
    pub observations: Vec<Observation>,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// The last point to resume from.
    pub checkpoint: Checkpoint,
    /// When the last line was written, as far as the lines tell.
    pub last: Timestamp,
    /// The run's own record, if it came to an end.
    pub end: Option<Run>,
    /// Bytes up to the end of the last whole line.
    whole: u64,
}

/// The longest line that the reader takes.
const MAX_LINE: usize = 64 << 20;

impl Log {
    /// Reads a log.
    ///
    /// # Errors
    /// It cannot be read, is no run log, or was written by a later version with another form.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut log = Self::first(path, &mut reader, &mut line)?;
        let mut number = 1;
        loop {
            number += 1;
            line.clear();
            let length =
                read_line(&mut reader, &mut line).with_context(|| format!("{name}, line {number}"))?;
            if length == 0 || line.last() != Some(&b'\n') {
                return Ok(log);
            }
            let record =
                serde_json::from_slice(&line).with_context(|| format!("{name}, line {number} is broken"))?;
            log.add(record);
            log.whole += length as u64;
        }
    }

    fn first(path: &Path, reader: &mut impl BufRead, line: &mut Vec<u8>) -> anyhow::Result<Self> {
        let name = path.display();
        let length = read_line(reader, line).with_context(|| format!("cannot read {name}"))?;
        let record =
            serde_json::from_slice(line).map_err(|_| anyhow!("{name} is not a run log of headcount"))?;
        let Record::Start(start) = record else {
            bail!("{name} is not a run log of headcount: it does not begin with a start")
        };
        if major(&start.schema) != major(SCHEMA_VERSION) {
            bail!("{name} has form {}, and this version reads {SCHEMA_VERSION}", start.schema);
        }
        let last = start.plan.epoch;
        Ok(Self {
            start: *start,
            observations: Vec::new(),
            warnings: Vec::new(),
            checkpoint: Checkpoint::default(),
            last,
            end: None,
            whole: length as u64,
        })
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Observation(observation) => {
                self.last = self.last.max(observation.at);
                self.observations.push(observation);
            }
            Record::Checkpoint { at, checkpoint } => {
                self.last = self.last.max(at);
                self.checkpoint = checkpoint;
            }
            Record::Warning { text } => self.warnings.push(text),
            Record::End(run) => {
                self.last = self.last.max(run.ended);
                self.end = Some(*run);
            }
            Record::Resumed { at } => {
                self.last = self.last.max(at);
                self.end = None;
            }
            Record::Start(_) => {}
        }
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> anyhow::Result<usize> {
    let length = io::Read::take(&mut *reader, MAX_LINE as u64).read_until(b'\n', line)?;
    if length == MAX_LINE { Err(anyhow!("a line is longer than 64 MiB")) } else { Ok(length) }
}

/// Writes a log as the run goes.
#[derive(Debug)]
pub(crate) struct LogWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl LogWriter {
    /// A new log.
    ///
    /// # Errors
    /// The file exists already or cannot be made.
    pub(crate) fn create(path: &Path, start: Start) -> anyhow::Result<Self> {
        let name = path.display();
        let file = OpenOptions::new().write(true).create_new(true).open(path).with_context(|| {
            format!("cannot make the run log {name} (--log names another, --no-log does without)")
        })?;
        let mut writer = Self { path: path.to_owned(), file: BufWriter::new(file) };
        writer.write(&Record::Start(Box::new(start)))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Goes on writing a log that was read; a last line that was cut short is cut off.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn append(path: &Path, log: &Log, at: Timestamp) -> anyhow::Result<Self> {
        let name = path.display();
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(log.whole)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().with_context(|| format!("cannot go on writing the run log {name}"))?;
        let mut writer = Self { path: path.to_owned(), file: BufWriter::new(file) };
        writer.write(&Record::Resumed { at })?;
        writer.flush()?;
        Ok(writer)
    }

    /// The log's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record; it reaches the file at the next [`LogWriter::flush`] at the latest.
    ///
    /// # Errors
    /// The file cannot be written (a full disk).
    pub(crate) fn write(&mut self, record: &Record) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, record)?;
        self.file.write_all(b"\n")
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where run logs go by default: `$XDG_STATE_HOME/headcount/runs`, `~/.local/state/headcount/runs`, or
/// `/var/lib/headcount/runs` for a user without a home. `became` is the user that the process turned into when it
/// dropped root's privileges; the environment is still root's then.
pub(crate) fn default_folder(became: Option<u32>) -> PathBuf {
    base_folder(became, "XDG_STATE_HOME", ".local/state").join("headcount/runs")
}

/// Where the register is by default: `$XDG_DATA_HOME/headcount/register.db`, `~/.local/share/headcount/register.db`, or
/// `/var/lib/headcount/register.db`.
pub(crate) fn default_register(became: Option<u32>) -> PathBuf {
    base_folder(became, "XDG_DATA_HOME", ".local/share").join("headcount/register.db")
}

fn base_folder(became: Option<u32>, variable: &str, within_home: &str) -> PathBuf {
    let base = match became {
        Some(user) => home_of(user).map(|home| home.join(within_home)),
        None => {
            let from =
                |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
            let base = from(variable).filter(|path| path.is_absolute());
            base.or_else(|| from("HOME").map(|home| home.join(within_home)))
        }
    };
    base.unwrap_or_else(|| PathBuf::from("/var/lib"))
}

/// passwd(5): the third field is the user, the sixth its home.
fn home_of(user: u32) -> Option<PathBuf> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let own = fields.get(2)?.parse() == Ok(user);
        let home = fields.get(5).filter(|home| own && home.starts_with('/'))?;
        Some(PathBuf::from(home))
    })
}
