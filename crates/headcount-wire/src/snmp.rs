//! SNMPv3 engine discovery (RFC 3414, section 4): a request without an engine ID, which every agent answers with a
//! report of its own. No user, no community, no secret.

mod community;

use std::fmt;

use crate::{
    Layer, Malformed, Problem,
    ber::{self, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE},
};

pub use community::{Binding, GENERAL_ERROR, NO_SUCH_NAME, Request, Response, TOO_BIG, Value, Version};

/// Port of an agent.
pub const PORT: u16 = 161;

const VERSION_3: i64 = 3;
/// User-based security (RFC 3411, section 5).
const SECURITY_MODEL: i64 = 3;
/// The largest UDP payload: what the sender can take.
const MAX_SIZE: i64 = 65_507;
/// Reportable, neither authenticated nor encrypted (RFC 3412, section 6.4).
const FLAG_REPORTABLE: u8 = 0x04;
const GET_REQUEST: u8 = 0xa0;
const REPORT: u8 = 0xa8;
const COUNTER32: u8 = 0x41;
/// `usmStatsUnknownEngineIDs.0` (RFC 3414, section 5).
const UNKNOWN_ENGINE_IDS: [u8; 10] = [0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0];

/// Appends the discovery request. Message and request ID are the lower 31 bits of `request_id`.
pub fn engine_discovery(request_id: u32, out: &mut Vec<u8>) {
    let id = i64::from(request_id & 0x7fff_ffff);
    write_message(out, id, FLAG_REPORTABLE, &Report::default(), |out| {
        ber::write_nested(out, GET_REQUEST, |out| {
            ber::write_integer(out, INTEGER, id);
            ber::write_integer(out, INTEGER, 0);
            ber::write_integer(out, INTEGER, 0);
            ber::write_bytes(out, SEQUENCE, &[]);
        });
    });
}

/// The answer to [`engine_discovery`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// Message ID of the request.
    pub message_id: u32,
    /// Name of the agent's engine: an IANA enterprise number, then often a MAC or IP address (RFC 3411, section 5).
    pub engine_id: &'a [u8],
    /// How often the engine has started.
    pub engine_boots: u32,
    /// Seconds since it last did.
    pub engine_time: u32,
}

impl<'a> Report<'a> {
    /// Reads the head of an SNMPv3 message with user-based security. It must name an engine; its payload is not
    /// looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut message = Reader::new(bytes).nested(SEQUENCE)?;
        if message.integer()? != VERSION_3 {
            return Err(error(Problem::Unsupported));
        }
        let mut global = message.nested(SEQUENCE)?;
        let message_id = unsigned(global.integer()?)?;
        global.integer()?;
        global.expect(OCTET_STRING)?;
        if global.integer()? != SECURITY_MODEL {
            return Err(error(Problem::Unsupported));
        }
        let mut security = message.nested(OCTET_STRING)?.nested(SEQUENCE)?;
        let engine_id = security.expect(OCTET_STRING)?;
        if !(1..=32).contains(&engine_id.len()) {
            return Err(error(Problem::Length));
        }
        let engine_boots = unsigned(security.integer()?)?;
        let engine_time = unsigned(security.integer()?)?;
        Ok(Self { message_id, engine_id, engine_boots, engine_time })
    }

    /// Appends the report that an agent sends. The message ID is cut to 31 bits.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let id = i64::from(self.message_id & 0x7fff_ffff);
        write_message(out, id, 0, self, |out| {
            ber::write_nested(out, REPORT, |out| {
                ber::write_integer(out, INTEGER, id);
                ber::write_integer(out, INTEGER, 0);
                ber::write_integer(out, INTEGER, 0);
                ber::write_nested(out, SEQUENCE, |out| {
                    ber::write_nested(out, SEQUENCE, |out| {
                        ber::write_bytes(out, OBJECT_IDENTIFIER, &UNKNOWN_ENGINE_IDS);
                        ber::write_integer(out, COUNTER32, 1);
                    });
                });
            });
        });
    }
}

/// Appends an unsecured message (RFC 3412, section 6) around the PDU that `pdu` appends.
fn write_message(out: &mut Vec<u8>, id: i64, flags: u8, engine: &Report<'_>, pdu: impl FnOnce(&mut Vec<u8>)) {
    ber::write_nested(out, SEQUENCE, |out| {
        ber::write_integer(out, INTEGER, VERSION_3);
        ber::write_nested(out, SEQUENCE, |out| {
            ber::write_integer(out, INTEGER, id);
            ber::write_integer(out, INTEGER, MAX_SIZE);
            ber::write_bytes(out, OCTET_STRING, &[flags]);
            ber::write_integer(out, INTEGER, SECURITY_MODEL);
        });
        ber::write_nested(out, OCTET_STRING, |out| {
            ber::write_nested(out, SEQUENCE, |out| {
                ber::write_bytes(out, OCTET_STRING, engine.engine_id);
                ber::write_integer(out, INTEGER, i64::from(engine.engine_boots));
                ber::write_integer(out, INTEGER, i64::from(engine.engine_time));
                // No user name, no authentication, no privacy parameters.
                for _ in 0..3 {
                    ber::write_bytes(out, OCTET_STRING, &[]);
                }
            });
        });
        ber::write_nested(out, SEQUENCE, |out| {
            // Context engine and context name.
            ber::write_bytes(out, OCTET_STRING, engine.engine_id);
            ber::write_bytes(out, OCTET_STRING, &[]);
            pdu(out);
        });
    });
}

fn unsigned(value: i64) -> Result<u32, Malformed> {
    u32::try_from(value).map_err(|_| error(Problem::Value))
}

const fn error(problem: Problem) -> Malformed {
    Malformed::new(Layer::Snmp, problem)
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SNMP engine ")?;
        for byte in self.engine_id {
            write!(f, "{byte:02x}")?;
        }
        write!(f, " boots {} time {}", self.engine_boots, self.engine_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: [u8; 60] = [
        0x30, 0x3a, 0x02, 0x01, 0x03, // version
        0x30, 0x0f, 0x02, 0x02, 0x12, 0x34, 0x02, 0x03, 0x00, 0xff, 0xe3, 0x04, 0x01, 0x04, 0x02, 0x01, 0x03,
        0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00, 0x04,
        0x00, // security parameters
        0x30, 0x12, 0x04, 0x00, 0x04, 0x00, // context
        0xa0, 0x0c, 0x02, 0x02, 0x12, 0x34, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00, // request
    ];

    #[test]
    fn the_request_is_its_bytes() {
        let mut out = Vec::new();
        engine_discovery(0x8000_1234, &mut out);
        assert_eq!(out, REQUEST);
    }

    fn report() -> Report<'static> {
        Report {
            message_id: 0x1234,
            engine_id: &[0x80, 0, 0x1f, 0x88, 3, 2, 0, 0, 0, 0, 0x14],
            engine_boots: 7,
            engine_time: 86_400,
        }
    }

    #[test]
    fn a_report_names_its_engine() {
        let mut out = Vec::new();
        report().emit(&mut out);
        assert_eq!(Report::parse(&out), Ok(report()));
        assert_eq!(report().to_string(), "SNMP engine 80001f8803020000000014 boots 7 time 86400");
    }

    #[test]
    fn a_message_without_an_engine_is_no_report() {
        assert_eq!(Report::parse(&REQUEST), Err(error(Problem::Length)));
        let mut other = REQUEST;
        other[4] = 1;
        assert_eq!(Report::parse(&other), Err(error(Problem::Unsupported)));
    }
}
