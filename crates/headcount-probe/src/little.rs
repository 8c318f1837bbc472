//! Numbers and text as Microsoft's protocols hold them: little-endian.

/// The 16-bit number at an offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|number| u16::from_le_bytes(*number))
}

/// The 32-bit number at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|number| u32::from_le_bytes(*number))
}

/// UTF-16 as text; what is none becomes the replacement character, an odd last byte is dropped.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| pair.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
    char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// UTF-16 up to its first zero, and what follows that.
pub(crate) fn utf16_line(bytes: &[u8]) -> (String, &[u8]) {
    let length = bytes.chunks_exact(2).position(|pair| pair == [0, 0]).unwrap_or(bytes.len() / 2) * 2;
    let (text, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    (utf16(text), rest.get(2..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_text() {
        let bytes = [1, 2, 3, 4, 5];
        assert_eq!((u16_at(&bytes, 1), u16_at(&bytes, 4), u16_at(&bytes, 9)), (Some(0x0302), None, None));
        assert_eq!((u32_at(&bytes, 1), u32_at(&bytes, 2)), (Some(0x0504_0302), None));
        assert_eq!(utf16(b"A\0\xe9\0\0\xd8!"), "A\u{e9}\u{fffd}");
        assert_eq!(utf16_line(b"A\0\0\0B\0"), ("A".to_owned(), &b"B\0"[..]));
        assert_eq!(utf16_line(b"A\0B"), ("A".to_owned(), &b""[..]));
    }
}
