//! What a user may write as a target.

use std::{net::Ipv4Addr, str::FromStr};

use ipnetwork::Ipv4Network;

use crate::AddressRange;

/// One target as typed, not yet resolved or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSpec {
    /// `10.0.0.0/24`, `10.0.0.5`, `10.0.0.5-90` or `10.0.0.5-10.0.1.9`.
    Range(AddressRange),
    /// A host name, to be resolved.
    Name(String),
    /// `@path`: a file with one or more targets on each line.
    File(String),
    /// `-`: the same from standard input.
    Stdin,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// Nothing was written.
    #[error("the target is empty")]
    Empty,
    /// It looks like an address and is none.
    #[error("\"{0}\" is not an IPv4 address")]
    Address(String),
    /// The part behind the slash is no prefix length.
    #[error("\"{0}\" is not a network: the prefix length behind the slash must be 0 to 32")]
    Prefix(String),
    /// A range runs backwards.
    #[error("\"{0}\" runs backwards: write the lower address first")]
    Backwards(String),
    /// The part behind the dash is neither a last octet nor an address.
    #[error("\"{0}\" is not a range: write 10.0.0.5-90 or 10.0.0.5-10.0.1.9")]
    Range(String),
    /// IPv6 is not swept yet.
    #[error("\"{0}\" is an IPv6 target: this version sweeps IPv4 only")]
    Ipv6(String),
    /// Not a host name (RFC 1123, section 2.1).
    #[error("\"{0}\" is neither an address, a network, a range nor a host name")]
    Name(String),
    /// `@` with no path behind it.
    #[error("\"@\" needs the path of a file behind it")]
    NoPath,
    /// A file inside a file.
    #[error("\"{0}\": a target file cannot name another file or standard input")]
    Nested(String),
}

impl FromStr for TargetSpec {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match text {
            "" => Err(ParseTargetError::Empty),
            "-" => Ok(Self::Stdin),
            _ => match text.strip_prefix('@') {
                Some("") => Err(ParseTargetError::NoPath),
                Some(path) => Ok(Self::File(path.to_owned())),
                None => parse_host(text),
            },
        }
    }
}

/// The targets in a target file: parted by white space or commas, `#` starts a comment. Each comes with its line
/// number (from 1); a line that cannot be read comes as its error.
pub fn targets_in_text(
    text: &str,
) -> impl Iterator<Item = (usize, Result<TargetSpec, ParseTargetError>)> + '_ {
    text.lines().enumerate().flat_map(|(i, line)| {
        let line = line.split('#').next().unwrap_or_default();
        line.split([' ', '\t', ',', '\r', '\u{feff}'])
            .filter(|word| !word.is_empty())
            .map(move |word| (i + 1, parse_in_file(word)))
    })
}

fn parse_in_file(word: &str) -> Result<TargetSpec, ParseTargetError> {
    match word.parse()? {
        TargetSpec::File(_) | TargetSpec::Stdin => Err(ParseTargetError::Nested(word.to_owned())),
        target @ (TargetSpec::Range(_) | TargetSpec::Name(_)) => Ok(target),
    }
}

fn parse_host(text: &str) -> Result<TargetSpec, ParseTargetError> {
    if text.contains(':') {
        return Err(ParseTargetError::Ipv6(text.to_owned()));
    }
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'/' | b'-'));
    if let Some((address, prefix)) = text.split_once('/') {
        return parse_network(text, address, prefix).map(TargetSpec::Range);
    }
    if let Some((first, last)) = text.split_once('-')
        && numeric
    {
        return parse_range(text, first, last).map(TargetSpec::Range);
    }
    if numeric {
        return parse_address(text).map(|address| TargetSpec::Range(address.into()));
    }
    if is_host_name(text) {
        Ok(TargetSpec::Name(text.to_owned()))
    } else {
        Err(ParseTargetError::Name(text.to_owned()))
    }
}

fn parse_address(text: &str) -> Result<Ipv4Addr, ParseTargetError> {
    text.parse().map_err(|_| ParseTargetError::Address(text.to_owned()))
}

fn parse_network(text: &str, address: &str, prefix: &str) -> Result<AddressRange, ParseTargetError> {
    let address = parse_address(address)?;
    let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|_| digits);
    prefix
        .and_then(|prefix: u8| Ipv4Network::new(address, prefix).ok())
        .map(AddressRange::from)
        .ok_or_else(|| ParseTargetError::Prefix(text.to_owned()))
}

fn parse_range(text: &str, first: &str, last: &str) -> Result<AddressRange, ParseTargetError> {
    let first = parse_address(first)?;
    let last = if last.contains('.') {
        parse_address(last)?
    } else {
        let octet: u8 = last.parse().map_err(|_| ParseTargetError::Range(text.to_owned()))?;
        let [a, b, c, _] = first.octets();
        Ipv4Addr::new(a, b, c, octet)
    };
    AddressRange::new(first, last).ok_or_else(|| ParseTargetError::Backwards(text.to_owned()))
}

fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label_is_fine = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label_is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> String {
        match text.parse() {
            Ok(TargetSpec::Range(range)) => range.to_string(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(range("10.0.0.0/24"), "10.0.0.0/24");
        assert_eq!(range("10.0.0.77/24"), "10.0.0.0/24");
        assert_eq!(range("10.0.0.5"), "10.0.0.5");
        assert_eq!(range("10.0.0.5-90"), "10.0.0.5-10.0.0.90");
        assert_eq!(range("10.0.0.5-10.0.1.9"), "10.0.0.5-10.0.1.9");
        assert_eq!("printer-2.example".parse(), Ok(TargetSpec::Name("printer-2.example".into())));
        assert_eq!("@hosts.txt".parse(), Ok(TargetSpec::File("hosts.txt".into())));
        assert_eq!("-".parse(), Ok(TargetSpec::Stdin));
    }

    #[test]
    fn numbers_never_pass_as_names() {
        for text in [
            "10.0.0",
            "10.0.0.256",
            "300.1.1.1/24",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.9-5",
            "10.0.0.5-300",
            "1-2-3",
            "10",
            "fe80::1",
            "@",
            "",
        ] {
            assert!(text.parse::<TargetSpec>().is_err(), "{text}");
        }
    }

    #[test]
    fn files_have_line_numbers_and_comments() {
        let text = "10.0.0.1 10.0.0.2, printer # a comment\n\n# nothing\n10.0.0.0/99\n@other\n";
        let found: Vec<_> = targets_in_text(text).collect();
        assert_eq!(found.len(), 5);
        assert_eq!(found[2], (1, Ok(TargetSpec::Name("printer".into()))));
        assert_eq!(found[3], (4, Err(ParseTargetError::Prefix("10.0.0.0/99".into()))));
        assert_eq!(found[4], (5, Err(ParseTargetError::Nested("@other".into()))));
    }
}
