use std::io::{Read, Write};

use super::*;

const ID: CommandId = CommandId(7);

fn listener() -> (std::net::TcpListener, SocketAddrV4) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let std::net::SocketAddr::V4(at) = listener.local_addr().unwrap() else { panic!("an IPv4 address") };
    (listener, at)
}

fn within<T>(conversation: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(20), conversation).await.expect("it ends in time") })
}

#[test]
fn bytes_go_both_ways_and_the_end_is_told() {
    let (listener, at) = listener();
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"220 ready\r\n").unwrap();
        let mut said = [0; 6];
        peer.read_exact(&mut said).unwrap();
        said
    });
    within(async {
        let mut lines = Conversations::new();
        lines.begin(ID, at, Carrier::Stream, false, Duration::from_secs(2));
        assert_eq!(lines.next().await, Some((ID, Told::Opened(None))));
        assert_eq!(lines.next().await, Some((ID, Told::Received(None, b"220 ready\r\n".to_vec()))));
        lines.say(ID, b"QUIT\r\n".to_vec());
        assert_eq!(lines.next().await, Some((ID, Told::Closed)));
        assert!(lines.under_way.is_empty());
    });
    assert_eq!(&server.join().unwrap(), b"QUIT\r\n");
}

#[test]
fn a_peer_that_streams_for_ever_is_ended_by_hanging_up() {
    let (listener, at) = listener();
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut sent = 0usize;
        while peer.write_all(&[b'x'; 65_536]).is_ok() {
            sent += 65_536;
        }
        sent
    });
    within(async {
        let mut lines = Conversations::new();
        lines.begin(ID, at, Carrier::Stream, false, Duration::from_secs(2));
        assert_eq!(lines.next().await, Some((ID, Told::Opened(None))));
        assert!(matches!(lines.next().await, Some((ID, Told::Received(None, _)))));
        lines.hang_up(ID);
        tokio::task::yield_now().await;
    });
    // What fits the queue of news and the sockets' buffers, and no more.
    let sent = server.join().unwrap();
    assert!(sent < 64 << 20, "{sent} bytes");
}

#[test]
fn a_closed_port_is_refused() {
    let (listener, at) = listener();
    drop(listener);
    within(async {
        let mut lines = Conversations::new();
        lines.begin(ID, at, Carrier::Stream, false, Duration::from_secs(2));
        assert_eq!(lines.next().await, Some((ID, Told::Failed(Failure::Refused))));
        lines.begin(ID, at, Carrier::Datagram, false, Duration::from_secs(2));
        lines.say(ID, b"?".to_vec());
        assert_eq!(lines.next().await, Some((ID, Told::Closed)));
    });
}

#[test]
fn what_is_no_tls_fails_as_tls() {
    let (listener, at) = listener();
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").unwrap();
        let mut rest = Vec::new();
        let _ = peer.read_to_end(&mut rest);
        rest
    });
    within(async {
        let mut lines = Conversations::new();
        lines.begin(ID, at, Carrier::Stream, true, Duration::from_secs(2));
        assert_eq!(lines.next().await, Some((ID, Told::Failed(Failure::Tls))));
    });
    assert_eq!(server.join().unwrap()[0], 0x16, "a TLS handshake record");
}
