//! The certificate of a server that only speaks what modern TLS libraries no longer do.

use crate::{Budget, Carrier, Context, Conversation, End, Follow, Out, Probe, Safety, TlsFacts, tls};

/// TLS 1.2 and older with the old suites: asked when the ordinary handshake failed.
pub(crate) static PROBE: Probe = Probe {
    name: "tls-legacy",
    title: "old TLS handshake",
    carrier: Carrier::Stream,
    ports: &[],
    tls_ports: &[],
    multicast: None,
    sends: "one ClientHello that offers TLS 1.2 to 1.0 and old suites; once more without extensions if that is refused",
    normal: "the first message of every TLS client; the handshake is left after the server's certificate",
    source: "RFC 5246, sections 6.2.1 and 7.4; RFC 2246",
    yields: tls::YIELDS,
    safety: Safety::Safe,
    budget: Budget { received: 96 << 10, sends: 1, ..Budget::GREETING },
    begin,
};

/// The path that asks for a hello of TLS 1.0 without extensions.
const PLAIN: &str = "tls1.0";
/// Records that are read; a server needs a handful.
const MOST_RECORDS: usize = 64;
/// Certificates of a chain that are kept.
const MOST_CERTIFICATES: usize = 8;

/// Record types (RFC 5246, section 6.2.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Handshake types (section 7.4).
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let plain = context.path == PLAIN;
    let again = Follow { probe: PROBE.name, port: context.port, tls: false, path: PLAIN.to_owned() };
    Box::new(Handshake {
        hello: client_hello(&context.random, plain),
        again: (!plain).then_some(again),
        record: Vec::new(),
        records: 0,
        messages: Vec::new(),
        facts: TlsFacts::default(),
        told: false,
    })
}

struct Handshake {
    hello: Vec<u8>,
    /// What to ask if this is refused.
    again: Option<Follow>,
    /// The record that is coming in.
    record: Vec<u8>,
    records: usize,
    /// Handshake messages, as far as they are not read.
    messages: Vec<u8>,
    facts: TlsFacts,
    told: bool,
}

impl Conversation for Handshake {
    fn opened(&mut self, out: &mut Out) {
        out.send(std::mem::take(&mut self.hello));
    }

    fn received(&mut self, mut bytes: &[u8], out: &mut Out) {
        while !bytes.is_empty() && !self.told {
            let missing = missing(&self.record);
            let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
            self.record.extend_from_slice(taken);
            bytes = rest;
            if self::missing(&self.record) == 0 {
                self.take_record(out);
            }
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if !self.told {
            self.tell(out);
        }
    }
}

/// Bytes until the record's header, then the record, is whole.
fn missing(record: &[u8]) -> usize {
    const HEADER: usize = 5;
    let Some(&[_, _, _, high, low]) = record.first_chunk::<HEADER>() else { return HEADER - record.len() };
    HEADER + usize::from(u16::from_be_bytes([high, low])) - record.len()
}

impl Handshake {
    fn take_record(&mut self, out: &mut Out) {
        let record = std::mem::take(&mut self.record);
        self.records += 1;
        match record.split_first_chunk::<5>() {
            Some(([HANDSHAKE, 3, ..], message)) => self.messages.extend_from_slice(message),
            // A warning goes by (section 7.2).
            Some(([ALERT, 3, ..], [1, _])) => {}
            _ => return self.tell(out),
        }
        while let Some((kind, body)) = self.next_message() {
            if self.take_message(kind, &body) {
                return self.tell(out);
            }
        }
        if self.records >= MOST_RECORDS {
            self.tell(out);
        }
    }

    fn next_message(&mut self) -> Option<(u8, Vec<u8>)> {
        let (&[kind, a, b, c], rest) = self.messages.split_first_chunk::<4>()?;
        let body = rest.get(..length([a, b, c]))?.to_vec();
        self.messages.drain(..4 + body.len());
        Some((kind, body))
    }

    /// Takes a message; gives whether it is the last one wanted.
    fn take_message(&mut self, kind: u8, body: &[u8]) -> bool {
        match kind {
            SERVER_HELLO => {
                let number =
                    |at: usize| body.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]));
                let session = body.get(34).map_or(0, |length| usize::from(*length));
                self.facts.version = number(0);
                self.facts.cipher = number(35 + session);
                false
            }
            CERTIFICATE => {
                self.facts.chain = certificates(body);
                true
            }
            kind => kind == SERVER_HELLO_DONE,
        }
    }

    fn tell(&mut self, out: &mut Out) {
        self.told = true;
        for said in tls::describe(&self.facts) {
            out.say(said.field, said.value.0);
        }
        if let Some(again) = self.again.take().filter(|_| self.facts == TlsFacts::default()) {
            out.follow(again);
        }
        out.done();
    }
}

fn length(bytes: [u8; 3]) -> usize {
    let [a, b, c] = bytes.map(usize::from);
    a << 16 | b << 8 | c
}

/// The chain in a Certificate message (section 7.4.2), as far as it is whole.
fn certificates(body: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = body.get(3..).unwrap_or_default();
    let mut chain = Vec::new();
    while let Some((size, after)) = rest.split_first_chunk::<3>().filter(|_| chain.len() < MOST_CERTIFICATES)
    {
        let Some((der, after)) = after.split_at_checked(length(*size)) else { break };
        chain.push(der.to_vec());
        rest = after;
    }
    chain
}

/// A ClientHello for TLS 1.2 and older, or a `plain` one for TLS 1.0 without extensions (section 7.4.1.2).
fn client_hello(random: &[u8; 32], plain: bool) -> Vec<u8> {
    const RENEGOTIATION_INFO: u16 = 0x00ff;
    let version: u16 = if plain { 0x0301 } else { 0x0303 };
    // TLS 1.0 has no GCM and no SHA-256; servers of its time may refuse what they do not know.
    let fits = |suite: &u16, name: &str| {
        let new = (0x1300..=0x13ff).contains(suite);
        !new && (!plain || name.ends_with("_SHA") || name.ends_with("_MD5"))
    };
    let known = tls::CIPHERS.iter().filter(|(suite, name)| fits(suite, name)).map(|(suite, _)| *suite);
    let suites: Vec<u8> = known.chain([RENEGOTIATION_INFO]).flat_map(u16::to_be_bytes).collect();
    let mut body = version.to_be_bytes().to_vec();
    body.extend_from_slice(random);
    body.push(0);
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(suites);
    body.extend([1, 0]);
    if !plain {
        body.extend((EXTENSIONS.len() as u16).to_be_bytes());
        body.extend(EXTENSIONS);
    }
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// supported_groups, ec_point_formats (RFC 8422, section 5.1), signature_algorithms (RFC 5246, section 7.4.1.4.1).
const EXTENSIONS: &[u8] = &[
    0, 10, 0, 10, 0, 8, 0, 29, 0, 23, 0, 24, 0, 25, // x25519, P-256, P-384, P-521
    0, 11, 0, 2, 1, 0, // uncompressed
    0, 13, 0, 24, 0,
    22, // SHA-2, SHA-1 and MD5 with RSA; SHA-2 and SHA-1 with ECDSA; SHA-1 with DSA; RSA-PSS
    4, 1, 5, 1, 6, 1, 2, 1, 1, 1, 4, 3, 5, 3, 6, 3, 2, 3, 2, 2, 8, 4,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, Outcome, context, play};

    const RSA: &[u8] = include_bytes!("tls/rsa.der");

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 3, 1], &(content.len() as u16).to_be_bytes()[..], content].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind, 0], &(body.len() as u16).to_be_bytes()[..], body].concat()
    }

    fn hello() -> Vec<u8> {
        message(SERVER_HELLO, &[&[3, 1][..], &[7; 32], &[4, 1, 2, 3, 4], &[0, 5, 0]].concat())
    }

    fn chain(der: &[u8]) -> Vec<u8> {
        let size = (der.len() as u16).to_be_bytes();
        let all = (der.len() as u16 + 3).to_be_bytes();
        message(CERTIFICATE, &[&[0][..], &all, &[0], &size, der].concat())
    }

    fn ask(answer: &[u8], last: crate::transcript::Line<'_>) -> Outcome {
        play(&PROBE, &context(443), &[SendsAny, Receives(answer), last])
    }

    fn value<'a>(outcome: &'a Outcome, field: &str) -> Option<&'a str> {
        outcome.said.iter().find(|said| said.0 == field).map(|said| said.1.as_str())
    }

    #[test]
    fn reads_version_suite_and_certificate() {
        let messages = [hello(), chain(RSA), message(SERVER_HELLO_DONE, &[])].concat();
        // In one record, and in records that cut the messages.
        let pieces: Vec<u8> = messages.chunks(100).flat_map(|part| record(HANDSHAKE, part)).collect();
        for answer in [record(HANDSHAKE, &messages), pieces] {
            let outcome = ask(&answer, Closes);
            assert_eq!(value(&outcome, "tls.version"), Some("TLS 1.0"));
            assert_eq!(value(&outcome, "tls.cipher"), Some("TLS_RSA_WITH_RC4_128_SHA"));
            assert_eq!(value(&outcome, "tls.key_type"), Some("RSA 1024"));
            assert!(outcome.follows.is_empty() && outcome.done);
        }
        let warned = [record(ALERT, &[1, 112]), record(HANDSHAKE, &messages)].concat();
        assert!(value(&ask(&warned, Closes), "tls.subject").is_some());
    }

    #[test]
    fn a_refusal_is_asked_once_more_without_extensions() {
        let plain = Context { path: PLAIN.to_owned(), ..context(443) };
        for answer in [record(ALERT, &[2, 70]), b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(), vec![HANDSHAKE, 3]] {
            let outcome = ask(&answer, Closes);
            assert!(outcome.said.is_empty());
            assert_eq!(outcome.follows[0].path, PLAIN);
            let outcome = play(&PROBE, &plain, &[SendsAny, Receives(&answer), Closes]);
            assert!(outcome.follows.is_empty());
        }
    }

    #[test]
    fn hellos_are_well_formed() {
        for (plain, extensions) in [(false, EXTENSIONS.len() + 2), (true, 0)] {
            let hello = client_hello(&[7; 32], plain);
            let size = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            assert_eq!(hello.len(), 5 + size);
            assert_eq!(length([hello[6], hello[7], hello[8]]) + 4, size);
            let suites = usize::from(u16::from_be_bytes([hello[44], hello[45]]));
            assert_eq!(46 + suites + 2 + extensions, hello.len());
            assert!(hello.len() < 256, "some old servers refuse longer ones");
        }
        let mut rest = EXTENSIONS;
        while let Some((head, after)) = rest.split_first_chunk::<4>() {
            rest = &after[usize::from(u16::from_be_bytes([head[2], head[3]]))..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn record_storms_and_false_lengths_end() {
        let empty = record(HANDSHAKE, &[]).repeat(500);
        assert!(ask(&empty, Closes).done);
        let warnings = record(ALERT, &[1, 0]).repeat(500);
        assert!(ask(&warnings, Closes).done);
        let mut exchange = crate::Exchange::begin(&PROBE, context(443), headcount_model::Instant::ZERO);
        let now = headcount_model::Instant::ZERO;
        let _ = exchange.step(now);
        let huge =
            [&[HANDSHAKE, 3, 1, 0x40, 0][..], &[CERTIFICATE, 0xff, 0xff, 0xff], &vec![0; 0x3ffc]].concat();
        for _ in 0..20 {
            exchange.received(now, &huge);
        }
        assert_eq!(exchange.step(now), crate::Step::Done);
        for body in [&[][..], &[0, 0], &[0, 0, 9, 0, 0, 9], &[0xff; 7]] {
            let answer = record(HANDSHAKE, &[hello(), message(CERTIFICATE, body)].concat());
            assert_eq!(value(&ask(&answer, Closes), "tls.sha256"), None);
        }
    }
}
