//! When two values are the same, and when one is a special form of the other.

/// The form in which values of the attribute `name` are compared; empty for a value that says nothing.
pub(super) fn key(name: &str, value: &str) -> String {
    let attribute = name.rsplit('.').next().unwrap_or(name);
    match attribute {
        "product" | "model" | "family" => words(value).join(" "),
        "version" => parts(value).join("."),
        "serial" | "mac" => {
            value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
        }
        _ => value.to_lowercase(),
    }
}

/// Whether `special` says all that `general` says, and more: `laserjet m404dn` and `laserjet`, `5.4.1` and `5.4`.
pub(super) fn generalises(name: &str, general: &str, special: &str) -> bool {
    if general == special {
        return false;
    }
    match name.rsplit('.').next().unwrap_or(name) {
        "product" | "model" | "family" => {
            let all: Vec<&str> = special.split(' ').collect();
            let count = |word: &str, of: &[&str]| of.iter().filter(|other| **other == word).count();
            let few: Vec<&str> = general.split(' ').collect();
            few.len() < all.len() && few.iter().all(|word| count(word, &few) <= count(word, &all))
        }
        "version" => special.strip_prefix(general).is_some_and(|rest| rest.starts_with('.')),
        _ => false,
    }
}

/// Letters and digits, in lower case.
fn words(value: &str) -> Vec<String> {
    let parts = value.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// The parts of a version; a `v` before the number says nothing.
fn parts(value: &str) -> Vec<String> {
    let mut parts = words(value);
    if let Some(first) = parts.first_mut()
        && let Some(number) =
            first.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        *first = number.to_owned();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(key("device.model", "TL-WR841N"), key("device.model", "tl wr841n"));
        assert_eq!(key("os.version", "V5.4.1"), key("os.version", "5.4.1"));
        assert_eq!(key("device.serial", "ab-12 3"), "AB123");
        assert_eq!(key("device.vendor", "HP"), "hp");
        assert_eq!(key("device.model", "--"), "");
    }

    #[test]
    fn special_forms_are_known() {
        let yes = [
            ("device.product", "laserjet", "laserjet m404dn"),
            ("device.version", "5.4", "5.4.1"),
            ("service.product", "http server", "apache http server"),
        ];
        for (name, general, special) in yes {
            assert!(generalises(name, general, special), "{general} {special}");
            assert!(!generalises(name, special, general), "{general} {special}");
        }
        assert!(!generalises("device.version", "5.4", "5.41"));
        assert!(!generalises("device.vendor", "hp", "hp inc"));
        assert!(!generalises("device.product", "a a", "a b c"));
        assert!(!generalises("device.product", "laserjet", "laserjet"));
    }
}
