//! The icon of a web page, as digests.

use md5::{Digest, Md5};

use crate::{
    Budget, Carrier, Context, Conversation, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::Answer,
    url,
};

/// HTTP: the icon that a page names, or `/favicon.ico`.
pub(crate) static PROBE: Probe = Probe {
    name: "http-favicon",
    title: "web page's icon",
    carrier: Carrier::Stream,
    ports: &[],
    tls_ports: &[],
    multicast: None,
    sends: "one GET for the icon",
    normal: "a browser asks for the icon of every page that it shows",
    source: "HTML Living Standard, section 4.6.7.8 (rel=icon)",
    yields: &["http.favicon.md5", "http.favicon.mmh3"],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

/// Bytes of an icon; a larger one has no digest.
const LONGEST: usize = 240 << 10;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let path = if context.path.is_empty() { "/favicon.ico" } else { &context.path };
    let request = get(context, path);
    let context = context.clone();
    Fetch::whole(request, LONGEST, move |answer, out| tell(&context, answer, out))
}

fn tell(context: &Context, answer: &Answer, out: &mut Out) {
    let head = answer.head();
    if let (Some(300..=399), Some(location)) = (head.status(), head.first("location")) {
        if let Some(follow) = url::redirect(context, PROBE.name, location) {
            out.follow(follow);
        }
        return;
    }
    let icon = answer.body();
    if head.status() != Some(200)
        || !answer.is_whole()
        || answer.is_packed()
        || icon.is_empty()
        || is_page(icon)
    {
        return;
    }
    let digest: String = Md5::digest(icon).iter().map(|byte| format!("{byte:02x}")).collect();
    out.say("http.favicon.md5", digest);
    out.say("http.favicon.mmh3", murmur3(&base64(icon)).cast_signed().to_string());
}

/// Whether a device answered with a page instead of an icon.
fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let starts = |word: &[u8]| start.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") || starts(b"<script")
}

/// Base64 in lines of 76 characters, each ended by a line feed (RFC 2045, section 6.8), as the published digests are
/// made.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const LINE: usize = 57;
    let mut text = Vec::with_capacity(bytes.len() / 3 * 4 + bytes.len() / LINE + 8);
    for line in bytes.chunks(LINE) {
        for group in line.chunks(3) {
            let word = (0..3).fold(0, |word, at| word << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
            for at in 0..4 {
                let sextet = (word >> (18 - 6 * at) & 63) as usize;
                text.push(if at <= group.len() { ALPHABET[sextet] } else { b'=' });
            }
        }
        text.push(b'\n');
    }
    text
}

/// MurmurHash3, 32 bits, seed 0 (Appleby, public domain: MurmurHash3_x86_32).
fn murmur3(bytes: &[u8]) -> u32 {
    let scramble = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = words.iter().fold(0u32, |hash, word| {
        let hash = hash ^ scramble(u32::from_le_bytes(*word));
        hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    let tail = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    hash ^= scramble(tail) ^ bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Line::*, context, play, said};

    #[test]
    fn digests_are_as_published() {
        // Test vectors of MurmurHash3 and RFC 4648, section 10.
        for (text, hash) in [(&b""[..], 0u32), (b"hello", 0x248b_fa47), (b"hello, world", 0x149b_bb7f)] {
            assert_eq!(murmur3(text), hash);
        }
        for (text, coded) in [("f", "Zg==\n"), ("fo", "Zm8=\n"), ("foo", "Zm9v\n"), ("foobar", "Zm9vYmFy\n")]
        {
            assert_eq!(base64(text.as_bytes()), coded.as_bytes());
        }
        let long = base64(&[0; 58]);
        assert_eq!((long.len(), long[76]), (82, b'\n'));
    }

    #[test]
    fn an_icon_has_two_digests() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: image/x-icon\r\nContent-Length: 4\r\n\r\n\0\0\x01\0";
        let outcome = play(&PROBE, &context(80), &[SendsAny, Receives(answer)]);
        let expected =
            [("http.favicon.md5", "2ab4b906fabd1c154d3d8fd77942028e"), ("http.favicon.mmh3", "-216455174")];
        assert_eq!(outcome.said, said(&expected));
    }

    #[test]
    fn what_is_no_icon_has_none() {
        for answer in [
            &b"HTTP/1.1 404 Not Found\r\n\r\nno"[..],
            b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE html><title>x</title>",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
            b"raw",
        ] {
            let outcome = play(&PROBE, &context(80), &[SendsAny, Receives(answer), Closes]);
            assert_eq!(outcome.said, said(&[]), "{}", answer.escape_ascii());
        }
    }
}
