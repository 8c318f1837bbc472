//! The types and scopes of a Web Services device: ONVIF cameras, printers, Windows.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use crate::{Budget, Carrier, Context, Conversation, End, Group, Out, Probe, Safety, xml};

/// WS-Discovery: a Probe for everything.
pub(crate) static PROBE: Probe = Probe {
    name: "wsd",
    title: "WS-Discovery Probe",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::asked(Ipv4Addr::new(239, 255, 255, 250), PORT)),
    sends: "one Probe without types or scopes; if that stays silent, one for devices and one for cameras",
    normal: "Windows looks for printers and ONVIF clients for cameras this way",
    source: "WS-Discovery (April 2005), section 5.2 and appendix I; ONVIF Core Specification, section 7",
    yields: &["wsd.types", "wsd.scope", "wsd.xaddr", "wsd.uuid"],
    safety: Safety::Safe,
    budget: Budget { quiet: Duration::from_millis(1500), ..Budget::DATAGRAM },
    begin,
};

/// WS-Discovery: a Probe for devices, to the group only. Some hosts answer neither a Probe without types nor one that was
/// sent to them alone.
pub(crate) static DEVICES: Probe = Probe {
    name: "wsd-devices",
    title: "WS-Discovery Probe for devices",
    ports: &[],
    sends: "one Probe for devices, to the whole link",
    normal: "Windows looks for the computers of its neighbourhood with this very message",
    source: "Devices Profile for Web Services 1.1, section 2.6",
    begin: begin_devices,
    ..PROBE
};

const PORT: u16 = 3702;
/// DPWS 1.1, section 2.6; the prefix is the usual one, since some compare the text.
const DEVICE: &str =
    "<d:Types xmlns:wsdp=\"http://schemas.xmlsoap.org/ws/2006/02/devprof\">wsdp:Device</d:Types>";
/// ONVIF Core Specification, section 7.3.1.
const CAMERA: &str =
    "<d:Types xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">dn:NetworkVideoTransmitter</d:Types>";
/// Words of one list that are looked at.
const MOST: usize = 32;

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(discovery(context, ""))
}

fn begin_devices(context: &Context) -> Box<dyn Conversation> {
    Box::new(Discovery { asked_again: true, ..discovery(context, DEVICE) })
}

fn discovery(context: &Context, types: &'static str) -> Discovery {
    let mut id: [u8; 16] = context.random.first_chunk().copied().unwrap_or_default();
    // A random UUID (RFC 9562, section 5.4).
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Discovery { id, types, asked_again: false, said: BTreeSet::new() }
}

/// An answer is taken whichever message it answers, so that it does not matter to whom that one was sent.
struct Discovery {
    /// The number of the next message: a device that has seen it of late keeps silent (appendix I).
    id: [u8; 16],
    types: &'static str,
    asked_again: bool,
    said: BTreeSet<(&'static str, String)>,
}

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        out.send(probe(self.id, self.types));
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
        // Some answer only to a type.
        if end == End::Quiet && self.said.is_empty() && !self.asked_again {
            self.asked_again = true;
            for types in [DEVICE, CAMERA] {
                self.id[15] ^= 1;
                out.send(probe(self.id, types));
            }
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

fn probe(id: [u8; 16], types: &str) -> Vec<u8> {
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
         </s:Header><s:Body><d:Probe>{types}</d:Probe></s:Body></s:Envelope>"
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
        let outcome = play(
            &PROBE,
            &context(3702),
            &[SendsAny, Receives(ONVIF.as_bytes()), Receives(ONVIF.as_bytes()), Quiet],
        );
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
    fn silence_is_asked_for_types() {
        let number = [0, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15];
        let text = String::from_utf8(probe(number, "")).unwrap();
        assert!(
            text.contains("urn:uuid:00010203-0405-4607-8809-0a0b0c0d0e0f<")
                && text.contains("<d:Probe></d:Probe>")
        );
        let lines = [Sends(text.as_bytes()), Quiet, SendsAny, SendsAny, Receives(ONVIF.as_bytes()), Quiet];
        assert_eq!(play(&PROBE, &context(3702), &lines).said.len(), 6);
    }

    #[test]
    fn devices_are_asked_by_type() {
        let outcome = play(&DEVICES, &context(3702), &[SendsAny, Receives(ONVIF.as_bytes()), Quiet]);
        assert!(outcome.done && outcome.said.len() == 6);
        assert!(
            String::from_utf8(probe([7; 16], DEVICE)).unwrap().contains(">wsdp:Device</d:Types></d:Probe>")
        );
        assert!(play(&DEVICES, &context(3702), &[SendsAny, Quiet]).done);
    }

    #[test]
    fn other_messages_say_nothing() {
        let hello = ONVIF.replace("ProbeMatch", "Hello");
        for bytes in [hello.as_bytes(), &probe([7; 16], ""), b"<ProbeMatch", b"\x00\xff<ProbeMatch>"] {
            assert!(play(&PROBE, &context(3702), &[SendsAny, Receives(bytes)]).said.is_empty());
        }
    }
}
