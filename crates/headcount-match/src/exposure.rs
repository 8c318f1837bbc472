//! States in which a device should not stand.

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Attribute, Endpoint, Evidence, Exposure, Grade, Raw};

use crate::{
    Condition, ExposureRule, Library, Said,
    derive::derive,
    identify::{Known, is_of_port},
};

/// The most bytes of a value that evidence keeps.
const MOST_BYTES: usize = 256;
/// The most exposures of one device that are kept, gravest first.
const MOST_EXPOSURES: usize = 64;
/// A lead on a model that is less sure than this leads nowhere.
const LEAST: f64 = 0.3;

/// The exposures that `said` and `attributes` show: one for each rule and port, gravest first.
pub(crate) fn expose(
    library: &Library,
    said: &BTreeSet<Said<'_>>,
    attributes: &[Attribute],
) -> Vec<Exposure> {
    let rules = library.exposures();
    let wanted: BTreeSet<&str> =
        rules.iter().filter_map(|rule| rule.evidence.as_ref()).map(|(field, _)| field.as_ref()).collect();
    let shown = fields(said, &wanted);
    let known = Known::of(attributes);
    let mut found: BTreeMap<(&str, Option<Endpoint>), Exposure> = BTreeMap::new();
    for rule in rules {
        for exposure in judge(rule, &shown, &known) {
            let place = (rule.id.as_ref(), exposure.endpoint);
            match found.get(&place) {
                Some(other) if other.confidence >= exposure.confidence => {}
                _ => drop(found.insert(place, exposure)),
            }
        }
    }
    gravest(found.into_values().collect())
}

/// The values of the `wanted` fields, as they were said and as they are derived from what was said.
fn fields(
    said: &BTreeSet<Said<'_>>,
    wanted: &BTreeSet<&str>,
) -> BTreeMap<String, Vec<(Option<Endpoint>, Raw)>> {
    let mut values: BTreeMap<String, Vec<(Option<Endpoint>, Raw)>> = BTreeMap::new();
    for one in said {
        if wanted.contains(one.field) {
            values.entry(one.field.to_owned()).or_default().push((one.endpoint, Raw::from(one.value)));
        }
        for (field, value) in derive(one.field, one.value) {
            if wanted.contains(field.as_ref()) {
                values.entry(field.to_string()).or_default().push((one.endpoint, Raw::from(value.as_ref())));
            }
        }
    }
    values
}

/// What one rule finds.
fn judge(
    rule: &ExposureRule,
    shown: &BTreeMap<String, Vec<(Option<Endpoint>, Raw)>>,
    known: &Known<'_>,
) -> Vec<Exposure> {
    let Some((field, matcher)) = &rule.evidence else {
        return exposure(rule, None, Vec::new(), known).into_iter().collect();
    };
    let values = shown.get(field.as_ref()).map(Vec::as_slice).unwrap_or_default();
    let matching = values.iter().filter(|(_, value)| matcher.matches(&value.0));
    matching
        .filter_map(|(endpoint, value)| {
            let evidence = Evidence {
                fingerprint: format!("exposure/{}", rule.id),
                field: field.to_string(),
                value: value.cut(MOST_BYTES),
                certainty: rule.certainty,
                endpoint: *endpoint,
            };
            exposure(rule, *endpoint, vec![evidence], known)
        })
        .collect()
}

/// The exposure, if the conditions on attributes hold.
fn exposure(
    rule: &ExposureRule,
    endpoint: Option<Endpoint>,
    mut evidence: Vec<Evidence>,
    known: &Known<'_>,
) -> Option<Exposure> {
    if !rule.holds(|name| known.value(name, endpoint)) {
        return None;
    }
    let version = rule.version_before.as_ref().map(|_| "device.version");
    let names = rule.when.iter().map(|condition: &Condition| condition.attribute.as_ref()).chain(version);
    let mut confidence = rule.certainty;
    let mut grounds = 1.0f64;
    for name in names {
        let ground = known.get(name, endpoint.filter(|_| is_of_port(name)))?;
        grounds = grounds.min(ground.confidence);
        evidence.extend(ground.evidence.first().cloned());
    }
    confidence *= grounds;
    let grade = grade(&rule.grade)?;
    (confidence >= LEAST).then(|| Exposure {
        id: rule.id.to_string(),
        grade,
        title: rule.title.to_string(),
        confidence: ((confidence * 1000.0).round() / 1000.0).clamp(0.0, 0.999),
        endpoint,
        evidence,
        remedy: rule.remedy.to_string(),
        controls: rule.controls.iter().map(ToString::to_string).collect(),
    })
}

fn grade(name: &str) -> Option<Grade> {
    let all = [Grade::Disclosed, Grade::FactoryState, Grade::NoAuthentication, Grade::KnownDefault];
    all.into_iter().find(|grade| grade.as_str() == name)
}

/// Gravest and surest first. That a model has a known account says nothing new of a device that itself shows its
/// factory account or state.
fn gravest(mut found: Vec<Exposure>) -> Vec<Exposure> {
    if found.iter().any(|exposure| exposure.grade <= Grade::FactoryState) {
        found.retain(|exposure| exposure.grade != Grade::KnownDefault);
    }
    found.sort_by(|a, b| {
        let rest = |e: &Exposure| (e.id.clone(), e.endpoint);
        a.grade
            .cmp(&b.grade)
            .then_with(|| b.confidence.total_cmp(&a.confidence))
            .then_with(|| rest(a).cmp(&rest(b)))
    });
    found.truncate(MOST_EXPOSURES);
    found
}
