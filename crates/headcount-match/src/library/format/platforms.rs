//! Which product has which name in the NVD's dictionary of CPE names.

use super::{
    Fault, Text,
    pack::{Packed, Packer, Unpacker, packed},
};

/// A product whose CPE name is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// Which product attribute names it: `device`, `os` or `service`.
    pub space: Text,
    /// Its maker, in the spelling of `vendors.tsv`.
    pub vendor: Text,
    /// Its name as fingerprints give it.
    pub product: Text,
    /// `a` for an application, `o` for an operating system or firmware, `h` for hardware (NISTIR 7695, section 5.3.3).
    pub part: Text,
    /// The product part of the CPE 2.3 name, as the NVD spells it.
    pub name: Text,
}

packed!(Platform { space, vendor, product, part, name });

/// Reads lines of space, tab, vendor, tab, product, tab, part, tab, name.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Platform>, Vec<Fault>> {
    let (mut platforms, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match platform(line) {
            Ok(platform) => platforms.push(platform),
            Err(cause) => faults.push(Fault::of_entry(file, format_args!("line {}", number + 1), cause)),
        }
    }
    platforms.sort();
    for pair in platforms.windows(2) {
        if let [a, b] = pair
            && (&a.space, &a.vendor, &a.product) == (&b.space, &b.vendor, &b.product)
        {
            let what = format!("{} {} {}", a.space, a.vendor, a.product);
            faults.push(Fault::of_entry(file, what, "the product stands on two lines"));
        }
    }
    if faults.is_empty() { Ok(platforms) } else { Err(faults) }
}

fn platform(line: &str) -> Result<Platform, &'static str> {
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [space, vendor, product, part, name] = cells[..] else {
        return Err(
            "write device, os or service, the vendor, the product, the part and the name, parted by tabs",
        );
    };
    if !matches!(space, "device" | "os" | "service") {
        return Err("the first cell is device, os or service");
    }
    if !matches!(part, "a" | "o" | "h") {
        return Err("the part is a, o or h");
    }
    if vendor.is_empty() || product.is_empty() || !is_name(name) {
        return Err("the vendor or the product is missing, or the name is not one of a CPE");
    }
    let text = |cell: &str| Text::from(cell.to_owned());
    Ok(Platform {
        space: text(space),
        vendor: text(vendor),
        product: text(product),
        part: text(part),
        name: text(name),
    })
}

/// Lower-case letters, digits, `_`, `-`, `.`, and anything else printable after a backslash (NISTIR 7695, figure 6-3).
fn is_name(name: &str) -> bool {
    let mut escaped = false;
    for c in name.chars() {
        let plain = c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, _) if !plain => return false,
            (true, c) if !c.is_ascii_graphic() => return false,
            _ => escaped = false,
        }
    }
    !name.is_empty() && !escaped
}
