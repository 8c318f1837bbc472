use super::*;

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

fn icmp(kind: u8, code: u8, offender: Ipv4Addr) -> SocketError {
    SocketError { errno: libc::ECONNREFUSED, from_icmp: true, kind, code, offender: Some(offender) }
}

#[test]
fn only_the_host_itself_refuses() {
    assert_eq!(reply_to(&icmp(3, 3, HOST), HOST), Reply::Refused);
    assert_eq!(reply_to(&icmp(3, 3, ROUTER), HOST), Reply::Prohibited);
    assert_eq!(reply_to(&SocketError { offender: None, ..icmp(3, 3, HOST) }, HOST), Reply::Prohibited);
}

#[test]
fn filters_and_missing_hosts_are_told_apart() {
    for code in [2, 9, 10, 13] {
        assert_eq!(reply_to(&icmp(3, code, ROUTER), HOST), Reply::Prohibited, "{code}");
    }
    for (kind, code) in [(3, 0), (3, 1), (3, 6), (3, 7), (11, 0)] {
        assert_eq!(reply_to(&icmp(kind, code, ROUTER), HOST), Reply::Unreachable, "{kind} {code}");
    }
}

#[test]
fn errors_of_this_machine_become_replies() {
    let reply = |errno| reply_of(&io::Error::from_raw_os_error(errno));
    for (errno, expected) in [
        (libc::ECONNREFUSED, Reply::Refused),
        (libc::ECONNRESET, Reply::Refused),
        (libc::ETIMEDOUT, Reply::TimedOut),
        (libc::EHOSTUNREACH, Reply::Unreachable),
        (libc::ENETUNREACH, Reply::Unreachable),
        (libc::EACCES, Reply::Prohibited),
        (libc::EPERM, Reply::Prohibited),
        (libc::EMFILE, Reply::NotSent),
        (libc::ENFILE, Reply::NotSent),
        (libc::ENOBUFS, Reply::NotSent),
        (libc::EADDRNOTAVAIL, Reply::NotSent),
    ] {
        assert_eq!(reply(errno), expected, "{errno}");
    }
}

#[test]
fn sequence_numbers_are_never_given_twice() {
    let mut waiting = Waiting { next: u16::MAX, ..Waiting::default() };
    let mut enter = || waiting.enter(HOST, oneshot::channel().0);
    assert_eq!(enter(), Some(u16::MAX));
    for expected in 0..u16::MAX {
        assert_eq!(enter(), Some(expected));
    }
    assert_eq!(enter(), None);
    waiting.asked.remove(&77);
    assert_eq!(waiting.enter(HOST, oneshot::channel().0), Some(77));
}
