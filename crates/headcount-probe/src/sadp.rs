//! What a Hikvision device tells to Hikvision's own search tool, among it whether it was ever given a password.

use std::{fmt::Write, net::Ipv4Addr};

use crate::{Budget, Carrier, Context, Conversation, End, Group, Out, Probe, Safety, xml};

/// SADP: an inquiry.
pub(crate) static PROBE: Probe = Probe {
    name: "sadp",
    title: "Hikvision SADP inquiry",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::heard(Ipv4Addr::new(239, 255, 255, 250), PORT)),
    sends: "one inquiry; never an activation, update or reset",
    normal: "the maker's search tool and every recorder send it to find cameras",
    source: "Hikvision's SADP tool and its answers as published by researchers and open clients; no public specification",
    yields: &["sadp.*"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const PORT: u16 = 37_020;
/// The number of the first message, which goes to a whole group and must be the same for all of its hosts.
const FIRST: [u8; 16] = *b"headcoNt\x80sadp-1!";

/// Elements of an answer and their fields.
static FIELDS: &[(&str, &str)] = &[
    ("DeviceDescription", "sadp.model"),
    ("DeviceSN", "sadp.serial"),
    ("SoftwareVersion", "sadp.firmware"),
    ("DSPVersion", "sadp.dsp"),
    ("MAC", "sadp.mac"),
    ("Activated", "sadp.activated"),
    ("DeviceType", "sadp.devicetype"),
    ("OEMInfo", "sadp.oem"),
    ("BootTime", "sadp.boottime"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let id = context.random.first_chunk().copied().unwrap_or_default();
    Box::new(Inquiry { id, asked_again: false })
}

struct Inquiry {
    id: [u8; 16],
    asked_again: bool,
}

impl Conversation for Inquiry {
    fn opened(&mut self, out: &mut Out) {
        out.send(inquiry(FIRST));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let mut leaves = xml::leaves(bytes);
        leaves.retain(|leaf| matches!(leaf.path.as_slice(), [root, _] if root == "ProbeMatch"));
        if leaves.is_empty() {
            return;
        }
        for (name, field) in FIELDS {
            let Some(leaf) = leaves.iter().find(|leaf| leaf.name() == *name) else { continue };
            match *field {
                "sadp.mac" => out.say(field, leaf.text.replace('-', ":").to_ascii_lowercase()),
                "sadp.activated" => out.say(field, leaf.text.to_ascii_lowercase()),
                "sadp.oem" if leaf.text == "N/A" => {}
                _ => out.say(field, &leaf.text),
            }
        }
        out.done();
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end == End::Quiet && !self.asked_again {
            self.asked_again = true;
            out.send(inquiry(self.id));
        }
    }
}

fn inquiry(id: [u8; 16]) -> Vec<u8> {
    let mut number = String::new();
    for (at, byte) in id.iter().enumerate() {
        let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(number, "{hyphen}{byte:02X}");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>{number}</Uuid><Types>inquiry</Types></Probe>"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const CAMERA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n<ProbeMatch>\r\n<Uuid>1</Uuid>\r\n<Types>inquiry</Types>\r\n\
        <DeviceType>142378</DeviceType>\r\n<DeviceDescription>DS-2CD2320D-I</DeviceDescription>\r\n\
        <DeviceSN>DS-2CD2320D-I20180919AACHC52932642</DeviceSN>\r\n<CommandPort>8000</CommandPort>\r\n<HttpPort>80</HttpPort>\r\n\
        <MAC>44-47-CC-37-ce-81</MAC>\r\n<IPv4Address>192.0.2.7</IPv4Address>\r\n<DHCP>true</DHCP>\r\n\
        <SoftwareVersion>V5.5.6build 180326</SoftwareVersion>\r\n<DSPVersion>V7.3 build 180326</DSPVersion>\r\n\
        <BootTime>2024-09-18 09:21:28</BootTime>\r\n<OEMInfo>N/A</OEMInfo>\r\n<Activated>FALSE</Activated>\r\n</ProbeMatch>\r\n";

    #[test]
    fn reads_a_camera_that_was_never_activated() {
        let request = b"<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>68656164-636F-4E74-8073-6164702D3121</Uuid><Types>inquiry</Types></Probe>";
        let outcome = play(&PROBE, &context(37_020), &[Sends(request), Receives(CAMERA.as_bytes())]);
        let expected = said(&[
            ("sadp.model", "DS-2CD2320D-I"),
            ("sadp.serial", "DS-2CD2320D-I20180919AACHC52932642"),
            ("sadp.firmware", "V5.5.6build 180326"),
            ("sadp.dsp", "V7.3 build 180326"),
            ("sadp.mac", "44:47:cc:37:ce:81"),
            ("sadp.activated", "false"),
            ("sadp.devicetype", "142378"),
            ("sadp.boottime", "2024-09-18 09:21:28"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
    }

    #[test]
    fn an_echo_or_half_an_answer_says_what_is_there() {
        let half = &CAMERA.as_bytes()[..320];
        let outcome = play(&PROBE, &context(37_020), &[SendsAny, Quiet, SendsAny, Receives(half)]);
        assert_eq!(outcome.said[0].1, "DS-2CD2320D-I");
        let echo = inquiry(FIRST);
        assert!(
            play(&PROBE, &context(37_020), &[SendsAny, Receives(&echo), Receives(b"\xff<ProbeMatch>")])
                .said
                .is_empty()
        );
    }
}
