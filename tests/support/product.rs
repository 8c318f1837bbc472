//! Running `headcount` itself, as root and as an ordinary user, and reading what it writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{namespace::Namespace, process::Process};

/// The program under test.
pub(crate) const HEADCOUNT: &str = env!("CARGO_BIN_EXE_headcount");

/// The longest that a scan in the lab may take.
const LIMIT: Duration = Duration::from_secs(180);

/// An ordinary user's number, with no rights and no name ("nobody" nearly everywhere).
const NOBODY: u32 = 65534;

/// Who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// Root: raw sockets.
    Root,
    /// A user without a single capability.
    Nobody,
}

/// A directory of one run: the program, its home, its files.
pub(crate) struct Desk {
    directory: TempDir,
    user: User,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) error: String,
}

impl Desk {
    /// A desk for `user`, who can read the program and write here whatever the rights of the build directory are.
    pub(crate) fn new(user: User) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = directory.path().join("headcount");
        fs::copy(HEADCOUNT, &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let home = directory.path().join("home");
        fs::create_dir(&home).unwrap();
        if user == User::Nobody {
            chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { directory, user }
    }

    /// Where the captures of this run may lie: nothing of the program's is here.
    pub(crate) fn outside(&self) -> &Path {
        self.directory.path()
    }

    /// A file in the only directory that the program may write to.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("home").join(name)
    }

    /// The names of the files in that directory.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.directory.path().join("home")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Starts headcount inside `namespace`.
    pub(crate) fn start(&self, namespace: &Namespace, arguments: &[&str]) -> Process {
        let program = self.directory.path().join("headcount");
        let mut command = match self.user {
            User::Root => namespace.command(program),
            User::Nobody => {
                let mut command = namespace.command("setpriv");
                let id = NOBODY.to_string();
                command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--bounding-set=-all"]);
                command.args(["--inh-caps=-all", "--no-new-privs"]).arg(program);
                command
            }
        };
        let home = self.directory.path().join("home");
        clean(&mut command, &home).args(arguments);
        Process::start(command, self.directory.path(), "headcount")
    }

    /// Runs headcount inside `namespace` to its end.
    pub(crate) fn run(&self, namespace: &Namespace, arguments: &[&str]) -> Ended {
        finish(self.start(namespace, arguments))
    }

    /// Reads a JSON file that headcount wrote.
    pub(crate) fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.file(name)).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} is no JSON: {error}"))
    }
}

/// Waits for the end of a run.
pub(crate) fn finish(mut process: Process) -> Ended {
    let status = process.wait(LIMIT);
    Ended { code: status.code(), output: process.output(), error: process.error() }
}

/// Runs headcount here, where no test may give it a network to scan.
pub(crate) fn run_here(arguments: &[&str]) -> Ended {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(HEADCOUNT);
    clean(&mut command, home.path()).args(arguments);
    finish(Process::start(command, home.path(), "headcount"))
}

/// The JSON Schema that headcount prints.
pub(crate) fn schema() -> jsonschema::Validator {
    let ended = run_here(&["schema"]);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let schema: Value = serde_json::from_str(&ended.output).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Fails the test where `document` breaks the schema.
pub(crate) fn assert_valid(document: &Value) {
    let validator = schema();
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(errors.is_empty(), "the JSON breaks its schema: {errors:#?}");
}

/// No settings of whoever runs the tests reach the program.
fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("XDG_STATE_HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .current_dir(home)
        .stdin(Stdio::null())
}

/// A device of the JSON, as the tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The device's id in the run.
    pub(crate) id: String,
    /// It is the machine that scanned.
    pub(crate) this_machine: bool,
    /// The MAC address of the interface.
    pub(crate) mac: Option<String>,
    /// The interface's maker.
    pub(crate) maker: Option<String>,
    /// The MAC address names no maker.
    pub(crate) locally_administered: bool,
    /// Open TCP ports of the address.
    pub(crate) tcp: BTreeSet<u16>,
    /// Open UDP ports of the address.
    pub(crate) udp: BTreeSet<u16>,
    /// Why it counts as present.
    pub(crate) reasons: BTreeSet<String>,
    /// `state reason` of its TCP ports.
    pub(crate) states: BTreeSet<String>,
    /// Names by PTR.
    pub(crate) names: BTreeSet<String>,
}

/// Everything in the JSON, by address. Fails the test when an address is in two devices.
pub(crate) fn found(document: &Value) -> BTreeMap<Ipv4Addr, Found> {
    let mut all = BTreeMap::new();
    for device in list(&document["devices"]) {
        for interface in list(&device["interfaces"]) {
            for entry in list(&interface["addresses"]) {
                let address = text(&entry["address"]).unwrap();
                let found = found_at(device, interface, &address);
                assert!(all.insert(address.parse().unwrap(), found).is_none(), "{address} is in two devices");
            }
        }
    }
    all
}

/// The addresses of a device.
pub(crate) fn addresses(device: &Value) -> Vec<String> {
    let entries = list(&device["interfaces"]).iter().flat_map(|interface| list(&interface["addresses"]));
    entries.filter_map(|entry| text(&entry["address"])).collect()
}

fn found_at(device: &Value, interface: &Value, address: &str) -> Found {
    let here = |part: &str| -> Vec<&Value> {
        list(&device[part]).iter().filter(|item| item["address"] == address).collect()
    };
    let open = |transport: &str| {
        here("services")
            .into_iter()
            .filter(|service| service["transport"] == transport && service["state"] == "open")
            .map(|service| u16::try_from(service["port"].as_u64().unwrap()).unwrap())
            .collect()
    };
    Found {
        id: text(&device["id"]).unwrap(),
        this_machine: device["this_machine"].as_bool().unwrap(),
        mac: text(&interface["mac"]),
        maker: text(&interface["maker"]),
        locally_administered: interface["locally_administered"].as_bool().unwrap(),
        tcp: open("tcp"),
        udp: open("udp"),
        reasons: here("presence").into_iter().filter_map(|presence| text(&presence["reason"])).collect(),
        states: here("ports")
            .into_iter()
            .filter(|ports| ports["transport"] == "tcp")
            .map(|ports| [&ports["state"], &ports["reason"]].map(|part| part.as_str().unwrap()).join(" "))
            .collect(),
        names: here("names")
            .into_iter()
            .filter(|name| name["source"] == "ptr")
            .filter_map(|name| text(&name["name"]))
            .collect(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("not a list: {value}"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
