use super::*;
use crate::transcript::{Line::*, context, play, said};

fn answer_v2(command: u16, status: u32, body: &[u8]) -> Vec<u8> {
    let mut message = v2::MAGIC.to_vec();
    message.extend([64, 0, 0, 0]);
    message.extend(status.to_le_bytes());
    message.extend(command.to_le_bytes());
    message.resize(64, 0);
    message.extend(body);
    framed(&message)
}

fn negotiated_v2(dialect: u16, mode: u8) -> Vec<u8> {
    let [low, high] = dialect.to_le_bytes();
    let mut body = vec![65, 0, mode, 0, low, high];
    body.resize(65, 0);
    answer_v2(0, 0, &body)
}

fn challenge_v2() -> Vec<u8> {
    let token = ntlm::tests::challenge();
    let body = [&[9, 0, 0, 0, 72, 0, token.len() as u8, (token.len() >> 8) as u8], &token[..]].concat();
    answer_v2(1, 0xc000_0016, &body)
}

fn answer_v1(command: u8, status: u32, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut message = b"\xffSMB".to_vec();
    message.push(command);
    message.extend(status.to_le_bytes());
    message.resize(32, 0);
    message.push((words.len() / 2) as u8);
    message.extend(words);
    message.extend((bytes.len() as u16).to_le_bytes());
    message.extend(bytes);
    framed(&message)
}

fn negotiated_v1(mode: u8, capabilities: u32) -> Vec<u8> {
    let mut words = vec![0, 0, mode];
    words.resize(19, 0);
    words.extend(capabilities.to_le_bytes());
    words.resize(34, 0);
    answer_v1(0x72, 0, &words, &[1; 16])
}

#[test]
fn reads_dialect_signing_and_names_of_windows() {
    let (first, second, challenge) = (negotiated_v2(v2::ANY, 1), negotiated_v2(0x0311, 3), challenge_v2());
    let lines = [
        Sends(&framed(&v1::negotiate())),
        Receives(&first),
        Sends(&framed(&v2::negotiate(&context(445).random))),
        Receives(&second),
        Sends(&framed(&v2::session_setup(2))),
        Receives(&challenge),
    ];
    let outcome = play(&PROBE, &context(445), &lines);
    let expected = [
        ("smb.dialect", "3.1.1"),
        ("smb.signing", "required"),
        ("ntlm.target", "CORP"),
        ("ntlm.domain", "CORP"),
        ("ntlm.computer", "PC7"),
        ("ntlm.dns_domain", "corp.example"),
        ("ntlm.dns_computer", "pc7.corp.example"),
        ("ntlm.os_build", "10.0.19041"),
    ];
    assert_eq!(outcome.said, said(&expected));
    assert!(outcome.done);
}

#[test]
fn a_server_of_the_first_dialect_is_not_asked_twice() {
    let (first, challenge) = (negotiated_v2(0x0202, 1), challenge_v2());
    let lines = [
        SendsAny,
        Receives(b"\x85\0\0\0"),
        Receives(&first),
        Sends(&framed(&v2::session_setup(1))),
        Receives(&challenge),
    ];
    let outcome = play(&PROBE, &context(445), &lines);
    assert_eq!(outcome.said[..2], said(&[("smb.dialect", "2.0.2"), ("smb.signing", "enabled")]));
    assert_eq!(outcome.said.len(), 8);
}

#[test]
fn reads_the_system_of_the_first_generation() {
    let token = ntlm::tests::challenge();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let words = [0xff, 0, 0, 0, 0, 0, token.len() as u8, (token.len() >> 8) as u8];
    // The words' and bytes' heads put the text at an odd offset where the token has an even length.
    let pad = vec![0; (32 + 1 + 8 + 2 + token.len()) % 2];
    let bytes = [token, pad, wide("Windows 5.1\0"), wide("Windows 2000 LAN Manager\0")].concat();
    let (first, second) = (negotiated_v1(3, 0x8000_0000), answer_v1(0x73, 0xc000_0016, &words, &bytes));
    let lines = [SendsAny, Receives(&first), Sends(&framed(&v1::session_setup())), Receives(&second)];
    let outcome = play(&PROBE, &context(445), &lines);
    assert_eq!(outcome.said[..2], said(&[("smb.dialect", "1.0"), ("smb.signing", "disabled")]));
    let expected = [("smb.native_os", "Windows 5.1"), ("smb.native_lm", "Windows 2000 LAN Manager")];
    assert_eq!(outcome.said[8..], said(&expected));
    assert!(outcome.done);
}

#[test]
fn an_old_server_without_extended_security_is_left() {
    let first = negotiated_v1(0x0c, 0);
    let outcome = play(&PROBE, &context(445), &[SendsAny, Receives(&first)]);
    assert_eq!(outcome.said, said(&[("smb.dialect", "1.0"), ("smb.signing", "required")]));
    assert!(outcome.done);
}

#[test]
fn malformed_answers_end_it() {
    let empty = framed(b"");
    let refused = answer_v2(0, 0xc000_00bb, &[0; 65]);
    let short = answer_v2(0, 0, &[65, 0, 1]);
    let unknown = negotiated_v2(0x0999, 1);
    let cut = framed(b"\xffSMB\x72\0\0\0\0");
    let cases: [&[u8]; 8] =
        [&empty, &refused, &short, &unknown, &cut, b"HTTP/1.1", b"\0\xff\xff\xff", b"\x83\0\0\x01\x82"];
    for bytes in cases {
        let outcome = play(&PROBE, &context(445), &[SendsAny, Receives(bytes)]);
        assert!(outcome.said.is_empty() && outcome.done, "{bytes:?}");
    }
}

#[test]
fn a_server_that_asks_for_ever_is_left() {
    let any = negotiated_v2(v2::ANY, 1);
    let outcome = play(&PROBE, &context(445), &[SendsAny, Receives(&any), SendsAny, Receives(&any)]);
    assert!(outcome.said.is_empty() && outcome.done);
    let (first, liar) =
        (negotiated_v2(0x0210, 1), answer_v2(1, 0xc000_0016, &[9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    let outcome = play(&PROBE, &context(445), &[SendsAny, Receives(&first), SendsAny, Receives(&liar)]);
    assert_eq!(outcome.said.len(), 2);
    assert!(outcome.done);
}
