use super::*;

/// The answer read whole, and read byte by byte, which must be the same.
fn read(bytes: &[u8], most: usize) -> Answer {
    let mut whole = Answer::new(most);
    whole.push(bytes);
    whole.finish(true);
    let mut slow = Answer::new(most);
    bytes.chunks(1).for_each(|byte| slow.push(byte));
    slow.finish(true);
    assert_eq!((&slow.head, &slow.body, slow.whole), (&whole.head, &whole.body, whole.whole));
    whole
}

#[test]
fn keeps_order_case_and_bad_lines() {
    let answer =
        read(b"HTTP/1.1 401 Unauthorized\r\nSERVER: a\r\nnonsense\r\nserver:b\r\n:x\r\n\r\nbody", 99);
    assert_eq!(answer.head().status(), Some(401));
    let names: Vec<&[u8]> = answer.head().lines.iter().map(|line| line.name.as_slice()).collect();
    assert_eq!(names, [&b"SERVER"[..], b"", b"server", b""]);
    assert_eq!(answer.head().all("Server").collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(answer.head().lines[1].value, b"nonsense");
    assert_eq!(answer.body(), b"body");
}

#[test]
fn takes_what_devices_send() {
    for (bytes, status, server, body) in [
        (&b"ICY 200 OK\r\nserver: x\r\n\r\naudio"[..], Some(200), &b"x"[..], &b"audio"[..]),
        (b"HTTP/1 200\r\nServer: x\r\n\r\n", Some(200), b"x", b""),
        (b"HTTP/1.0 200 OK\nServer: x\n\nb", Some(200), b"x", b"b"),
        (b"\r\n\0HTTP/1.0 200\0OK\r\nServer: a\0b\r\n\r\n", Some(200), b"a\0b", b""),
        (b"HTTP/1.0 200 OK\r\nServer: a\r\n\t b\r\n\r\n", Some(200), b"a b", b""),
        (b"HTTP/1.0 200 OK\r\nServer: a\r\n<html>\r\nb", Some(200), b"a", b"<html>\nb"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nServer: z\r\n\r\n", Some(404), b"z", b""),
        (b"HTTP/1.1 200 OK\r\nServer: cut", Some(200), b"cut", b""),
        (b"<html>no head</html>", None, b"", b"<html>no head</html>"),
        (b"no", None, b"", b"no"),
        (b"HTTP 200 OK\r\nServer : spaced\r\n\r\n", Some(200), b"spaced", b""),
        (b"RTSP/1.0 200 OK\r\nServer: r\r\n\r\n", Some(200), b"r", b""),
    ] {
        let answer = read(bytes, 99);
        assert_eq!(answer.head().status(), status, "{}", bytes.escape_ascii());
        assert_eq!(answer.head().first("server").unwrap_or_default(), server, "{}", bytes.escape_ascii());
        assert_eq!(answer.body(), body, "{}", bytes.escape_ascii());
    }
    assert!(read(b"", 9).is_blank());
}

#[test]
fn unwraps_chunks_and_lengths() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n4;x=y\r\nabcd\r\n2\r\nef\r\n0\r\n\r\nHTTP/1.1";
    let answer = read(chunked, 99);
    assert_eq!((answer.body(), answer.is_whole()), (&b"abcdef"[..], true));
    let length = read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef", 99);
    assert_eq!((length.body(), length.is_whole()), (&b"abc"[..], true));
    let short = read(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", 99);
    assert_eq!((short.body(), short.is_whole()), (&b"abc"[..], false));
    let not_chunked = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>\nx", 99);
    assert_eq!(not_chunked.body(), b"<html>\nx");
    let most = read(b"HTTP/1.1 200 OK\r\n\r\nabcdef", 4);
    assert_eq!((most.body(), most.is_whole()), (&b"abcd"[..], false));
    let huge = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nx", 99);
    assert!(huge.body().starts_with(b"fff"));
}

#[test]
fn an_endless_head_is_cut() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nServer: first\r\n".to_vec();
    for number in 0..100_000 {
        bytes.extend_from_slice(format!("X-{number}: y\r\n").as_bytes());
    }
    let answer = read(&bytes, 99);
    assert_eq!(answer.head().lines.len(), MOST_LINES);
    assert_eq!(answer.head().first("server"), Some(&b"first"[..]));
    let mut line = b"HTTP/1.1 200 OK\r\nServer: ".to_vec();
    line.resize(1 << 20, b'a');
    let answer = read(&line, 99);
    assert!(
        answer.head().first("server").is_some_and(|value| value.len() <= LONGEST_LINE)
            && answer.body().is_empty()
    );
    let folds = [&b"HTTP/1.1 200 OK\r\na: b\r\n"[..], &b" c\r\n".repeat(200_000)].concat();
    assert!(read(&folds, 9).head().lines.iter().all(|line| line.value.len() <= LONGEST_LINE));
}

#[test]
fn finds_realms() {
    for (challenge, expected) in [
        (&b"Basic realm=\"NETGEAR R7000\""[..], &b"NETGEAR R7000"[..]),
        (b"Digest qop=\"auth\", Realm = \"a \\\"b\\\" c\", nonce=\"x\"", b"a \"b\" c"),
        (b"Basic realm=Printer, charset=x", b"Printer"),
        (b"Basic realm=\"cut", b"cut"),
    ] {
        assert_eq!(realm(challenge).as_deref(), Some(expected));
    }
    assert_eq!(realm(b"NTLM"), None);
}

proptest::proptest! {
    /// However a stream was cut, the same is read; nothing panics, nothing grows beyond its bounds.
    #[test]
    fn cuts_change_nothing(parts in proptest::collection::vec(proptest::sample::select(vec![
        "HTTP/1.1 200 OK", "HTTP/1.1 100 ", "ICY 200", "\r\n", "\n", "\r", " ", "\0", "a: b", "Content-Length: 7", ":",
        "Transfer-Encoding: chunked", "3\r\nabc", "0", "<html>", "xyz", "ffffffffffffffff",
    ]), 0..24), most in 0usize..12) {
        let answer = read(parts.concat().as_bytes(), most);
        assert!(answer.body().len() <= most);
    }
}
