//! What a SIP telephone or server says of itself, over TCP and TLS.

use crate::{Budget, Carrier, Context, Conversation, Probe, Safety, fetch::Fetch, sip};

/// SIP: its capabilities, over TCP.
pub(crate) static PROBE: Probe = Probe {
    name: "sip-tcp",
    title: "SIP capabilities over TCP",
    carrier: Carrier::Stream,
    ports: &[5060],
    tls_ports: &[5061],
    multicast: None,
    sends: "one OPTIONS; never INVITE or REGISTER, so no telephone rings",
    normal: "servers and telephones ask each other's capabilities, also to see who is alive",
    source: "RFC 3261, sections 11 and 18",
    yields: sip::YIELDS,
    safety: Safety::Safe,
    budget: Budget::GREETING,
    begin,
};

fn begin(context: &Context) -> Box<dyn Conversation> {
    let transport = if context.tls { "TLS" } else { "TCP" };
    Fetch::head(sip::options(context, transport), |answer, out| _ = sip::tell(answer.head(), out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn reads_the_final_answer() {
        let answer = b"SIP/2.0 100 Trying\r\nServer: no\r\n\r\nSIP/2.0 200 OK\r\nServer: Grandstream UCM6202V1.5A 1.0.20.23\r\n\r\n";
        let outcome = play(&PROBE, &context(5060), &[SendsAny, Receives(answer), Closes]);
        assert_eq!(outcome.said, said(&[("sip.server", "Grandstream UCM6202V1.5A 1.0.20.23")]));
        assert!(
            play(&PROBE, &context(5060), &[SendsAny, Receives(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n")])
                .said
                .is_empty()
        );
    }
}
