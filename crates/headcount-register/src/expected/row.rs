//! A device from what the columns of its row say.

use std::{collections::BTreeMap, net::IpAddr};

use headcount_model::MacAddr;

use super::{Expected, Field};

/// What stands where there is nothing to say.
const NOTHING: [&str; 18] = [
    "",
    "-",
    "--",
    "—",
    "?",
    "0",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "tbd",
    "keine",
    "keiner",
    "unbekannt",
    "k.a.",
    "to be filled by o.e.m.",
];
/// What stands for an address that is not fixed.
const CHANGING: [&str; 5] = ["dhcp", "dynamic", "dynamisch", "auto", "automatic"];
/// MAC addresses that stand for none: the last one is what Android shows to programs since version 6.
const NO_MAC: [MacAddr; 3] = [MacAddr::ZERO, MacAddr::BROADCAST, MacAddr([2, 0, 0, 0, 0, 0])];
/// Longer values are no names of anything, in bytes.
const LONGEST: usize = 1024;

/// The device of a row.
///
/// # Errors
/// The reason for which it is none.
pub(super) fn make(line: usize, said: &[(Field, String)]) -> Result<Expected, String> {
    let mut row = Expected { source_line: line, ..Expected::default() };
    for (field, text) in said {
        let text = text.trim();
        if NOTHING.contains(&text.to_lowercase().as_str()) {
            continue;
        }
        if text.len() > LONGEST {
            return Err(format!("its {field} is longer than {LONGEST} bytes"));
        }
        match field {
            Field::Mac => row.macs.extend(macs(text)?),
            Field::Address => row.addresses.extend(addresses(text)?),
            Field::Host => {
                row.names.extend(parts(text).map(|name| name.trim_end_matches('.').to_lowercase()))
            }
            Field::Serial if is_spoiled(text) => {
                return Err(format!(
                    "its serial number {text} was made a number by a spreadsheet: its digits are lost"
                ));
            }
            field => {
                let slot = single(&mut row, *field);
                *slot = slot.take().or_else(|| Some(text.to_owned()));
            }
        }
    }
    let keyless = row.serial.is_none() && row.macs.is_empty() && row.name.is_none() && row.names.is_empty();
    if keyless && row.addresses.is_empty() {
        return Err(
            "nothing in it recognises a device: no serial number, MAC address, name or IP address".to_owned()
        );
    }
    Ok(row)
}

/// Where a field of one value goes.
fn single(row: &mut Expected, field: Field) -> &mut Option<String> {
    match field {
        Field::AssetTag => &mut row.asset_tag,
        Field::Serial => &mut row.serial,
        Field::Vendor => &mut row.vendor,
        Field::Model => &mut row.model,
        Field::Type => &mut row.device_type,
        Field::Owner => &mut row.owner,
        Field::Location => &mut row.location,
        Field::Segment => &mut row.segment,
        Field::Name | Field::Mac | Field::Address | Field::Host => &mut row.name,
    }
}

/// The values of a cell that holds several.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|', '\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty())
}

fn macs(text: &str) -> Result<Vec<MacAddr>, String> {
    let bad = |part: &str| format!("{part:?} is no MAC address");
    let mut macs = Vec::new();
    for part in parts(text) {
        let found = match mac(part) {
            Some(mac) => vec![mac],
            // Several of them, parted by spaces.
            None => part
                .split(' ')
                .filter(|word| !word.is_empty())
                .map(mac)
                .collect::<Option<_>>()
                .ok_or_else(|| bad(part))?,
        };
        macs.extend(found.into_iter().filter(|mac| !NO_MAC.contains(mac)));
    }
    Ok(macs)
}

/// Twelve hex digits, whatever parts them: `00:11:22:aa:bb:cc`, `0011.22aa.bbcc`, `001122-AABBCC`, `001122aabbcc`.
fn mac(text: &str) -> Option<MacAddr> {
    let mut bytes = [0; 6];
    let mut digits = 0;
    for c in text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')) {
        let byte: &mut u8 = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | u8::try_from(c.to_digit(16)?).ok()?;
        digits += 1;
    }
    (digits == 12).then_some(MacAddr(bytes))
}

fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let words = parts(text).flat_map(|part| part.split(' ')).filter(|word| !word.is_empty());
    let mut addresses = Vec::new();
    for word in words.filter(|word| !CHANGING.contains(&word.to_lowercase().as_str())) {
        // With the length of its network behind it, as NetBox writes it, or its zone.
        let bare = word.split(['/', '%']).next().unwrap_or(word);
        let address: IpAddr = bare.parse().map_err(|_| format!("{word:?} is no IP address"))?;
        if !address.is_unspecified() && !address.is_loopback() {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// `1.23E+12`
fn is_spoiled(serial: &str) -> bool {
    let Some((digits, exponent)) = serial.split_once("E+").or_else(|| serial.split_once("e+")) else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    digits.contains(['.', ',']) && number(&digits.replacen(['.', ','], "", 1)) && number(exponent)
}

/// Notes what recognises a row, unless an earlier one has it as well.
///
/// # Errors
/// The line of the earlier row, and what both have.
pub(super) fn alone(row: &Expected, seen: &mut BTreeMap<String, usize>) -> Result<(), String> {
    let marks = marks(row);
    if let Some((mark, line)) = marks.iter().find_map(|mark| Some((mark, seen.get(mark)?))) {
        return Err(format!("the row in line {line} has the same {mark}"));
    }
    seen.extend(marks.into_iter().map(|mark| (mark, row.source_line)));
    // A row that only has a name or an address must not be one that another row has too.
    for mark in weak(row) {
        seen.entry(mark).or_insert(row.source_line);
    }
    Ok(())
}

/// What no two rows have, in words.
fn marks(row: &Expected) -> Vec<String> {
    let mut marks = Vec::new();
    if let Some(serial) = &row.serial {
        let maker = row.vendor.as_deref().map(|vendor| format!(" of {}", vendor.to_lowercase()));
        marks.push(format!("serial number {}{}", serial.to_uppercase(), maker.unwrap_or_default()));
    }
    marks.extend(row.asset_tag.iter().map(|tag| format!("asset tag {}", tag.to_lowercase())));
    marks.extend(row.macs.iter().map(|mac| format!("MAC address {mac}")));
    if marks.is_empty() || (row.serial.is_none() && row.macs.is_empty()) {
        let weak = weak(row);
        let named = weak.iter().any(|mark| mark.starts_with("name "));
        marks.extend(weak.into_iter().filter(|mark| !named || mark.starts_with("name ")));
    }
    marks
}

/// What two rows may have, if something firmer tells them apart.
fn weak(row: &Expected) -> Vec<String> {
    let mut names: Vec<String> = row.name.iter().map(|name| name.to_lowercase()).collect();
    names.extend(row.names.iter().cloned());
    names.sort();
    names.dedup();
    let names = names.into_iter().map(|name| format!("name {name}"));
    names.chain(row.addresses.iter().map(|address| format!("IP address {address}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_read_as_all_makers_write_them() {
        let plain = MacAddr([0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc]);
        for text in
            ["00:11:22:aa:bb:cc", "00-11-22-AA-BB-CC", "0011.22aa.bbcc", "001122AABBCC", "00 11 22 aa bb cc"]
        {
            assert_eq!(macs(text).unwrap(), [plain], "{text}");
        }
        let two = macs("00:11:22:aa:bb:cc 00:11:22:aa:bb:cd\n00:00:00:00:00:00").unwrap();
        assert_eq!(two, [plain, MacAddr([0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcd])]);
        for text in ["00:11:22:aa:bb", "00:11:22:aa:bb:cg", "yes", "00:11:22:aa:bb:cc:dd"] {
            assert!(macs(text).unwrap_err().contains("is no MAC address"), "{text}");
        }
    }

    #[test]
    fn addresses_may_have_a_length_and_may_change() {
        assert_eq!(addresses("10.0.0.5/24, fe80::1%eth0").unwrap().len(), 2);
        assert!(addresses("DHCP").unwrap().is_empty());
        assert!(addresses("0.0.0.0").unwrap().is_empty());
        assert!(addresses("10.0.0.256").unwrap_err().contains("10.0.0.256"));
    }

    #[test]
    fn serial_numbers_that_a_spreadsheet_spoiled_are_told() {
        assert!(is_spoiled("1.23E+12") && is_spoiled("1,23E+12"));
        assert!(!is_spoiled("E+12") && !is_spoiled("1E+X") && !is_spoiled("CN1.2E") && !is_spoiled("12E+12"));
    }
}
