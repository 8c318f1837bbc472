//! Which questions a host is asked.

use std::collections::BTreeSet;

use headcount_model::Transport;

use crate::{ALL, Carrier, Probe, Safety};

/// What is known of a host when its questions are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its open TCP ports.
    pub tcp: BTreeSet<u16>,
    /// Its UDP ports that answered.
    pub udp: BTreeSet<u16>,
    /// Its UDP ports that are known to be closed.
    pub udp_closed: BTreeSet<u16>,
    /// It accepts connections on ports that no service uses: what it accepts says nothing, and nothing is asked there.
    pub accepts_every_port: bool,
}

/// A question to a host: which probe on which port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The probe's name.
    pub probe: &'static str,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
    /// Whether inside TLS.
    pub tls: bool,
    /// The path to ask for; may be empty.
    pub path: String,
}

/// Industrial and building protocols: a device on such a port gets that protocol's question or none.
///
/// An HTTP request to a Modbus port stopped a PLC; see the makers' port lists and IANA's registry.
const OT: &[u16] = &[
    102, 502, 789, 1089, 1090, 1091, 1200, 1911, 1962, 2222, 2404, 2455, 4000, 4840, 4911, 5006, 5007, 5094,
    9600, 11740, 18245, 19999, 20000, 20256, 20547, 34962, 34963, 34964, 41794, 44818, 47808, 48898,
];

/// Printers print what is written there; medical devices log it.
const QUIET: &[u16] = &[104, 515, 2575, 2761, 2762, 11112];

/// Whether a port gets no question that was not made for it.
pub fn is_quiet_port(port: u16) -> bool {
    OT.contains(&port) || QUIET.contains(&port) || matches!(port, 9100..=9107 | 9112..=9116)
}

/// The probe that a TCP port without one of its own is asked: it listens first.
const FIRST_READ: &str = "first-read";

/// The questions of a host, most telling first. `careful`: the user opted in to the careful class. `community`: SNMP
/// may be asked with a community.
pub fn questions(host: &Host, careful: bool, community: bool) -> Vec<Question> {
    let allowed = |probe: &Probe| {
        (careful || probe.safety == Safety::Safe) && (community || probe.name != "snmp-community")
    };
    let mut questions = Vec::new();
    for probe in ALL.iter().filter(|probe| probe.carrier == Carrier::Datagram && allowed(probe)) {
        for port in probe.ports.iter().filter(|port| !host.udp_closed.contains(port)) {
            questions.push(question(probe.name, Transport::Udp, *port, false));
        }
    }
    for port in host.tcp.iter().filter(|_| !host.accepts_every_port) {
        questions.extend(stream_questions(*port, &allowed));
    }
    questions
}

fn stream_questions(port: u16, allowed: &dyn Fn(&Probe) -> bool) -> Vec<Question> {
    let streams = || ALL.iter().filter(|probe| probe.carrier == Carrier::Stream);
    let own = streams().filter(|probe| probe.ports.contains(&port) || probe.tls_ports.contains(&port));
    let mut known = false;
    let mut questions = Vec::new();
    for probe in own {
        known = true;
        if allowed(probe) {
            questions.push(question(probe.name, Transport::Tcp, port, probe.tls_ports.contains(&port)));
        }
    }
    let unknown = !known && !is_quiet_port(port) && streams().any(|probe| probe.name == FIRST_READ);
    if unknown {
        questions.push(question(FIRST_READ, Transport::Tcp, port, false));
    }
    questions
}

fn question(probe: &'static str, transport: Transport, port: u16, tls: bool) -> Question {
    Question { probe, transport, port, tls, path: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_and_industrial_ports_get_no_stranger_question() {
        let host =
            Host { tcp: (1..=u16::MAX).filter(|port| is_quiet_port(*port)).collect(), ..Host::default() };
        let asked = questions(&host, true, true);
        let strangers = asked.iter().filter(|question| question.transport == Transport::Tcp);
        for question in strangers {
            let probe = crate::named(question.probe).unwrap();
            assert!(probe.ports.contains(&question.port), "{question:?}");
        }
        assert!(host.tcp.contains(&9100) && host.tcp.contains(&502) && !host.tcp.contains(&80));
    }

    #[test]
    fn a_closed_datagram_port_is_not_asked() {
        let host = Host { udp_closed: [123].into(), ..Host::default() };
        assert!(questions(&host, false, true).iter().all(|question| question.port != 123));
        assert!(questions(&Host::default(), false, true).iter().any(|question| question.port == 123));
    }
}
