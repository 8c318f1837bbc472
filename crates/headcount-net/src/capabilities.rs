//! What this machine and user can do, each thing found out by trying it.

use crate::NetError;

/// What this process can do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Raw packet sockets: ARP, ICMP and SYN sweeps by frames.
    pub raw_frames: Ability,
    /// The kernel's ICMP datagram sockets: echo requests without any privilege.
    pub echo: Ability,
    /// Reading the kernel's neighbour table: MAC addresses without any privilege.
    pub neighbours: Ability,
    /// Network namespaces of its own: `headcount demo` over real interfaces.
    pub namespaces: Ability,
    /// The capabilities of this process, by name, sorted.
    pub effective: Vec<String>,
    /// The effective user.
    pub user: u32,
    /// File descriptors that may be open at once: the limit, and how far the user may raise it. `None` when unknown.
    pub descriptors: Option<(u64, u64)>,
}

/// Whether something can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It was tried and works.
    Yes,
    /// It was tried and does not work.
    No {
        /// What the system said.
        why: String,
        /// How to get it: a command or a sentence.
        way_out: String,
    },
}

impl Ability {
    /// Whether it can be done.
    pub fn is_there(&self) -> bool {
        *self == Self::Yes
    }

    /// What was tried has gone well, or this is why not.
    fn of<T>(tried: Result<T, impl std::fmt::Display>, way_out: impl FnOnce() -> String) -> Self {
        match tried {
            Ok(_) => Self::Yes,
            Err(why) => Self::No { why: why.to_string(), way_out: way_out() },
        }
    }
}

/// Tries what this process can do. No packet is sent and nothing stays open.
///
/// # Errors
/// This system is not Linux.
pub fn capabilities() -> Result<Capabilities, NetError> {
    #[cfg(target_os = "linux")]
    return Ok(linux::capabilities());
    #[cfg(not(target_os = "linux"))]
    Err(NetError::Unsupported { what: "finding out what can be done" })
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use caps::CapSet;
    use socket2::{Domain, Socket, Type};

    use super::{Ability, Capabilities};
    use crate::{EchoSocket, error::setcap_line, namespace, netlink, sys};

    const PING_GROUPS: &str = "/proc/sys/net/ipv4/ping_group_range";

    pub(super) fn capabilities() -> Capabilities {
        let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
        let mut effective: Vec<_> = effective.iter().map(|c| c.to_string().to_lowercase()).collect();
        effective.sort_unstable();
        let raw = Socket::new(Domain::PACKET, Type::RAW, None);
        let raw_way_out = || format!("run as root, or `{}`", setcap_line());
        Capabilities {
            raw_frames: Ability::of(raw, raw_way_out),
            echo: Ability::of(EchoSocket::open(), echo_way_out),
            neighbours: Ability::of(netlink::with_session(netlink::Session::try_neighbours), || {
                "allow netlink sockets in the sandbox or container that this runs in".into()
            }),
            namespaces: Ability::of(namespace::try_enter(), namespace::way_out),
            effective,
            user: sys::effective_user(),
            descriptors: sys::descriptor_limit().ok(),
        }
    }

    fn echo_way_out() -> String {
        let now = fs::read_to_string(PING_GROUPS).unwrap_or_default();
        let now = now.split_whitespace().collect::<Vec<_>>().join(" ");
        let group = sys::effective_group();
        format!(
            "`sudo sysctl net.ipv4.ping_group_range=\"0 2147483647\"` (it is \"{now}\", and your group is {group})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_says_why_not_and_the_way_out() {
        assert!(Ability::of(Ok::<_, String>(()), String::new).is_there());
        let no = Ability::of(Err::<(), _>("no"), || "do this".into());
        assert_eq!(no, Ability::No { why: "no".into(), way_out: "do this".into() });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn root_and_user_alike_can_be_asked() {
        let found = capabilities().unwrap();
        assert!(found.descriptors.is_some_and(|(soft, hard)| soft <= hard));
        assert_eq!(
            found.raw_frames.is_there(),
            found.effective.iter().any(|name| name == "cap_net_raw"),
            "{found:?}"
        );
    }
}
