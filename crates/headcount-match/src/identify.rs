//! From what a device said to what it is.

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Attribute, Endpoint, Evidence, Exposure, Raw, Statement};

use crate::{
    Library, cpe, exposure,
    fusion::{Claimed, fuse},
    identify::makers::is_component_maker,
};

mod makers;

/// The field under which the maker of a network interface is passed to [`identify`].
pub const MAKER_FIELD: &str = "mac.maker";
/// The fingerprint that reads it.
const MAKER_FINGERPRINT: &str = "oui";
/// How often the maker of the interface is the maker of the device.
const MAKER_CERTAINTY: f64 = 0.4;
/// The most bytes of a value that evidence keeps, and the most characters of an attribute.
const MOST_BYTES: usize = 256;
const MOST_CHARACTERS: usize = 128;
/// How many rules may build on each other.
const MOST_ROUNDS: usize = 4;
/// Attributes below this confidence are no ground for a rule.
const GROUND: f64 = 0.2;

/// One thing that a device said, wherever it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said<'a> {
    /// The port that said it, where that is known.
    pub endpoint: Option<Endpoint>,
    /// The field: `http.server`.
    pub field: &'a str,
    /// What it said.
    pub value: &'a [u8],
}

impl<'a> From<&'a Statement> for Said<'a> {
    fn from(statement: &'a Statement) -> Self {
        Self { endpoint: Some(statement.endpoint), field: &statement.field, value: &statement.value.0 }
    }
}

/// What one device is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    /// What is thought to be so of it, by name and port.
    pub attributes: Vec<Attribute>,
    /// States in which it should not stand, gravest first.
    pub exposures: Vec<Exposure>,
}

/// What a device is that said all this. Neither the order of the statements nor repeats matter.
pub fn identify(library: &Library, said: &[Said<'_>]) -> Identity {
    let said: BTreeSet<Said<'_>> = said.iter().copied().collect();
    let mut claims = Vec::new();
    for one in &said {
        read(library, one, &mut claims);
    }
    let category = |device_type: &str| library.category(device_type);
    let plain = fuse(&claims, &category);
    let mut attributes = by_rules(library, claims, plain);
    attributes.extend(cpe::names(library, &attributes));
    attributes.sort_by(|a, b| (&a.name, a.endpoint).cmp(&(&b.name, b.endpoint)));
    let exposures = exposure::expose(library, &said, &attributes);
    Identity { attributes, exposures }
}

/// What one statement claims.
fn read(library: &Library, said: &Said<'_>, claims: &mut Vec<Claimed>) {
    if said.field == MAKER_FIELD {
        claims.extend(maker(library, said));
        return;
    }
    for found in library.matches(said.field, said.value) {
        for claim in &found.claims {
            let evidence = Evidence {
                fingerprint: found.fingerprint.to_string(),
                field: found.field.to_string(),
                value: Raw(found.value.iter().take(MOST_BYTES).copied().collect()),
                certainty: claim.certainty,
                endpoint: said.endpoint,
            };
            claims.extend(claimed(library, claim.attribute, &claim.value, said.endpoint, evidence));
        }
    }
}

/// A claim in its canonical spelling; `None` where the value says nothing.
fn claimed(
    library: &Library,
    attribute: &str,
    value: &str,
    endpoint: Option<Endpoint>,
    evidence: Evidence,
) -> Option<Claimed> {
    let words: Vec<&str> =
        value.split(|c: char| c.is_whitespace() || c == '\0').filter(|w| !w.is_empty()).collect();
    let mut value: String = words.join(" ").chars().take(MOST_CHARACTERS).collect();
    if attribute.ends_with(".vendor")
        && let Some(canonical) = library.vendor(&value)
    {
        value = canonical.to_owned();
    }
    if value.is_empty() {
        return None;
    }
    let endpoint = endpoint.filter(|_| is_of_port(attribute));
    Some(Claimed { attribute: attribute.to_owned(), endpoint, value, evidence })
}

/// Whether the attribute is about one port and not about the whole device.
pub(crate) fn is_of_port(attribute: &str) -> bool {
    attribute.starts_with("service.")
}

/// The interface's maker often is the device's, unless it sells its interfaces to everybody.
fn maker(library: &Library, said: &Said<'_>) -> Option<Claimed> {
    let spelling = std::str::from_utf8(said.value).ok()?;
    if is_component_maker(spelling) {
        return None;
    }
    let vendor = makers::spellings(spelling).find_map(|spelling| library.vendor(spelling))?;
    let evidence = Evidence {
        fingerprint: MAKER_FINGERPRINT.to_owned(),
        field: MAKER_FIELD.to_owned(),
        value: Raw::from(spelling).cut(MOST_BYTES),
        certainty: MAKER_CERTAINTY,
        endpoint: None,
    };
    claimed(library, "device.vendor", vendor, None, evidence)
}

/// The attributes with what the rules draw from them.
fn by_rules(library: &Library, claims: Vec<Claimed>, plain: Vec<Attribute>) -> Vec<Attribute> {
    let category = |device_type: &str| library.category(device_type);
    let known = Known::of(&plain);
    let mut attributes = plain.clone();
    let mut drawn: Vec<Claimed> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let mut now = draw(library, &attributes);
        // What is surer without the rules needs none: so no rule can confirm what it is drawn from.
        now.retain(|claim| {
            let found = known.get(&claim.attribute, claim.endpoint);
            !found.is_some_and(|a| a.value == claim.value && a.confidence >= claim.evidence.certainty)
        });
        if now == drawn {
            break;
        }
        let all: Vec<Claimed> = claims.iter().chain(&now).cloned().collect();
        attributes = fuse(&all, &category);
        drawn = now;
    }
    attributes
}

/// What the rules say of these attributes.
fn draw(library: &Library, attributes: &[Attribute]) -> Vec<Claimed> {
    let known = Known::of(attributes);
    let ports: BTreeSet<Option<Endpoint>> =
        attributes.iter().filter(|a| is_of_port(&a.name)).map(|a| a.endpoint).collect();
    let mut claims = Vec::new();
    for rule in library.rules() {
        let of_port = rule.when.iter().any(|condition| is_of_port(&condition.attribute));
        let places = if of_port { ports.clone() } else { BTreeSet::from([None]) };
        for place in places {
            let grounds = rule.when.iter().filter_map(|condition| known.get(&condition.attribute, place));
            let Some(weakest) = grounds.min_by(|a, b| a.confidence.total_cmp(&b.confidence)) else {
                continue;
            };
            if weakest.confidence < GROUND {
                continue;
            }
            for (attribute, value, certainty) in rule.claims(|name| known.value(name, place)) {
                let evidence = Evidence {
                    fingerprint: format!("rule/{}", rule.id),
                    field: weakest.name.clone(),
                    value: Raw::from(weakest.value.as_str()),
                    certainty: certainty * weakest.confidence,
                    endpoint: place,
                };
                claims.extend(claimed(library, attribute, &value, place, evidence));
            }
        }
    }
    claims
}

/// Attributes by name and port.
pub(crate) struct Known<'a>(BTreeMap<(&'a str, Option<Endpoint>), &'a Attribute>);

impl<'a> Known<'a> {
    pub(crate) fn of(attributes: &'a [Attribute]) -> Self {
        Self(attributes.iter().map(|a| ((a.name.as_str(), a.endpoint), a)).collect())
    }

    /// The attribute `name`: of the port, if it is one of ports, else of the device.
    pub(crate) fn get(&self, name: &str, port: Option<Endpoint>) -> Option<&'a Attribute> {
        let port = port.filter(|_| is_of_port(name));
        self.0.get(&(name, port)).copied()
    }

    pub(crate) fn value(&self, name: &str, port: Option<Endpoint>) -> Option<&'a str> {
        self.get(name, port).map(|attribute| attribute.value.as_str())
    }
}

#[cfg(test)]
mod tests;
