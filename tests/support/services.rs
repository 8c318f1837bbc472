//! A LAN of real daemons: each script of `tests/services` is a host with an address of its own.
//!
//! The scripts say what they need and what they open; the benchmark against peers makes its LAN from the same ones.
//! A bridge joins the hosts. Nothing leads out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    NotRun,
    namespace::{self, Namespace, join},
    need,
    process::{Process, run_with},
    program, repository, until,
};

/// The network.
pub(crate) const NETWORK: &str = "10.92.0.0/24";
/// The last octet of the first host's address.
const FIRST: u8 = 11;

/// Each daemon has a /run of its own, so that it meets no other one's pid file and leaves none. `ip netns exec` gives
/// the process its own mounts.
const PRELUDE: &str = "mount -t tmpfs -o mode=755 tmpfs /run && cd \"$1\" && exec sh \"$2\"";

/// One script.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// The script's name, and the host's.
    pub(crate) name: String,
    /// Where it lies.
    script: PathBuf,
    /// The host's address.
    pub(crate) address: Ipv4Addr,
    /// The Debian packages that it is from, the daemon's own first.
    packages: Vec<String>,
    /// The programs that it runs.
    needs: Vec<String>,
    /// The TCP ports that it opens.
    tcp: BTreeSet<u16>,
    /// The UDP ports that it opens.
    udp: BTreeSet<u16>,
}

impl Service {
    /// Which programs are missing for it.
    pub(crate) fn can_run(&self) -> Result<(), NotRun> {
        need(&self.needs.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The upstream version of its package, as Debian says: `1:9.2p1-2+deb12u10` is 9.2p1.
    pub(crate) fn version(&self) -> String {
        let mut command = Command::new("dpkg-query");
        command.args(["-W", "-f", "${Version}", &self.packages[0]]);
        let whole = run_with(command, "").unwrap();
        let without_epoch = whole.split_once(':').map_or(whole.as_str(), |(_, rest)| rest);
        let upstream = without_epoch.rsplit_once('-').map_or(without_epoch, |(upstream, _)| upstream);
        upstream.split('+').next().unwrap_or_default().to_owned()
    }
}

/// Every script, in the order of its name.
pub(crate) fn all() -> Vec<Service> {
    let directory = repository().join("tests/services");
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let scripts: BTreeSet<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "sh")).collect();
    (FIRST..).zip(scripts).map(|(octet, script)| read(octet, script)).collect()
}

fn read(octet: u8, script: PathBuf) -> Service {
    let text = fs::read_to_string(&script).unwrap();
    let words = |key: &str| -> Vec<String> {
        let found = text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")));
        found.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let ports = |key: &str| words(key).iter().map(|port| port.parse().unwrap()).collect();
    Service {
        name: script.file_stem().unwrap().to_string_lossy().into_owned(),
        address: Ipv4Addr::new(10, 92, 0, octet),
        packages: words("packages"),
        needs: words("needs"),
        tcp: ports("tcp"),
        udp: ports("udp"),
        script,
    }
}

/// The LAN, up and running.
pub(crate) struct ServiceLan {
    // Fields drop in this order: daemons before the namespaces they run in, those before the directory.
    daemons: Vec<Process>,
    hosts: BTreeMap<String, Namespace>,
    switch: Namespace,
    directory: TempDir,
    /// Who is there.
    pub(crate) services: Vec<Service>,
}

impl ServiceLan {
    /// Builds it from the services whose programs are installed, and waits until all listen.
    pub(crate) fn new() -> Result<Self, NotRun> {
        namespace::prepare()?;
        need(&["tcpdump", "setpriv", "mount", "kill", "dpkg-query"])?;
        let directory = tempfile::tempdir().unwrap();
        // Some daemons give up root before they read what is theirs.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let switch = Namespace::new("services")?;
        switch.ip("link add near type bridge mcast_snooping 0\nlink set near up\n");
        let services: Vec<_> = all().into_iter().filter(|service| service.can_run().is_ok()).collect();
        let (mut hosts, mut daemons) = (BTreeMap::new(), Vec::new());
        for service in &services {
            let namespace = new_host(service, &switch)?;
            daemons.push(start(service, &namespace, directory.path()));
            hosts.insert(service.name.clone(), namespace);
        }
        let mut lan = Self { daemons, hosts, switch, directory, services };
        lan.wait_for_daemons();
        Ok(lan)
    }

    /// A new host on the LAN. `number` is the last octet of its address.
    pub(crate) fn scanner(&self, number: u8) -> Namespace {
        let namespace = Namespace::new("scanner").unwrap();
        join(&namespace, "eth0", &scanner_mac(number), &self.switch, "near");
        namespace.ip(&format!("addr add 10.92.0.{number}/24 dev eth0\n"));
        namespace.assert_closed(&["eth0"]);
        namespace
    }

    /// What the service called `name` has written.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Waits until the kernel of each host lists the ports that its script says.
    fn wait_for_daemons(&mut self) {
        for service in &self.services {
            let namespace = &self.hosts[&service.name];
            until(&format!("the daemons of {}", service.name), Duration::from_secs(60), || {
                self.daemons.iter_mut().for_each(Process::assert_alive);
                let sockets = namespace.sockets();
                (sockets.tcp.is_superset(&service.tcp) && sockets.udp.is_superset(&service.udp)).then_some(())
            });
        }
    }
}

/// The MAC address of the scanner whose address ends in `number`.
pub(crate) fn scanner_mac(number: u8) -> String {
    format!("02:92:00:00:ff:{number:02x}")
}

fn new_host(service: &Service, switch: &Namespace) -> Result<Namespace, NotRun> {
    let namespace = Namespace::new(&service.name)?;
    let address = service.address;
    join(&namespace, "eth0", &format!("02:92:00:00:00:{:02x}", address.octets()[3]), switch, "near");
    namespace.ip(&format!("addr add {address}/24 dev eth0\n"));
    namespace.assert_closed(&["eth0"]);
    Ok(namespace)
}

fn start(service: &Service, namespace: &Namespace, directory: &Path) -> Process {
    let own = directory.join(&service.name);
    fs::create_dir(&own).unwrap();
    let mut command = namespace.command(program("sh").unwrap());
    command.args(["-c", PRELUDE, "sh"]).arg(&own).arg(&service.script);
    command.env("ADDRESS", service.address.to_string());
    Process::start(command, directory, &service.name)
}
