//! The UPnP devices and services of a host.

use std::{collections::BTreeSet, time::Duration};

use headcount_wire::ssdp::{self, GROUP, PORT, ROOT_DEVICE};

use crate::{
    Budget, Carrier, Context, Conversation, End, Follow, Group, Out, Probe, Safety, head::Answer,
    is_quiet_port, url,
};

/// SSDP: a search for everything.
pub(crate) static PROBE: Probe = Probe {
    name: "ssdp",
    title: "SSDP search",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::asked(GROUP, PORT)),
    sends: "one search for all devices and services; if that stays silent, one for root devices",
    normal: "every UPnP control point searches this way",
    source: "UPnP Device Architecture 2.0, section 1.3",
    yields: &["ssdp.st", "ssdp.usn", "ssdp.server", "ssdp.location", "ssdp.header.*", "upnp.udn"],
    safety: Safety::Safe,
    // Devices spread their answers over the second that they are given.
    budget: Budget { quiet: Duration::from_millis(1800), ..Budget::DATAGRAM },
    begin,
};

const EVERYTHING: &str = "ssdp:all";
/// Descriptions that are fetched from one host.
const MOST_DESCRIPTIONS: usize = 3;

/// Headers of makers' own that tell what a device is.
static HEADERS: &[(&str, &str)] = &[
    ("al", "ssdp.header.al"),
    ("application-url", "ssdp.header.application-url"),
    ("bootid.upnp.org", "ssdp.header.bootid.upnp.org"),
    ("device-group.roku.com", "ssdp.header.device-group.roku.com"),
    ("friendly-name", "ssdp.header.friendly-name"),
    ("household.smartspeaker.audio", "ssdp.header.household.smartspeaker.audio"),
    ("hue-bridgeid", "ssdp.header.hue-bridgeid"),
    ("location.smartspeaker.audio", "ssdp.header.location.smartspeaker.audio"),
    ("opt", "ssdp.header.opt"),
    ("securelocation.upnp.org", "ssdp.header.securelocation.upnp.org"),
    ("wakeup", "ssdp.header.wakeup"),
    ("x-accepts-registration", "ssdp.header.x-accepts-registration"),
    ("x-av-physical-unit-info", "ssdp.header.x-av-physical-unit-info"),
    ("x-av-server-info", "ssdp.header.x-av-server-info"),
    ("x-friendly-name", "ssdp.header.x-friendly-name"),
    ("x-modelname", "ssdp.header.x-modelname"),
    ("x-msl", "ssdp.header.x-msl"),
    ("x-rincon-household", "ssdp.header.x-rincon-household"),
    ("x-rincon-proxy", "ssdp.header.x-rincon-proxy"),
    ("x-rincon-variant", "ssdp.header.x-rincon-variant"),
    ("x-user-agent", "ssdp.header.x-user-agent"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let said = BTreeSet::new();
    Box::new(Search { context: context.clone(), asked_again: false, said, descriptions: BTreeSet::new() })
}

struct Search {
    context: Context,
    asked_again: bool,
    said: BTreeSet<(&'static str, Vec<u8>)>,
    descriptions: BTreeSet<Follow>,
}

impl Conversation for Search {
    fn opened(&mut self, out: &mut Out) {
        out.send(ssdp::m_search(EVERYTHING));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let answer = Answer::of_datagram(bytes);
        let head = answer.head();
        if head.status() != Some(200) {
            return;
        }
        for (name, field) in [("st", "ssdp.st"), ("usn", "ssdp.usn"), ("server", "ssdp.server")] {
            head.all(name).for_each(|value| self.say(field, value, out));
        }
        for (name, field) in HEADERS {
            head.all(name).for_each(|value| self.say(field, value, out));
        }
        for usn in head.all("usn") {
            let end = usn.windows(2).position(|pair| pair == b"::").unwrap_or(usn.len());
            if usn.len() > 5 && usn[..5].eq_ignore_ascii_case(b"uuid:") {
                self.say("upnp.udn", &usn[..end], out);
            }
        }
        for location in head.all("location") {
            self.say("ssdp.location", location, out);
            self.follow(location, out);
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end == End::Quiet && self.said.is_empty() && !self.asked_again {
            self.asked_again = true;
            out.send(ssdp::m_search(ROOT_DEVICE));
        }
    }
}

impl Search {
    fn say(&mut self, field: &'static str, value: &[u8], out: &mut Out) {
        if self.said.len() < Out::MOST_STATEMENTS && self.said.insert((field, value.to_vec())) {
            out.say(field, value);
        }
    }

    /// The description is fetched only from the host that answered.
    fn follow(&mut self, location: &[u8], out: &mut Out) {
        let Some(place) = url::resolve(&self.context, location) else { return };
        let absolute = location.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"));
        if !absolute || is_quiet_port(place.port) || self.descriptions.len() >= MOST_DESCRIPTIONS {
            return;
        }
        let follow = Follow { probe: "upnp", port: place.port, tls: place.tls, path: place.path };
        if self.descriptions.insert(follow.clone()) {
            out.follow(follow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const MINIDLNA: &[u8] = b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1810\r\nDATE: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
        ST: upnp:rootdevice\r\nUSN: uuid:4d696e69-444c-164e-9d41-b827eb54e939::upnp:rootdevice\r\nEXT:\r\n\
        SERVER: Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0\r\nLOCATION: http://192.0.2.7:8200/rootDesc.xml\r\n\
        Content-Length: 0\r\n\r\n";

    #[test]
    fn reads_answers_once_and_fetches_the_description() {
        let outcome =
            play(&PROBE, &context(1900), &[SendsAny, Receives(MINIDLNA), Receives(MINIDLNA), Quiet]);
        let expected = said(&[
            ("ssdp.st", "upnp:rootdevice"),
            ("ssdp.usn", "uuid:4d696e69-444c-164e-9d41-b827eb54e939::upnp:rootdevice"),
            ("ssdp.server", "Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0"),
            ("upnp.udn", "uuid:4d696e69-444c-164e-9d41-b827eb54e939"),
            ("ssdp.location", "http://192.0.2.7:8200/rootDesc.xml"),
        ]);
        assert_eq!(outcome.said, expected);
        let follow = Follow { probe: "upnp", port: 8200, tls: false, path: "/rootDesc.xml".to_owned() };
        assert_eq!(outcome.follows, [follow]);
        assert!(outcome.done);
    }

    #[test]
    fn reads_the_headers_of_makers() {
        let hue = b"HTTP/1.1 200 OK\nHOST: 239.255.255.250:1900\nSERVER: Hue/1.0 UPnP/1.0 IpBridge/1.60.0\n\
            hue-bridgeid: 001788FFFE123456\nST: uuid:2f402f80-da50-11e1-9b23-001788123456\nUSN: uuid:2f402f80-da50-11e1-9b23-001788123456\n\n";
        let outcome = play(&PROBE, &context(1900), &[SendsAny, Receives(hue)]);
        assert!(
            outcome.said.contains(&("ssdp.header.hue-bridgeid".to_owned(), "001788FFFE123456".to_owned()))
        );
        assert!(
            outcome
                .said
                .contains(&("upnp.udn".to_owned(), "uuid:2f402f80-da50-11e1-9b23-001788123456".to_owned()))
        );
    }

    #[test]
    fn a_description_elsewhere_is_not_fetched() {
        for location in
            ["http://192.0.2.8/d.xml", "http://router.local/d.xml", "/d.xml", "http://192.0.2.7:9100/d.xml"]
        {
            let answer = format!("HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: {location}\r\n\r\n");
            let outcome = play(&PROBE, &context(1900), &[SendsAny, Receives(answer.as_bytes())]);
            assert!(outcome.follows.is_empty(), "{location}");
            assert_eq!(outcome.said.len(), 2);
        }
    }

    #[test]
    fn silence_is_asked_once_more() {
        assert!(play(&PROBE, &context(1900), &[SendsAny, Quiet, SendsAny, Quiet]).done);
        let echo = ssdp::m_search(EVERYTHING);
        assert!(
            play(
                &PROBE,
                &context(1900),
                &[SendsAny, Receives(&echo), Receives(b"HTTP/1.1 500 X\r\nST: x\r\n\r\n")]
            )
            .said
            .is_empty()
        );
    }
}
