//! What can go wrong between headcount and this machine.

use std::io;

/// An error names the thing, the cause and the way out. A peer's silence or nonsense is never one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// Raw sockets need a privilege that this process lacks.
    #[error(
        "no permission to open a raw socket on {interface}: run as root, or `{setcap}`, or use --unprivileged"
    )]
    NoRawSocket {
        /// The interface.
        interface: String,
        /// The command that gives this executable the one capability it needs.
        setcap: String,
    },
    /// A system call failed for a reason that is not known to be the user's.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried, to be read after "cannot".
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// No interface has this name.
    #[error("there is no interface \"{name}\"; this machine has: {known}")]
    UnknownInterface {
        /// The name that was asked for.
        name: String,
        /// The names there are, parted by commas.
        known: String,
    },
    /// The interface cannot carry Ethernet frames, so nothing can be swept through it raw.
    #[error("interface {interface} has no link-layer address to send frames from: use --unprivileged")]
    NotEthernet {
        /// The interface.
        interface: String,
    },
    /// The interface is switched off.
    #[error("interface {interface} is down: switch it on with `ip link set {interface} up`")]
    Down {
        /// The interface.
        interface: String,
    },
    /// This system has no such thing.
    #[error("{what} works on Linux only; on this system headcount cannot do it yet")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// The kernel refuses namespaces to this user.
    #[error("no network namespace can be made: {source}; {way_out}")]
    NoNamespace {
        /// Why.
        source: io::Error,
        /// What to change.
        way_out: String,
    },
    /// Something that changes the whole process came after threads had been started.
    #[error("cannot {doing} with {threads} threads running: it must come before the first thread starts")]
    Threads {
        /// What was tried.
        doing: &'static str,
        /// How many threads there are.
        threads: usize,
    },
    /// The system's name servers are not to be had.
    #[error("the system's name servers cannot be read: {cause}; name some with --dns, or pass --no-dns")]
    NoNameServers {
        /// Why.
        cause: String,
    },
    /// A target's name has no IPv4 address.
    #[error("the name \"{name}\" has no IPv4 address: {cause}")]
    Name {
        /// The name.
        name: String,
        /// What the servers said.
        cause: String,
    },
    /// More segments than a run can number.
    #[error("the scope falls into {0} segments, more than 65535: name fewer targets")]
    TooManySegments(usize),
    /// Whoever watches the run could not take an event, so the run was stopped.
    #[error("the run was stopped because its results cannot be written: {0}")]
    Watcher(#[source] io::Error),
}

impl NetError {
    /// A failed system call; `doing` is read after "cannot".
    pub(crate) fn system(doing: impl Into<String>, source: io::Error) -> Self {
        Self::System { doing: doing.into(), source }
    }

    /// [`NetError::system`] for the last failed call of this thread.
    #[cfg(target_os = "linux")]
    pub(crate) fn last(doing: impl Into<String>) -> Self {
        Self::system(doing, io::Error::last_os_error())
    }
}

/// The command that lets this executable open raw sockets without root.
pub(crate) fn setcap_line() -> String {
    let path = std::env::current_exe().ok();
    let path = path.as_deref().map_or_else(|| "headcount".into(), |path| path.to_string_lossy());
    if path.chars().any(|c| c.is_whitespace() || c == '\'') {
        format!("sudo setcap cap_net_raw=ep '{}'", path.replace('\'', r"'\''"))
    } else {
        format!("sudo setcap cap_net_raw=ep {path}")
    }
}
