//! What a Dahua device, or one sold under another name, tells to Dahua's own search tool.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::{Budget, Carrier, Context, Conversation, End, Group, Out, Probe, Safety};

/// DHIP: a search.
pub(crate) static PROBE: Probe = Probe {
    name: "dahua",
    title: "Dahua DHIP search",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::heard(Ipv4Addr::new(239, 255, 255, 251), PORT)),
    sends: "one search request; never an initialisation or change of address",
    normal: "the maker's search tool and every recorder send it to find cameras",
    source: "Dahua's ConfigTool and its answers as published by open clients; NetSDK's DEVICE_NET_INFO_EX for the state of \
             initialisation",
    yields: &["dahua.*"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const PORT: u16 = 37_810;
const HEADER_LEN: usize = 32;
const REQUEST: &str = "{\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}\n";

/// Members of `params.deviceInfo` and their fields.
static FIELDS: &[(&str, &str)] = &[
    ("DeviceType", "dahua.model"),
    ("DeviceClass", "dahua.class"),
    ("SerialNo", "dahua.serial"),
    ("Version", "dahua.version"),
    ("Vendor", "dahua.vendor"),
    ("MachineName", "dahua.name"),
    ("DetailType", "dahua.detailtype"),
];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Search)
}

struct Search;

impl Conversation for Search {
    fn opened(&mut self, out: &mut Out) {
        out.send(request());
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(answer) = body(bytes) else { return };
        let Some(info) = answer.pointer("/params/deviceInfo") else { return };
        if let Some(mac) = answer.get("mac").and_then(Value::as_str) {
            out.say("dahua.mac", mac.to_ascii_lowercase());
        }
        for (member, field) in FIELDS {
            if let Some(text) = info.get(*member).and_then(Value::as_str) {
                out.say(field, text.trim());
            }
        }
        // The lowest two bits: 0 knows no such state, 1 was never given a password, 2 was.
        match info.get("Init").and_then(Value::as_u64).map(|bits| bits & 3) {
            Some(1) => out.say("dahua.init", "false"),
            Some(2) => out.say("dahua.init", "true"),
            _ => {}
        }
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

fn request() -> Vec<u8> {
    let length = (REQUEST.len() as u32).to_le_bytes();
    let mut message = b"\x20\0\0\0DHIP".to_vec();
    message.extend([0; 8]);
    for _ in 0..2 {
        message.extend(length);
        message.extend([0; 4]);
    }
    message.extend(REQUEST.as_bytes());
    message
}

/// The JSON text behind the header, as long as the header says or the datagram is.
fn body(bytes: &[u8]) -> Option<Value> {
    let (header, rest) = bytes.split_at_checked(HEADER_LEN)?;
    if &header[4..8] != b"DHIP" {
        return None;
    }
    let length = u32::from_le_bytes([header[16], header[17], header[18], header[19]]) as usize;
    let text = rest.get(..length).unwrap_or(rest);
    let end = text.iter().rposition(|byte| *byte == b'}').map_or(0, |at| at + 1);
    serde_json::from_str(&String::from_utf8_lossy(&text[..end])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn answer(json: &str) -> Vec<u8> {
        let mut bytes = request()[..HEADER_LEN].to_vec();
        bytes[16..20].copy_from_slice(&(json.len() as u32).to_le_bytes());
        bytes.extend(json.as_bytes());
        bytes
    }

    #[test]
    fn reads_makers_and_the_state_of_initialisation() {
        let camera = answer(
            "{\"mac\":\"38:AF:29:11:22:33\",\"method\":\"client.notifyDevInfo\",\"params\":{\"deviceInfo\":{\"DeviceClass\":\"IPC\",\
             \"DeviceType\":\"DH-IPC-HDW4431C-A\",\"HttpPort\":80,\"IPv4Address\":{\"IPAddress\":\"192.0.2.7\"},\"Init\":165,\
             \"SerialNo\":\"4C05A9DPAG00001\",\"Vendor\":\"Dahua\",\"Version\":\"2.622.0000000.18.R\"}}}\n\0",
        );
        let outcome = play(&PROBE, &context(37_810), &[Sends(&request()), Receives(&camera)]);
        let expected = said(&[
            ("dahua.mac", "38:af:29:11:22:33"),
            ("dahua.model", "DH-IPC-HDW4431C-A"),
            ("dahua.class", "IPC"),
            ("dahua.serial", "4C05A9DPAG00001"),
            ("dahua.version", "2.622.0000000.18.R"),
            ("dahua.vendor", "Dahua"),
            ("dahua.init", "false"),
        ]);
        assert_eq!(outcome.said, expected);
        let intelbras = answer(
            "{\"mac\":\"b4:4c:3b:f4:e3:01\",\"params\":{\"deviceInfo\":{\"DeviceType\":\"SS 3530 MF FACE W\",\"Vendor\":\"Intelbras\",\"Init\":166}}}",
        );
        let outcome = play(&PROBE, &context(37_810), &[SendsAny, Receives(&intelbras)]);
        assert_eq!(
            outcome.said[1..],
            said(&[
                ("dahua.model", "SS 3530 MF FACE W"),
                ("dahua.vendor", "Intelbras"),
                ("dahua.init", "true")
            ])
        );
    }

    #[test]
    fn the_header_is_its_bytes() {
        let bytes = request();
        assert_eq!(&bytes[..32], b"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0");
        assert_eq!(bytes.len(), 32 + 0x3b);
    }

    #[test]
    fn an_echo_and_nonsense_say_nothing() {
        let deep = answer(&"[".repeat(60_000));
        for bytes in
            [request(), deep, answer("{\"params\":{\"deviceInfo\":7}}"), answer("}"), b"DHIP".to_vec()]
        {
            let outcome = play_short(&bytes);
            assert!(outcome.is_empty());
        }
    }

    fn play_short(bytes: &[u8]) -> Vec<(String, String)> {
        // Long nonsense is played whole: truncating it at each byte tells nothing more.
        let short = &bytes[..bytes.len().min(512)];
        play(&PROBE, &context(37_810), &[SendsAny, Receives(short)]).said
    }
}
