use headcount_model::Instant;

use super::*;
use crate::{
    Exchange, Step,
    transcript::{Line::*, Outcome, context, play, said},
};

fn leads_to(outcome: &Outcome) -> Vec<(&'static str, bool)> {
    assert!(outcome.done);
    assert!(outcome.follows.iter().all(|follow| follow.port == 4321 && crate::named(follow.probe).is_some()));
    outcome.follows.iter().map(|follow| (follow.probe, follow.tls)).collect()
}

fn after_greeting(bytes: &[u8]) -> Outcome {
    play(&PROBE, &context(4321), &[Receives(bytes), Closes])
}

fn after_request(bytes: &[u8]) -> Outcome {
    let get = fetch::get(&context(4321), "");
    play(&PROBE, &context(4321), &[Quiet, Sends(&get), Receives(bytes), Closes])
}

#[test]
fn a_greeting_leads_to_its_protocol() {
    let cases: [(&[u8], &str); 16] = [
        (b"SSH-2.0-dropbear_2020.81\r\n", "ssh"),
        (b"Authorized use only\r\nSSH-2.0-Cisco-1.25\n", "ssh"),
        (b"RFB 003.008\n", "vnc"),
        (b"220 (vsFTPd 3.0.3)\r\n", "ftp"),
        (b"220-Welcome\r\n220 ready\r\n", "ftp"),
        (b"220 mx.example ESMTP Postfix\r\n", "smtp"),
        (b"220 mx.example Microsoft Mail Service ready\r\n", "smtp"),
        (b"+OK Dovecot ready.\r\n", "pop3"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap"),
        (b"* PREAUTH ready\r\n", "imap"),
        (b"200 news.example NNTP ready\r\n", "nntp"),
        (b"\xff\xfd\x18\xff\xfd\x20", "telnet"),
        (b"\r\nCisco\r\n\r\nUsername: ", "telnet"),
        (b"\x4a\0\0\0\x0a8.0.36\0abcd", "mysql"),
        (b"\x45\0\0\0\xff\x6a\x04Host", "mysql"),
        (b"220 JD FTP", "ftp"),
    ];
    for (bytes, probe) in cases {
        let outcome = after_greeting(bytes);
        assert_eq!(leads_to(&outcome), [(probe, false)], "{}", bytes.escape_ascii());
        assert!(outcome.said.is_empty());
    }
}

#[test]
fn other_words_are_said() {
    for words in ["@RSYNCD: 31.0", "hello", "ok", "xy\r\nz", "220", "AMQP\n"] {
        let outcome = after_greeting(words.as_bytes());
        assert_eq!(leads_to(&outcome), []);
        assert_eq!(outcome.said, said(&[("banner", words.trim())]));
    }
    assert_eq!(after_greeting(b""), Outcome { done: true, ..Outcome::default() });
}

#[test]
fn a_web_server_is_asked_again_by_its_own_probe() {
    let cases: [(&[u8], bool); 10] = [
        (b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", false),
        (b"HTTP/1.0 401 Unauthorized\r\n", false),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno.", false),
        (b"<html><title>Camera</title>", false),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port", true),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server port.", true),
        (b"\x15\x03\x01\0\x02\x02\x46", true),
        (b"\x15\x03\x03\0\x02\x02\x50", true),
        (b"\x15\x03", true),
        (b"", true),
    ];
    for (bytes, tls) in cases {
        let outcome = after_request(bytes);
        assert_eq!(leads_to(&outcome), [("http", tls)], "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_does_not_speak_http_is_said() {
    let outcome = after_request(b"-ERR unknown command\r\n");
    assert_eq!(
        (leads_to(&outcome), outcome.said.clone()),
        (vec![], said(&[("banner", "-ERR unknown command")]))
    );
    assert_eq!(leads_to(&after_request(b"220 ready\r\n500 GET\r\n")), [("ftp", false)]);
    let outcome = play(&PROBE, &context(4321), &[Quiet, SendsAny, Quiet]);
    assert_eq!(outcome, Outcome { done: true, ..Outcome::default() });
}

#[test]
fn no_more_is_looked_at_than_needed() {
    for filler in [b'x', b'\n', b'2', b'\xff'] {
        let mut exchange = Exchange::begin(&PROBE, context(4321), Instant::ZERO);
        exchange.received(Instant::ZERO, &vec![filler; LONGEST - 1]);
        assert_ne!(exchange.step(Instant::ZERO), Step::Done);
        exchange.received(Instant::ZERO, &[b'y'; 9]);
        assert_eq!(exchange.step(Instant::ZERO), Step::Done);
        let heard = exchange.heard();
        assert!(heard.follows.is_empty() && heard.said.len() == 1);
        assert!(heard.said[0].value.0.len() <= LONGEST);
    }
}
