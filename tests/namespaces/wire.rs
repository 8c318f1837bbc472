//! What the captures prove: nothing left the scope, nothing was written where it must not be, rates were kept.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::Scan;
use crate::support::{
    frame::{Content, Frame},
    lab::{DNS, KEPT_OUT, ROUTER},
};

/// The ports that print what is written to them.
const PRINTING: &[std::ops::RangeInclusive<u16>] = &[515..=515, 9100..=9107, 9112..=9116];
/// What may come at once beyond the rate of a host: a token bucket starts full.
const BURST: f64 = 4.0;

/// Fails the test at the first frame that had no right to leave.
pub(super) fn assert_in_scope(scan: &Scan) {
    let scope = allowed(scan);
    assert!(!scan.sent.is_empty(), "nothing was captured");
    for frame in &scan.sent {
        if let Some(fault) = fault(frame, &scope) {
            panic!("{fault}: {frame:?}");
        }
    }
    let excluded_mac = "02:91:00:00:00:42";
    for frame in scan.at_kept_out.iter().filter(|frame| frame.source == scan.mac) {
        // Broadcast requests for other addresses reach everybody on the link; they are not for this host.
        let for_it = frame.destination == excluded_mac || frame.content.address() == Some(KEPT_OUT);
        assert!(!for_it, "the excluded host was touched: {frame:?}");
    }
}

/// The scope that the run says it had, as ranges.
fn allowed(scan: &Scan) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let ranges = scan.document["run"]["scope"]["allowed"].as_array().unwrap();
    let end = |range: &serde_json::Value, part: &str| range[part].as_str().unwrap().parse().unwrap();
    ranges.iter().map(|range| (end(range, "first"), end(range, "last"))).collect()
}

/// Why `frame` had no right to leave.
fn fault(frame: &Frame, scope: &[(Ipv4Addr, Ipv4Addr)]) -> Option<&'static str> {
    let in_scope = |address: Ipv4Addr| scope.iter().any(|(first, last)| (*first..=*last).contains(&address));
    if frame.content.address() == Some(KEPT_OUT) {
        return Some("an excluded address");
    }
    if frame.destination == "ff:ff:ff:ff:ff:ff" && !matches!(frame.content, Content::Arp { .. }) {
        return Some("a broadcast other than ARP");
    }
    match &frame.content {
        // An answer of the kernel to whoever asks for the scanner's own address.
        Content::Arp { operation: 2, .. } => None,
        Content::Arp { target, .. } if in_scope(*target) || [ROUTER, DNS].contains(target) => None,
        Content::Udp { destination: DNS, port: 53, .. } => None,
        Content::Udp { port, .. } if prints(*port) => Some("a datagram to a printing port"),
        Content::Tcp { port, payload, .. } if prints(*port) && !payload.is_empty() => Some("a written byte"),
        Content::Icmp { destination, .. }
        | Content::Tcp { destination, .. }
        | Content::Udp { destination, .. }
            if in_scope(*destination) =>
        {
            None
        }
        Content::Other { .. } | Content::OtherIp { .. } => Some("a protocol that headcount does not speak"),
        _ => Some("an address outside the scope"),
    }
}

fn prints(port: u16) -> bool {
    PRINTING.iter().any(|range| range.contains(&port))
}

/// Fails the test when any host was asked more in any second than the run's own limit says.
pub(super) fn assert_host_rate(scan: &Scan) {
    let limit = scan.document["run"]["rates"]["per_host"].as_f64().unwrap();
    let mut questions: BTreeMap<Ipv4Addr, Vec<f64>> = BTreeMap::new();
    for frame in scan.sent.iter().filter(|frame| frame.content.is_question()) {
        // Names are asked of the server, and are no questions to a host that is scanned.
        if matches!(frame.content, Content::Udp { destination: DNS, port: 53, .. }) {
            continue;
        }
        if let Some(address) = frame.content.address() {
            questions.entry(address).or_default().push(frame.time);
        }
    }
    for (address, times) in questions {
        let within = |from: usize| times[from..].iter().take_while(|time| **time < times[from] + 1.0).count();
        let most = (0..times.len()).map(within).max().unwrap_or_default();
        assert!(
            most as f64 <= limit + BURST,
            "{most} questions to {address} within a second, {limit} are allowed"
        );
    }
}
