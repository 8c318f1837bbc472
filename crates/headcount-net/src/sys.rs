//! The system calls that have no safe wrapper elsewhere: the one place, with `ring`, where `unsafe` is written.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::{
    ffi::CString,
    io, mem,
    net::Ipv4Addr,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    ptr,
    time::Duration,
};

use tokio::io::{Interest, unix::AsyncFd};

/// What the kernel wrote about an ICMP error that met a packet of ours (`struct sock_extended_err`, ip(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketError {
    /// The errno.
    pub(crate) errno: i32,
    /// It came in an ICMP message, not from this machine itself.
    pub(crate) from_icmp: bool,
    /// The ICMP type.
    pub(crate) kind: u8,
    /// The ICMP code.
    pub(crate) code: u8,
    /// Who sent the ICMP message.
    pub(crate) offender: Option<Ipv4Addr>,
}

/// A received message with what the kernel says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// How many bytes were written to the buffer.
    pub(crate) len: usize,
    /// Who sent it; from an error queue: whom the packet was for.
    pub(crate) address: Option<Ipv4Addr>,
    /// Its time to live, where IP_RECVTTL is set.
    pub(crate) ttl: Option<u8>,
    /// From an error queue: what went wrong.
    pub(crate) error: Option<SocketError>,
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Registers a socket with the running runtime. `T` must give the same descriptor each time, as every socket does.
pub(crate) fn watch<T: AsFd + AsRawFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: a type that lends its descriptor by `AsFd` keeps it open as long as it lives.
    unsafe { AsyncFd::register_with_interest(socket, interest) }.map_err(Into::into)
}

/// `setsockopt` with a plain value. `T` must be what the kernel expects for this option.
pub(crate) fn set_option<T: Copy>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let len = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes from `value`, which lives through the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, ptr::from_ref(value).cast(), len) })?;
    Ok(())
}

/// What a packet socket's ring received and dropped since the last call (`PACKET_STATISTICS`, packet(7)).
pub(crate) fn packet_statistics(fd: BorrowedFd<'_>) -> io::Result<(u32, u32)> {
    let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let mut len = mem::size_of_val(&stats) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes, the size of `stats`, all of whose bit patterns are valid.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            ptr::from_mut(&mut stats).cast(),
            &raw mut len,
        )
    })?;
    Ok((stats.tp_packets, stats.tp_drops))
}

/// Binds a packet socket to an interface; from here on frames of every protocol come in.
pub(crate) fn bind_packet(fd: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` is plain data for which zero is valid.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = libc::c_int::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
    let len = mem::size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes, the size of `address`.
    check(unsafe { libc::bind(fd.as_raw_fd(), ptr::from_ref(&address).cast(), len) })?;
    Ok(())
}

/// Sends whole frames in one call and says how many the kernel took (at least one, else an error).
pub(crate) fn send_frames<'a>(
    fd: BorrowedFd<'_>,
    frames: impl Iterator<Item = &'a [u8]>,
) -> io::Result<usize> {
    let mut parts: Vec<libc::iovec> = frames
        .map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() })
        .collect();
    let mut messages: Vec<libc::mmsghdr> = parts
        .iter_mut()
        .map(|part| {
            // SAFETY: `mmsghdr` is plain data for which zero (no address, no control data) is valid.
            let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
            message.msg_hdr.msg_iov = ptr::from_mut(part);
            message.msg_hdr.msg_iovlen = 1;
            message
        })
        .collect();
    let count = u32::try_from(messages.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `messages` holds `count` headers, each naming one part of `parts`, which points into a borrowed frame;
    // all live through the call, and sending only reads the frames.
    let sent =
        unsafe { libc::sendmmsg(fd.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT as _) };
    check(sent).map(|sent| sent as usize)
}

/// Room for control messages, aligned as they must be.
#[repr(C, align(8))]
struct Control([u8; 512]);

/// Receives one message with its control data; `error_queue` reads the socket's error queue instead (IP_RECVERR).
pub(crate) fn receive(fd: RawFd, buffer: &mut [u8], error_queue: bool) -> io::Result<Received> {
    // SAFETY: `sockaddr_in` is plain data for which zero is valid.
    let mut from: libc::sockaddr_in = unsafe { mem::zeroed() };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control([0; 512]);
    // SAFETY: `msghdr` is plain data for which zero is valid.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = ptr::from_mut(&mut from).cast();
    message.msg_namelen = mem::size_of_val(&from) as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    let flags = libc::MSG_DONTWAIT | if error_queue { libc::MSG_ERRQUEUE } else { 0 };
    // SAFETY: every pointer in `message` names a live local or `buffer`, with its true length.
    let len = unsafe { libc::recvmsg(fd, &raw mut message, flags) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    let known = from.sin_family == libc::AF_INET as libc::sa_family_t && message.msg_namelen > 0;
    let mut received = Received {
        len: len.min(buffer.len()),
        address: known.then(|| address_of(&from)),
        ttl: None,
        error: None,
    };
    // SAFETY: `message` was filled by recvmsg and its control buffer is live.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give only headers that lie whole in the control buffer.
        let header = unsafe { ptr::read_unaligned(next) };
        // SAFETY: as above; the data of a control message follows its header.
        let data = unsafe { libc::CMSG_DATA(next) };
        // SAFETY: CMSG_LEN only computes.
        let head = unsafe { libc::CMSG_LEN(0) } as usize;
        let room = (header.cmsg_len as usize).saturating_sub(head);
        // SAFETY: the kernel wrote `room` bytes of data behind the header into the control buffer.
        let data = unsafe { std::slice::from_raw_parts(data, room) };
        read_control(&mut received, header.cmsg_level, header.cmsg_type, data);
        // SAFETY: `next` is a header within `message`'s control buffer.
        next = unsafe { libc::CMSG_NXTHDR(&raw const message, next) };
    }
    Ok(received)
}

fn read_control(received: &mut Received, level: libc::c_int, kind: libc::c_int, data: &[u8]) {
    if level != libc::IPPROTO_IP {
        return;
    }
    if kind == libc::IP_TTL {
        let ttl = data.first_chunk().map(|bytes| libc::c_int::from_ne_bytes(*bytes));
        received.ttl = ttl.and_then(|ttl| u8::try_from(ttl).ok());
    } else if kind == libc::IP_RECVERR {
        received.error = socket_error(data);
    }
}

/// `struct sock_extended_err`: errno (4 bytes), origin, type, code, padding, info (4), data (4); then the offender's
/// `struct sockaddr_in`: family (2), port (2), address (4).
fn socket_error(data: &[u8]) -> Option<SocketError> {
    let (errno, rest) = data.split_first_chunk::<4>()?;
    let family =
        data.get(16..18).and_then(|bytes| bytes.first_chunk()).map(|bytes| u16::from_ne_bytes(*bytes));
    let offender = data.get(20..24).and_then(|bytes| bytes.first_chunk::<4>());
    Some(SocketError {
        errno: i32::from_ne_bytes(*errno),
        from_icmp: *rest.first()? == libc::SO_EE_ORIGIN_ICMP,
        kind: *rest.get(1)?,
        code: *rest.get(2)?,
        offender: offender.filter(|_| family == Some(libc::AF_INET as u16)).map(|o| Ipv4Addr::from(*o)),
    })
}

fn address_of(from: &libc::sockaddr_in) -> Ipv4Addr {
    Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr))
}

/// The time on the kernel's wall clock, which stamps received frames.
pub(crate) fn wall_clock() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to `now`; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The size of a page of memory in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf only reads a value.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The effective user.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: geteuid cannot fail and touches no memory.
    unsafe { libc::geteuid() }
}

/// The effective group.
pub(crate) fn effective_group() -> u32 {
    // SAFETY: getegid cannot fail and touches no memory.
    unsafe { libc::getegid() }
}

/// No program that this process starts can gain privileges (`PR_SET_NO_NEW_PRIVS`, prctl(2)).
pub(crate) fn set_no_new_privileges() -> io::Result<()> {
    // SAFETY: this prctl takes numbers only.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    Ok(())
}

/// Becomes this user for good, in this group alone.
pub(crate) fn become_user(user: u32, group: u32) -> io::Result<()> {
    // SAFETY: the list holds the one group named by the count.
    check(unsafe { libc::setgroups(1, &raw const group) })?;
    // SAFETY: takes numbers only.
    check(unsafe { libc::setresgid(group, group, group) })?;
    // SAFETY: takes numbers only.
    check(unsafe { libc::setresuid(user, user, user) })?;
    Ok(())
}

/// The limit of open file descriptors: (soft, hard).
pub(crate) fn descriptor_limit() -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one rlimit to `limit`.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

/// Moves this thread into new namespaces (unshare(2)).
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes a number only; the caller sees to it that there is one thread.
    check(unsafe { libc::unshare(flags) })?;
    Ok(())
}

/// Whether a child process may unshare with `flags`, tried in one that ends at once.
pub(crate) fn try_unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: between fork and _exit the child makes two system calls and touches neither heap nor locks, so it is
    // sound in a process with threads too.
    let child = unsafe { libc::fork() };
    if check(child)? == 0 {
        // SAFETY: in the child; see above.
        let failed = unsafe { libc::unshare(flags) } < 0;
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or(1);
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(if failed { errno & 0xff } else { 0 }) };
    }
    let mut status = 0;
    // SAFETY: the kernel writes the status of our own child to `status`.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    match libc::WEXITSTATUS(status) {
        _ if !libc::WIFEXITED(status) => Err(io::Error::other("the trying process was killed")),
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The number of the interface named `name` in this namespace.
pub(crate) fn interface_index(name: &str) -> io::Result<u32> {
    let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `name` is a terminated string that lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}
