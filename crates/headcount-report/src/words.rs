//! Numbers and times as people read them.

use std::time::Duration;

use headcount_model::Device;

/// A DNS name without the dot of the root.
pub(crate) fn name(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// The operating system and its version, as far as they are known.
pub(crate) fn system(device: &Device) -> String {
    let known = ["os.product", "os.version"].iter().filter_map(|name| device.attribute(name));
    let known: Vec<&str> = known.map(|attribute| attribute.value.as_str()).collect();
    match known.is_empty() {
        true => device.attribute("os.family").map(|family| family.value.clone()).unwrap_or_default(),
        false => known.join(" "),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 device`, `2 devices`.
pub(crate) fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// `850 ms`, `12.4 s`, `3 min 7 s`, `2 h 5 min`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", (time.as_millis() / 100) as f64 / 10.0),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", number(seconds / 3600), seconds % 3600 / 60),
    }
}

/// A share (0 to 1) as a percentage of two significant digits: `12 %`, `0.34 %`, `below 0.01 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    match percent {
        0.0..0.01 => "below 0.01 %".to_owned(),
        0.01..1.0 => format!("{percent:.2} %"),
        1.0..10.0 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 65_536, 1_234_567].map(number),
            ["0", "999", "1,000", "65,536", "1,234,567"]
        );
        assert_eq!(count(1, "device", "devices"), "1 device");
        assert_eq!(count(0, "device", "devices"), "0 devices");
    }

    #[test]
    fn times_and_shares_are_rounded() {
        let times = [0, 850, 1_000, 12_449, 59_999, 60_000, 187_000, 7_500_000];
        assert_eq!(
            times.map(|ms| duration(Duration::from_millis(ms))),
            ["0 ms", "850 ms", "1.0 s", "12.4 s", "59.9 s", "1 min 0 s", "3 min 7 s", "2 h 5 min"]
        );
        let shares = [0.0, 0.00005, 0.0001, 0.0034, 0.05, 0.123, 1.0, f64::NAN];
        assert_eq!(
            shares.map(percent),
            ["below 0.01 %", "below 0.01 %", "0.01 %", "0.34 %", "5.0 %", "12 %", "100 %", "NaN %"]
        );
    }
}
