//! A device that does its worst: the test binary runs itself inside a namespace for it.

use std::{
    ffi::OsString,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use super::namespace::Namespace;

/// The first argument that makes the test binary a hostile device.
pub(crate) const ARGUMENT: &str = "--serve-hostile";
/// What a terminal would act on.
pub(crate) const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;taken over\u{7}\u{9b}31m";
/// What the one honest port says.
pub(crate) const HONEST: &str = "Honest 1.0 ready";

/// A port and what it does to whoever connects.
type Trap = (u16, fn(&mut TcpStream, &[u8]) -> std::io::Result<()>);

const TRAPS: &[Trap] = &[
    (21, huge_banner),
    (22, |stream, _| stream_for_ever(stream, &[b'A'; 1 << 14])),
    (23, |stream, _| stream_for_ever(stream, &[0xff, 0xfd, 0x01])),
    (25, |stream, _| write!(stream, "220 {ESCAPES} ESMTP\r\n")),
    (80, redirect_loop),
    (81, |stream, _| stream_for_ever(stream, b"X-Header: of many\r\n")),
    (110, |stream, _| write!(stream, "+OK {HONEST}\r\n")),
    (443, record_storm),
    (5000, xml_bomb),
    (8000, escapes_in_a_page),
    (8080, compressed_bomb),
];

/// The TCP ports that it opens.
pub(crate) fn ports() -> impl Iterator<Item = u16> {
    TRAPS.iter().map(|(port, _)| *port)
}

/// The command that runs it inside `namespace`, as the host with `address`; `bomb` is a gzip file.
pub(crate) fn command(namespace: &Namespace, address: Ipv4Addr, bomb: &Path) -> Command {
    let mut command = namespace.command(std::env::current_exe().unwrap());
    command.arg(ARGUMENT).arg(address.to_string()).arg(bomb);
    command
}

/// Serves for ever.
pub(crate) fn serve(mut arguments: impl Iterator<Item = OsString>) {
    let address = arguments.next().unwrap().into_string().unwrap();
    let bomb: &'static [u8] = fs::read(arguments.next().unwrap()).unwrap().leak();
    for (port, act) in TRAPS {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // Whoever does not read for so long has hung up.
                stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
                thread::spawn(move || act(&mut stream, bomb));
            }
        });
    }
    answer_searches(&address);
}

fn stream_for_ever(stream: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    let block = piece.repeat((1 << 14) / piece.len());
    if piece.ends_with(b"\r\n") {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    }
    loop {
        stream.write_all(&block)?;
    }
}

fn huge_banner(stream: &mut TcpStream, _: &[u8]) -> std::io::Result<()> {
    stream.write_all(b"220 ")?;
    for _ in 0..100 {
        stream.write_all(&vec![b'x'; 1 << 20])?;
    }
    stream.write_all(b"\r\n")
}

/// The path of a request; waits for its end.
fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(b"\r\n\r\n") && read.len() < 4096 && stream.read(&mut byte)? == 1 {
        read.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&read).split(' ').nth(1).unwrap_or("/").to_owned())
}

fn redirect_loop(stream: &mut TcpStream, _: &[u8]) -> std::io::Result<()> {
    let path = request(stream)?;
    write!(stream, "HTTP/1.1 302 Found\r\nLocation: {path}/on\r\nContent-Length: 0\r\n\r\n")
}

/// One record after another, each with a single byte of a handshake message of 16 MB that never ends.
fn record_storm(stream: &mut TcpStream, _: &[u8]) -> std::io::Result<()> {
    stream.write_all(&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff])?;
    stream_for_ever(stream, &[22, 3, 3, 0, 1, 0])
}

fn page(stream: &mut TcpStream, headers: &str, body: &[u8]) -> std::io::Result<()> {
    request(stream)?;
    write!(stream, "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

/// Ten entities, each ten times the one before it: ten thousand million letters.
fn xml_bomb(stream: &mut TcpStream, _: &[u8]) -> std::io::Result<()> {
    let mut text = String::from("<?xml version=\"1.0\"?><!DOCTYPE root [<!ENTITY e0 \"aaaaaaaaaa\">");
    for level in 1..10 {
        let inner = format!("&e{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY e{level} \"{inner}\">"));
    }
    text.push_str(
        "]><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><friendlyName>&e9;</friendlyName>",
    );
    text.push_str("<modelName>after the bomb</modelName>");
    text.push_str(&"<device>".repeat(10_000));
    page(stream, "Content-Type: text/xml\r\n", text.as_bytes())
}

fn escapes_in_a_page(stream: &mut TcpStream, _: &[u8]) -> std::io::Result<()> {
    let body = format!("<html><head><title>{ESCAPES}</title></head></html>");
    let headers = format!("Server: {ESCAPES}\r\nWWW-Authenticate: Basic realm=\"{ESCAPES}\"\r\n");
    page(stream, &headers, body.as_bytes())
}

fn compressed_bomb(stream: &mut TcpStream, bomb: &[u8]) -> std::io::Result<()> {
    page(stream, "Content-Encoding: gzip\r\nContent-Type: text/html\r\n", bomb)
}

/// A description that is the XML bomb, to whoever searches.
fn answer_searches(address: &str) -> ! {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 1900)).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\nSERVER: {ESCAPES}\r\n\
         LOCATION: http://{address}:5000/bomb.xml\r\n\r\n"
    );
    let mut buffer = [0; 2048];
    loop {
        if let Ok((_, from)) = socket.recv_from(&mut buffer) {
            // A storm: what is asked once is answered a thousand times.
            for _ in 0..1000 {
                let _ = socket.send_to(answer.as_bytes(), from);
            }
        }
    }
}
