//! Giving up privileges once everything that needs them is open.

use crate::NetError;

/// What was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The user that the process became: the one who called sudo. `None` when it stayed who it was, which for root
    /// means: root without any capability, who still owns root's files.
    pub user: Option<u32>,
    /// The bounding set was emptied too. Without CAP_SETPCAP it cannot be, and since no program can gain privileges
    /// any more, that changes nothing.
    pub bounding: bool,
}

/// Gives up all privileges for good: no new ones by executing programs, no root if sudo tells who the user is
/// (`SUDO_UID`, `SUDO_GID`), no capabilities in any set. Sockets and rings that are open keep working.
///
/// To be called after [`Links::open`](crate::Links::open) and before the first thread starts: capabilities belong to
/// threads, so another thread would keep its own. Files that the user is to own are best made after it.
///
/// # Errors
/// Other threads run; the kernel refuses a step, after which the process should end; this system is not Linux.
pub fn drop() -> Result<Dropped, NetError> {
    #[cfg(target_os = "linux")]
    return linux::drop();
    #[cfg(not(target_os = "linux"))]
    Err(NetError::Unsupported { what: "dropping privileges" })
}

#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use std::io;

    use caps::{CapSet, Capability, errors::CapsError};

    use super::Dropped;
    use crate::{NetError, sys};

    pub(super) fn drop() -> Result<Dropped, NetError> {
        single_threaded("drop privileges")?;
        let user = sudo_user();
        sys::set_no_new_privileges().map_err(|e| NetError::system("forbid new privileges", e))?;
        // While CAP_SETPCAP is there; without it the bounding set stays as it is.
        let bounding = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false)
            && caps::clear(None, CapSet::Bounding).is_ok();
        if let Some((user, group)) = user {
            sys::become_user(user, group)
                .map_err(|e| NetError::system(format!("become the user {user} who called sudo"), e))?;
        }
        // Permitted goes last: it is what the others are allowed to hold.
        for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
            caps::clear(None, set).map_err(|e| refused(set, &e))?;
        }
        Ok(Dropped { user: user.map(|(user, _)| user), bounding })
    }

    fn refused(set: CapSet, error: &CapsError) -> NetError {
        NetError::system(format!("empty the capability set {set:?}"), io::Error::other(error.to_string()))
    }

    /// The user and group that sudo was called by, when this is root and they are not.
    fn sudo_user() -> Option<(u32, u32)> {
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        let (user, group) = (number("SUDO_UID")?, number("SUDO_GID")?);
        (sys::effective_user() == 0 && user != 0).then_some((user, group))
    }

    /// Fails when other threads run.
    pub(crate) fn single_threaded(doing: &'static str) -> Result<(), NetError> {
        let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        if threads > 1 { Err(NetError::Threads { doing, threads }) } else { Ok(()) }
    }
}
