//! SNMP with a community: reading values (RFC 1157, section 4.1; RFC 3416, sections 3 and 4.2). Nothing is written.

use super::{GET_REQUEST, error};
use crate::{
    Malformed, Problem,
    ber::{self, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE},
};

const GET_NEXT_REQUEST: u8 = 0xa1;
const RESPONSE: u8 = 0xa2;
const NULL: u8 = 0x05;
const IP_ADDRESS: u8 = 0x40;
const COUNTER32: u8 = 0x41;
const TIME_TICKS: u8 = 0x43;
const COUNTER64: u8 = 0x46;
/// noSuchObject, noSuchInstance, endOfMibView.
const EXCEPTIONS: std::ops::RangeInclusive<u8> = 0x80..=0x82;
/// Bindings of one response that are read; the requests made here have a dozen.
const MAX_BINDINGS: usize = 64;

/// Error status: the answer does not fit into a message.
pub const TOO_BIG: i64 = 1;
/// Error status of version 1: one of the values is not there, and none was read.
pub const NO_SUCH_NAME: i64 = 2;
/// Error status: one of the values could not be read.
pub const GENERAL_ERROR: i64 = 5;

/// The version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1 (RFC 1157).
    V1,
    /// 2c (RFC 1901).
    V2c,
}

/// A request for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The version.
    pub version: Version,
    /// The community.
    pub community: &'a [u8],
    /// Number that the response repeats; the lower 31 bits are sent.
    pub id: u32,
    /// Whether to read what follows the names, not the names themselves.
    pub next: bool,
    /// The names.
    pub names: &'a [Vec<u32>],
}

impl Request<'_> {
    /// Appends the message.
    pub fn emit(&self, out: &mut Vec<u8>) {
        ber::write_nested(out, SEQUENCE, |out| {
            write_head(out, self.version, self.community);
            ber::write_nested(out, if self.next { GET_NEXT_REQUEST } else { GET_REQUEST }, |out| {
                ber::write_integer(out, INTEGER, i64::from(self.id & 0x7fff_ffff));
                ber::write_integer(out, INTEGER, 0);
                ber::write_integer(out, INTEGER, 0);
                ber::write_nested(out, SEQUENCE, |out| {
                    for name in self.names {
                        ber::write_nested(out, SEQUENCE, |out| {
                            ber::write_oid(out, name);
                            ber::write_bytes(out, NULL, &[]);
                        });
                    }
                });
            });
        });
    }
}

/// What an agent says to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The version.
    pub version: Version,
    /// The community.
    pub community: Vec<u8>,
    /// Number of the request.
    pub id: i64,
    /// 0, or what went wrong: [`TOO_BIG`], [`NO_SUCH_NAME`], [`GENERAL_ERROR`] or another (RFC 3416, section 3).
    pub error_status: i64,
    /// Which binding went wrong, from 1; 0: none in particular.
    pub error_index: i64,
    /// The values; 64 at the most.
    pub bindings: Vec<Binding>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name.
    pub name: Vec<u32>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Integer(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A name.
    Name(Vec<u32>),
    /// A counter, gauge or number of hundredths of a second.
    Unsigned(u64),
    /// Nothing: there is no such value.
    Missing,
    /// Another type, not read.
    Other,
}

impl Response {
    /// Reads a response. A binding that cannot be read ends the list.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut message = Reader::new(bytes).nested(SEQUENCE)?;
        let version = match message.integer()? {
            0 => Version::V1,
            1 => Version::V2c,
            _ => return Err(error(Problem::Unsupported)),
        };
        let community = message.expect(OCTET_STRING)?.to_vec();
        let mut pdu = message.nested(RESPONSE)?;
        let (id, error_status, error_index) = (pdu.integer()?, pdu.integer()?, pdu.integer()?);
        let mut list = pdu.nested(SEQUENCE)?;
        let mut bindings = Vec::new();
        while !list.is_empty() && bindings.len() < MAX_BINDINGS {
            let Ok(binding) = Binding::read(&mut list) else { break };
            bindings.push(binding);
        }
        Ok(Self { version, community, id, error_status, error_index, bindings })
    }

    /// Appends the message. A value of [`Value::Other`] is written as an empty one.
    pub fn emit(&self, out: &mut Vec<u8>) {
        ber::write_nested(out, SEQUENCE, |out| {
            write_head(out, self.version, &self.community);
            ber::write_nested(out, RESPONSE, |out| {
                for number in [self.id, self.error_status, self.error_index] {
                    ber::write_integer(out, INTEGER, number);
                }
                ber::write_nested(out, SEQUENCE, |out| {
                    for binding in &self.bindings {
                        ber::write_nested(out, SEQUENCE, |out| binding.emit(out));
                    }
                });
            });
        });
    }
}

impl Binding {
    fn read(list: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut pair = list.nested(SEQUENCE)?;
        let name = Element { tag: OBJECT_IDENTIFIER, content: pair.expect(OBJECT_IDENTIFIER)? }.oid()?;
        let element = pair.element()?;
        let value = match element.tag {
            INTEGER => Value::Integer(element.integer()?),
            OCTET_STRING => Value::Bytes(element.content.to_vec()),
            OBJECT_IDENTIFIER => Value::Name(element.oid()?),
            COUNTER32..=TIME_TICKS | COUNTER64 => Value::Unsigned(element.unsigned()?),
            NULL => Value::Missing,
            tag if EXCEPTIONS.contains(&tag) => Value::Missing,
            _ => Value::Other,
        };
        Ok(Self { name, value })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        ber::write_oid(out, &self.name);
        match &self.value {
            Value::Integer(number) => ber::write_integer(out, INTEGER, *number),
            Value::Bytes(bytes) => ber::write_bytes(out, OCTET_STRING, bytes),
            Value::Name(name) => ber::write_oid(out, name),
            Value::Unsigned(number) => {
                ber::write_bytes(out, COUNTER64, &[&[0], &number.to_be_bytes()[..]].concat())
            }
            Value::Missing => ber::write_bytes(out, NULL, &[]),
            Value::Other => ber::write_bytes(out, IP_ADDRESS, &[]),
        }
    }
}

fn write_head(out: &mut Vec<u8>, version: Version, community: &[u8]) {
    ber::write_integer(
        out,
        INTEGER,
        match version {
            Version::V1 => 0,
            Version::V2c => 1,
        },
    );
    ber::write_bytes(out, OCTET_STRING, community);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_its_bytes() {
        let mut out = Vec::new();
        let names = [vec![1, 3, 6, 1, 2, 1, 1, 1, 0]];
        let mut request = Request {
            version: Version::V2c,
            community: b"public",
            id: 0x8000_0007,
            next: false,
            names: &names,
        };
        request.emit(&mut out);
        let head = b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x07\x02\x01\0\x02\x01\0";
        let tail = b"\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
        assert_eq!(out, [&head[..], tail].concat());
        assert!(Response::parse(&out).is_err(), "a request is no response");
        request.next = true;
        out.clear();
        request.emit(&mut out);
        assert_eq!(out[13], 0xa1);
    }

    fn response() -> Response {
        let binding = |last, value| Binding { name: vec![1, 3, 6, 1, 2, 1, 1, last, 0], value };
        Response {
            version: Version::V1,
            community: b"public".to_vec(),
            id: 7,
            error_status: 0,
            error_index: 0,
            bindings: vec![
                binding(1, Value::Bytes(b"a switch".to_vec())),
                binding(2, Value::Name(vec![1, 3, 6, 1, 4, 1, 9, 1])),
                binding(3, Value::Unsigned(u64::MAX)),
                binding(7, Value::Integer(-72)),
                binding(8, Value::Missing),
                binding(9, Value::Other),
            ],
        }
    }

    #[test]
    fn a_response_is_itself_again() {
        let mut out = Vec::new();
        response().emit(&mut out);
        assert_eq!(Response::parse(&out), Ok(response()));
    }

    #[test]
    fn a_broken_binding_ends_the_list() {
        let mut out = Vec::new();
        response().emit(&mut out);
        let at = out.windows(8).position(|part| part == b"a switch").unwrap() + 8;
        // The tag of the second pair.
        out[at] = 0x31;
        assert_eq!(Response::parse(&out).unwrap().bindings, response().bindings[..1]);
    }

    #[test]
    fn one_response_has_no_end_of_bindings() {
        let many = Response { bindings: vec![response().bindings[3].clone(); 1000], ..response() };
        let mut out = Vec::new();
        many.emit(&mut out);
        assert_eq!(Response::parse(&out).unwrap().bindings.len(), MAX_BINDINGS);
    }
}
