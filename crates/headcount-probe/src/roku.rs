//! A Roku player's description and device information.

use crate::{
    Budget, Carrier, Context, Conversation, Follow, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::Answer,
    upnp, xml,
};

/// Roku: the root of its External Control Protocol, then its device information.
pub(crate) static PROBE: Probe = Probe {
    name: "roku",
    title: "Roku device information",
    carrier: Carrier::Stream,
    ports: &[8060],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for /; if a Roku answers, one for /query/device-info",
    normal: "what remote-control applications and Home Assistant read first; neither changes anything",
    source: "Roku developer documentation, External Control Protocol (ECP)",
    yields: &["roku.*", "upnp.*", "http.server"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

const INFORMATION: &str = "/query/device-info";

const SAID: &[(&str, &str)] = &[
    ("model-name", "roku.product"),
    ("model-number", "roku.model"),
    ("serial-number", "roku.serial"),
    ("user-device-name", "roku.name"),
    ("software-version", "roku.version"),
    ("software-build", "roku.build"),
    ("vendor-name", "roku.vendor"),
    ("wifi-mac", "roku.mac"),
    ("ethernet-mac", "roku.mac"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let port = context.port;
    let request = get(context, &context.path);
    if context.path == INFORMATION {
        return Fetch::whole(request, upnp::LONGEST, tell_information);
    }
    Fetch::whole(request, upnp::LONGEST, move |answer, out| {
        let leaves = upnp::tell(answer, out);
        let holds = |name, word| leaves.iter().any(|leaf| leaf.name() == name && leaf.text.contains(word));
        if holds("manufacturer", "Roku") || holds("deviceType", ":roku-com:") {
            out.follow(Follow { probe: PROBE.name, port, tls: false, path: INFORMATION.to_owned() });
        }
    })
}

fn tell_information(answer: &Answer, out: &mut Out) {
    if answer.is_packed() || answer.head().status() != Some(200) {
        return;
    }
    let leaves = xml::leaves(answer.body());
    for leaf in leaves.iter().filter(|leaf| leaf.holder() == "device-info" && leaf.path.len() == 2) {
        if let Some((_, field)) = SAID.iter().find(|(name, _)| *name == leaf.name()) {
            out.say(field, &leaf.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn a_roku_is_asked_for_its_information() {
        let answer = b"HTTP/1.1 200 OK\r\nServer: Roku/12.0.0 UPnP/1.0 Roku/12.0.0\r\nContent-Type: text/xml\r\n\r\n<?xml version=\"1.0\"?>\
            <root><device><deviceType>urn:roku-com:device:player:1-0</deviceType><friendlyName>Den</friendlyName>\
            <manufacturer>Roku</manufacturer><modelName>Roku Express</modelName><modelNumber>3930X</modelNumber></device></root>";
        let outcome = play(&PROBE, &context(8060), &[SendsAny, Receives(answer), Closes]);
        assert_eq!(outcome.follows[0].path, INFORMATION);
        assert!(outcome.said.contains(&("upnp.modelnumber".into(), "3930X".into())));
        let other = b"HTTP/1.1 200 OK\r\n\r\n<root><device><manufacturer>X</manufacturer></device></root>";
        assert!(play(&PROBE, &context(8060), &[SendsAny, Receives(other), Closes]).follows.is_empty());
    }

    #[test]
    fn reads_the_information() {
        let at = Context { path: INFORMATION.into(), ..context(8060) };
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 218\r\n\r\n<?xml version=\"1.0\"?><device-info>\
            <serial-number>YH00</serial-number><vendor-name>TCL</vendor-name><model-number>7108X</model-number>\
            <software-version>12.5.0</software-version><x><model-name>no</model-name></x></device-info>";
        let outcome = play(&PROBE, &at, &[SendsAny, Receives(answer), Closes]);
        assert_eq!(
            outcome.said,
            said(&[
                ("roku.serial", "YH00"),
                ("roku.vendor", "TCL"),
                ("roku.model", "7108X"),
                ("roku.version", "12.5.0")
            ])
        );
        let limited = b"HTTP/1.1 403 Forbidden\r\n\r\n";
        assert!(play(&PROBE, &at, &[SendsAny, Receives(limited), Closes]).said.is_empty());
    }
}
