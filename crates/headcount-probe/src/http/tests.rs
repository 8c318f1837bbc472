use super::*;
use crate::transcript::{Line::*, Outcome, context, play, said};

const GET: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 192.0.2.7\r\nUser-Agent: headcount/0.1.0 (network inventory)\r\n\
    Accept: */*\r\nConnection: close\r\n\r\n";

fn ask(answer: &[u8]) -> Outcome {
    play(&PROBE, &context(80), &[Sends(GET), Receives(answer), Closes])
}

fn values<'a>(outcome: &'a Outcome, field: &str) -> Vec<&'a str> {
    outcome.said.iter().filter(|said| said.0 == field).map(|said| said.1.as_str()).collect()
}

#[test]
fn reads_a_camera_that_wants_a_login() {
    let outcome = ask(b"HTTP/1.1 401 Unauthorized\r\nServer: App-webs/\r\nSet-Cookie: WebSession=1a2b3c; path=/; HttpOnly; \
        Expires=Tue, 24 Nov 2026 07:00:00 GMT\r\nWWW-Authenticate: Digest qop=\"auth\", realm=\"IP Camera(C1234)\", \
        nonce=\"x\"\r\nWWW-Authenticate: Basic realm=\"IP Camera(C1234)\"\r\nContent-Length: 0\r\n\r\n");
    let basic = "Basic realm=\"IP Camera(C1234)\"";
    assert_eq!(outcome.said[..2], said(&[("http.status", "401"), ("http.server", "App-webs/")]));
    assert_eq!(values(&outcome, "http.www_authenticate")[1], basic);
    assert_eq!(values(&outcome, "http.auth_realm"), ["IP Camera(C1234)"; 2]);
    assert_eq!(values(&outcome, "http.set_cookie"), ["WebSession=; path=/; HttpOnly"]);
    assert!(outcome.follows.is_empty() && outcome.done);
}

#[test]
fn reads_a_page_in_chunks_and_asks_for_its_icon() {
    let outcome = ask(b"HTTP/1.1 200 OK\r\nServer: nginx\r\nX-Powered-By: PHP/5.6.40\r\nTransfer-Encoding: chunked\r\n\r\n\
        28\r\n<html><head><title>Synology&nbsp;DiskSta\r\n4f\r\ntion</title><link rel=icon href='img/f.png'><meta name=generator \
        content=DSM></html>\r\n0\r\n\r\n");
    assert_eq!(values(&outcome, "http.title"), ["Synology DiskStation"]);
    assert_eq!(values(&outcome, "http.generator"), ["DSM"]);
    assert_eq!(values(&outcome, "http.x_powered_by"), ["PHP/5.6.40"]);
    let icon = Follow { probe: "http-favicon", port: 80, tls: false, path: "/img/f.png".into() };
    assert_eq!(outcome.follows, [icon]);
}

#[test]
fn follows_redirects_of_all_kinds_on_the_same_host() {
    for (answer, tls, port, path) in [
        (&b"HTTP/1.0 302 Moved\r\nLocation: http://192.0.2.7/webpages/login.html\r\n\r\n"[..], false, 80, "/webpages/login.html#1"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://192.0.2.7/\r\nContent-Length: 0\r\n\r\n", true, 443, "/#1"),
        (b"HTTP/1.1 200 OK\r\nRefresh: 0; url=/sws/index.sws\r\n\r\n<html>", false, 80, "/sws/index.sws#1"),
        (b"HTTP/1.1 200 OK\r\n\r\n<meta http-equiv=refresh content='0;url=doc/page/login.asp'>", false, 80, "/doc/page/login.asp#1"),
        (b"<html><script>window.location.href = \"/ui/\";</script></html>", false, 80, "/ui/#1"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>", true, 80, "/#1"),
        (b"\x15\x03\x01\x00\x02\x02\x16", true, 80, "/#1"),
    ] {
        let outcome = ask(answer);
        let follow = Follow { probe: "http", port, tls, path: path.into() };
        assert_eq!(outcome.follows.first(), Some(&follow), "{}", answer.escape_ascii());
    }
}

#[test]
fn stays_on_the_host_and_ends_loops() {
    for location in
        ["http://192.0.2.8/", "https://example.org/", "/", "http://192.0.2.7:9100/x", "ftp://192.0.2.7/"]
    {
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let outcome = ask(answer.as_bytes());
        assert_eq!(values(&outcome, "http.location"), [location]);
        assert!(outcome.follows.is_empty(), "{location}");
    }
    let mut context = context(80);
    let mut asked = 0;
    loop {
        let path = if asked % 2 == 0 { "/b" } else { "/a" };
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n");
        let outcome = play(&PROBE, &context, &[SendsAny, Receives(answer.as_bytes())]);
        asked += 1;
        let Some(follow) = outcome.follows.into_iter().next() else { break };
        context.path = follow.path;
        assert!(asked < 9);
    }
    assert_eq!(asked, 4);
}

#[test]
fn a_page_that_was_asked_for_says_its_path_and_its_body_and_leads_nowhere() {
    let path = "/xmldata?item=all";
    let at = crate::Context { path: path.into(), ..context(80) };
    let request = b"GET /xmldata?item=all HTTP/1.1\r\nHost: 192.0.2.7\r\nUser-Agent: headcount/0.1.0 (network inventory)\r\n\
        Accept: */*\r\nConnection: close\r\n\r\n";
    let ask = |answer: &[u8]| play(&PROBE, &at, &[Sends(request), Receives(answer), Closes]);
    let outcome = ask(b"HTTP/1.1 200 OK\r\nServer: HPE-iLO-Server/1.30\r\nRefresh: 0; url=/x\r\n\r\n<RIMP><title>t</title></RIMP>");
    assert_eq!(outcome.said, said(&[("http.page", "/xmldata?item=all\n<RIMP><title>t</title></RIMP>")]));
    assert!(outcome.follows.is_empty() && outcome.done);
    for answer in [
        &b"HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n<title>404</title>"[..],
        b"HTTP/1.1 302 Found\r\nLocation: /login.html\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-dropbear_2019.78\r\n",
    ] {
        let outcome = ask(answer);
        assert!(outcome.said.is_empty() && outcome.follows.is_empty(), "{}", answer.escape_ascii());
    }
}

#[test]
fn hostile_answers_stay_small_and_inert() {
    let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(9000)].concat();
    let mut exchange = crate::Exchange::begin(&PROBE, context(80), headcount_model::Instant::ZERO);
    let _ = exchange.step(headcount_model::Instant::ZERO);
    endless.chunks(1).for_each(|byte| exchange.received(headcount_model::Instant::ZERO, byte));
    assert_eq!(exchange.heard().said.len(), 1);
    // A bomb that nobody asked for stays packed.
    let packed = ask(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nServer: x\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03<title>t</title>");
    assert_eq!(packed.said, said(&[("http.status", "200"), ("http.server", "x")]));
    assert!(packed.follows.is_empty());
    let escapes = ask(b"HTTP/1.1 200 OK\r\nServer: \x1b]0;owned\x07\r\n\r\n<title>\x1b[2J</title>");
    assert_eq!(values(&escapes, "http.server"), ["\x1b]0;owned\x07"]);
    assert_eq!(values(&escapes, "http.title"), ["\x1b[2J"]);
    // Another protocol on a web port.
    assert!(ask(b"SSH-2.0-dropbear_2019.78\r\n").said.is_empty());
    assert!(play(&PROBE, &context(80), &[Sends(GET), Quiet]).said.is_empty());
}

#[test]
fn undoes_latin_1_and_keeps_other_bytes() {
    let declared =
        ask(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=ISO-8859-1\r\n\r\n<title>K\xfcche</title>");
    assert_eq!(values(&declared, "http.title"), ["K\u{fc}che"]);
    let other = ask(b"HTTP/1.1 200 OK\r\n\r\n<title>\xb5\xc7\xc2\xbc</title>");
    assert_eq!(values(&other, "http.title"), ["\\xb5\\xc7\\xc2\\xbc"]);
}

#[test]
fn a_server_that_never_ends_its_answer_is_left() {
    let outcome = play(
        &PROBE,
        &context(8080),
        &[SendsAny, Receives(b"HTTP/1.1 200 OK\r\nServer: a\r\n\r\n<title>b</title>"), Quiet],
    );
    assert_eq!(values(&outcome, "http.title"), ["b"]);
}
