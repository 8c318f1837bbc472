//! Which questions a host is asked.

use std::collections::BTreeSet;

use headcount_model::Transport;

use crate::{ALL, Carrier, Probe, Safety, url};

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

impl Question {
    /// A question by datagrams.
    pub const fn datagram(probe: &'static str, port: u16) -> Self {
        Self { probe, transport: Transport::Udp, port, tls: false, path: String::new() }
    }

    /// The question for a page that somebody asked for by name, beside the first page of a web port. `None`: `path` is
    /// not what the request line holds (`/` and visible ASCII without `#`).
    pub fn page(port: u16, tls: bool, path: String) -> Option<Self> {
        let sent = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        let fits = sent && path.starts_with('/');
        fits.then_some(Self { probe: "http", transport: Transport::Tcp, port, tls, path })
    }

    /// Whether it is for such a page.
    pub fn is_page(&self) -> bool {
        self.probe == "http" && url::is_page(&self.path)
    }

    /// Whether its answer may be that of a web server's first page, or comes with it.
    pub fn is_first_page(&self) -> bool {
        matches!(self.probe, "http" | "http-favicon") && !self.is_page()
    }
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

/// What hangs on a serial server's line gets whatever is written: Moxa NPort (950 to 981, 4001 to 4032), Digi (2001 to
/// 2032, 2101 to 2132), Lantronix (3001 to 3032, 10001 to 10032); the makers' manuals.
const SERIAL: &[(u16, u16)] =
    &[(950, 981), (2001, 2032), (2101, 2132), (3001, 3032), (4001, 4032), (10001, 10032)];

/// Whether a port gets no question that was not made for it.
pub fn is_quiet_port(port: u16) -> bool {
    let serial = SERIAL.iter().any(|(first, last)| (*first..=*last).contains(&port));
    serial || OT.contains(&port) || QUIET.contains(&port) || matches!(port, 9100..=9107 | 9112..=9116)
}

/// Whether an answer may lead to this question. What a device says of itself widens nothing: the class that needs the
/// user's leave still needs it, and a quiet port still gets its own protocol's question or none.
pub fn may_follow(question: &Question, careful: bool) -> bool {
    crate::named(question.probe).is_some_and(|probe| {
        let own = probe.ports.contains(&question.port) || probe.tls_ports.contains(&question.port);
        (careful || probe.safety == Safety::Safe) && (own || !is_quiet_port(question.port))
    })
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
            questions.push(Question::datagram(probe.name, *port));
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
            questions.push(stream(probe.name, port, probe.tls_ports.contains(&port)));
        }
    }
    let unknown = !known && !is_quiet_port(port) && streams().any(|probe| probe.name == FIRST_READ);
    if unknown {
        questions.push(stream(FIRST_READ, port, false));
    }
    questions
}

fn stream(probe: &'static str, port: u16, tls: bool) -> Question {
    Question { probe, transport: Transport::Tcp, port, tls, path: String::new() }
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
    fn what_a_device_says_widens_nothing() {
        let question = |probe, port| stream(probe, port, false);
        // A description at the port of a PLC, a serial line, a printer.
        for port in [502, 4001, 9100, 515, 104] {
            assert!(!may_follow(&question("upnp", port), true), "{port}");
            assert!(!may_follow(&question("http", port), true), "{port}");
        }
        assert!(may_follow(&question("upnp", 49_152), false));
        let careful = ALL.iter().find(|probe| probe.safety == Safety::Careful).unwrap();
        let port = careful.ports[0];
        assert!(
            !may_follow(&question(careful.name, port), false)
                && may_follow(&question(careful.name, port), true)
        );
        assert!(!may_follow(&question("no-such-probe", 80), true));
    }

    #[test]
    fn a_page_is_told_from_the_first_and_from_where_that_leads() {
        let page = |path: &str| Question::page(443, true, path.to_owned());
        let asked = page("/xmldata?item=all").unwrap();
        assert!(asked.is_page() && !asked.is_first_page() && asked.tls);
        for path in ["", "info", "/a#1", "/a b", "/a\r\nX: y", "/\u{e9}"] {
            assert_eq!(page(path), None, "{path:?}");
        }
        for path in ["", "/login.html#1"] {
            let first = Question { path: path.to_owned(), ..stream("http", 80, false) };
            assert!(first.is_first_page() && !first.is_page(), "{path:?}");
        }
        assert!(!stream("ipp", 631, false).is_first_page());
    }

    #[test]
    fn a_closed_datagram_port_is_not_asked() {
        let host = Host { udp_closed: [123].into(), ..Host::default() };
        assert!(questions(&host, false, true).iter().all(|question| question.port != 123));
        assert!(questions(&Host::default(), false, true).iter().any(|question| question.port == 123));
    }
}
