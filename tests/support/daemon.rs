//! Real daemons, each with a configuration of its own, in the foreground of a namespace.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{namespace::Namespace, program, recorder};

/// A daemon that a host of the lab runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// OpenSSH.
    Sshd,
    /// lighttpd on port 80.
    Lighttpd,
    /// avahi-daemon: mDNS.
    Avahi,
    /// net-snmp's agent, readable with the community `public`.
    Snmpd,
    /// vsftpd.
    Vsftpd,
    /// The MQTT broker mosquitto.
    Mosquitto,
    /// dnsmasq: names of the lab.
    Dnsmasq,
    /// Samba's smbd.
    Smbd,
    /// Our own recorder of bytes at these TCP ports.
    Recorder(&'static [u16]),
}

impl Daemon {
    /// The programs that it needs.
    pub(crate) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Sshd => &["sshd", "ssh-keygen"],
            Self::Lighttpd => &["lighttpd"],
            Self::Avahi => &["avahi-daemon"],
            Self::Snmpd => &["snmpd"],
            Self::Vsftpd => &["vsftpd"],
            Self::Mosquitto => &["mosquitto"],
            Self::Dnsmasq => &["dnsmasq"],
            Self::Smbd => &["smbd"],
            Self::Recorder(_) => &[],
        }
    }

    /// The TCP ports that it opens.
    pub(crate) fn tcp(self) -> &'static [u16] {
        match self {
            Self::Sshd => &[22],
            Self::Lighttpd => &[80],
            Self::Avahi | Self::Snmpd => &[],
            Self::Vsftpd => &[21],
            Self::Mosquitto => &[1883],
            Self::Dnsmasq => &[53],
            Self::Smbd => &[139, 445],
            Self::Recorder(ports) => ports,
        }
    }

    /// The UDP port at which it answers whoever asks properly.
    pub(crate) fn udp(self) -> Option<u16> {
        match self {
            Self::Avahi => Some(5353),
            Self::Snmpd => Some(161),
            Self::Dnsmasq => Some(53),
            _ => None,
        }
    }

    /// The command that runs it inside `namespace` with everything it writes below `directory`. `names` are the
    /// lab's names and addresses, for dnsmasq.
    pub(crate) fn command(self, namespace: &Namespace, directory: &Path, names: &[(&str, &str)]) -> Command {
        let d = directory.display();
        match self {
            Self::Sshd => {
                let key = directory.join("ssh_host_ed25519_key");
                make_host_key(&key);
                let config =
                    format!("ListenAddress 0.0.0.0:22\nHostKey {}\nPidFile none\nUsePAM no\n", key.display());
                start(namespace, "sshd", &["-D", "-e", "-f"], &write(directory, "sshd.conf", &config))
            }
            Self::Lighttpd => {
                let config = format!("server.port = 80\nserver.document-root = \"{d}\"\n");
                start(namespace, "lighttpd", &["-D", "-f"], &write(directory, "lighttpd.conf", &config))
            }
            Self::Avahi => {
                let config = "[server]\nhost-name=mdns\nuse-ipv6=no\nenable-dbus=no\n[publish]\npublish-workstation=yes\n[wide-area]\nenable-wide-area=no\n";
                let options = ["--no-drop-root", "--no-chroot", "--no-rlimits", "-f"];
                start(namespace, "avahi-daemon", &options, &write(directory, "avahi.conf", config))
            }
            Self::Snmpd => {
                let config =
                    "agentaddress udp:0.0.0.0:161\nrocommunity public\nsysdescr headcount test agent\n";
                let file = write(directory, "snmpd.conf", config);
                let mut command = start(namespace, "snmpd", &["-f", "-Lo", "-I", "-smux", "-C", "-c"], &file);
                command.env("SNMP_PERSISTENT_DIR", directory).env("MIBS", "");
                command
            }
            Self::Vsftpd => {
                let config = format!(
                    "listen=YES\nbackground=NO\nanonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={d}\n"
                );
                start(namespace, "vsftpd", &[], &write(directory, "vsftpd.conf", &config))
            }
            Self::Mosquitto => {
                let config = "listener 1883 0.0.0.0\nallow_anonymous true\npersistence false\nuser root\n";
                start(namespace, "mosquitto", &["-c"], &write(directory, "mosquitto.conf", config))
            }
            Self::Dnsmasq => {
                let config = dns_records(names);
                let options = ["--keep-in-foreground", "-C"];
                start(namespace, "dnsmasq", &options, &write(directory, "dnsmasq.conf", &config))
            }
            Self::Smbd => smbd(namespace, directory),
            Self::Recorder(ports) => recorder::command(namespace, &directory.join("recorded"), ports),
        }
    }
}

fn smbd(namespace: &Namespace, directory: &Path) -> Command {
    let d = directory.display();
    let kept = ["lock", "state", "cache", "pid"].map(|kind| format!("{kind} directory = {d}\n"));
    let config = format!(
        "[global]\nworkgroup = LAB\nserver role = standalone\nsmb ports = 445 139\nlog file = {d}/log.%m\n\
         private dir = {d}\ndisable spoolss = yes\nload printers = no\nprinting = bsd\nusershare max shares = 0\n{}",
        kept.concat()
    );
    // It would make a group of its own, and has one.
    let options = ["--foreground", "--no-process-group", "--configfile"];
    start(namespace, "smbd", &options, &write(directory, "smb.conf", &config))
}

/// Forward and reverse records for every name, and no word about any other.
fn dns_records(names: &[(&str, &str)]) -> String {
    let mut config = String::from(
        "port=53\nno-resolv\nno-hosts\nno-poll\nuser=root\npid-file=\nlocal=/lab.example/\nlocal=/10.in-addr.arpa/\n",
    );
    for (name, address) in names {
        config.push_str(&format!("host-record={name}.lab.example,{address}\n"));
    }
    config
}

/// A daemon with a `/run` of its own, so that it meets no other one's pid file and leaves none.
fn start(namespace: &Namespace, name: &str, options: &[&str], config: &Path) -> Command {
    // `ip netns exec` gives the process its own mounts.
    let prelude = "mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/sshd /run/samba /run/avahi-daemon && exec \"$@\"";
    let mut command = namespace.command("sh");
    command.args(["-c", prelude, "sh"]).arg(program(name).unwrap()).args(options).arg(config);
    command
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    file
}

fn make_host_key(file: &Path) {
    let status =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status().unwrap();
    assert!(status.success(), "ssh-keygen");
}
