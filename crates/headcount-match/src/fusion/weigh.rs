//! How much several pieces of evidence weigh together.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use headcount_model::Evidence;

/// How much the next statement of one protocol counts beside the one before: it comes from the same software.
const NEXT: f64 = 0.5;
/// No fingerprint is surer than this.
const SUREST: f64 = 0.999;
/// No sum of evidence is heavier than this: one error in ten thousand.
const HEAVIEST: f64 = 9.21;

/// Strongest first; the rest only makes the order total.
pub(super) fn order(a: &Evidence, b: &Evidence) -> Ordering {
    let rest = |e: &Evidence| (e.endpoint, e.field.clone(), e.fingerprint.clone(), e.value.clone());
    b.certainty.total_cmp(&a.certainty).then_with(|| rest(a).cmp(&rest(b)))
}

/// The weight of all of them: minus the logarithm of the chance that all are wrong.
pub(super) fn weight(mut evidence: Vec<&Evidence>) -> f64 {
    evidence.sort_by(|a, b| order(a, b));
    let (mut statements, mut fingerprints) = (BTreeSet::new(), BTreeSet::new());
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    let mut sum = 0.0;
    for one in evidence {
        let statement = (one.endpoint, one.field.as_str(), &one.value);
        if statements.contains(&statement) || fingerprints.contains(one.fingerprint.as_str()) {
            continue;
        }
        statements.insert(statement);
        fingerprints.insert(one.fingerprint.as_str());
        let share = shares.entry(source(one)).or_insert(1.0);
        sum -= *share * (-one.certainty.clamp(0.0, SUREST)).ln_1p();
        *share *= NEXT;
    }
    sum.min(HEAVIEST)
}

/// The odds that one of the pieces of evidence is right.
pub(super) fn odds(weight: f64) -> f64 {
    weight.exp_m1()
}

/// What evidence is not independent of other evidence of: the protocol; UPnP is found by SSDP.
fn source(evidence: &Evidence) -> &str {
    if evidence.fingerprint.starts_with("rule/") {
        return "rule";
    }
    match evidence.field.split('.').next().unwrap_or_default() {
        "ssdp" => "upnp",
        "printer" => "ipp",
        protocol => protocol,
    }
}
