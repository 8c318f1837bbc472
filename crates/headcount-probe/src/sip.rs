//! What a SIP telephone or server says of itself, over UDP.

use crate::{
    Budget, Carrier, Context, Conversation, End, Out, Probe, Safety,
    fetch::USER_AGENT,
    head::{Answer, Head},
    tls::hex,
};

/// SIP: its capabilities, over UDP.
pub(crate) static PROBE: Probe = Probe {
    name: "sip",
    title: "SIP capabilities",
    carrier: Carrier::Datagram,
    ports: &[5060],
    tls_ports: &[],
    multicast: None,
    sends: "one OPTIONS; never INVITE or REGISTER, so no telephone rings",
    normal: "servers and telephones ask each other's capabilities, also to see who is alive",
    source: "RFC 3261, section 11; RFC 3581",
    yields: YIELDS,
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

pub(crate) const YIELDS: &[&str] = &["sip.server", "sip.user_agent", "sip.allow"];

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Question { request: options(context, "UDP"), call: call_id(context), told: false })
}

struct Question {
    request: Vec<u8>,
    call: String,
    told: bool,
}

impl Conversation for Question {
    fn opened(&mut self, out: &mut Out) {
        out.send(std::mem::take(&mut self.request));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let answer = Answer::of_datagram(bytes);
        let head = answer.head();
        let call = head.first("call-id").or(head.first("i"));
        let ours = call.is_none_or(|call| call == self.call.as_bytes());
        if ours && !self.told && tell(head, out) {
            self.told = true;
            out.done();
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

/// Says what an answer says; gives whether it is one.
pub(crate) fn tell(head: &Head, out: &mut Out) -> bool {
    if !head.start.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/")) {
        return false;
    }
    for (field, name) in [("sip.server", "server"), ("sip.user_agent", "user-agent"), ("sip.allow", "allow")]
    {
        out.say(field, head.first(name).unwrap_or_default());
    }
    true
}

fn call_id(context: &Context) -> String {
    hex(&context.random[..12])
}

/// An OPTIONS that the answer to comes back to the port it left from (`rport`): the address in Via is none.
pub(crate) fn options(context: &Context, transport: &str) -> Vec<u8> {
    let (host, port) = (context.host, context.port);
    let (call, branch, tag) = (call_id(context), hex(&context.random[12..20]), hex(&context.random[20..24]));
    format!(
        "OPTIONS sip:{host}:{port} SIP/2.0\r\n\
         Via: SIP/2.0/{transport} headcount.invalid;branch=z9hG4bK{branch};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:headcount@headcount.invalid>;tag={tag}\r\n\
         To: <sip:{host}:{port}>\r\n\
         Call-ID: {call}\r\n\
         CSeq: 1 OPTIONS\r\n\
         User-Agent: {USER_AGENT}\r\n\
         Accept: application/sdp\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_a_telephone_and_a_server() {
        let phone = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP headcount.invalid;rport=9\r\nCall-ID: 000102030405060708090a0b\r\n\
            User-Agent: Yealink SIP-T46S 66.86.0.15\r\nAllow: INVITE, OPTIONS\r\nContent-Length: 0\r\n\r\n";
        let outcome = play(&PROBE, &context(5060), &[SendsAny, Receives(phone)]);
        assert_eq!(
            outcome.said,
            said(&[("sip.user_agent", "Yealink SIP-T46S 66.86.0.15"), ("sip.allow", "INVITE, OPTIONS")])
        );
        let server =
            b"SIP/2.0 404 Not Found\r\ni: 000102030405060708090a0b\r\nServer: Asterisk PBX 18.9\r\n\r\n";
        let trying = b"SIP/2.0 100 Trying\r\nServer: x\r\n\r\n";
        let outcome = play(&PROBE, &context(5060), &[SendsAny, Receives(trying), Receives(server)]);
        assert_eq!(outcome.said, said(&[("sip.server", "Asterisk PBX 18.9")]));
    }

    #[test]
    fn an_echo_and_an_answer_to_another_say_nothing() {
        let other = b"SIP/2.0 200 OK\r\nCall-ID: 1\r\nServer: x\r\n\r\n";
        let outcome = play(
            &PROBE,
            &context(5060),
            &[SendsAny, Receives(&options(&context(5060), "UDP")), Receives(other), Quiet],
        );
        assert!(outcome.said.is_empty());
    }

    #[test]
    fn the_request_is_whole() {
        let request = String::from_utf8(options(&context(5060), "UDP")).unwrap();
        assert!(request.starts_with("OPTIONS sip:192.0.2.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP "));
        assert!(request.ends_with("\r\nContent-Length: 0\r\n\r\n") && request.lines().count() == 11);
    }
}
