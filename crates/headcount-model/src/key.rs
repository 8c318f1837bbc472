//! Values by which one device is told from another.

/// Shorter values tell nothing, in bytes.
const SHORTEST: usize = 5;
/// Longer values are no names or numbers of devices, in bytes.
const LONGEST: usize = 256;
/// How what stands where nobody filled in a serial number begins, in lower case.
const FILLERS: [&str; 8] =
    ["123456", "default", "serial", "unknown", "system", "to be filled", "not ", "none"];

/// The value in one spelling (lower case, no spaces around), if it tells one device from another: neither short nor all
/// of one sign, `uuid:` before it apart.
pub fn telling(value: &str) -> Option<String> {
    let text = value.trim().to_lowercase();
    let digits = text.strip_prefix("uuid:").unwrap_or(&text);
    let mut signs = digits.chars().filter(char::is_ascii_alphanumeric);
    let first = signs.next()?;
    let uniform = signs.all(|c| c == first);
    (!uniform && (SHORTEST..=LONGEST).contains(&text.len())).then_some(text)
}

/// The same of a serial number, if it is one and not what stands in its place.
pub fn telling_serial(value: &str) -> Option<String> {
    telling(value).filter(|plain| !FILLERS.iter().any(|filler| plain.starts_with(filler)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_have_tells_nothing() {
        assert_eq!(telling(" AB-12c ").as_deref(), Some("ab-12c"));
        for value in
            ["", "ab1", "00000000", "uuid:00000000-0000-0000-0000-000000000000", "-----", &"ab".repeat(200)]
        {
            assert_eq!(telling(value), None, "{value}");
        }
        assert_eq!(telling_serial("CZ1234ABCD").as_deref(), Some("cz1234abcd"));
        for value in
            ["To be filled by O.E.M.", "Default string", "123456789", "None assigned", "NOT SPECIFIED"]
        {
            assert_eq!(telling_serial(value), None, "{value}");
        }
    }
}
