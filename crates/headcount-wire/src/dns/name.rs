//! Domain names: labels on the wire (RFC 1035, sections 3.1 and 4.1.4), text outside.

use crate::{Layer, Malformed, Problem};

/// Bytes of a name on the wire, with its length bytes and the root (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 255;
/// Bytes of one label.
const MAX_LABEL: usize = 63;

/// Where the name at `at` ends in the message, without following pointers.
pub(crate) fn skip(message: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        match *message.get(at).ok_or(error(Problem::Truncated))? {
            0 => return Ok(at + 1),
            len @ 1..=63 => at += 1 + usize::from(len),
            0xc0.. => {
                return if at + 2 <= message.len() { Ok(at + 2) } else { Err(error(Problem::Truncated)) };
            }
            64..=191 => return Err(error(Problem::Unsupported)),
        }
    }
}

/// The name at `at` in presentation form.
///
/// Every pointer must lead to before the piece of the name that it ends, so that none can loop, and the whole may
/// have 255 bytes at most.
pub(crate) fn read(message: &[u8], mut at: usize) -> Result<String, Malformed> {
    let mut text = String::new();
    let mut piece = at;
    let mut total = 1;
    loop {
        let len = *message.get(at).ok_or(error(Problem::Truncated))?;
        match len {
            0 => break,
            1..=63 => {
                let end = at + 1 + usize::from(len);
                let label = message.get(at + 1..end).ok_or(error(Problem::Truncated))?;
                total += 1 + label.len();
                if total > MAX_NAME {
                    return Err(error(Problem::TooLong));
                }
                if !text.is_empty() {
                    text.push('.');
                }
                push_label(&mut text, label);
                at = end;
            }
            0xc0.. => {
                let low = *message.get(at + 1).ok_or(error(Problem::Truncated))?;
                let target = usize::from(u16::from_be_bytes([len & 0x3f, low]));
                if target >= piece {
                    return Err(error(Problem::Value));
                }
                piece = target;
                at = target;
            }
            64..=191 => return Err(error(Problem::Unsupported)),
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    Ok(text)
}

const fn error(problem: Problem) -> Malformed {
    Malformed::new(Layer::Dns, problem)
}

/// One label as text: UTF-8 stays (RFC 6763, section 4.1.1), dots and backslashes get a backslash, control
/// characters and bytes that are no UTF-8 become `\DDD` (RFC 1035, section 5.1).
fn push_label(text: &mut String, label: &[u8]) {
    for chunk in label.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '.' | '\\' => text.extend(['\\', c]),
                c if c.is_control() => push_decimal(text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => text.push(c),
            }
        }
        push_decimal(text, chunk.invalid());
    }
}

fn push_decimal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let digit = |n: u8| char::from(b'0' + n % 10);
        text.extend(['\\', digit(byte / 100), digit(byte / 10), digit(*byte)]);
    }
}

/// Writes a name in presentation form, without compression. Empty labels are left out; what is over 63 bytes in a
/// label or over 255 bytes in the name is cut off.
pub(crate) fn write(name: &str, out: &mut Vec<u8>) {
    let start = out.len();
    let mut label = Vec::with_capacity(MAX_LABEL);
    let mut bytes = name.as_bytes().iter();
    loop {
        let next = bytes.next();
        match next {
            Some(b'\\') => label.extend(unescape(&mut bytes)),
            Some(b'.') | None => {
                label.truncate(MAX_LABEL);
                if out.len() - start + 1 + label.len() >= MAX_NAME {
                    break;
                }
                if !label.is_empty() {
                    out.push(label.len() as u8);
                    out.append(&mut label);
                }
            }
            Some(byte) => label.push(*byte),
        }
        if next.is_none() {
            break;
        }
    }
    out.push(0);
}

/// The byte meant by what follows a backslash: three digits up to 255, or any byte itself.
fn unescape(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u8> {
    let digits = bytes.as_slice().get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let value = digits.and_then(|digits| {
        digits.iter().try_fold(0_u8, |value, digit| value.checked_mul(10)?.checked_add(digit - b'0'))
    });
    if value.is_some() {
        bytes.nth(2);
        return value;
    }
    bytes.next().copied()
}
