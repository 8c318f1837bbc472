//! What a directory says of itself.

use headcount_wire::{
    Problem,
    ber::{self, Element, Reader},
};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// LDAP: a search for the root entry, without a bind.
pub(crate) static PROBE: Probe = Probe {
    name: "ldap",
    title: "LDAP root entry",
    carrier: Carrier::Stream,
    ports: &[389, 3268],
    tls_ports: &[636, 3269],
    multicast: None,
    sends: "one search for the attributes of the empty name itself, then an unbind; never a bind",
    normal: "clients read the root entry before they bind, to learn what the server can do",
    source: "RFC 4511, sections 4.1.1, 4.3 and 4.5; RFC 4512, section 5.1; RFC 3045",
    yields: &["ldap", "ldap.vendor", "ldap.naming_context", "ldap.dns_host"],
    safety: Safety::Safe,
    budget: Budget { received: 64 << 10, ..Budget::GREETING },
    begin,
};

const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const UNBIND_REQUEST: u8 = 0x42;
const PRESENT: u8 = 0x87;
const SET: u8 = 0x31;
const ENUMERATED: u8 = 0x0a;
const BOOLEAN: u8 = 0x01;

/// All user attributes, all operational ones (RFC 3673), and by name what some servers give only so.
const ATTRIBUTES: [&str; 12] = [
    "*",
    "+",
    "namingContexts",
    "defaultNamingContext",
    "dnsHostName",
    "ldapServiceName",
    "serverName",
    "vendorName",
    "vendorVersion",
    "supportedLDAPVersion",
    "forestFunctionality",
    "domainControllerFunctionality",
];

fn begin(_: &Context) -> Box<dyn Conversation> {
    Box::new(Search::default())
}

#[derive(Default)]
struct Search {
    bytes: Vec<u8>,
    start: usize,
    over: bool,
}

impl Search {
    /// Whether more is wanted after this message.
    fn message(content: &[u8], out: &mut Out) -> bool {
        let mut reader = Reader::new(content);
        let (Ok(_id), Ok(operation)) = (reader.integer(), reader.element()) else { return false };
        if operation.tag == SEARCH_ENTRY {
            out.say("ldap", operation.content);
            entry(operation.content, out);
        }
        // A referral (0x73) may come before the end.
        operation.tag != SEARCH_DONE && matches!(operation.tag, SEARCH_ENTRY | 0x73)
    }

    fn over(&mut self, out: &mut Out) {
        self.over = true;
        out.done();
    }
}

impl Conversation for Search {
    fn opened(&mut self, out: &mut Out) {
        out.send(request());
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.bytes.extend_from_slice(bytes);
        while !self.over {
            let rest = self.bytes.get(self.start..).unwrap_or_default();
            match whole(rest) {
                Ok(Some((content, after))) => {
                    self.start = self.bytes.len() - after;
                    if !Self::message(content, out) {
                        out.send(unbind());
                        self.over(out);
                    }
                }
                Ok(None) => return,
                Err(()) => self.over(out),
            }
        }
    }

    fn ended(&mut self, _: End, _: &mut Out) {
        self.over = true;
    }
}

/// The message at the front once it is there whole, and how much follows it.
fn whole(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, ()> {
    match Element::parse(bytes) {
        Ok((Element { tag: ber::SEQUENCE, content }, rest)) => Ok(Some((content, rest.len()))),
        Err(error) if error.problem == Problem::Truncated && matches!(bytes, [] | [ber::SEQUENCE, ..]) => {
            Ok(None)
        }
        _ => Err(()),
    }
}

fn request() -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_nested(&mut out, ber::SEQUENCE, |out| {
        ber::write_integer(out, ber::INTEGER, 1);
        ber::write_nested(out, SEARCH_REQUEST, |out| {
            ber::write_bytes(out, ber::OCTET_STRING, b"");
            // The entry itself, aliases as they are, no limits but the server's, values too.
            ber::write_integer(out, ENUMERATED, 0);
            ber::write_integer(out, ENUMERATED, 0);
            ber::write_integer(out, ber::INTEGER, 0);
            ber::write_integer(out, ber::INTEGER, 0);
            ber::write_bytes(out, BOOLEAN, &[0]);
            ber::write_bytes(out, PRESENT, b"objectClass");
            ber::write_nested(out, ber::SEQUENCE, |out| {
                for attribute in ATTRIBUTES {
                    ber::write_bytes(out, ber::OCTET_STRING, attribute.as_bytes());
                }
            });
        });
    });
    out
}

fn unbind() -> Vec<u8> {
    let mut out = Vec::new();
    ber::write_nested(&mut out, ber::SEQUENCE, |out| {
        ber::write_integer(out, ber::INTEGER, 2);
        ber::write_bytes(out, UNBIND_REQUEST, b"");
    });
    out
}

/// The name, then a sequence of attributes: a type and a set of values each.
fn entry(content: &[u8], out: &mut Out) {
    let mut reader = Reader::new(content);
    let Ok(_name) = reader.expect(ber::OCTET_STRING) else { return };
    let Ok(mut attributes) = reader.nested(ber::SEQUENCE) else { return };
    let mut vendor = [&[][..]; 2];
    while let Ok(mut attribute) = attributes.nested(ber::SEQUENCE) {
        let Ok(kind) = attribute.expect(ber::OCTET_STRING) else { return };
        let Ok(mut values) = attribute.nested(SET) else { return };
        let kind = kind.to_ascii_lowercase();
        while let Ok(value) = values.expect(ber::OCTET_STRING) {
            match kind.as_slice() {
                b"vendorname" => vendor[0] = value,
                b"vendorversion" => vendor[1] = value,
                b"namingcontexts" => out.say("ldap.naming_context", value),
                b"dnshostname" => out.say("ldap.dns_host", value),
                _ => {}
            }
        }
    }
    out.say("ldap.vendor", vendor.join(&b' ').trim_ascii());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    /// Lengths in the long form that Active Directory uses, or the short one.
    fn tlv(long: bool, tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u32;
        if long && tag != ber::OCTET_STRING && tag != ber::INTEGER {
            [&[tag, 0x84][..], &length.to_be_bytes(), content].concat()
        } else {
            let mut out = Vec::new();
            ber::write_bytes(&mut out, tag, content);
            out
        }
    }

    fn message(long: bool, tag: u8, content: &[u8]) -> Vec<u8> {
        tlv(long, ber::SEQUENCE, &[&[2, 1, 1], &tlv(long, tag, content)[..]].concat())
    }

    fn answer(long: bool, attributes: &[(&str, &[&str])]) -> (Vec<u8>, Vec<u8>) {
        let mut list = Vec::new();
        for (kind, values) in attributes {
            let values: Vec<u8> =
                values.iter().flat_map(|value| tlv(long, ber::OCTET_STRING, value.as_bytes())).collect();
            let pair = [tlv(long, ber::OCTET_STRING, kind.as_bytes()), tlv(long, SET, &values)].concat();
            list.extend(tlv(long, ber::SEQUENCE, &pair));
        }
        let content = [&[4, 0], &tlv(long, ber::SEQUENCE, &list)[..]].concat();
        let done = message(long, SEARCH_DONE, &[10, 1, 0, 4, 0, 4, 0]);
        ([message(long, SEARCH_ENTRY, &content), done].concat(), content)
    }

    fn raw(content: &[u8]) -> String {
        std::str::from_utf8(content).map_or_else(|_| content.escape_ascii().to_string(), str::to_owned)
    }

    #[test]
    fn reads_the_root_entry_of_a_directory_server() {
        let attributes: &[(&str, &[&str])] = &[
            ("objectClass", &["top"]),
            ("vendorName", &["389 Project"]),
            ("vendorVersion", &["389-Directory/2.3.1"]),
            ("namingContexts", &["dc=example,dc=org", "o=ipaca"]),
        ];
        let (answer, content) = answer(false, attributes);
        let outcome = play(&PROBE, &context(389), &[Sends(&request()), Receives(&answer), Sends(&unbind())]);
        let expected = [
            ("ldap", raw(&content)),
            ("ldap.naming_context", "dc=example,dc=org".to_owned()),
            ("ldap.naming_context", "o=ipaca".to_owned()),
            ("ldap.vendor", "389 Project 389-Directory/2.3.1".to_owned()),
        ];
        assert_eq!(outcome.said, expected.map(|(field, value)| (field.to_owned(), value)));
        assert!(outcome.done);
    }

    #[test]
    fn reads_the_long_lengths_of_active_directory() {
        let attributes: &[(&str, &[&str])] =
            &[("namingContexts", &["DC=corp,DC=example"]), ("dnsHostName", &["DC1.corp.example"])];
        let (answer, _) = answer(true, attributes);
        let outcome = play(&PROBE, &context(389), &[Sends(&request()), Receives(&answer), Sends(&unbind())]);
        let expected = [("ldap.naming_context", "DC=corp,DC=example"), ("ldap.dns_host", "DC1.corp.example")];
        assert_eq!(outcome.said[1..], said(&expected));
    }

    #[test]
    fn a_server_that_wants_a_bind_says_nothing() {
        let refused = message(false, SEARCH_DONE, &[10, 1, 50, 4, 0, 4, 4, b'B', b'i', b'n', b'd']);
        let outcome = play(&PROBE, &context(389), &[Sends(&request()), Receives(&refused), Sends(&unbind())]);
        assert!(outcome.said.is_empty() && outcome.done);
    }

    #[test]
    fn malformed_answers_end_it() {
        for bytes in
            [&b"HTTP/1.1 400\r\n"[..], &[0x30, 0x80, 0, 0], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x31, 0], &[0x3f]]
        {
            let outcome = play(&PROBE, &context(389), &[Sends(&request()), Receives(bytes), Closes]);
            assert!(outcome.said.is_empty() && outcome.done, "{bytes:?}");
        }
        let empty = message(false, SEARCH_ENTRY, b"");
        let broken = message(false, SEARCH_ENTRY, &[4, 0, 0x30, 9, 0x30, 4, 4, 9, b'x']);
        let endless = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1];
        for bytes in [&empty[..], &broken, &endless] {
            let outcome = play(&PROBE, &context(389), &[Sends(&request()), Receives(bytes), Closes]);
            assert!(outcome.said.len() <= 1 && outcome.done, "{bytes:?}");
        }
    }
}
