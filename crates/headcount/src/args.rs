//! The command line as typed.

mod gap;

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use headcount_model::PortSet;

use crate::{exit, profile::ProfileName};

pub(crate) use gap::{ExpectArgs, GapArgs};

/// Finds every device on a network.
///
/// headcount asks who is there (ARP, ICMP echo, TCP SYN, UDP), keeps to the scope that it was given and to rates that
/// small devices stand, never logs in, never writes to a printing port, and says of each device how it is known.
#[derive(Debug, Parser)]
#[command(name = "headcount", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more about what happens, on stderr (-vv, -vvv: what the libraries beneath say too).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find every device in a scope.
    Scan(Box<ScanArgs>),
    /// Render a run log again, in any format.
    Show(ShowArgs),
    /// Say why a device is thought to be what it is, from the bytes that it sent on.
    Explain(ExplainDeviceArgs),
    /// Sweep a simulated office on a network of its own, beside what is really there.
    Demo(DemoArgs),
    /// Say what this machine and user can do, what is lost, and how to get it.
    Doctor,
    /// Print the JSON Schema of the output.
    Schema(SchemaArgs),
    /// Say what devices are, from what other programs heard them say: JSON Lines on stdin, JSON Lines on stdout.
    Identify(IdentifyArgs),
    /// The register: which devices there are over time. Take runs in, list, put right what it took for one device.
    Register(RegisterArgs),
    /// What changed between two runs of the register; exit code 1 if anything did.
    Diff(DiffArgs),
    /// What is expected against what was found; exit code 1 if there is more than is expected.
    ///
    /// A device of the list and one of the register are the same by their serial number, else by a MAC address, else by
    /// a name; one that only has an address in common is ambiguous. The gap is the devices that nobody expects, in per
    /// cent of those that are expected.
    Gap(GapArgs),
    /// Look into the library of fingerprints, check it.
    Fingerprints(FingerprintsArgs),
    /// Play a random network on an interface, for benchmarks.
    #[command(hide = true)]
    Play(PlayArgs),
}

/// `headcount scan`.
#[derive(Args, Debug)]
#[command(after_help = exit::HELP)]
pub(crate) struct ScanArgs {
    /// Whom to look for: 10.0.0.0/24, 10.0.0.5, 10.0.0.5-90, 10.0.0.5-10.0.1.9, a host name, @FILE, or - for stdin.
    /// Without any: the subnets attached to this machine.
    #[arg(value_name = "TARGET", allow_hyphen_values = false)]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[command(flatten)]
    pub what: WhatArgs,
    #[command(flatten)]
    pub probes: ProbeArgs,
    #[command(flatten)]
    pub care: CareArgs,
    #[command(flatten)]
    pub names: NameArgs,
    #[command(flatten)]
    pub library: LibraryArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub log: LogArgs,
    /// Take the run into the register when it is over.
    #[arg(long, help_heading = "Register")]
    pub register: bool,
    #[command(flatten)]
    pub db: DbArgs,
    /// Print what would be sent, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Use nothing that needs a privilege, even where it is there.
    #[arg(long)]
    pub unprivileged: bool,
    /// The seed of every random choice: the same seed asks in the same order.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Which register.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Register")]
pub(crate) struct DbArgs {
    /// The register's file; what takes something in makes it where there is none. Default: headcount/register.db in
    /// the user's data directory.
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// `headcount register`.
#[derive(Args, Debug)]
pub(crate) struct RegisterArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RegisterCommand,
}

/// `headcount register …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RegisterCommand {
    /// Take runs in from their logs, named by today's fingerprints, or from their JSON, as it is. A run that is there
    /// already changes nothing.
    ImportLog(ImportLogArgs),
    /// Take in the list of what the organisation believes that it has: CSV, JSON, or an export of Snipe-IT, NetBox,
    /// GLPI or ServiceNow.
    Expect(ExpectArgs),
    /// List the devices.
    List(ListAssetsArgs),
    /// Make a key stand for a device, whatever else speaks against it; everything is taken in again with that.
    Pin(PinArgs),
    /// Take a pin back.
    Unpin(UnpinArgs),
    /// Make two devices one: all keys of the second are pinned to the first.
    Merge(MergeArgs),
}

/// `headcount register import-log`.
#[derive(Args, Debug)]
pub(crate) struct ImportLogArgs {
    /// Run logs, or the JSON of runs.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub library: LibraryArgs,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount register list`.
#[derive(Args, Debug)]
pub(crate) struct ListAssetsArgs {
    /// Print JSON Lines, one device a line with all that is known.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount register pin`.
#[derive(Args, Debug)]
pub(crate) struct PinArgs {
    /// The key, as `list --json` shows it: its kind, a colon, its value: mac:00:11:22:33:44:55.
    #[arg(value_name = "KEY", value_parser = key)]
    pub key: headcount_register::Key,
    /// The device's id.
    #[arg(value_name = "DEVICE")]
    pub device: String,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount register unpin`.
#[derive(Args, Debug)]
pub(crate) struct UnpinArgs {
    /// The key.
    #[arg(value_name = "KEY", value_parser = key)]
    pub key: headcount_register::Key,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount register merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The id of the device that stays.
    #[arg(value_name = "INTO")]
    pub into: String,
    /// The id of the device that is the same.
    #[arg(value_name = "FROM")]
    pub from: String,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount diff`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes:\n  0    nothing changed\n  1    something changed\n  2    bad input: no such run, unlike scopes"
)]
pub(crate) struct DiffArgs {
    /// The run before [default: the last but one].
    #[arg(value_name = "A")]
    pub before: Option<String>,
    /// The run after [default: the last].
    #[arg(value_name = "B")]
    pub after: Option<String>,
    /// Compare runs of unlike scopes too.
    #[arg(long)]
    pub any_scope: bool,
    /// Print JSON Lines, one change a line.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub db: DbArgs,
}

/// What may be touched.
#[derive(Args, Debug)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeArgs {
    /// Only through this interface; without targets, its subnets.
    #[arg(short, long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Never touch these (as targets, parted by commas). Exclusion always wins.
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Never touch what this file lists.
    #[arg(long, value_name = "FILE")]
    pub exclude_file: Vec<PathBuf>,
    /// Allow public addresses.
    #[arg(long)]
    pub allow_public: bool,
    /// Allow more addresses than a /16 has.
    #[arg(long)]
    pub allow_large: bool,
}

/// What hosts are asked about themselves.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Probes")]
pub(crate) struct ProbeArgs {
    /// Ask no host about itself: only who is there and which ports are open.
    #[arg(long)]
    pub no_probes: bool,
    /// Also ask what only sturdy devices stand: SMB, RDP, IPP, Redis, MQTT and others of the careful class. Nobody is
    /// logged in with these either.
    #[arg(long, conflicts_with = "no_probes")]
    pub careful: bool,
    /// The read community that SNMP is asked with. That "public" is answered is itself an exposure.
    #[arg(long, value_name = "NAME", default_value = "public", hide_default_value = false)]
    pub snmp_community: String,
    /// Ask SNMP only for its engine id, with no community.
    #[arg(long, conflicts_with = "snmp_community")]
    pub no_snmp_community: bool,
}

/// What is asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "Questions")]
pub(crate) struct WhatArgs {
    /// TCP ports that every present host is asked: 22,80-90 or - for all or none. Default: about 120 ports of the
    /// devices that headcount is for.
    #[arg(short, long, value_name = "PORTS", value_parser = ports, allow_hyphen_values = true, conflicts_with = "top_ports")]
    pub ports: Option<PortSet>,
    /// The N most telling of the default TCP ports.
    #[arg(long, value_name = "N")]
    pub top_ports: Option<usize>,
    /// UDP ports that every present host is asked, each in its own protocol: some of 53,123,137,161,1900,5353, or none.
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    pub udp_ports: Option<PortSet>,
    /// TCP ports that addresses behind a router are asked to find out who is there. Default: all of --ports where
    /// that takes no longer than some minutes, else the 12 most telling.
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    pub discovery_ports: Option<PortSet>,
    /// Send no ICMP echo requests.
    #[arg(long)]
    pub no_echo: bool,
    /// Only find out who is there: no ports.
    #[arg(long, conflicts_with_all = ["ports", "top_ports", "udp_ports"])]
    pub discover_only: bool,
}

/// How gently.
#[derive(Args, Debug)]
#[command(next_help_heading = "Care")]
pub(crate) struct CareArgs {
    /// A set of limits.
    #[arg(long, value_name = "NAME", default_value = "standard")]
    pub profile: ProfileName,
    /// Packets a second in all [standard: 1000].
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// Packets a second to any one host [standard: 40].
    #[arg(long, value_name = "N", value_parser = rate)]
    pub host_rate: Option<f64>,
    /// Broadcasts a second on any one segment [standard: 800].
    #[arg(long, value_name = "N", value_parser = rate)]
    pub broadcast_rate: Option<f64>,
    /// Passes over silent addresses at the most [standard: 16]. Fewer are made when the controls say that nobody is
    /// left to be found.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub passes: Option<u32>,
}

/// Names.
#[derive(Args, Debug)]
#[command(next_help_heading = "Names")]
pub(crate) struct NameArgs {
    /// Ask this name server instead of the system's.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_dns")]
    pub dns: Vec<IpAddr>,
    /// Look up no names.
    #[arg(long)]
    pub no_dns: bool,
}

/// Where results go.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Write JSON (see `headcount schema`); - for stdout.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write JSON records, one a line, as they are found; - for stdout.
    #[arg(long, value_name = "FILE")]
    pub ndjson: Option<PathBuf>,
    /// Write a table as CSV, one row an address; - for stdout.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write what devices said that are not fully named, without addresses, serial numbers and names of their own: JSON
    /// Lines as `headcount identify` reads them; - for stdout. Made to be shared, after a look into it.
    #[arg(long, value_name = "FILE")]
    pub unknown: Option<PathBuf>,
    /// Print no table and no progress.
    #[arg(short, long)]
    pub quiet: bool,
}

/// The run log.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Run log")]
pub(crate) struct LogArgs {
    /// Where to write the run log. Default: a new file in the state directory.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub log: Option<PathBuf>,
    /// Write no run log: the run cannot be resumed or shown again.
    #[arg(long, conflicts_with_all = ["log", "resume"])]
    pub no_log: bool,
    /// Go on with the run of this log where it stopped; scope, questions and limits are those of the log.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "interface", "exclude", "exclude_file", "ports", "top_ports", "udp_ports", "discovery_ports", "no_echo", "discover_only", "profile", "rate", "host_rate", "broadcast_rate", "passes", "seed", "dry_run", "unprivileged"])]
    pub resume: Option<PathBuf>,
}

/// `headcount show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A run log, or the JSON of a run.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub library: LibraryArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `headcount explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainDeviceArgs {
    /// A run log, or the JSON of a run.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The device: its id, an address, a MAC address or a name.
    #[arg(value_name = "DEVICE")]
    pub device: String,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// `headcount demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub log: DemoLogArgs,
    /// A set of limits.
    #[arg(long, value_name = "NAME", default_value = "standard")]
    pub profile: ProfileName,
    /// The seed of every random choice.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Use nothing that needs a privilege inside the demo's network.
    #[arg(long)]
    pub unprivileged: bool,
    /// Do not make a network: run in pure simulation, under virtual time.
    #[arg(long)]
    pub simulate: bool,
}

/// The demo's run log.
#[derive(Args, Debug)]
#[command(next_help_heading = "Run log")]
pub(crate) struct DemoLogArgs {
    /// Where to write the run log. Default: nowhere.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

/// `headcount schema`.
#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// The schema of one record of --ndjson instead of that of --json.
    #[arg(long)]
    pub ndjson: bool,
}

/// Which fingerprints to use.
#[derive(Args, Debug)]
#[command(next_help_heading = "Fingerprints")]
pub(crate) struct LibraryArgs {
    /// Fingerprints of your own (headcount's format, or Recog's XML); they replace those of the same ids.
    #[arg(long, value_name = "DIR")]
    pub fingerprints: Vec<PathBuf>,
    /// Only your own, without those that are compiled in.
    #[arg(long, requires = "fingerprints")]
    pub without_embedded: bool,
}

/// `headcount identify`.
///
/// A line of input is {"id": …, "observations": [{"field": "http.server", "value": "…"}, …]}; bytes that are no UTF-8
/// are written as \\udc80 to \\udcff. A line of output, in the same order, is {"id", "attributes": {name: {"value",
/// "confidence", "evidence"}}, "exposures"}, or {"id": null, "error"} for a line that cannot be read.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes:\n  0    done\n  1    done, but some lines could not be read\n  2    bad input or settings"
)]
pub(crate) struct IdentifyArgs {
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// `headcount fingerprints`.
#[derive(Args, Debug)]
pub(crate) struct FingerprintsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: FingerprintsCommand,
}

/// `headcount fingerprints …`.
#[derive(Debug, Subcommand)]
pub(crate) enum FingerprintsCommand {
    /// Try every example against all fingerprints of its field; exit code 1 where something is wrong.
    Check(CheckArgs),
    /// List the fields and how many fingerprints each has, or the fingerprints of one field.
    List(ListArgs),
    /// Show one fingerprint, rule or exposure: what it matches, what that says, where the fact comes from.
    Explain(ExplainArgs),
    /// Measure how often the answers are right on observations whose answers are known.
    Score(ScoreArgs),
}

/// `headcount fingerprints check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The directory to check; without it, the library that is compiled in.
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Check this directory of Recog's XML files against its own examples instead.
    #[arg(long, value_name = "DIR", conflicts_with = "directory")]
    pub recog: Option<PathBuf>,
}

/// `headcount fingerprints list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// The fingerprints of this field.
    #[arg(long, value_name = "FIELD")]
    pub field: Option<String>,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// `headcount fingerprints explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The whole id: http.server/ID, rule/ID, exposure/ID.
    pub id: String,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// `headcount fingerprints score`.
///
/// A line of a file is {"kind": "http.server", "input": "…", "truth": {"vendor", "product", "device_type", "version",
/// …}, "visible": ["product", …]}; product and version count only where they are visible in the input. Of each kind of
/// observation the output has recall and precision, then the means, then how confident claims were against how often
/// they were right.
#[derive(Args, Debug)]
pub(crate) struct ScoreArgs {
    /// Files of such lines.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Also list the fingerprints that were wrong more often than they said they would be; exit code 1 where there are
    /// any.
    #[arg(long)]
    pub too_wide: bool,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// `headcount play`.
#[derive(Args, Debug)]
pub(crate) struct PlayArgs {
    /// The interface to play on; it needs no address.
    #[arg(long)]
    pub interface: String,
    /// The subnet to play.
    #[arg(long, default_value = "10.77.0.0/24")]
    pub network: ipnetwork::Ipv4Network,
    /// Per cent of its addresses that are alive.
    #[arg(long, default_value_t = 30.0)]
    pub density: f64,
    /// The seed of who is alive.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write who is alive, before the first packet: `ADDRESS MAC` lines.
    #[arg(long)]
    pub truth: PathBuf,
    /// Per cent of frames lost each way.
    #[arg(long, default_value_t = 0.0)]
    pub loss: f64,
    /// Round-trip time in microseconds.
    #[arg(long, default_value_t = 400)]
    pub latency_us: u64,
}

fn ports(text: &str) -> Result<PortSet, headcount_model::ParsePortsError> {
    if text == "none" { Ok(PortSet::new()) } else { text.parse() }
}

fn key(text: &str) -> Result<headcount_register::Key, String> {
    let kinds = headcount_register::KeyKind::ALL;
    let (kind, value) = text.split_once(':').ok_or("write the kind of the key, a colon, and its value")?;
    let known = kinds.into_iter().find(|known| known.as_str() == kind);
    let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    let kind = known.ok_or_else(|| format!("{kind:?} is no kind of key; there are {}", names.join(", ")))?;
    Ok(headcount_register::Key { kind, value: value.trim().to_lowercase() })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it must be a number of packets a second".to_owned())?;
    if (0.1..=100_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("it must be from 0.1 to 100000000 packets a second".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn all_ports_may_be_written_as_nmap_does() {
        let cli = Cli::try_parse_from(["headcount", "scan", "-p-", "10.0.0.1"]).unwrap();
        let Command::Scan(scan) = cli.command else { panic!("not a scan") };
        assert_eq!(scan.what.ports.unwrap().len(), 65_535);
        assert_eq!(scan.targets, ["10.0.0.1"]);
    }

    #[test]
    fn bad_values_are_refused() {
        for arguments in
            [["--ports", "70000"], ["--rate", "0"], ["--rate", "NaN"], ["--passes", "0"], ["--dns", "nobody"]]
        {
            let line = ["headcount", "scan", "10.0.0.1"].into_iter().chain(arguments);
            assert!(Cli::try_parse_from(line).is_err(), "{arguments:?}");
        }
    }
}
