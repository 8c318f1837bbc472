//! What a Google Cast device says of itself.

use serde_json::Value;

use crate::{
    Budget, Carrier, Context, Conversation, Follow, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::Answer,
};

/// Google Cast: its set-up information.
pub(crate) static PROBE: Probe = Probe {
    name: "cast",
    title: "Google Cast information",
    carrier: Carrier::Stream,
    ports: &[8008],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for /setup/eureka_info; inside TLS on 8443 if the device refuses it in the clear",
    normal: "Chrome, the maker's applications and Home Assistant read it when they meet a device",
    source: "no public specification; as pychromecast (MIT) reads it",
    yields: &["cast.*"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

const INFORMATION: &str = "/setup/eureka_info?params=version,name,build_info,device_info";

fn begin(context: &Context) -> Box<dyn Conversation> {
    let tls = context.tls;
    Fetch::whole(get(context, INFORMATION), 64 << 10, move |answer, out| {
        if !tls && matches!(answer.head().status(), Some(401 | 403 | 404)) && !is_page(answer) {
            out.follow(Follow { probe: PROBE.name, port: 8443, tls: true, path: String::new() });
        }
        tell(answer, out);
    })
}

fn is_page(answer: &Answer) -> bool {
    answer.body().trim_ascii_start().starts_with(b"<")
}

/// Where a fact stands: older software has it at the top, newer in a group.
const SAID: &[(&str, &[&str])] = &[
    ("cast.name", &["/name"]),
    ("cast.model", &["/device_info/model_name", "/detail/model_name", "/model_name"]),
    ("cast.vendor", &["/device_info/manufacturer", "/detail/manufacturer"]),
    ("cast.version", &["/build_info/cast_build_revision", "/cast_build_revision"]),
    ("cast.build", &["/build_info/system_build_number", "/build_version"]),
    ("cast.mac", &["/device_info/mac_address", "/mac_address"]),
];

fn tell(answer: &Answer, out: &mut Out) {
    if answer.is_packed() || answer.head().status() != Some(200) {
        return;
    }
    let Ok(facts) = serde_json::from_slice::<Value>(answer.body()) else { return };
    for (field, places) in SAID {
        let found = places.iter().find_map(|place| facts.pointer(place)?.as_str());
        out.say(field, found.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_new_and_old_software() {
        let new = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"build_info\":{\"cast_build_revision\":\"1.56.281627\",\
            \"system_build_number\":\"281627\"},\"device_info\":{\"mac_address\":\"00:00:5E:00:53:01\",\"manufacturer\":\"Google Inc.\",\
            \"model_name\":\"Nest Mini\"},\"name\":\"K\xc3\xbcche\",\"version\":12}";
        let outcome = play(&PROBE, &context(8008), &[SendsAny, Receives(new), Closes]);
        assert_eq!(
            outcome.said,
            said(&[
                ("cast.name", "K\u{fc}che"),
                ("cast.model", "Nest Mini"),
                ("cast.vendor", "Google Inc."),
                ("cast.version", "1.56.281627"),
                ("cast.build", "281627"),
                ("cast.mac", "00:00:5E:00:53:01")
            ])
        );
        let old = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2d\r\n{\"name\":\"TV\",\"cast_build_revision\":\"1.28.99\"}\r\n0\r\n\r\n";
        let outcome = play(&PROBE, &context(8008), &[SendsAny, Receives(old)]);
        assert_eq!(outcome.said, said(&[("cast.name", "TV"), ("cast.version", "1.28.99")]));
    }

    #[test]
    fn a_refusal_leads_into_tls_once() {
        let refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        let outcome = play(&PROBE, &context(8008), &[SendsAny, Receives(refusal)]);
        assert_eq!((outcome.follows[0].port, outcome.follows[0].tls), (8443, true));
        let inside = Context { tls: true, ..context(8443) };
        assert!(play(&PROBE, &inside, &[SendsAny, Receives(refusal)]).follows.is_empty());
    }

    #[test]
    fn hostile_json_says_nothing() {
        let deep = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &b"[".repeat(3000)].concat();
        for answer in
            [&deep[..], b"HTTP/1.1 200 OK\r\n\r\n{\"name\":[1]}", b"HTTP/1.1 200 OK\r\n\r\n{\"name\":"]
        {
            assert!(play(&PROBE, &context(8008), &[SendsAny, Receives(answer), Closes]).said.is_empty());
        }
    }
}
