//! The description of a UPnP device.

use crate::{
    Budget, Carrier, Context, Conversation, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::Answer,
    xml::{self, Leaf},
};

/// UPnP: the device description that SSDP pointed to.
pub(crate) static PROBE: Probe = Probe {
    name: "upnp",
    title: "UPnP device description",
    carrier: Carrier::Stream,
    ports: &[],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for the description that the device announced",
    normal: "every control point reads the description before it does anything with the device",
    source: "UPnP Device Architecture 2.0, sections 2.1 and 2.3",
    yields: &["upnp.*", "http.server"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

/// Bytes of a description that are looked at.
pub(crate) const LONGEST: usize = 128 << 10;

/// The elements of the root device that are said, and their fields.
const SAID: &[(&str, &str)] = &[
    ("deviceType", "upnp.devicetype"),
    ("manufacturer", "upnp.manufacturer"),
    ("manufacturerURL", "upnp.manufacturerurl"),
    ("modelName", "upnp.modelname"),
    ("modelNumber", "upnp.modelnumber"),
    ("modelDescription", "upnp.modeldescription"),
    ("friendlyName", "upnp.friendlyname"),
    ("serialNumber", "upnp.serialnumber"),
    ("UDN", "upnp.udn"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let path = if context.path.is_empty() { "/rootDesc.xml" } else { &context.path };
    Fetch::whole(get(context, path), LONGEST, |answer, out| {
        tell(answer, out);
    })
}

/// Says what the description says; gives its leaves, none if it is no description.
pub(crate) fn tell(answer: &Answer, out: &mut Out) -> Vec<Leaf> {
    if answer.is_packed() || matches!(answer.head().status(), Some(300..)) {
        return Vec::new();
    }
    let leaves = xml::leaves(answer.body());
    let devices = |leaf: &Leaf| leaf.path.iter().filter(|name| *name == "device").count();
    if leaves.iter().all(|leaf| devices(leaf) == 0) {
        return Vec::new();
    }
    out.say("http.server", answer.head().first("server").unwrap_or_default());
    for leaf in &leaves {
        let Some((_, field)) = SAID.iter().find(|(name, _)| *name == leaf.name()) else { continue };
        // Of the devices inside the device only the types tell what it is.
        if leaf.holder() == "device" && (devices(leaf) == 1 || *field == "upnp.devicetype") {
            out.say(field, &leaf.text);
        }
    }
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const ROUTER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: Linux/3.4 UPnP/1.0 MiniUPnPd/1.9\r\n\r\n<?xml version=\"1.0\"?>\n\
        <root xmlns=\"urn:schemas-upnp-org:device-1-0\"><specVersion><major>1</major></specVersion><device>\
        <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>R7000 (Gateway)</friendlyName>\
        <manufacturer>NETGEAR, Inc.</manufacturer><manufacturerURL>http://www.netgear.com</manufacturerURL>\
        <modelName>R7000</modelName><serialNumber>123</serialNumber><UDN>uuid:1-2</UDN><iconList><icon><width>9</width></icon></iconList>\
        <deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><manufacturer>other</manufacturer></device></deviceList>\
        </device></root>";

    #[test]
    fn reads_the_root_device_and_the_types_of_those_inside() {
        let at = Context { path: "/gate/desc.xml?a=b".into(), ..context(5000) };
        let request = b"GET /gate/desc.xml?a=b HTTP/1.1\r\nHost: 192.0.2.7:5000\r\nUser-Agent: headcount/0.1.0 (network inventory)\r\n\
            Accept: */*\r\nConnection: close\r\n\r\n";
        let outcome = play(&PROBE, &at, &[Sends(request), Receives(ROUTER), Closes]);
        assert_eq!(
            outcome.said,
            said(&[
                ("http.server", "Linux/3.4 UPnP/1.0 MiniUPnPd/1.9"),
                ("upnp.devicetype", "urn:schemas-upnp-org:device:InternetGatewayDevice:1"),
                ("upnp.friendlyname", "R7000 (Gateway)"),
                ("upnp.manufacturer", "NETGEAR, Inc."),
                ("upnp.manufacturerurl", "http://www.netgear.com"),
                ("upnp.modelname", "R7000"),
                ("upnp.serialnumber", "123"),
                ("upnp.udn", "uuid:1-2"),
                ("upnp.devicetype", "urn:schemas-upnp-org:device:WANDevice:1"),
            ])
        );
    }

    #[test]
    fn what_is_no_description_says_nothing() {
        let bomb = b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE x [<!ENTITY a '&b;&b;'><!ENTITY b '&a;'>]><root><device><modelName>&a;</modelName>";
        for answer in [
            &b"HTTP/1.1 404 Not Found\r\n\r\n<root><device><UDN>x</UDN></device></root>"[..],
            bomb,
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
            b"HTTP/1.1 200 OK\r\n\r\n<html><title>x</title></html>",
        ] {
            let outcome = play(&PROBE, &context(80), &[SendsAny, Receives(answer), Closes]);
            assert!(outcome.said.is_empty(), "{}", answer.escape_ascii());
        }
    }
}
