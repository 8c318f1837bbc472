//! A Sonos player's description.

use crate::{
    Budget, Carrier, Context, Conversation, Probe, Safety,
    fetch::{Fetch, get},
    upnp,
};

/// Sonos: the device description at its fixed place.
pub(crate) static PROBE: Probe = Probe {
    name: "sonos",
    title: "Sonos player description",
    carrier: Carrier::Stream,
    ports: &[1400],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for /xml/device_description.xml",
    normal: "the maker's application and Home Assistant read it when they meet a player",
    source: "UPnP Device Architecture 2.0, section 2.3; the path as in the players' SSDP announcements",
    yields: &["sonos.*", "upnp.*", "http.server"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

const SAID: &[(&str, &str)] = &[
    ("modelNumber", "sonos.model"),
    ("displayName", "sonos.product"),
    ("roomName", "sonos.name"),
    ("softwareVersion", "sonos.version"),
    ("hardwareVersion", "sonos.hardware"),
    ("serialNum", "sonos.serial"),
    ("MACAddress", "sonos.mac"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let path = if context.path.is_empty() { "/xml/device_description.xml" } else { &context.path };
    Fetch::whole(get(context, path), upnp::LONGEST, |answer, out| {
        let leaves = upnp::tell(answer, out);
        if !leaves.iter().any(|leaf| leaf.name() == "manufacturer" && leaf.text.contains("Sonos")) {
            return;
        }
        for leaf in leaves.iter().filter(|leaf| leaf.holder() == "device" && leaf.path.len() == 3) {
            if let Some((_, field)) = SAID.iter().find(|(name, _)| *name == leaf.name()) {
                out.say(field, &leaf.text);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play};

    #[test]
    fn reads_model_room_and_software() {
        let answer = b"HTTP/1.1 200 OK\r\nServer: Linux UPnP/1.0 Sonos/70.3-35220 (ZPS13)\r\nConnection: close\r\n\r\n<root><device>\
            <deviceType>urn:schemas-upnp-org:device:ZonePlayer:1</deviceType><manufacturer>Sonos, Inc.</manufacturer>\
            <modelNumber>S13</modelNumber><modelName>Sonos One</modelName><softwareVersion>70.3-35220</softwareVersion>\
            <serialNum>00-0E-58-00-00-00:7</serialNum><MACAddress>00:0E:58:00:00:00</MACAddress><roomName>Kitchen</roomName>\
            <deviceList><device><roomName>no</roomName></device></deviceList></device></root>";
        let outcome = play(&PROBE, &context(1400), &[SendsAny, Receives(answer), Closes]);
        let own: Vec<_> = outcome.said.iter().filter(|said| said.0.starts_with("sonos.")).collect();
        let pairs: Vec<String> = own.iter().map(|(field, value)| format!("{field}={value}")).collect();
        assert_eq!(
            pairs,
            [
                "sonos.model=S13",
                "sonos.version=70.3-35220",
                "sonos.serial=00-0E-58-00-00-00:7",
                "sonos.mac=00:0E:58:00:00:00",
                "sonos.name=Kitchen"
            ]
        );
        assert!(outcome.said.iter().any(|said| said.1 == "Sonos One"));
    }

    #[test]
    fn another_maker_on_this_port_is_no_sonos() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\n<root><device><manufacturer>X</manufacturer><modelNumber>S1</modelNumber></device></root>";
        let outcome = play(&PROBE, &context(1400), &[SendsAny, Receives(answer), Closes]);
        assert!(outcome.said.iter().all(|said| !said.0.starts_with("sonos.")));
    }
}
