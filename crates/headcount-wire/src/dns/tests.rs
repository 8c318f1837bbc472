use super::*;

/// A multicast DNS answer with compression: a PTR, its SRV and TXT, and an address.
const ANSWER: &[u8] = b"\0\0\x84\0\0\0\0\x01\0\0\0\x03\
    \x04_ipp\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x0b\x08Lab. \xc3\xa9 \xc0\x0c\
    \xc0\x27\0\x21\x80\x01\0\0\0\x78\0\x0c\0\0\0\0\x02\x77\x03prn\xc0\x16\
    \xc0\x27\0\x10\x80\x01\0\0\x11\x94\0\x09\x03a=1\x04b=\xff\0\
    \xc0\x44\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\xa8\x01\x14";

fn record(name: &str, class: u16, ttl: u32, data: RecordData) -> Record {
    Record { name: name.into(), class, ttl, data }
}

fn answer() -> Message {
    let service = "Lab\\. é ._ipp._tcp.local";
    let flush = CLASS_IN | CLASS_TOP_BIT;
    let srv = RecordData::Srv { priority: 0, weight: 0, port: 631, target: "prn.local".into() };
    Message {
        flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE,
        answers: vec![record("_ipp._tcp.local", CLASS_IN, 4500, RecordData::Ptr(service.into()))],
        additionals: vec![
            record(service, flush, 120, srv),
            record(service, flush, 4500, RecordData::Txt(vec![b"a=1".to_vec(), b"b=\xff\0".to_vec()])),
            record("prn.local", flush, 120, RecordData::A(Ipv4Addr::new(192, 168, 1, 20))),
        ],
        ..Message::default()
    }
}

fn emitted(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.emit(&mut bytes);
    bytes
}

/// A response with one answer of this owner, type and data.
fn with_record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0\x01\x84\0\0\0\0\x02\0\0\0\0".to_vec();
    bytes.extend(owner);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(b"\0\x01\0\0\0\x3c");
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes.extend(b"\x01z\0\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01");
    bytes
}

#[test]
fn a_query_is_its_bytes() {
    let address = Ipv4Addr::new(192, 168, 1, 20);
    let question = Question { name: reverse_name(address), kind: RecordType::Ptr, class: CLASS_IN };
    let mut bytes = Vec::new();
    query(0x1234, true, std::slice::from_ref(&question), &mut bytes);
    let expected =
        b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x0220\x011\x03168\x03192\x07in-addr\x04arpa\0\0\x0c\0\x01";
    assert_eq!(bytes, expected);
    let message = Message {
        id: 0x1234,
        flags: FLAG_RECURSION_DESIRED,
        questions: vec![question],
        ..Message::default()
    };
    assert_eq!(Message::parse(expected), Ok(message));
}

#[test]
fn the_questions_of_a_sweep_are_their_bytes() {
    let ask = |name: &str, kind, class| {
        let mut bytes = Vec::new();
        query(0, false, &[Question { name: name.into(), kind, class }], &mut bytes);
        bytes.split_off(HEADER_LEN)
    };
    assert_eq!(
        ask(SERVICE_TYPES, RecordType::Ptr, CLASS_IN | CLASS_TOP_BIT),
        b"\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\x80\x01"
    );
    assert_eq!(ask("version.bind", RecordType::Txt, CLASS_CHAOS), b"\x07version\x04bind\0\0\x10\0\x03");
}

#[test]
fn a_compressed_answer_is_read() {
    assert_eq!(Message::parse(ANSWER), Ok(answer()));
    assert_eq!(Message::parse(&emitted(&answer())), Ok(answer()));
    assert_eq!(answer().to_string(), "DNS response 0 answers 1");
}

#[test]
fn one_bad_record_loses_only_itself() {
    let bad: [(&[u8], u16, &[u8]); 8] = [
        (b"\x01a\0", 1, b"\x0a\0\0"),           // an address of three bytes
        (b"\x01a\0", 12, b"\xc0\x3f"),          // a pointer forwards
        (b"\x01a\0", 12, b"\x01b"),             // a name that runs out of its record
        (b"\x01a\0", 16, b"\x05ab"),            // a string longer than its record
        (b"\x01a\0", 33, b"\0\0\0\0"),          // a service without a host
        (b"\x01a\0", 28, b"\0"),                // an IPv6 address of one byte
        (b"\xc0\x0c", 1, b"\x0a\0\0\x02"),      // an owner that points to itself
        (b"\x01a\xc0\x0c", 1, b"\x0a\0\0\x02"), // an owner that loops
    ];
    for (owner, kind, data) in bad {
        let message = Message::parse(&with_record(owner, kind, data)).unwrap();
        assert_eq!(message.lost, 1, "{owner:?} {kind}");
        let expected = record("z", CLASS_IN, 60, RecordData::A(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(message.answers, [expected], "{owner:?} {kind}");
    }
}

#[test]
fn counts_are_not_believed() {
    let mut bytes = ANSWER.to_vec();
    bytes[6..8].fill(0xff);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.answers.len(), 4);
    assert_eq!(message.lost, 0xffff - 4 + 3);
}

#[test]
fn an_unknown_label_ends_the_message() {
    let message = Message::parse(&with_record(b"\x41a\0", 1, b"\x0a\0\0\x02")).unwrap();
    assert_eq!((message.answers.len(), message.lost), (0, 2));
}

#[test]
fn only_a_header_is_needed() {
    assert_eq!(Message::parse(&ANSWER[..11]).unwrap_err().problem, Problem::Truncated);
    assert_eq!(Message::parse(&ANSWER[..12]).unwrap().lost, 4);
    assert_eq!(Message::parse(&vec![0; MAX_LEN + 1]).unwrap_err().problem, Problem::TooLong);
}

#[test]
fn names_are_text_and_back() {
    let cases: [(&[u8], &str); 6] = [
        (b"\0", "."),
        (b"\x03a.b\x02c\\\0", "a\\.b.c\\\\"),
        (b"\x05\xc3\xa9 \xff\x07\0", "é \\255\\007"),
        (b"\x02\xc2\x85\0", "\\194\\133"),
        (b"\x041234\0", "1234"),
        (b"\x04\xe2\x82\xac!\0", "€!"),
    ];
    for (bytes, text) in cases {
        assert_eq!(name::read(bytes, 0).as_deref(), Ok(text));
        let mut out = Vec::new();
        name::write(text, &mut out);
        assert_eq!(out, bytes, "{text}");
    }
}

#[test]
fn any_text_becomes_a_valid_name() {
    let long_label = "x".repeat(300);
    let long_name = "abcdefg.".repeat(100);
    let texts = ["", "..", "a..b.", "\\", "\\2", "\\999", "\\256a", long_label.as_str(), long_name.as_str()];
    for text in texts {
        let mut out = Vec::new();
        name::write(text, &mut out);
        assert!(out.len() <= 255, "{text}");
        assert_eq!(name::skip(&out, 0), Ok(out.len()), "{text}");
        assert!(name::read(&out, 0).is_ok(), "{text}");
    }
    let mut out = Vec::new();
    name::write("a..b.", &mut out);
    assert_eq!(out, b"\x01a\x01b\0");
}

#[test]
fn pointers_cannot_make_a_name_too_long() {
    let mut bytes = b"\0\0\x84\0\0\0\0\x01\0\0\0\0".to_vec();
    // Each name is 60 bytes and then the one before it: the fifth is over 255.
    let mut previous = None;
    for _ in 0..5 {
        let start = bytes.len();
        bytes.push(59);
        bytes.extend([b'a'; 59]);
        match previous {
            None => bytes.push(0),
            Some(at) => bytes.extend([0xc0, at as u8]),
        }
        let expected = if start < 200 { Ok(()) } else { Err(Problem::TooLong) };
        assert_eq!(name::read(&bytes, start).map(drop).map_err(|error| error.problem), expected);
        previous = Some(start);
    }
}
