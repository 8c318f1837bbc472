//! The types and scopes of a Web Services device: ONVIF cameras, printers, Windows.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, xml};

/// WS-Discovery: a Probe for everything.
pub(crate) static PROBE: Probe = Probe {
    name: "wsd",
    title: "WS-Discovery Probe",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), PORT)),
    sends: "one Probe without types or scopes; once more, with another number, if that stays silent",
    normal: "Windows looks for printers and ONVIF clients for cameras this way",
    source: "WS-Discovery (April 2005), section 5.2 and appendix I; ONVIF Core Specification, section 7",
    yields: &["wsd.types", "wsd.scope", "wsd.xaddr", "wsd.uuid"],
    safety: Safety::Safe,
    budget: Budget { quiet: Duration::from_millis(1500), ..Budget::DATAGRAM },
    begin,
};

const PORT: u16 = 3702;
/// The number of the first message, which goes to a whole group and must be the same for all of its hosts.
const FIRST: [u8; 16] = *b"headcoNt\x80wsd-one";
/// Words of one list that are looked at.
const MOST: usize = 32;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let id = context.random.first_chunk().copied().unwrap_or_default();
    Box::new(Discovery { id, asked_again: false, said: BTreeSet::new() })
}

struct Discovery {
    id: [u8; 16],
    asked_again: bool,
    said: BTreeSet<(&'static str, String)>,
}

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        out.send(probe(FIRST));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        for leaf in xml::leaves(bytes) {
            if !leaf.path.iter().any(|name| name == "ProbeMatch") {
                continue;
            }
            let words = || leaf.text.split_whitespace().take(MOST);
            match leaf.name() {
                "Types" => self.say("wsd.types", words().collect::<Vec<_>>().join(" "), out),
                "Scopes" => words().for_each(|word| self.say("wsd.scope", word.to_owned(), out)),
                "XAddrs" => words().for_each(|word| self.say("wsd.xaddr", word.to_owned(), out)),
                "Address" => self.say("wsd.uuid", uuid_of(&leaf.text).to_owned(), out),
                _ => {}
            }
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        // A device that has seen the first number of late keeps silent (appendix I).
        if end == End::Quiet && self.said.is_empty() && !self.asked_again {
            self.asked_again = true;
            out.send(probe(self.id));
        }
    }
}

impl Discovery {
    fn say(&mut self, field: &'static str, value: String, out: &mut Out) {
        if !value.is_empty() && self.said.len() < Out::MOST_STATEMENTS {
            let key = (field, value);
            if !self.said.contains(&key) {
                out.say(field, &key.1);
                self.said.insert(key);
            }
        }
    }
}

/// The UUID of an endpoint, however it is wrapped.
fn uuid_of(address: &str) -> &str {
    let address = address.strip_prefix("urn:").unwrap_or(address);
    address.strip_prefix("uuid:").unwrap_or(address)
}

fn probe(id: [u8; 16]) -> Vec<u8> {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><s:Header>\
         <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
         <a:MessageID>urn:uuid:{groups}</a:MessageID>\
         <a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\
         </s:Header><s:Body><d:Probe/></s:Body></s:Envelope>"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const ONVIF: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope \
        xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
        xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><SOAP-ENV:Header><wsa:ReplyTo><wsa:Address>anonymous</wsa:Address>\
        </wsa:ReplyTo></SOAP-ENV:Header><SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference>\
        <wsa:Address>urn:uuid:cea94000-fb96-11b3-8260-686dbc5cb15d</wsa:Address></wsa:EndpointReference>\
        <d:Types>dn:NetworkVideoTransmitter\n tds:Device</d:Types><d:Scopes>onvif://www.onvif.org/hardware/DS-2CD2142FWD-I \
        onvif://www.onvif.org/name/HIKVISION%20DS-2CD2142FWD-I</d:Scopes><d:XAddrs>http://192.0.2.7/onvif/device_service \
        http://[fe80::1]/onvif/device_service</d:XAddrs><d:MetadataVersion>10</d:MetadataVersion></d:ProbeMatch>\
        </d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>";

    #[test]
    fn reads_a_camera() {
        let outcome = play(&PROBE, &context(3702), &[SendsAny, Receives(ONVIF.as_bytes()), Receives(ONVIF.as_bytes()), Quiet]);
        let expected = said(&[
            ("wsd.uuid", "cea94000-fb96-11b3-8260-686dbc5cb15d"),
            ("wsd.types", "dn:NetworkVideoTransmitter tds:Device"),
            ("wsd.scope", "onvif://www.onvif.org/hardware/DS-2CD2142FWD-I"),
            ("wsd.scope", "onvif://www.onvif.org/name/HIKVISION%20DS-2CD2142FWD-I"),
            ("wsd.xaddr", "http://192.0.2.7/onvif/device_service"),
            ("wsd.xaddr", "http://[fe80::1]/onvif/device_service"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn silence_is_asked_once_more_under_another_number() {
        let numbers: BTreeSet<Vec<u8>> = [probe(FIRST), probe([7; 16])].into();
        assert_eq!(numbers.len(), 2);
        let text = String::from_utf8(probe(FIRST)).unwrap();
        assert!(text.contains("urn:uuid:68656164-636f-4e74-8077-73642d6f6e65<"));
        let lines = [Sends(text.as_bytes()), Quiet, SendsAny, Receives(ONVIF.as_bytes()), Quiet];
        assert_eq!(play(&PROBE, &context(3702), &lines).said.len(), 6);
    }

    #[test]
    fn other_messages_say_nothing() {
        let hello = ONVIF.replace("ProbeMatch", "Hello");
        for bytes in [hello.as_bytes(), &probe(FIRST), b"<ProbeMatch", b"\x00\xff<ProbeMatch>"] {
            assert!(play(&PROBE, &context(3702), &[SendsAny, Receives(bytes)]).said.is_empty());
        }
    }
}
