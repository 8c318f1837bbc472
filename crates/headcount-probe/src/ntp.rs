//! The time, as an NTP client asks for it.

use headcount_wire::ntp;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// NTP: one client request.
pub(crate) static PROBE: Probe = Probe {
    name: "ntp",
    title: "NTP client request",
    carrier: Carrier::Datagram,
    ports: &[123],
    tls_ports: &[],
    multicast: None,
    sends: "one request in client mode; never a control or monitor command",
    normal: "every client's first packet",
    source: "RFC 5905, sections 7.3 and 9.2",
    yields: &["ntp.version", "ntp.stratum", "ntp.refid"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Request)
}

struct Request;

impl Conversation for Request {
    fn opened(&mut self, out: &mut Out) {
        out.send(ntp::client_request());
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        const SERVER: u8 = 4;
        let Some(header) = bytes.first_chunk::<48>() else { return };
        if header[0] & 7 != SERVER {
            return;
        }
        out.say("ntp.version", (header[0] >> 3 & 7).to_string());
        out.say("ntp.stratum", header[1].to_string());
        let refid = &header[12..16];
        match header[1] {
            // A kiss code or the name of a clock (section 7.3, figures 12 and 13); above that it is an address.
            0 | 1 => {
                out.say("ntp.refid", refid.trim_ascii_end().split(|b| *b == 0).next().unwrap_or_default())
            }
            _ => out.say("ntp.refid", format!("{}.{}.{}.{}", refid[0], refid[1], refid[2], refid[3])),
        }
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_stratum_and_reference() {
        let mut answer = [0u8; 48];
        answer[..2].copy_from_slice(&[0x24, 1]);
        answer[12..16].copy_from_slice(b"GPS\0");
        let outcome = play(&PROBE, &context(123), &[SendsAny, Receives(&answer)]);
        assert_eq!(outcome.said, said(&[("ntp.version", "4"), ("ntp.stratum", "1"), ("ntp.refid", "GPS")]));
        answer[1] = 3;
        answer[12..16].copy_from_slice(&[192, 0, 2, 1]);
        let outcome = play(&PROBE, &context(123), &[SendsAny, Receives(&answer)]);
        assert_eq!(outcome.said[2].1, "192.0.2.1");
    }

    #[test]
    fn an_echo_of_the_request_says_nothing() {
        let outcome = play(&PROBE, &context(123), &[SendsAny, Receives(&ntp::client_request()), Quiet]);
        assert!(outcome.said.is_empty() && outcome.done);
    }
}
