//! The UDP questions: for each port, what a normal client of its protocol sends first.

use headcount_wire::{
    dns::{self, RecordType},
    netbios, ntp, snmp, ssdp,
};

/// The ports that have a question, rising, with the protocol's name.
pub const PORTS: &[(u16, &str)] =
    &[(53, "dns"), (123, "ntp"), (137, "netbios-ns"), (161, "snmp"), (1900, "ssdp"), (5353, "mdns")];

/// Whether `port` has a question.
pub fn is_asked(port: u16) -> bool {
    PORTS.binary_search_by_key(&port, |(port, _)| *port).is_ok()
}

/// The question of `port`'s protocol, with `id` as its transaction id where it has one; `None` where the port has
/// no question, and then nothing is sent.
pub fn for_port(port: u16, id: u16) -> Option<Vec<u8>> {
    match port {
        // Which software serves names; answered or refused by every DNS server (RFC 4892, section 3).
        53 => Some(dns_query(id, "version.bind", RecordType::Txt, CHAOS)),
        // The time, as a client (RFC 5905, section 9.2).
        123 => Some(ntp::client_request().to_vec()),
        // The names of the host itself (RFC 1002, section 4.2.17).
        137 => Some(netbios::node_status_query(id).to_vec()),
        // Who speaks SNMP, with no name and no community (RFC 3414, section 4).
        161 => {
            let mut message = Vec::new();
            snmp::engine_discovery(u32::from(id), &mut message);
            Some(message)
        }
        // Root devices, asked of this host alone (UPnP Device Architecture 2.0, section 1.3.2).
        1900 => Some(ssdp::m_search("upnp:rootdevice")),
        // Which services it offers, asked of this host alone (RFC 6762, section 5.1; RFC 6763, section 9).
        5353 => Some(dns_query(id, "_services._dns-sd._udp.local", RecordType::Ptr, INTERNET)),
        _ => None,
    }
}

const INTERNET: u16 = 1;
const CHAOS: u16 = 3;

fn dns_query(id: u16, name: &str, kind: RecordType, class: u16) -> Vec<u8> {
    let mut message = Vec::new();
    dns::query(id, false, &[dns::Question { name: name.to_owned(), kind, class }], &mut message);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_has_a_question_that_fits_a_frame() {
        assert!(PORTS.is_sorted());
        for (port, _) in PORTS {
            let question = for_port(*port, 7).unwrap();
            assert!((40..=200).contains(&question.len()) || *port == 53, "{port}: {} bytes", question.len());
        }
        assert_eq!(for_port(9100, 7), None);
    }
}
