//! What TP-Link's Kasa plugs, lamps and switches say of themselves. Where they are, which they also say, is not taken.

use serde_json::Value;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// Kasa: system information.
pub(crate) static PROBE: Probe = Probe {
    name: "kasa",
    title: "TP-Link Kasa system information",
    carrier: Carrier::Datagram,
    // The same question by TCP is not asked: on that port some printers print.
    ports: &[9999],
    tls_ports: &[],
    multicast: None,
    sends: "one get_sysinfo request",
    normal: "the maker's app and home automation find devices by it",
    source: "softScheck, Reverse Engineering the TP-Link HS110 (2016); the python-kasa project's documentation",
    yields: &["kasa.*"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const REQUEST: &[u8] = b"{\"system\":{\"get_sysinfo\":{}}}";
/// Where the key begins; each further byte's key is the cipher byte before.
const KEY: u8 = 171;

/// Fields and the members that hold them; the first that is there counts.
static FIELDS: &[(&str, &[&str])] = &[
    ("kasa.model", &["model"]),
    ("kasa.alias", &["alias"]),
    ("kasa.mac", &["mac", "mic_mac", "ethernet_mac"]),
    ("kasa.hw", &["hw_ver"]),
    ("kasa.sw", &["sw_ver"]),
    ("kasa.type", &["type", "mic_type"]),
    ("kasa.name", &["dev_name", "description"]),
    ("kasa.deviceid", &["deviceId"]),
];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Information)
}

struct Information;

impl Conversation for Information {
    fn opened(&mut self, out: &mut Out) {
        out.send(encrypted(REQUEST));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(answer) = serde_json::from_slice::<Value>(&decrypted(bytes)) else { return };
        let Some(info) = answer.pointer("/system/get_sysinfo") else { return };
        let mut said = false;
        for (field, members) in FIELDS {
            let text = members.iter().find_map(|member| info.get(*member)?.as_str());
            let Some(text) = text else { continue };
            said = true;
            match *field {
                "kasa.mac" => out.say(field, mac(text)),
                _ => out.say(field, text),
            }
        }
        // An echo of the question holds nothing.
        if said {
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

/// Lamps write a MAC address without colons.
fn mac(text: &str) -> String {
    let lower = text.to_ascii_lowercase().replace('-', ":");
    if lower.len() != 12 || !lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return lower;
    }
    let pairs: Vec<String> =
        lower.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    pairs.join(":")
}

fn encrypted(plain: &[u8]) -> Vec<u8> {
    let mut key = KEY;
    let step = |byte: &u8| {
        key ^= byte;
        key
    };
    plain.iter().map(step).collect()
}

fn decrypted(cipher: &[u8]) -> Vec<u8> {
    let mut key = KEY;
    cipher.iter().map(|byte| std::mem::replace(&mut key, *byte) ^ byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_a_plug_and_a_lamp_but_not_where_they_are() {
        let plug = encrypted(
            b"{\"system\":{\"get_sysinfo\":{\"err_code\":0,\"sw_ver\":\"1.5.4 Build 180815 Rel.121440\",\"hw_ver\":\"2.0\",\
              \"type\":\"IOT.SMARTPLUGSWITCH\",\"model\":\"HS110(EU)\",\"mac\":\"50:C7:BF:01:02:03\",\"deviceId\":\"8006A1\",\
              \"alias\":\"Fridge\",\"dev_name\":\"Smart Wi-Fi Plug\",\"latitude_i\":525000,\"longitude_i\":134000}}}",
        );
        let request = b"\xd0\xf2\x81\xf8\x8b\xff\x9a\xf7\xd5\xef\x94\xb6\xd1\xb4\xc0\x9f\xec\x95\xe6\x8f\xe1\x87\xe8\xca\xf0\x8b\xf6\x8b\xf6";
        let outcome = play(&PROBE, &context(9999), &[Sends(request), Receives(&plug)]);
        let expected = said(&[
            ("kasa.model", "HS110(EU)"),
            ("kasa.alias", "Fridge"),
            ("kasa.mac", "50:c7:bf:01:02:03"),
            ("kasa.hw", "2.0"),
            ("kasa.sw", "1.5.4 Build 180815 Rel.121440"),
            ("kasa.type", "IOT.SMARTPLUGSWITCH"),
            ("kasa.name", "Smart Wi-Fi Plug"),
            ("kasa.deviceid", "8006A1"),
        ]);
        assert_eq!(outcome.said, expected);
        assert!(outcome.done);
        let lamp = encrypted(b"{\"system\":{\"get_sysinfo\":{\"mic_type\":\"IOT.SMARTBULB\",\"model\":\"LB130(EU)\",\"mic_mac\":\"50C7BF010204\"}}}");
        let outcome = play(&PROBE, &context(9999), &[SendsAny, Receives(&lamp)]);
        let expected = said(&[
            ("kasa.model", "LB130(EU)"),
            ("kasa.mac", "50:c7:bf:01:02:04"),
            ("kasa.type", "IOT.SMARTBULB"),
        ]);
        assert_eq!(outcome.said, expected);
    }

    #[test]
    fn nonsense_says_nothing() {
        for bytes in
            [encrypted(REQUEST), encrypted(b"{\"system\":[1]}"), b"{}".to_vec(), encrypted(&[b'['; 500])]
        {
            assert!(play(&PROBE, &context(9999), &[SendsAny, Receives(&bytes), Quiet]).said.is_empty());
        }
    }
}
