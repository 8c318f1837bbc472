//! A small office in namespaces, and the truth about it.
//!
//! Two bridges in one namespace are the switches. Hosts hang on them by veth pairs; a router joins the two. Nothing
//! leads out: no namespace has a default route or an interface that ends elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use super::{
    NotRun,
    daemon::Daemon,
    namespace::{self, Namespace, join},
    need,
    process::Process,
    until,
};

/// The attached network.
pub(crate) const NEAR: &str = "10.91.0.0/24";
/// The network behind the router.
pub(crate) const FAR: &str = "10.91.1.0/26";
/// An address with a listener that no scan may touch.
pub(crate) const KEPT_OUT: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 66);
/// The lab's name server.
pub(crate) const DNS: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 53);
/// The host whose ports are printing ports.
pub(crate) const PRINTER: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 23);
/// The router, as the attached network sees it.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 1);

/// One host of the lab: what is there, not what a scan says.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its name in the lab and in the lab's DNS.
    pub(crate) name: &'static str,
    /// The MAC address of its `eth0`.
    pub(crate) mac: &'static str,
    /// Its addresses, all on `eth0`; the first has the PTR record.
    pub(crate) addresses: &'static [&'static str],
    /// What it runs.
    pub(crate) daemons: &'static [Daemon],
    /// What it drops.
    pub(crate) drops: Drops,
    /// Part of the registered name of the MAC address's maker.
    pub(crate) maker: Option<&'static str>,
}

/// What a host does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drops {
    /// It answers everything.
    Nothing,
    /// All ICMP.
    Icmp,
    /// All TCP.
    Tcp,
    /// All of IP: it only answers ARP.
    Ip,
}

const fn host(
    name: &'static str,
    mac: &'static str,
    addresses: &'static [&'static str],
    daemons: &'static [Daemon],
) -> Host {
    Host { name, mac, addresses, daemons, drops: Drops::Nothing, maker: None }
}

/// The hosts of the attached network, without the router.
const NEAR_HOSTS: &[Host] = &[
    Host {
        maker: Some("Raspberry Pi"),
        ..host("ssh", "b8:27:eb:00:00:0b", &["10.91.0.11"], &[Daemon::Sshd])
    },
    Host {
        maker: Some("Synology"),
        ..host("web", "00:11:32:00:00:0c", &["10.91.0.12"], &[Daemon::Lighttpd])
    },
    host("mdns", "02:91:00:00:00:0d", &["10.91.0.13"], &[Daemon::Avahi]),
    host("snmp", "02:91:00:00:00:0e", &["10.91.0.14"], &[Daemon::Snmpd]),
    host("ftp", "02:91:00:00:00:0f", &["10.91.0.15"], &[Daemon::Vsftpd]),
    host("mqtt", "02:91:00:00:00:10", &["10.91.0.16"], &[Daemon::Mosquitto]),
    host("files", "02:91:00:00:00:12", &["10.91.0.18"], &[Daemon::Smbd]),
    Host {
        drops: Drops::Icmp,
        ..host("no-ping", "02:91:00:00:00:13", &["10.91.0.19"], &[Daemon::Sshd, Daemon::Lighttpd])
    },
    Host { drops: Drops::Tcp, ..host("no-tcp", "02:91:00:00:00:14", &["10.91.0.20"], &[Daemon::Sshd]) },
    host("two-addresses", "02:91:00:00:00:15", &["10.91.0.21", "10.91.0.121"], &[Daemon::Lighttpd]),
    Host { drops: Drops::Ip, ..host("arp-only", "02:91:00:00:00:16", &["10.91.0.22"], &[]) },
    host("printer", "02:91:00:00:00:17", &["10.91.0.23"], &[Daemon::Recorder(&[515, 631, 9100])]),
    host("names", "02:91:00:00:00:35", &["10.91.0.53"], &[Daemon::Dnsmasq]),
    host("kept-out", "02:91:00:00:00:42", &["10.91.0.66"], &[Daemon::Recorder(&[22, 80])]),
];

/// The hosts behind the router.
const FAR_HOSTS: &[Host] = &[
    host("far-web", "02:91:01:00:00:0b", &["10.91.1.11"], &[Daemon::Lighttpd, Daemon::Sshd]),
    Host { drops: Drops::Icmp, ..host("far-no-ping", "02:91:01:00:00:0c", &["10.91.1.12"], &[Daemon::Sshd]) },
];

/// The router has no MAC address towards its far side that the near side could know.
const ROUTER_HOST: Host = host("router", "02:91:00:00:00:01", &["10.91.0.1"], &[]);
const ROUTER_FAR: Host = host("router-far", "02:91:01:00:00:01", &["10.91.1.1"], &[]);

/// What a scan of the whole lab may and must find at one address.
#[derive(Debug)]
pub(crate) struct Truth {
    /// The host.
    pub(crate) host: &'static Host,
    /// It is on the scanner's own link.
    pub(crate) attached: bool,
    /// TCP ports that accept a connection from the scanner.
    pub(crate) tcp: BTreeSet<u16>,
    /// UDP ports that answer a proper question.
    pub(crate) udp: BTreeSet<u16>,
}

/// The lab, up and running.
pub(crate) struct Lab {
    // Fields drop in this order: daemons before the namespaces they run in, those before the directory.
    daemons: Vec<Process>,
    hosts: BTreeMap<&'static str, Namespace>,
    switch: Namespace,
    directory: TempDir,
}

impl Lab {
    /// Builds it and waits until every daemon listens.
    pub(crate) fn new() -> Result<Self, NotRun> {
        namespace::prepare()?;
        need(&["nft", "tcpdump", "setpriv", "jq", "mount", "kill"])?;
        let all = || NEAR_HOSTS.iter().chain(FAR_HOSTS);
        need(
            &all()
                .flat_map(|host| host.daemons)
                .flat_map(|daemon| daemon.programs())
                .copied()
                .collect::<Vec<_>>(),
        )?;
        let directory = tempfile::tempdir().unwrap();
        let switch = Namespace::new("switch")?;
        for bridge in ["near", "far"] {
            switch.ip(&format!("link add {bridge} type bridge mcast_snooping 0\nlink set {bridge} up\n"));
        }
        let mut hosts = BTreeMap::new();
        for (list, bridge, prefix, route) in [
            (NEAR_HOSTS, "near", 24, format!("route add {FAR} via {ROUTER}\n")),
            (FAR_HOSTS, "far", 26, format!("route add {NEAR} via 10.91.1.1\n")),
        ] {
            for host in list {
                let namespace = new_host(host, &switch, bridge, prefix)?;
                namespace.ip(&route);
                namespace.assert_closed(&["eth0"]);
                hosts.insert(host.name, namespace);
            }
        }
        hosts.insert(ROUTER_HOST.name, new_router(&switch)?);
        let daemons = all().flat_map(|host| start_daemons(host, &hosts[host.name], &directory)).collect();
        let mut lab = Self { daemons, hosts, switch, directory };
        lab.wait_for_daemons();
        Ok(lab)
    }

    /// A new host on the attached network, with a route to the far one. `number` is the last octet of its address.
    pub(crate) fn scanner(&self, number: u8) -> Namespace {
        let namespace = Namespace::new("scanner").unwrap();
        join(&namespace, "eth0", &scanner_mac(number), &self.switch, "near");
        namespace.ip(&format!("addr add 10.91.0.{number}/24 dev eth0\nroute add {FAR} via {ROUTER}\n"));
        namespace.assert_closed(&["eth0"]);
        namespace
    }

    /// The namespace of the host called `name`.
    pub(crate) fn host(&self, name: &str) -> &Namespace {
        &self.hosts[name]
    }

    /// Every byte that was written to one of the ports of the recorder `name`.
    pub(crate) fn recorded(&self, name: &str) -> Vec<u8> {
        fs::read(self.directory.path().join(format!("{name}-0/recorded"))).unwrap()
    }

    /// What is really there, by address, without the scanner and what no scan may touch.
    pub(crate) fn truth(&self) -> BTreeMap<Ipv4Addr, Truth> {
        let near = NEAR_HOSTS.iter().chain([&ROUTER_HOST]).map(|host| (host, true));
        let far = FAR_HOSTS.iter().chain([&ROUTER_FAR]).map(|host| (host, false));
        let of = |(host, attached): (&'static Host, bool)| {
            host.addresses.iter().map(move |address| {
                let silent = matches!(host.drops, Drops::Tcp | Drops::Ip);
                let daemons = || host.daemons.iter();
                let tcp = daemons().filter(|_| !silent).flat_map(|daemon| daemon.tcp()).copied().collect();
                let udp = daemons().filter_map(|daemon| daemon.udp()).collect();
                (address.parse().unwrap(), Truth { host, attached, tcp, udp })
            })
        };
        near.chain(far).flat_map(of).filter(|(address, _)| *address != KEPT_OUT).collect()
    }

    /// Waits until the kernel of each host lists exactly the listening TCP ports that the truth claims, so that the
    /// truth is the kernel's word and not ours.
    fn wait_for_daemons(&mut self) {
        for host in NEAR_HOSTS.iter().chain(FAR_HOSTS) {
            let namespace = &self.hosts[host.name];
            let tcp: BTreeSet<_> = host.daemons.iter().flat_map(|daemon| daemon.tcp()).copied().collect();
            let udp: BTreeSet<_> = host.daemons.iter().filter_map(|daemon| daemon.udp()).collect();
            until(&format!("the daemons of {}: {tcp:?}", host.name), Duration::from_secs(20), || {
                self.daemons.iter_mut().for_each(Process::assert_alive);
                let sockets = namespace.sockets();
                (sockets.tcp == tcp && sockets.udp.is_superset(&udp)).then_some(())
            });
        }
    }
}

/// The MAC address of the scanner whose address ends in `number`.
pub(crate) fn scanner_mac(number: u8) -> String {
    format!("02:91:00:00:ff:{number:02x}")
}

/// One lab for all tests of a run, built when the first one asks for it, one test at a time.
#[derive(Default)]
pub(crate) struct SharedLab(Mutex<Option<Result<Lab, NotRun>>>);

impl SharedLab {
    /// Runs `test` in the lab.
    pub(crate) fn with(&self, test: impl FnOnce(&Lab)) -> Result<(), NotRun> {
        // A failed test poisons the lock; the lab itself is not harmed by that.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.get_or_insert_with(Lab::new) {
            Ok(lab) => test(lab),
            Err(reason) => return Err(reason.clone()),
        }
        Ok(())
    }
}

fn new_host(host: &Host, switch: &Namespace, bridge: &str, prefix: u8) -> Result<Namespace, NotRun> {
    let namespace = Namespace::new(host.name)?;
    join(&namespace, "eth0", host.mac, switch, bridge);
    for address in host.addresses {
        namespace.ip(&format!("addr add {address}/{prefix} dev eth0\n"));
    }
    let dropped = match host.drops {
        Drops::Nothing => return Ok(namespace),
        Drops::Icmp => "meta l4proto icmp",
        Drops::Tcp => "meta l4proto tcp",
        Drops::Ip => "meta nfproto ipv4",
    };
    namespace.filter(&format!(
        "table inet lab {{\nchain in {{\ntype filter hook input priority 0\niif \"eth0\" {dropped} drop\n}}\n}}\n"
    ));
    Ok(namespace)
}

fn new_router(switch: &Namespace) -> Result<Namespace, NotRun> {
    let namespace = new_host(&ROUTER_HOST, switch, "near", 24)?;
    join(&namespace, "eth1", ROUTER_FAR.mac, switch, "far");
    namespace.ip("addr add 10.91.1.1/26 dev eth1\n");
    namespace.write_sysctl("net/ipv4/ip_forward", "1")?;
    namespace.assert_closed(&["eth0", "eth1"]);
    Ok(namespace)
}

fn start_daemons(host: &Host, namespace: &Namespace, directory: &TempDir) -> Vec<Process> {
    let names: Vec<_> = NEAR_HOSTS
        .iter()
        .chain(FAR_HOSTS)
        .chain([&ROUTER_HOST, &ROUTER_FAR])
        .map(|host| (host.name, host.addresses[0]))
        .collect();
    let start = |(number, daemon): (usize, &Daemon)| {
        let directory: PathBuf = directory.path().join(format!("{}-{number}", host.name));
        fs::create_dir(&directory).unwrap();
        Process::start(daemon.command(namespace, &directory, &names), &directory, &format!("{daemon:?}"))
    };
    host.daemons.iter().enumerate().map(start).collect()
}
