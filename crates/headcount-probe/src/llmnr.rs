//! The name of a host, asked of the host itself.

use headcount_wire::dns::{self, CLASS_IN, Message, Question, RecordData, RecordType};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// LLMNR by UDP: the PTR record of the host's own address. A host that keeps to the letter answers it only by TCP, or
/// when it was sent to the group.
pub(crate) static PROBE: Probe = Probe {
    name: "llmnr",
    title: "LLMNR reverse lookup",
    carrier: Carrier::Datagram,
    ports: &[5355],
    tls_ports: &[],
    multicast: None,
    sends: "one query for the PTR record of the host's own address",
    normal: "Windows asks a neighbour's name this way, without any set-up",
    source: "RFC 4795, section 2.4 (the only name for which a host is asked directly)",
    yields: &["llmnr.name"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

/// LLMNR by TCP: the same question.
pub(crate) static BY_TCP: Probe = Probe {
    name: "llmnr-tcp",
    title: "LLMNR reverse lookup by TCP",
    carrier: Carrier::Stream,
    source: "RFC 4795, section 2.4: a query to one host goes by TCP; RFC 1035, section 4.2.2",
    budget: Budget::GREETING,
    begin: begin_by_tcp,
    ..PROBE
};

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Reverse { id: context.id(), name: dns::reverse_name(context.host), stream: None })
}

fn begin_by_tcp(context: &Context) -> Box<dyn Conversation> {
    Box::new(Reverse { id: context.id(), name: dns::reverse_name(context.host), stream: Some(Vec::new()) })
}

struct Reverse {
    id: u16,
    name: String,
    /// What came so far by TCP, where a message follows its length.
    stream: Option<Vec<u8>>,
}

impl Conversation for Reverse {
    fn opened(&mut self, out: &mut Out) {
        let question = Question { name: self.name.clone(), kind: RecordType::Ptr, class: CLASS_IN };
        let mut query = Vec::new();
        dns::query(self.id, false, &[question], &mut query);
        if self.stream.is_some() {
            query.splice(0..0, (query.len() as u16).to_be_bytes());
        }
        out.send(query);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(stream) = &mut self.stream else { return self.read(bytes, out) };
        stream.extend_from_slice(bytes);
        let Some((length, rest)) = stream.split_first_chunk::<2>() else { return };
        let message = rest.get(..usize::from(u16::from_be_bytes(*length))).map(<[u8]>::to_vec);
        if let Some(message) = message {
            self.read(&message, out);
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

impl Reverse {
    fn read(&self, bytes: &[u8], out: &mut Out) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.id != self.id || !message.is_response() {
            return;
        }
        for record in message.answers.iter().filter(|record| record.name.eq_ignore_ascii_case(&self.name)) {
            match &record.data {
                RecordData::Ptr(name) if name != "." => out.say("llmnr.name", name),
                _ => {}
            }
        }
        out.done();
    }
}

#[cfg(test)]
mod tests {
    use headcount_wire::dns::{FLAG_RESPONSE, Record};

    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn answer(owner: &str, name: &str) -> Vec<u8> {
        let data = RecordData::Ptr(name.to_owned());
        let record = Record { name: owner.to_owned(), class: CLASS_IN, ttl: 30, data };
        let id = context(5355).id();
        let message = Message { id, flags: FLAG_RESPONSE, answers: vec![record], ..Message::default() };
        let mut out = Vec::new();
        message.emit(&mut out);
        out
    }

    #[test]
    fn reads_the_name() {
        let query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x017\x012\x010\x03192\x07in-addr\x04arpa\0\0\x0c\0\x01";
        let bytes = answer("7.2.0.192.in-addr.arpa", "DESKTOP-7A1");
        let outcome = play(&PROBE, &context(5355), &[Sends(query), Receives(&bytes)]);
        assert_eq!(outcome.said, said(&[("llmnr.name", "DESKTOP-7A1")]));
    }

    #[test]
    fn reads_the_name_from_a_stream() {
        let query =
            b"\0\x28\0\x01\0\0\0\x01\0\0\0\0\0\0\x017\x012\x010\x03192\x07in-addr\x04arpa\0\0\x0c\0\x01";
        let message = answer("7.2.0.192.in-addr.arpa", "vm");
        let bytes = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
        let outcome = play(&BY_TCP, &context(5355), &[Sends(query), Receives(&bytes)]);
        assert_eq!(outcome.said, said(&[("llmnr.name", "vm")]));
        assert!(outcome.done);
        let outcome = play(&BY_TCP, &context(5355), &[SendsAny, Receives(&bytes[..20]), Closes]);
        assert!(outcome.said.is_empty());
    }

    #[test]
    fn the_name_of_another_address_is_not_taken() {
        let bytes = answer("8.2.0.192.in-addr.arpa", "OTHER");
        assert!(play(&PROBE, &context(5355), &[SendsAny, Receives(&bytes)]).said.is_empty());
    }
}
