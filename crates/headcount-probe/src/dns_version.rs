//! The software of a DNS server, as it names itself.

use headcount_wire::dns::{self, CLASS_CHAOS, Message, Question, RecordData, RecordType};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// DNS: `version.bind` in class Chaos.
pub(crate) static PROBE: Probe = Probe {
    name: "dns-version",
    title: "DNS server version",
    carrier: Carrier::Datagram,
    ports: &[53],
    tls_ports: &[],
    multicast: None,
    sends: "one query for the TXT record version.bind in class CHAOS",
    normal: "administrators' tools ask it to tell their servers apart",
    source: "RFC 4892, section 2",
    yields: &["dns.version"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

const NAME: &str = "version.bind";

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Version { id: context.id() })
}

struct Version {
    id: u16,
}

impl Conversation for Version {
    fn opened(&mut self, out: &mut Out) {
        let question = Question { name: NAME.to_owned(), kind: RecordType::Txt, class: CLASS_CHAOS };
        let mut query = Vec::new();
        dns::query(self.id, false, &[question], &mut query);
        out.send(query);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.id != self.id || !message.is_response() {
            return;
        }
        for record in &message.answers {
            match &record.data {
                RecordData::Txt(strings) if record.name.eq_ignore_ascii_case(NAME) => {
                    out.say("dns.version", strings.concat());
                }
                _ => {}
            }
        }
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

#[cfg(test)]
mod tests {
    use headcount_wire::dns::{FLAG_RESPONSE, Record};

    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn answer(id: u16, flags: u16, text: Option<&str>) -> Vec<u8> {
        let data = text.map(|text| RecordData::Txt(vec![text.as_bytes().to_vec()]));
        let record = |data| Record { name: "VERSION.BIND".to_owned(), class: CLASS_CHAOS, ttl: 0, data };
        let message =
            Message { id, flags, answers: data.map(record).into_iter().collect(), ..Message::default() };
        let mut out = Vec::new();
        message.emit(&mut out);
        out
    }

    #[test]
    fn reads_the_version() {
        for version in ["9.18.28-1~deb12u2-Debian", "dnsmasq-2.90", "unbound 1.17.1"] {
            let bytes = answer(context(53).id(), FLAG_RESPONSE, Some(version));
            let query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03";
            let outcome = play(&PROBE, &context(53), &[Sends(query), Receives(&bytes)]);
            assert_eq!(outcome.said, said(&[("dns.version", version)]));
            assert!(outcome.done);
        }
    }

    #[test]
    fn a_refusal_ends_and_an_echo_says_nothing() {
        let refused = answer(context(53).id(), FLAG_RESPONSE | 5, None);
        let outcome = play(&PROBE, &context(53), &[SendsAny, Receives(&refused)]);
        assert!(outcome.said.is_empty() && outcome.done);
        let other = answer(0x7777, FLAG_RESPONSE, Some("BIND"));
        let echo = answer(context(53).id(), 0, Some("BIND"));
        let outcome = play(&PROBE, &context(53), &[SendsAny, Receives(&other), Receives(&echo), Quiet]);
        assert!(outcome.said.is_empty());
    }
}
