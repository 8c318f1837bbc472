//! CPE 2.3 names, by which vulnerability databases call products.

use headcount_model::{Attribute, Endpoint, Evidence, Raw};

use crate::{Library, identify::Known};

/// What stands as the fingerprint of such a name.
const FINGERPRINT: &str = "cpe";
/// Less sure versions are left open.
const SURE: f64 = 0.5;
/// Which attributes name a product, its maker and its version, and which one gets the CPE name.
const SPACES: [&str; 3] = ["device", "os", "service"];

/// The CPE names of what `attributes` name: one of the device, one of its system, one of each port's service.
///
/// The form is the formatted string of NISTIR 7695, section 6.2; what is not known is `*`.
pub(crate) fn names(library: &Library, attributes: &[Attribute]) -> Vec<Attribute> {
    let known = Known::of(attributes);
    let products = attributes.iter().filter_map(|product| {
        let space = product.name.strip_suffix(".product").filter(|space| SPACES.contains(space))?;
        name(library, &known, space, product)
    });
    products.collect()
}

fn name(library: &Library, known: &Known<'_>, space: &str, product: &Attribute) -> Option<Attribute> {
    let port: Option<Endpoint> = product.endpoint;
    let vendor = known.get(&format!("{space}.vendor"), port)?;
    let platform = library.platform(space, &vendor.value, &product.value)?;
    let maker = library.vendor_cpe(&vendor.value)?;
    let version = known.get(&format!("{space}.version"), port).filter(|version| version.confidence >= SURE);
    let (version, update) = version.map_or(("*".to_owned(), "*".to_owned()), |found| bound(&found.value));
    let value = format!("cpe:2.3:{}:{maker}:{}:{version}:{update}:*:*:*:*:*:*", platform.part, platform.name);
    let confidence = product.confidence.min(vendor.confidence);
    let evidence = Evidence {
        fingerprint: FINGERPRINT.to_owned(),
        field: product.name.clone(),
        value: Raw::from(product.value.as_str()),
        certainty: confidence,
        endpoint: port,
    };
    Some(Attribute {
        name: format!("{space}.cpe"),
        value,
        confidence,
        endpoint: port,
        evidence: vec![evidence],
        rivals: Vec::new(),
    })
}

/// A version and its update as a formatted string binds them: `9.2p1` is `9.2` and `p1`, as the NVD has it.
fn bound(version: &str) -> (String, String) {
    let version = version.trim().to_lowercase();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (version, update) = match version.rsplit_once('p') {
        Some((before, after)) if before.ends_with(|c: char| c.is_ascii_digit()) && digits(after) => {
            (before.to_owned(), format!("p{after}"))
        }
        _ => (version, "*".to_owned()),
    };
    (escaped(&version), update)
}

/// A value with everything but letters, digits, `_`, `-` and `.` behind a backslash; spaces are underscores.
fn escaped(value: &str) -> String {
    let mut bound = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ' ' => bound.push('_'),
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') => bound.push(c),
            c if c.is_ascii_graphic() => bound.extend(['\\', c]),
            _ => {}
        }
    }
    if bound.is_empty() { "*".to_owned() } else { bound }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, value: &str, confidence: f64) -> Attribute {
        let (name, value) = (name.to_owned(), value.to_owned());
        Attribute { name, value, confidence, endpoint: None, evidence: Vec::new(), rivals: Vec::new() }
    }

    fn library() -> Library {
        let mut library = Library::empty();
        let vendors = "OpenBSD\topenbsd\t\nNameless\t\t\n";
        let platforms = "service\tOpenBSD\tOpenSSH\ta\topenssh\nservice\tNameless\tX\ta\tx\n";
        let files = [("vendors.tsv", vendors), ("cpe.tsv", platforms)];
        library.overlay(&files.map(|(name, text)| (name.to_owned(), text.to_owned()))).unwrap();
        library
    }

    #[test]
    fn a_product_with_a_known_name_gets_it() {
        let mut attributes = vec![
            attribute("service.product", "openssh", 0.9),
            attribute("service.vendor", "OpenBSD", 0.95),
            attribute("service.version", "9.2p1", 0.8),
            attribute("os.product", "OpenSSH", 0.9),
        ];
        let names = super::names(&library(), &attributes);
        assert_eq!(names.len(), 1);
        assert_eq!((names[0].name.as_str(), names[0].confidence), ("service.cpe", 0.9));
        assert_eq!(names[0].value, "cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*");
        attributes[2].confidence = 0.4;
        let unsure = super::names(&library(), &attributes);
        assert_eq!(unsure[0].value, "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*");
        for (product, vendor) in [("Dropbear", "OpenBSD"), ("OpenSSH", "Cisco"), ("X", "Nameless")] {
            let other =
                [attribute("service.product", product, 0.9), attribute("service.vendor", vendor, 0.9)];
            assert!(super::names(&library(), &other).is_empty(), "{product}");
        }
    }

    #[test]
    fn hostile_versions_stay_within_their_part() {
        for (version, expected) in [
            ("1.2:*:evil", ("1.2\\:\\*\\:evil", "*")),
            ("15.0(2)SE", ("15.0\\(2\\)se", "*")),
            ("4.2.8p10", ("4.2.8", "p10")),
            ("setup", ("setup", "*")),
            ("\u{1b}\u{202e}", ("*", "*")),
            ("7 build 9", ("7_build_9", "*")),
        ] {
            assert_eq!(bound(version), (expected.0.to_owned(), expected.1.to_owned()), "{version}");
        }
    }
}
