//! What an RTSP server says of itself.

use crate::{
    Budget, Carrier, Context, Conversation, Out, Probe, Safety,
    fetch::{Fetch, USER_AGENT},
    head::{Answer, realm},
};

/// RTSP: its methods.
pub(crate) static PROBE: Probe = Probe {
    name: "rtsp",
    title: "RTSP methods",
    carrier: Carrier::Stream,
    ports: &[554, 8554],
    tls_ports: &[],
    multicast: None,
    sends: "one OPTIONS; never DESCRIBE, SETUP or PLAY",
    normal: "players ask for the methods before anything else",
    source: "RFC 2326, section 10.1",
    yields: &["rtsp.server", "rtsp.public", "rtsp.auth_realm", "rtsp.www_authenticate"],
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(context: &Context) -> Box<dyn Conversation> {
    let (host, port) = (context.host, context.port);
    let request =
        format!("OPTIONS rtsp://{host}:{port}/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: {USER_AGENT}\r\n\r\n")
            .into_bytes();
    Fetch::head(request, tell)
}

fn tell(answer: &Answer, out: &mut Out) {
    let head = answer.head();
    if !head.start.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"RTSP")) {
        return;
    }
    out.say("rtsp.server", head.first("server").unwrap_or_default());
    out.say("rtsp.public", head.first("public").unwrap_or_default());
    for challenge in head.all("www-authenticate").take(4) {
        out.say("rtsp.www_authenticate", challenge);
        out.say("rtsp.auth_realm", realm(challenge).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    const OPTIONS: &[u8] = b"OPTIONS rtsp://192.0.2.7:554/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: headcount/0.1.0 (network inventory)\r\n\r\n";

    #[test]
    fn reads_server_methods_and_realm() {
        let camera = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Rtsp Server/3.0\r\nPublic: OPTIONS, DESCRIBE, PLAY\r\n\r\n";
        let outcome = play(&PROBE, &context(554), &[Sends(OPTIONS), Receives(camera)]);
        assert_eq!(
            outcome.said,
            said(&[("rtsp.server", "Rtsp Server/3.0"), ("rtsp.public", "OPTIONS, DESCRIBE, PLAY")])
        );
        assert!(outcome.done);
        let locked = b"RTSP/1.0 401 Unauthorized\nCSeq: 1\nWWW-Authenticate: Digest realm=\"IP Camera(1)\", nonce=\"2\"\n\n";
        let outcome = play(&PROBE, &context(554), &[Sends(OPTIONS), Receives(locked)]);
        assert_eq!(outcome.said[1], ("rtsp.auth_realm".to_owned(), "IP Camera(1)".to_owned()));
    }

    #[test]
    fn a_head_without_end_still_says_what_it_held() {
        let cut = b"RTSP/1.0 200 OK\r\nServer: GStreamer RTSP server";
        assert_eq!(
            play(&PROBE, &context(554), &[SendsAny, Receives(cut), Quiet]).said[0].1,
            "GStreamer RTSP server"
        );
        let web = b"HTTP/1.0 400 Bad Request\r\nServer: web\r\n\r\n";
        assert!(play(&PROBE, &context(554), &[SendsAny, Receives(web), Closes]).said.is_empty());
    }
}
