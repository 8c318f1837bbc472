//! What a printer says of itself over IPP.

use crate::{
    Budget, Carrier, Context, Conversation, Follow, Out, Probe, Safety,
    fetch::{self, Fetch},
    head::Answer,
    url,
};

/// IPP: Get-Printer-Attributes.
pub(crate) static PROBE: Probe = Probe {
    name: "ipp",
    title: "IPP printer attributes",
    carrier: Carrier::Stream,
    ports: &[631],
    tls_ports: &[],
    multicast: None,
    sends: "one Get-Printer-Attributes that names the attributes it wants; never a job",
    normal: "every IPP client reads the attributes before it prints",
    source: "RFC 8011, section 4.2.5; RFC 8010; PWG 5100.14 (IPP Everywhere)",
    yields: &["ipp.*", "http.server"],
    safety: Safety::Careful,
    budget: Budget::PAGE,
    begin,
};

/// Where IPP Everywhere has the printer, and where older ones have it.
const PATH: &str = "/ipp/print";
const OLDER_PATH: &str = "/ipp";

/// The attributes that are asked for, and their fields.
const ASKED: &[(&str, &str)] = &[
    ("printer-make-and-model", "ipp.make_and_model"),
    ("printer-device-id", "ipp.device_id"),
    ("printer-uuid", "ipp.uuid"),
    ("printer-firmware-string-version", "ipp.firmware"),
    ("printer-info", "ipp.info"),
    ("printer-location", "ipp.location"),
    ("printer-name", "ipp.name"),
    ("printer-serial-number", "ipp.serial"),
    ("printer-state", "ipp.state"),
];

/// Tags (RFC 8010, sections 3.5.1 and 3.5.2).
const OPERATION_ATTRIBUTES: u8 = 1;
const PRINTER_ATTRIBUTES: u8 = 4;
const END: u8 = 3;
const ENUM: u8 = 0x23;
const TEXT_WITH_LANGUAGE: u8 = 0x35;
const NAME_WITH_LANGUAGE: u8 = 0x36;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;

/// Attributes that are read.
const MOST: usize = 512;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let path = if context.path.is_empty() { PATH } else { &context.path };
    let body = get_printer_attributes(context, path);
    let head = format!("Content-Type: application/ipp\r\nContent-Length: {}\r\n", body.len());
    let request = [fetch::request(context, "POST", path, &head), body].concat();
    let context = context.clone();
    Fetch::whole(request, 64 << 10, move |answer, out| tell(&context, answer, out))
}

fn get_printer_attributes(context: &Context, path: &str) -> Vec<u8> {
    const VERSION: [u8; 2] = [1, 1];
    const GET_PRINTER_ATTRIBUTES: [u8; 2] = [0, 0x0b];
    let scheme = if context.tls { "ipps" } else { "ipp" };
    let uri = format!("{scheme}://{}:{}{}", context.host, context.port, url::sendable(path));
    let mut body = [VERSION, GET_PRINTER_ATTRIBUTES].concat();
    body.extend(u32::from(context.id()).max(1).to_be_bytes());
    body.push(OPERATION_ATTRIBUTES);
    let mut add = |tag: u8, name: &str, value: &str| {
        body.push(tag);
        for text in [name, value] {
            body.extend((text.len() as u16).to_be_bytes());
            body.extend_from_slice(text.as_bytes());
        }
    };
    add(CHARSET, "attributes-charset", "utf-8");
    add(LANGUAGE, "attributes-natural-language", "en");
    add(URI, "printer-uri", &uri);
    for (at, (attribute, _)) in ASKED.iter().enumerate() {
        add(KEYWORD, if at == 0 { "requested-attributes" } else { "" }, attribute);
    }
    body.push(END);
    body
}

fn tell(context: &Context, answer: &Answer, out: &mut Out) {
    const NOT_FOUND: u16 = 0x0406;
    let head = answer.head();
    out.say("http.server", head.first("server").unwrap_or_default());
    let follow =
        |tls, path: &str| Follow { probe: PROBE.name, port: context.port, tls, path: path.to_owned() };
    let first = context.path.is_empty();
    match head.status() {
        Some(426) if !context.tls => return out.follow(follow(true, &context.path)),
        Some(404) if first => return out.follow(follow(context.tls, OLDER_PATH)),
        Some(200) if !answer.is_packed() => {}
        _ => return,
    }
    let Some((&[1 | 2, _, high, low, _, _, _, _], attributes)) = answer.body().split_first_chunk::<8>()
    else {
        return;
    };
    if u16::from_be_bytes([high, low]) == NOT_FOUND && first {
        return out.follow(follow(context.tls, OLDER_PATH));
    }
    for (name, value) in Attributes::of(attributes).take(MOST) {
        if let Some((_, field)) = ASKED.iter().find(|(known, _)| known.as_bytes() == name) {
            out.say(field, value);
        }
    }
}

/// The printer's attributes with a value that is text or a state, in order.
struct Attributes<'a> {
    rest: &'a [u8],
    group: u8,
    name: &'a [u8],
}

impl<'a> Attributes<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, group: 0, name: b"" }
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.rest = rest;
        Some(value)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (tag, rest) = self.rest.split_first()?;
            self.rest = rest;
            if *tag < 0x10 {
                self.group = *tag;
                if *tag == END {
                    return None;
                }
                continue;
            }
            let name = self.counted()?;
            let value = self.counted()?;
            // A value without a name is one more of the attribute before.
            if !name.is_empty() {
                self.name = name;
            }
            if self.group == PRINTER_ATTRIBUTES
                && let Some(value) = readable(*tag, value)
            {
                return Some((self.name, value));
            }
        }
    }
}

fn readable(tag: u8, value: &[u8]) -> Option<&[u8]> {
    const STATES: [&[u8]; 3] = [b"idle", b"processing", b"stopped"];
    match tag {
        ENUM => {
            let number = usize::try_from(u32::from_be_bytes(value.try_into().ok()?)).ok()?;
            STATES.get(number.checked_sub(3)?).copied()
        }
        TEXT_WITH_LANGUAGE | NAME_WITH_LANGUAGE => {
            let mut parts = Attributes::of(value);
            parts.counted()?;
            parts.counted()
        }
        0x30 | 0x40..=0x49 => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        for part in [name.as_bytes(), value] {
            bytes.extend((part.len() as u16).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn answer(status: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
        let body = [
            &[2, 0][..],
            &status.to_be_bytes(),
            &[0, 0, 0, 1, 1],
            &attribute(CHARSET, "attributes-charset", b"utf-8"),
            &[PRINTER_ATTRIBUTES],
            &attributes.concat(),
            &[END],
        ]
        .concat();
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: HP HTTP Server\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat()
    }

    #[test]
    fn reads_a_printer() {
        let with_language = [&[0, 2][..], b"en", &[0, 4], b"Desk"].concat();
        let answer = answer(
            0,
            &[
                attribute(0x41, "printer-make-and-model", b"HP LaserJet Pro M404dn"),
                attribute(0x41, "printer-device-id", b"MFG:HP;MDL:LaserJet Pro M404dn;"),
                attribute(0x45, "printer-uuid", b"urn:uuid:1"),
                attribute(TEXT_WITH_LANGUAGE, "printer-info", &with_language),
                attribute(ENUM, "printer-state", &[0, 0, 0, 3]),
                attribute(0x41, "printer-firmware-string-version", b"1"),
                attribute(0x41, "", b"2"),
                attribute(0x13, "printer-location", b""),
                attribute(0x34, "media-col", b""),
            ],
        );
        let outcome = play(&PROBE, &context(631), &[SendsAny, Receives(&answer)]);
        assert_eq!(
            outcome.said,
            said(&[
                ("http.server", "HP HTTP Server"),
                ("ipp.make_and_model", "HP LaserJet Pro M404dn"),
                ("ipp.device_id", "MFG:HP;MDL:LaserJet Pro M404dn;"),
                ("ipp.uuid", "urn:uuid:1"),
                ("ipp.info", "Desk"),
                ("ipp.state", "idle"),
                ("ipp.firmware", "1"),
                ("ipp.firmware", "2"),
            ])
        );
    }

    #[test]
    fn an_older_place_and_tls_are_tried_once() {
        let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(play(&PROBE, &context(631), &[SendsAny, Receives(not_found)]).follows[0].path, OLDER_PATH);
        let gone = answer(0x0406, &[]);
        assert_eq!(play(&PROBE, &context(631), &[SendsAny, Receives(&gone)]).follows[0].path, OLDER_PATH);
        let older = Context { path: OLDER_PATH.into(), ..context(631) };
        assert!(play(&PROBE, &older, &[SendsAny, Receives(not_found)]).follows.is_empty());
        let upgrade = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n";
        assert!(play(&PROBE, &context(631), &[SendsAny, Receives(upgrade)]).follows[0].tls);
        let inside = Context { tls: true, ..context(631) };
        assert!(play(&PROBE, &inside, &[SendsAny, Receives(upgrade)]).follows.is_empty());
    }

    #[test]
    fn false_lengths_and_cut_answers_end() {
        let whole = answer(0, &[attribute(0x41, "printer-info", b"x")]);
        for cut in 0..whole.len() {
            play(&PROBE, &context(631), &[SendsAny, Receives(&whole[..cut]), Closes]);
        }
        let mut false_length = whole.clone();
        let at = false_length.len() - 4;
        false_length[at] = 0xff;
        assert!(play(&PROBE, &context(631), &[SendsAny, Receives(&false_length), Closes]).said.len() == 1);
        let page = b"HTTP/1.1 200 OK\r\n\r\n<html>not IPP</html>";
        assert!(play(&PROBE, &context(631), &[SendsAny, Receives(page), Closes]).said.is_empty());
    }

    #[test]
    fn the_request_is_well_formed() {
        let body = get_printer_attributes(&context(631), PATH);
        assert_eq!(body[..9], [1, 1, 0, 0x0b, 0, 0, 0, 1, 1]);
        let mut rest = Attributes { rest: &body[9..], group: PRINTER_ATTRIBUTES, name: b"" };
        assert_eq!(rest.by_ref().count(), 3 + ASKED.len());
        assert!(rest.rest.is_empty() && body.ends_with(&[END]));
    }
}
