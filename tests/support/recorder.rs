//! A listener that writes down every byte that it is sent: a printer would print it.
//!
//! The test binary runs itself inside a namespace for this.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
    thread,
};

use super::namespace::Namespace;

/// The first argument that makes the test binary a recorder.
pub(crate) const ARGUMENT: &str = "--record-tcp";

/// The command that records at `ports` inside `namespace` into `file`.
pub(crate) fn command(namespace: &Namespace, file: &Path, ports: &[u16]) -> Command {
    let mut command = namespace.command(std::env::current_exe().unwrap());
    command.arg(ARGUMENT).arg(file).args(ports.iter().map(u16::to_string));
    command
}

/// Accepts for ever, and appends each byte that comes in to the file.
pub(crate) fn record(mut arguments: impl Iterator<Item = OsString>) {
    let file = arguments.next().unwrap();
    let threads: Vec<_> = arguments
        .map(|port| {
            let port: u16 = port.to_str().unwrap().parse().unwrap();
            let mut file = OpenOptions::new().create(true).append(true).open(&file).unwrap();
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut bytes = Vec::new();
                    // A reset ends the reading as well; what came before it counts.
                    let _ = stream.unwrap().take(1 << 20).read_to_end(&mut bytes);
                    file.write_all(&bytes).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
