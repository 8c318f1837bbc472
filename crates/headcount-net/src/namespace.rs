//! Network namespaces with virtual interfaces: for `headcount demo` and for tests.
//!
//! Everything here acts on the namespace of the calling thread, and nothing outside of it can be reached.

use std::{
    fs,
    io::{self, Read, Write},
    net::Ipv4Addr,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use headcount_model::MacAddr;
use ipnetwork::Ipv4Network;
use socket2::Socket;

use crate::{NetError, interfaces, link::packet_socket, netlink::with_session, privilege, sys};

/// How long a new virtual cable may take to come up.
const CARRIER: Duration = Duration::from_secs(5);

/// As whom a namespace was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// As root, who needs no user namespace.
    Root,
    /// As an ordinary user, who is root within a user namespace of its own.
    User,
}

/// Moves this process into a new network namespace, with a user namespace around it where the user is not root (or is
/// a root who may not). Its loopback interface is on; there is no other.
///
/// # Errors
/// Threads run already; the kernel refuses, with what to change.
pub fn enter() -> Result<Entered, NetError> {
    privilege::linux::single_threaded("enter a namespace")?;
    let root = sys::effective_user() == 0 && sys::unshare(libc::CLONE_NEWNET).is_ok();
    if !root {
        let (user, group) = (sys::effective_user(), sys::effective_group());
        sys::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET)
            .and_then(|()| become_root(user, group))
            .map_err(|source| NetError::NoNamespace { source, way_out: way_out() })?;
    }
    set_up("lo", true).map_err(|error| match error {
        // Some systems allow the namespace and then every use of it is refused.
        NetError::System { source, .. } => NetError::NoNamespace { source, way_out: way_out() },
        other => other,
    })?;
    Ok(if root { Entered::Root } else { Entered::User })
}

/// user_namespaces(7): groups are given up before a user may map one.
fn become_root(user: u32, group: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Whether a namespace could be entered, tried in a child process.
pub(crate) fn try_enter() -> io::Result<()> {
    if sys::effective_user() == 0 && sys::try_unshare(libc::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    sys::try_unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET)
}

/// What to change where namespaces are refused.
pub(crate) fn way_out() -> String {
    let reads = |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    let setting = if reads("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        "kernel.unprivileged_userns_clone=1"
    } else if reads("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        "kernel.apparmor_restrict_unprivileged_userns=0"
    } else if reads("/proc/sys/user/max_user_namespaces", "0") {
        "user.max_user_namespaces=15000"
    } else {
        return "run as root, or allow user namespaces in the sandbox or container that this runs in".into();
    };
    format!("run as root, or `sudo sysctl {setting}`")
}

/// One end of a virtual cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// The interface's name, at most 15 bytes.
    pub name: &'a str,
    /// Its link-layer address; without one the kernel takes a random one.
    pub mac: Option<MacAddr>,
    /// The address it gets, if any; its network is then attached.
    pub address: Option<Ipv4Network>,
}

/// Lays a virtual cable in this namespace: two interfaces, what goes into the one comes out of the other. Both are
/// without IPv6, so that nothing but what is asked for is on the wire, and are switched on.
///
/// Frames of the kernel's own leave with checksums that are only complete where its hardware would complete them, and
/// virtual cables do not; who reads them must not verify transport checksums.
///
/// # Errors
/// The names are taken or too long; this process may not.
pub fn veth(a: End<'_>, b: End<'_>) -> Result<(), NetError> {
    with_session(|session| session.add_veth([(a.name, a.mac), (b.name, b.mac)]))?;
    for end in [a, b] {
        disable_ipv6(end.name)?;
        if let Some(network) = end.address {
            add_address(end.name, network)?;
        }
    }
    set_up(a.name, true)?;
    set_up(b.name, true)?;
    wait_for_carrier([a.name, b.name])
}

/// The kernel notices in its own time that both ends are on; until then they count as down.
fn wait_for_carrier(names: [&str; 2]) -> Result<(), NetError> {
    let until = Instant::now() + CARRIER;
    while Instant::now() < until {
        let all = interfaces()?;
        if names.iter().all(|name| all.iter().any(|interface| interface.name == *name && interface.up)) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(NetError::system(format!("use {} and {}", names[0], names[1]), io::ErrorKind::TimedOut.into()))
}

/// Switches an interface on or off.
///
/// # Errors
/// It does not exist; this process may not.
pub fn set_up(interface: &str, up: bool) -> Result<(), NetError> {
    with_session(|session| session.set_up(interface, up))
}

/// Gives an interface one more address.
///
/// # Errors
/// It does not exist or has the address; this process may not.
pub fn add_address(interface: &str, network: Ipv4Network) -> Result<(), NetError> {
    let index = index_of(interface)?;
    with_session(|session| session.add_address(index, network))
}

/// Adds a route by a router on an attached subnet; by an interface without a router; or, with neither, one that
/// swallows what is sent there (a blackhole).
///
/// # Errors
/// There is one already, or no way to the router; this process may not.
pub fn add_route(
    to: Ipv4Network,
    gateway: Option<Ipv4Addr>,
    interface: Option<&str>,
) -> Result<(), NetError> {
    let index = interface.map(index_of).transpose()?;
    with_session(|session| session.add_route(to, gateway, index))
}

/// Writes a network setting of this namespace, named as under `/proc/sys/net` (`ipv4/ping_group_range`).
///
/// # Errors
/// There is no such setting; this process may not.
pub fn set_sysctl(name: &str, value: &str) -> Result<(), NetError> {
    fs::write(format!("/proc/sys/net/{name}"), value)
        .map_err(|e| NetError::system(format!("set {name} to {value}"), e))
}

fn disable_ipv6(interface: &str) -> Result<(), NetError> {
    match set_sysctl(&format!("ipv6/conf/{interface}/disable_ipv6"), "1") {
        // A kernel without IPv6 needs no switching off.
        Err(NetError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn index_of(interface: &str) -> Result<u32, NetError> {
    sys::interface_index(interface)
        .map_err(|e| NetError::system(format!("find the interface {interface}"), e))
}

/// The bare end of a virtual cable, for a thread that plays the devices on it: sees every frame that comes out of
/// the cable, to whomever, and puts in whole frames from whomever.
pub struct Wire(Socket);

impl Wire {
    /// Opens the end named `interface`.
    ///
    /// # Errors
    /// It does not exist; this process may not.
    pub fn open(interface: &str) -> Result<Self, NetError> {
        let socket = packet_socket(interface)?;
        // A burst of a whole sweep must fit while the playing thread is not scheduled. Without leave to exceed the
        // system's limit, that limit has to do.
        let room: libc::c_int = 8 << 20;
        let _ = sys::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &room)
            .or_else(|_| socket.set_recv_buffer_size(8 << 20));
        sys::bind_packet(socket.as_fd(), index_of(interface)?)
            .and_then(|()| socket.set_nonblocking(false))
            .map_err(|e| NetError::system(format!("bind a raw socket to {interface}"), e))?;
        Ok(Self(socket))
    }

    /// Waits up to `patience` (at least a millisecond) for a frame and writes it to `buffer`, cut to its size.
    /// `None` when none came.
    ///
    /// # Errors
    /// The interface is gone or off.
    pub fn receive<'b>(
        &mut self,
        buffer: &'b mut [u8],
        patience: Duration,
    ) -> Result<Option<&'b [u8]>, NetError> {
        let patience = patience.max(Duration::from_millis(1));
        let read = self.0.set_read_timeout(Some(patience)).and_then(|()| self.0.read(buffer));
        match read {
            Ok(len) => Ok(buffer.get(..len)),
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(e) => Err(NetError::system("read a frame from a virtual cable", e)),
        }
    }

    /// Puts a whole frame on the cable, waiting while it is full.
    ///
    /// # Errors
    /// The interface is gone or off.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), NetError> {
        loop {
            match self.0.write(frame) {
                Ok(_) => return Ok(()),
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => std::thread::yield_now(),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(NetError::system("put a frame on a virtual cable", e)),
            }
        }
    }
}
