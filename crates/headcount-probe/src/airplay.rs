//! What an AirPlay receiver says of itself.

use crate::{
    Budget, Carrier, Context, Conversation, Follow, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::Answer,
    plist,
};

/// AirPlay: its information.
pub(crate) static PROBE: Probe = Probe {
    name: "airplay",
    title: "AirPlay receiver information",
    carrier: Carrier::Stream,
    ports: &[7000],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for /info; one for /server-info if an older receiver does not know that",
    normal: "senders read it before they pair with the receiver",
    source: "no public specification; as pyatv (MIT) reads it",
    yields: &["airplay.*", "http.server"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

const INFORMATION: &str = "/info";
const OLDER: &str = "/server-info";

/// Keys of the newer and the older list, and their fields.
const SAID: &[(&str, &str)] = &[
    ("model", "airplay.model"),
    ("name", "airplay.name"),
    ("sourceVersion", "airplay.version"),
    ("srcvers", "airplay.version"),
    ("deviceID", "airplay.mac"),
    ("deviceid", "airplay.mac"),
    ("macAddress", "airplay.mac"),
    ("manufacturer", "airplay.vendor"),
    ("osBuildVersion", "airplay.build"),
    ("serialNumber", "airplay.serial"),
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    let path = if context.path.is_empty() { INFORMATION } else { &context.path };
    let older = Follow { probe: PROBE.name, port: context.port, tls: context.tls, path: OLDER.to_owned() };
    let older = context.path.is_empty().then_some(older);
    Fetch::whole(get(context, path), 64 << 10, move |answer, out| tell(answer, older, out))
}

fn tell(answer: &Answer, older: Option<Follow>, out: &mut Out) {
    let server = answer.head().first("server").unwrap_or_default();
    match (answer.head().status(), older) {
        (Some(200), _) if !answer.is_packed() => {}
        (Some(404), Some(older)) if server.starts_with(b"AirTunes") || server.is_empty() => {
            return out.follow(older);
        }
        _ => return,
    }
    let texts = plist::texts(answer.body());
    if texts.is_empty() {
        return;
    }
    out.say("http.server", server);
    for (key, text) in texts {
        if let Some((_, field)) = SAID.iter().find(|(name, _)| *name == key) {
            out.say(field, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_new_and_old_receivers() {
        let list = plist::tests::binary(&[
            ("model", "AppleTV11,1"),
            ("name", "Den"),
            ("sourceVersion", "675.4"),
            ("deviceID", "00:00:5E:00:53:01"),
        ]);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-apple-binary-plist\r\nContent-Length: {}\r\nServer: AirTunes/675.4\r\n\r\n",
            list.len()
        );
        let outcome = play(&PROBE, &context(7000), &[SendsAny, Receives(&[head.as_bytes(), &list].concat())]);
        assert_eq!(
            outcome.said,
            said(&[
                ("http.server", "AirTunes/675.4"),
                ("airplay.model", "AppleTV11,1"),
                ("airplay.name", "Den"),
                ("airplay.version", "675.4"),
                ("airplay.mac", "00:00:5E:00:53:01")
            ])
        );
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(play(&PROBE, &context(7000), &[SendsAny, Receives(missing)]).follows[0].path, OLDER);
        let at = Context { path: OLDER.into(), ..context(7000) };
        assert!(play(&PROBE, &at, &[SendsAny, Receives(missing)]).follows.is_empty());
        let old = b"HTTP/1.1 200 OK\r\n\r\n<plist><dict><key>deviceid</key><string>00:00:5E:00:53:02</string><key>srcvers</key><string>220.68</string></dict></plist>";
        let outcome = play(&PROBE, &at, &[SendsAny, Receives(old), Closes]);
        assert_eq!(
            outcome.said,
            said(&[("airplay.mac", "00:00:5E:00:53:02"), ("airplay.version", "220.68")])
        );
    }

    #[test]
    fn what_is_no_list_says_nothing() {
        for answer in [
            &b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<html>x</html>"[..],
            b"HTTP/1.1 403 Forbidden\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\nServer: Microsoft-IIS\r\n\r\n",
        ] {
            let outcome = play(&PROBE, &context(7000), &[SendsAny, Receives(answer), Closes]);
            assert!(outcome.said.is_empty() && outcome.follows.is_empty());
        }
    }
}
