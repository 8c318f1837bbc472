//! The name of an SNMP agent's engine, which it tells before any user is known.

use headcount_wire::snmp;

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// SNMPv3: engine discovery.
pub(crate) static PROBE: Probe = Probe {
    name: "snmp",
    title: "SNMPv3 engine discovery",
    carrier: Carrier::Datagram,
    ports: &[snmp::PORT],
    tls_ports: &[],
    multicast: None,
    sends: "one request without engine, user or community",
    normal: "every SNMPv3 client must learn the engine's name before it can authenticate",
    source: "RFC 3414, section 4; RFC 3411, section 5",
    yields: &["snmp.engineid", "snmp.engineboots", "snmp.enginetime"],
    safety: Safety::Safe,
    budget: Budget::DATAGRAM,
    begin,
};

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Discovery { id: u32::from(context.id()) })
}

struct Discovery {
    id: u32,
}

impl Conversation for Discovery {
    fn opened(&mut self, out: &mut Out) {
        let mut request = Vec::new();
        snmp::engine_discovery(self.id, &mut request);
        out.send(request);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(report) = snmp::Report::parse(bytes) else { return };
        if report.message_id != self.id {
            return;
        }
        let hex: String = report.engine_id.iter().map(|byte| format!("{byte:02x}")).collect();
        out.say("snmp.engineid", hex);
        out.say("snmp.engineboots", report.engine_boots.to_string());
        out.say("snmp.enginetime", report.engine_time.to_string());
        out.done();
    }

    fn ended(&mut self, _: End, _: &mut Out) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn report(message_id: u32, engine_id: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        snmp::Report { message_id, engine_id, engine_boots: 7, engine_time: 86_400 }.emit(&mut out);
        out
    }

    #[test]
    fn reads_the_engine() {
        let id = u32::from(context(161).id());
        for (engine, hex) in [
            (&b"\x80\x00\x1f\x88\x80\x12\x34\x56\x78"[..], "80001f888012345678"),
            (b"\x80\x00\x00\x09\x03\x00\x1b\x54\xc2\x01\x02", "8000000903001b54c20102"),
        ] {
            let outcome = play(&PROBE, &context(161), &[SendsAny, Receives(&report(id, engine))]);
            let expected =
                said(&[("snmp.engineid", hex), ("snmp.engineboots", "7"), ("snmp.enginetime", "86400")]);
            assert_eq!(outcome.said, expected);
            assert!(outcome.done);
        }
    }

    #[test]
    fn another_message_says_nothing() {
        let mut request = Vec::new();
        snmp::engine_discovery(1, &mut request);
        for bytes in [request, report(0x4242, b"\x80\x00\x1f\x88\x80"), b"\x30\x84\xff\xff\xff\xff".to_vec()]
        {
            assert!(play(&PROBE, &context(161), &[SendsAny, Receives(&bytes), Quiet]).said.is_empty());
        }
    }
}
