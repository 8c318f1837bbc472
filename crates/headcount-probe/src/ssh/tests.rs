use super::*;
use crate::transcript::{Line::*, context, play, said};

fn kexinit(kex: &str) -> Vec<u8> {
    let mut payload = vec![KEXINIT];
    payload.extend([9; 16]);
    let lists = [
        kex,
        "ssh-ed25519",
        "aes128-ctr",
        "aes256-ctr",
        "hmac-sha1",
        "hmac-sha2-256",
        "none",
        "none,zlib",
        "",
        "",
    ];
    for list in lists {
        put_string(&mut payload, list.as_bytes());
    }
    payload.extend([0; 5]);
    wrapped(&payload)
}

fn key(kind: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    put_string(&mut key, kind);
    put_string(&mut key, &[0x5a; 32]);
    key
}

fn reply(key: &[u8]) -> Vec<u8> {
    let mut payload = vec![KEXDH_REPLY];
    for field in [key, &[7; 32], &[8; 83]] {
        put_string(&mut payload, field);
    }
    wrapped(&payload)
}

#[test]
fn tells_the_host_key_of_a_server_and_leaves() {
    let init = kexinit("sntrup761x25519-sha512,curve25519-sha256,ecdh-sha2-nistp256");
    let banner = [b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", &init[..]].concat();
    let (answer, bye) = (reply(&key(b"ssh-ed25519")), wrapped(&goodbye()));
    let lines = [Receives(&banner), SendsAny, SendsAny, Receives(&answer), Sends(&bye)];
    let outcome = play(&PROBE, &context(22), &lines);
    let fingerprint = format!("SHA256:{}", base64(&Sha256::digest(key(b"ssh-ed25519"))));
    let expected = [
        ("ssh", "OpenSSH_9.2p1 Debian-2+deb12u3"),
        (
            "ssh.kex",
            "sntrup761x25519-sha512,curve25519-sha256,ecdh-sha2-nistp256;aes256-ctr;hmac-sha2-256;none,zlib",
        ),
        ("ssh.hostkey.type", "ssh-ed25519"),
        ("ssh.hostkey.sha256", &fingerprint),
    ];
    assert_eq!(outcome.said, said(&expected));
    assert!(outcome.done);
}

#[test]
fn old_servers_get_a_number_of_the_group_that_they_know() {
    for (method, length) in [("diffie-hellman-group14-sha1", 256), ("diffie-hellman-group1-sha1", 128)] {
        let handshake = Handshake {
            random: [3; 32],
            state: State::HostKey,
            lines: Lines::default(),
            packets: Packets::default(),
        };
        let (_, public) = KEX.iter().find(|(name, _)| *name == method).unwrap();
        let payload = handshake.public_value(*public);
        let (value, rest) = Field::string(&payload[1..]).unwrap();
        assert_eq!((value.len(), rest), (length, &[][..]));
        assert!((0x40..0x80).contains(&value[0]));
        let init = kexinit(method);
        let answer = reply(&key(b"ssh-rsa"));
        let lines = [
            Receives(b"This is a gateway.\r\nSSH-1.99-Cisco-1.25\n"),
            SendsAny,
            Receives(&init),
            SendsAny,
            Receives(&answer),
            SendsAny,
        ];
        let outcome = play(&PROBE, &context(22), &lines);
        assert_eq!(outcome.said[0].1, "Cisco-1.25");
        assert_eq!(outcome.said[2].1, "ssh-rsa");
    }
}

#[test]
fn a_server_of_the_first_version_only_says_its_software() {
    let outcome = play(&PROBE, &context(22), &[Receives(b"SSH-1.5-1.2.27\n")]);
    assert_eq!(outcome.said, said(&[("ssh", "1.2.27")]));
    assert!(outcome.done);
    let outcome = play(&PROBE, &context(22), &[Receives(b"SSH-2.0-dropbear_20"), Closes]);
    assert_eq!(outcome.said, said(&[("ssh", "dropbear_20")]));
}

#[test]
fn no_method_in_common_ends_politely() {
    let (init, bye) = (kexinit("ecdh-sha2-nistp256"), wrapped(&goodbye()));
    let lines = [Receives(b"SSH-2.0-x y\r\n"), SendsAny, Receives(&init), Sends(&bye)];
    let outcome = play(&PROBE, &context(22), &lines);
    assert_eq!(outcome.said.len(), 2);
    assert!(outcome.done);
}

#[test]
fn malformed_packets_end_it() {
    let short = wrapped(&[KEXINIT, 1, 2, 3]);
    let disconnect = wrapped(&goodbye());
    let cases: [&[u8]; 7] = [
        &[0, 0, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff, 0],
        &[0, 0, 0, 3, 200, 20, 0],
        &[0, 0, 0, 1, 0],
        b"Protocol mismatch.\n",
        &short,
        &disconnect,
    ];
    for bytes in cases {
        let lines = [Receives(b"SSH-2.0-x\r\n"), SendsAny, Receives(bytes)];
        let outcome = play(&PROBE, &context(22), &lines);
        assert_eq!(outcome.said, said(&[("ssh", "x")]), "{bytes:?}");
        assert!(outcome.done, "{bytes:?}");
    }
}

#[test]
fn keys_that_are_none_are_not_said() {
    let init = kexinit("curve25519-sha256");
    for key in [&b""[..], &[0, 0, 0, 0], &[0, 0, 0, 9, b'a'], &key(b"a\nb"), &key(&[b'a'; 65])] {
        let answer = reply(key);
        let lines =
            [Receives(b"SSH-2.0-x\r\n"), SendsAny, Receives(&init), SendsAny, Receives(&answer), SendsAny];
        assert_eq!(play(&PROBE, &context(22), &lines).said.len(), 2, "{key:?}");
    }
    let endless = b"hello\n".repeat(100);
    let outcome = play(&PROBE, &context(22), &[Receives(&endless)]);
    assert!(outcome.said.is_empty() && outcome.done);
}

#[test]
fn packets_are_padded() {
    for length in 0..40 {
        let packet = wrapped(&vec![1; length]);
        assert_eq!(packet.len() % 8, 0);
        assert!(packet.len() >= 16 || length < 7, "{length}");
        assert!(packet[4] >= 4);
        let mut packets = Packets::default();
        packets.push(&packet);
        assert_eq!(packets.next(), Ok(Some(vec![1; length])));
    }
}

#[test]
fn base64_is_that_of_the_rfc() {
    for (plain, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(plain.as_bytes()), text);
    }
}
