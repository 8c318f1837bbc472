//! Distinguished names as text (RFC 4514).

use headcount_wire::ber::{self, Element};

use super::{hex, parts};

/// Parts of a name that are read.
const MOST: usize = 48;

/// The name as RFC 4514 writes it, its last part first. Text that is no UTF-8 is taken as Latin-1.
pub(crate) fn text(name: &[u8]) -> String {
    let relative: Vec<String> = parts(name).take(MOST).map(|(set, _)| relative_text(set.content)).collect();
    relative.into_iter().rev().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",")
}

/// A part of several attributes: the last first as well, as directories print it.
fn relative_text(set: &[u8]) -> String {
    let pairs: Vec<String> = parts(set).take(MOST).filter_map(|(pair, _)| pair_text(pair.content)).collect();
    pairs.into_iter().rev().collect::<Vec<_>>().join("+")
}

/// Attributes that have a short name (RFC 4514, section 3; RFC 4519, section 2.31).
const SHORT: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 5], "SERIALNUMBER"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

fn pair_text(pair: &[u8]) -> Option<String> {
    let mut parts = parts(pair);
    let (kind, _) = parts.next().filter(|(kind, _)| kind.tag == ber::OBJECT_IDENTIFIER)?;
    let (value, whole) = parts.next()?;
    match SHORT.iter().find(|(oid, _)| *oid == kind.content) {
        Some((_, name)) => Some(format!("{name}={}", escaped(&string(value)))),
        None => Some(format!("{}=#{}", dotted(kind.content), hex(whole))),
    }
}

/// The text of a string, whatever type it claims.
fn string(value: Element<'_>) -> String {
    const BMP_STRING: u8 = 0x1e;
    if value.tag == BMP_STRING {
        let units: Vec<u16> =
            value.content.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        return String::from_utf16_lossy(&units);
    }
    match std::str::from_utf8(value.content) {
        Ok(text) => text.to_owned(),
        Err(_) => value.content.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Section 2.4: what would end or change the value is preceded by a backslash.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 4);
    for (at, character) in text.char_indices() {
        let edge = at == 0 || at + 1 == text.len();
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.push('\\'),
            '#' if at == 0 => escaped.push('\\'),
            ' ' if edge => escaped.push('\\'),
            '\0' => {
                escaped.push_str("\\00");
                continue;
            }
            _ => {}
        }
        escaped.push(character);
    }
    escaped
}

/// An object identifier in dotted form (X.690, section 8.19).
pub(crate) fn dotted(oid: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0u64;
    for byte in oid.iter().take(MOST) {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
