//! Network namespaces that end with the test, and joints between them.

use std::{
    collections::BTreeSet,
    fs,
    net::Ipv4Addr,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    NotRun, need,
    process::{quiet, run_with},
};

const PREFIX: &str = "headcount-test-";

/// A network namespace of this test run. It has no interface but `lo` until one is joined to it, and no IPv6.
pub(crate) struct Namespace {
    name: String,
}

/// Packets that went through an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    /// Into the namespace.
    pub(crate) received: u64,
    /// Out of it.
    pub(crate) sent: u64,
}

/// The sockets of a namespace that wait for somebody, as its kernel lists them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// TCP ports in the state "listen".
    pub(crate) tcp: BTreeSet<u16>,
    /// UDP ports that are bound and not connected.
    pub(crate) udp: BTreeSet<u16>,
}

impl Namespace {
    /// A new one; `role` is part of its name.
    pub(crate) fn new(role: &str) -> Result<Self, NotRun> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", process::id());
        run_with(ip(&["netns", "add", &name]), "").map_err(NotRun)?;
        let namespace = Self { name };
        namespace.write_sysctl("net/ipv6/conf/all/disable_ipv6", "1")?;
        namespace.write_sysctl("net/ipv6/conf/default/disable_ipv6", "1")?;
        namespace.ip("link set lo up\n");
        Ok(namespace)
    }

    /// A command that runs inside; it becomes the program itself, so the child's id is the program's.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = ip(&["netns", "exec", &self.name]);
        command.arg(program);
        command
    }

    /// Runs lines of `ip` inside and fails the test when one fails.
    pub(crate) fn ip(&self, lines: &str) {
        run_with(ip(&["-n", &self.name, "-batch", "-"]), lines).unwrap();
    }

    /// What one `ip` command shows inside.
    pub(crate) fn show(&self, arguments: &[&str]) -> String {
        let mut command = ip(&["-n", &self.name]);
        command.args(arguments);
        run_with(command, "").unwrap()
    }

    /// Loads rules of nftables inside.
    pub(crate) fn filter(&self, rules: &str) {
        let mut command = self.command("nft");
        command.args(["-f", "-"]);
        run_with(command, rules).unwrap();
    }

    /// Sets a kernel parameter inside. A kernel without it (no IPv6 at all) has nothing to set.
    pub(crate) fn write_sysctl(&self, key: &str, value: &str) -> Result<(), NotRun> {
        let mut command = self.command("sh");
        command.args([
            "-c",
            "test ! -e \"/proc/sys/$1\" || echo \"$2\" > \"/proc/sys/$1\"",
            "sh",
            key,
            value,
        ]);
        run_with(command, "").map(drop).map_err(NotRun)
    }

    /// What `eth0` has counted so far.
    pub(crate) fn counters(&self) -> Counters {
        let mut command = self.command("cat");
        command.arg("/proc/net/dev");
        let table = run_with(command, "").unwrap();
        let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:")).unwrap();
        let columns: Vec<u64> = line.split_whitespace().map(|column| column.parse().unwrap()).collect();
        // Eight columns about receiving, then eight about sending; packets are the second of each.
        Counters { received: columns[1], sent: columns[9] }
    }

    /// The sockets inside that wait for somebody.
    pub(crate) fn sockets(&self) -> Sockets {
        let table = |files: &[&str]| {
            let mut command = self.command("cat");
            command.args(files);
            // The files of IPv6 may be missing.
            let output = command.output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        Sockets {
            tcp: ports(&table(&["/proc/net/tcp", "/proc/net/tcp6"]), "0A"),
            udp: ports(&table(&["/proc/net/udp", "/proc/net/udp6"]), "07"),
        }
    }

    /// Fails the test unless the interfaces are exactly these and no default route exists.
    pub(crate) fn assert_closed(&self, interfaces: &[&str]) {
        let links = self.show(&["-o", "link"]);
        let found: BTreeSet<_> = links
            .lines()
            .filter_map(|line| line.split(": ").nth(1))
            .map(|name| name.split('@').next().unwrap_or(name))
            .collect();
        let wanted: BTreeSet<_> = interfaces.iter().copied().chain(["lo"]).collect();
        assert_eq!(found, wanted, "interfaces of {}", self.name);
        let routes = self.show(&["route", "show", "default"]);
        assert_eq!(routes.trim(), "", "{} has a way out", self.name);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Joins `interface` of `host` to a new port of the bridge `bridge` in `switch`.
pub(crate) fn join(host: &Namespace, interface: &str, mac: &str, switch: &Namespace, bridge: &str) {
    static PORT: AtomicU32 = AtomicU32::new(0);
    let port = format!("port{}", PORT.fetch_add(1, Ordering::Relaxed));
    host.ip(&format!(
        "link add {interface} address {mac} type veth peer name {port} netns {}\nlink set {interface} up\n",
        switch.name
    ));
    switch.ip(&format!("link set {port} master {bridge} up\n"));
}

/// Says why namespaces cannot be made here, and removes those that a killed run has left behind.
pub(crate) fn prepare() -> Result<(), NotRun> {
    need(&["ip"])?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root =
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    if !root {
        return Err(NotRun("making network namespaces with hosts in them needs root".into()));
    }
    for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&name);
        }
    }
    Ok(())
}

/// Ends whatever still runs inside, then removes the namespace; its interfaces go with it.
fn remove(name: &str) {
    let inside = ip(&["netns", "pids", name]).output();
    let inside =
        inside.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let pids: Vec<_> = inside.split_whitespace().collect();
    if !pids.is_empty() {
        let _ = quiet("kill").arg("-KILL").args(pids).status();
    }
    let _ = quiet("ip").args(["netns", "del", name]).status();
}

fn ip(arguments: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(arguments);
    command
}

/// Local ports of a socket table in `/proc/net` whose fourth column is `state`, without those bound to loopback.
fn ports(table: &str, state: &str) -> BTreeSet<u16> {
    table
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let (address, port) = columns.nth(1)?.split_once(':')?;
            (columns.nth(1)? == state && !is_loopback(address))
                .then(|| u16::from_str_radix(port, 16).ok())
                .flatten()
        })
        .collect()
}

/// The table shows IPv4 addresses as one number in the machine's own byte order.
fn is_loopback(hex: &str) -> bool {
    match u32::from_str_radix(hex, 16) {
        Ok(number) => Ipv4Addr::from(number.to_ne_bytes()).is_loopback(),
        Err(_) => hex == "00000000000000000000000001000000",
    }
}
