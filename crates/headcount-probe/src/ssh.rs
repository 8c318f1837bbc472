//! The software and the host key of an SSH server.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety, lines::Lines};

mod packet;

use packet::{Field, KexInit, Packets, put_string, wrapped};

/// SSH: a key exchange up to the server's host key, then goodbye. Authentication is never begun.
pub(crate) static PROBE: Probe = Probe {
    name: "ssh",
    title: "SSH key exchange",
    carrier: Carrier::Stream,
    ports: &[22, 2222],
    tls_ports: &[],
    multicast: None,
    sends: "its identification, the algorithms that it knows, a random public value, and a disconnect once the host \
            key is there",
    normal: "every client's first messages; a user who does not know the key's fingerprint hangs up just there",
    source: "RFC 4253, sections 4.2, 6, 7.1 and 8; RFC 8731; RFC 8268",
    yields: &["ssh", "ssh.kex", "ssh.hostkey.type", "ssh.hostkey.sha256"],
    safety: Safety::Safe,
    // Small devices take seconds for a key exchange.
    budget: Budget {
        received: 64 << 10,
        time: Duration::from_secs(20),
        quiet: Duration::from_secs(10),
        ..Budget::GREETING
    },
    begin,
};

/// Lines that may come before the identification (RFC 4253, section 4.2).
const MOST_LINES: usize = 64;

/// What is exchanged: the method's name, and the length of a public value.
const KEX: [(&str, Public); 6] = [
    ("curve25519-sha256", Public::Curve),
    ("curve25519-sha256@libssh.org", Public::Curve),
    ("diffie-hellman-group14-sha256", Public::Group(256)),
    ("diffie-hellman-group16-sha512", Public::Group(512)),
    ("diffie-hellman-group14-sha1", Public::Group(256)),
    ("diffie-hellman-group1-sha1", Public::Group(128)),
];

/// In this order in every run, so that a host with several keys always tells the same one.
const HOST_KEYS: &str = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,\
                         rsa-sha2-256,ssh-rsa,ssh-dss";
/// Nothing is ever enciphered; the list only has to have one in common with the server's.
const CIPHERS: &str = "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,\
                       aes256-gcm@openssh.com,aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc,blowfish-cbc,cast128-cbc,\
                       arcfour256,arcfour128,arcfour";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,\
                    umac-128-etm@openssh.com,umac-64-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1,\
                    umac-128@openssh.com,umac-64@openssh.com,hmac-sha1-96,hmac-md5,hmac-md5-96";
const COMPRESSIONS: &str = "none,zlib@openssh.com,zlib";

const DISCONNECT: u8 = 1;
const KEXINIT: u8 = 20;
const KEXDH_INIT: u8 = 30;
const KEXDH_REPLY: u8 = 31;
const BY_APPLICATION: u32 = 11;

#[derive(Clone, Copy)]
enum Public {
    /// A point of X25519: any 32 bytes are one.
    Curve,
    /// A number of that many bytes, below a prime that begins with 64 ones.
    Group(usize),
}

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Handshake {
        random: context.random,
        state: State::Identification(0),
        lines: Lines::default(),
        packets: Packets::default(),
    })
}

struct Handshake {
    random: [u8; 32],
    state: State,
    lines: Lines,
    packets: Packets,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many lines have come that are not the identification.
    Identification(usize),
    Algorithms,
    HostKey,
    Over,
}

impl Handshake {
    /// Reads lines up to the identification; what follows it are packets.
    fn identify(&mut self, mut before: usize, out: &mut Out) {
        while let Some(line) = self.lines.next() {
            if let Some((version, software)) = identification(&line) {
                out.say("ssh", software);
                if !matches!(version, b"2.0" | b"1.99") {
                    return self.over(out);
                }
                out.send([b"SSH-2.0-headcount\r\n", &wrapped(&self.algorithms())[..]].concat());
                self.packets.push(self.lines.rest());
                self.state = State::Algorithms;
                return;
            }
            before += 1;
            if before > MOST_LINES {
                return self.over(out);
            }
        }
        self.state = State::Identification(before);
    }

    fn packet(&mut self, payload: &[u8], out: &mut Out) {
        match (self.state, payload) {
            (State::Algorithms, [KEXINIT, rest @ ..]) => self.choose(rest, out),
            (State::HostKey, [KEXDH_REPLY, rest @ ..]) => {
                if let Some((key, _)) = Field::string(rest) {
                    say_key(key, out);
                }
                out.send(wrapped(&goodbye()));
                self.over(out);
            }
            (_, [DISCONNECT, ..]) => self.over(out),
            _ => {}
        }
    }

    /// The first method of ours that is also the server's (RFC 4253, section 7.1), and our value for it.
    fn choose(&mut self, bytes: &[u8], out: &mut Out) {
        let Some(init) = KexInit::parse(bytes) else { return self.over(out) };
        let to_client = [init.kex, init.cipher, init.mac, init.compression];
        out.say("ssh.kex", to_client.join(&b';'));
        let offered =
            |name: &str| init.kex.split(|byte| *byte == b',').any(|theirs| theirs == name.as_bytes());
        let Some((_, public)) = KEX.iter().find(|(name, _)| offered(name)) else {
            out.send(wrapped(&goodbye()));
            return self.over(out);
        };
        out.send(wrapped(&self.public_value(*public)));
        self.state = State::HostKey;
    }

    fn algorithms(&self) -> Vec<u8> {
        let methods: Vec<&str> = KEX.iter().map(|(name, _)| *name).collect();
        let mut payload = vec![KEXINIT];
        payload.extend(self.random_bytes(b"cookie", 16));
        let lists =
            [&methods.join(","), HOST_KEYS, CIPHERS, CIPHERS, MACS, MACS, COMPRESSIONS, COMPRESSIONS, "", ""];
        for list in lists {
            put_string(&mut payload, list.as_bytes());
        }
        // No guess follows; reserved.
        payload.extend([0; 5]);
        payload
    }

    fn public_value(&self, public: Public) -> Vec<u8> {
        let mut payload = vec![KEXDH_INIT];
        let value = match public {
            Public::Curve => self.random_bytes(b"curve", 32),
            Public::Group(length) => {
                let mut value = self.random_bytes(b"group", length);
                // Positive as a signed number, below the prime, and of full length.
                if let Some(first) = value.first_mut() {
                    *first = *first & 0x7f | 0x40;
                }
                value
            }
        };
        put_string(&mut payload, &value);
        payload
    }

    fn random_bytes(&self, what: &[u8], length: usize) -> Vec<u8> {
        let block =
            |i: u8| Sha256::new().chain_update(self.random).chain_update(what).chain_update([i]).finalize();
        (0..=u8::MAX).flat_map(block).take(length).collect()
    }

    fn over(&mut self, out: &mut Out) {
        self.state = State::Over;
        out.done();
    }
}

impl Conversation for Handshake {
    fn opened(&mut self, _: &mut Out) {}

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        match self.state {
            State::Over => return,
            State::Identification(before) => {
                self.lines.push(bytes);
                self.identify(before, out);
            }
            State::Algorithms | State::HostKey => self.packets.push(bytes),
        }
        while matches!(self.state, State::Algorithms | State::HostKey) {
            match self.packets.next() {
                Ok(Some(payload)) => self.packet(&payload, out),
                Ok(None) => return,
                Err(_) => self.over(out),
            }
        }
    }

    fn ended(&mut self, _: End, out: &mut Out) {
        if let State::Identification(_) = self.state
            && let Some((_, software)) = identification(self.lines.rest())
        {
            out.say("ssh", software);
        }
        self.state = State::Over;
    }
}

/// Protocol version and software of `SSH-2.0-software comment`.
fn identification(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"SSH-")?;
    let dash = rest.iter().position(|byte| *byte == b'-')?;
    let (version, software) = rest.split_at_checked(dash)?;
    Some((version, software.get(1..)?.trim_ascii_end()))
}

/// The key's type is its first field (RFC 4253, section 6.6); its fingerprint is written as OpenSSH does.
fn say_key(key: &[u8], out: &mut Out) {
    let Some((kind, _)) = Field::string(key) else { return };
    if kind.is_empty() || kind.len() > 64 || !kind.iter().all(u8::is_ascii_graphic) {
        return;
    }
    out.say("ssh.hostkey.type", kind);
    out.say("ssh.hostkey.sha256", format!("SHA256:{}", base64(&Sha256::digest(key))));
}

fn goodbye() -> Vec<u8> {
    let mut payload = vec![DISCONNECT];
    payload.extend(BY_APPLICATION.to_be_bytes());
    put_string(&mut payload, b"done");
    put_string(&mut payload, b"");
    payload
}

/// RFC 4648, section 4, without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for i in 0..=three.len() {
            let letter = bits >> (18 - 6 * i) & 63;
            text.push(char::from(LETTERS[letter as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests;
