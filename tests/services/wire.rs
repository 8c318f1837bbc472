//! What the captures prove: no byte of an authentication left, no host was spoken with more than it stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_wire::{
    Malformed,
    ber::{OCTET_STRING, Reader, SEQUENCE},
};

use super::Run;
use crate::support::frame::{Content, FIN, Frame, RST, SYN};

/// The port that prints what is written to it.
const PRINTING: u16 = 9100;
/// What may come at once beyond the rate of a host: a token bucket starts full.
const BURST: f64 = 4.0;
/// Hosts with fewer open ports than this never get a second connection at once.
const MANY_PORTS: usize = 8;
/// Words that begin a login in the protocols of lines: FTP, SMTP, POP3, IMAP, Redis, memcached, HTTP, RTSP, SIP.
const LOGIN_WORDS: &[&str] =
    &["USER", "PASS", "APOP", "AUTH", "LOGIN", "AUTHENTICATE", "AUTHORIZATION:", "PROXY-AUTHORIZATION:"];

/// A stream or a datagram port of a host, as seen from the scanner: its address, its port, TCP, the scanner's port.
type Conversation = (Ipv4Addr, u16, bool, u16);

/// Everything that the scanner wrote, by conversation.
fn written(run: &Run) -> BTreeMap<Conversation, Vec<Vec<u8>>> {
    let mut all: BTreeMap<Conversation, Vec<Vec<u8>>> = BTreeMap::new();
    for frame in sent(run) {
        match &frame.content {
            Content::Tcp { destination, port, from, payload, .. } if !payload.is_empty() => {
                all.entry((*destination, *port, true, *from)).or_default().push(payload.clone());
            }
            Content::Udp { destination, port, payload } => {
                all.entry((*destination, *port, false, 0)).or_default().push(payload.clone());
            }
            _ => {}
        }
    }
    all
}

fn sent(run: &Run) -> impl Iterator<Item = &Frame> {
    run.frames.iter().filter(|frame| frame.source == run.mac)
}

/// Fails the test at the first message that belongs to a login or would change something.
pub(super) fn assert_no_authentication(run: &Run) {
    let written = written(run);
    let ports: BTreeSet<u16> = written.keys().map(|(_, port, ..)| *port).collect();
    for port in
        [21, 22, 23, 25, 80, 110, 143, 161, 389, 443, 445, 554, 623, 631, 1883, 5060, 5432, 5900, 6379]
    {
        assert!(
            ports.contains(&port) || silent(port),
            "nothing was said to port {port}, so nothing is proven"
        );
    }
    for ((address, port, tcp, _), messages) in &written {
        let all = messages.concat();
        if let Some(fault) = fault(*port, *tcp, messages, &all) {
            panic!("{fault}, to {address} port {port}: {}", String::from_utf8_lossy(&all).escape_debug());
        }
    }
}

/// Servers that speak first in the clear, so that nothing needs to be written to them, and hosts without a daemon.
fn silent(port: u16) -> bool {
    matches!(port, 21 | 23 | 110)
}

fn fault(port: u16, tcp: bool, messages: &[Vec<u8>], all: &[u8]) -> Option<&'static str> {
    let fine = match (port, tcp) {
        (PRINTING, _) => false,
        (22, true) => ssh_stops_at_the_keys(all),
        (161, false) => messages.iter().all(|message| snmp_only_reads(message)),
        (389, true) => all.windows(2).all(|pair| pair != [0x60, 0x07]) && all.contains(&0x63),
        (445, true) => !contains(all, b"NTLMSSP\0\x03"),
        // RMCP+ sessions begin with 10h; of the sessionless commands only 38h is a question.
        (623, false) => messages.iter().all(|message| ipmi_only_asks(message)),
        // The bits of a user's name and of a password in CONNECT (MQTT 3.1.1, section 3.1.2.3).
        (1883, true) => all.get(9).is_some_and(|flags| flags & 0xc0 == 0),
        // Nothing comes from a client before the server's greeting but its own login.
        (3306, true) => false,
        // SSLRequest is all that a client may say before it names itself.
        (5432, true) => all == [0, 0, 0, 8, 4, 210, 22, 47],
        // A version, and the end: security is not even chosen.
        (5900, true) => all.len() <= 12,
        _ => true,
    };
    if !fine {
        return Some("a login or a change");
    }
    logs_in(all).then_some("a word of a login")
}

/// A line that begins with a word of a login, after a tag as in IMAP or not.
fn logs_in(all: &[u8]) -> bool {
    let text = String::from_utf8_lossy(all);
    text.lines().any(|line| {
        let mut words = line.split_whitespace().take(2).map(str::to_uppercase);
        words.any(|word| LOGIN_WORDS.contains(&word.as_str()))
    })
}

/// Our banner, KEXINIT (20) and the first key exchange message (30 to 34), with no NEWKEYS (21) and no request of a
/// service (5) after it (RFC 4253, sections 6 and 12).
fn ssh_stops_at_the_keys(all: &[u8]) -> bool {
    let Some(end) = all.windows(2).position(|pair| pair == b"\r\n") else { return all.is_empty() };
    let mut rest = &all[end + 2..];
    while rest.len() > 5 {
        let length = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        if !matches!(rest[5], 1 | 20 | 30..=34) {
            return false;
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    true
}

/// Get, GetNext or GetBulk (RFC 3416, section 3), and nothing else.
fn snmp_only_reads(message: &[u8]) -> bool {
    snmp_operation(message).is_ok_and(|tag| matches!(tag, 0xa0 | 0xa1 | 0xa5))
}

/// The tag of a message's operation: RFC 1157, section 4; RFC 3412, section 6 for version 3 in the clear.
fn snmp_operation(message: &[u8]) -> Result<u8, Malformed> {
    let mut message = Reader::new(message).nested(SEQUENCE)?;
    if message.integer()? == 3 {
        message.expect(SEQUENCE)?;
        message.expect(OCTET_STRING)?;
        message = message.nested(SEQUENCE)?;
        message.expect(OCTET_STRING)?;
    }
    message.expect(OCTET_STRING)?;
    Ok(message.element()?.tag)
}

/// IPMI inside RMCP: Get Channel Authentication Capabilities (38h) outside of a session (IPMI 2.0, section 22.13).
fn ipmi_only_asks(message: &[u8]) -> bool {
    message.len() > 19 && message[..4] == [6, 0, 0xff, 7] && message[4] == 0 && message[19] == 0x38
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// Fails the test where a host with few open ports had two connections at once.
pub(super) fn assert_one_connection(run: &Run) {
    let open_ports = open_ports(run);
    let mut open: BTreeMap<Ipv4Addr, BTreeSet<(u16, u16)>> = BTreeMap::new();
    let mut most = 0;
    for frame in &run.frames {
        let Content::Tcp { source, from, destination, port, flags, .. } = &frame.content else { continue };
        let ours = frame.source == run.mac;
        let (host, connection) =
            if ours { (*destination, (*from, *port)) } else { (*source, (*port, *from)) };
        let connections = open.entry(host).or_default();
        if flags & RST != 0 || (ours && flags & FIN != 0) {
            connections.remove(&connection);
        } else if ours && flags & SYN != 0 {
            connections.insert(connection);
            most = most.max(connections.len());
            let small = open_ports.get(&host).is_none_or(|ports| *ports < MANY_PORTS);
            assert!(!small || connections.len() == 1, "at once to {host}: {connections:?} at {}", frame.time);
        }
    }
    assert_eq!(most, 1, "no connection was seen");
}

/// How many TCP ports of each host are open.
fn open_ports(run: &Run) -> BTreeMap<Ipv4Addr, usize> {
    crate::support::product::found(&run.document)
        .into_iter()
        .map(|(address, found)| (address, found.tcp.len()))
        .collect()
}

/// Fails the test when any host was sent more in any second than the run's own limit says: connections that are
/// opened, segments and datagrams that carry something, echo requests. What the kernel answers by itself is not paced.
pub(super) fn assert_host_rate(run: &Run) {
    let limit = run.document["run"]["rates"]["per_host"].as_f64().unwrap();
    let mut times: BTreeMap<Ipv4Addr, Vec<f64>> = BTreeMap::new();
    for frame in sent(run) {
        let carries = matches!(&frame.content, Content::Tcp { payload, .. } if !payload.is_empty());
        let unicast = !frame.destination.starts_with("01:00:5e") && frame.destination != "ff:ff:ff:ff:ff:ff";
        if let Some(address) =
            frame.content.address().filter(|_| unicast && (carries || frame.content.is_question()))
        {
            times.entry(address).or_default().push(frame.time);
        }
    }
    assert!(!times.is_empty());
    for (address, times) in times {
        let within = |from: usize| times[from..].iter().take_while(|time| **time < times[from] + 1.0).count();
        let most = (0..times.len()).map(within).max().unwrap_or_default();
        assert!(
            most as f64 <= limit + BURST,
            "{most} packets to {address} within a second, {limit} are allowed"
        );
    }
}
