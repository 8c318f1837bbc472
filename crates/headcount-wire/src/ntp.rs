//! The request of a time client (RFC 5905, section 7.3).

/// Port of a time server.
pub const PORT: u16 = 123;

/// No leap warning (0), version 4, mode 3 (client).
const CLIENT: u8 = 4 << 3 | 3;

/// A client's request. Everything but the first byte is zero, as in SNTP: nothing about our own clock is told.
pub const fn client_request() -> [u8; 48] {
    let mut request = [0; 48];
    request[0] = CLIENT;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_and_mode_are_told() {
        let request = client_request();
        assert_eq!(request[0], 0x23);
        assert!(request[1..].iter().all(|byte| *byte == 0));
    }
}
