//! Claims about one device fused into attributes with a confidence.
//!
//! Each piece of evidence is an independent chance of being right (noisy-or), as far as it is independent: one statement
//! and one fingerprint count once for a value, and further statements of one protocol count half of the one before.
//! Values that exclude each other then share out what is left by their odds.

pub(crate) mod confidence;
mod values;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Attribute, Endpoint, Evidence, Rival};

use confidence::calibrated;
use weigh::{odds, order, weight};

/// The most values of one attribute that are weighed against each other.
const MOST_VALUES: usize = 64;
/// The most rivals of an attribute that are kept.
const MOST_RIVALS: usize = 8;
/// The most evidence that is kept of one value.
const MOST_EVIDENCE: usize = 16;
/// A more specific value is preferred if it is at least this likely as compared with the general one.
const SPECIFIC_ENOUGH: f64 = 0.5;

/// One claim and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claimed {
    pub(crate) attribute: String,
    /// The port that the attribute is about.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) value: String,
    pub(crate) evidence: Evidence,
}

/// Names the category of a device type.
pub(crate) type Category<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// All attributes that `claims` speak of, by name and port. The order of the claims does not matter.
pub(crate) fn fuse(claims: &[Claimed], category: &Category<'_>) -> Vec<Attribute> {
    let mut about: BTreeMap<(&str, Option<Endpoint>), Vec<&Claimed>> = BTreeMap::new();
    for claim in claims {
        about.entry((&claim.attribute, claim.endpoint)).or_default().push(claim);
    }
    let attribute = |((name, endpoint), claims): ((&str, Option<Endpoint>), Vec<&Claimed>)| {
        decide(name, endpoint, &candidates(name, &claims), category)
    };
    about.into_iter().filter_map(attribute).collect()
}

/// One value and what speaks for exactly it.
struct Candidate<'a> {
    /// The form in which values are compared.
    key: String,
    /// The spelling that most speaks for.
    shown: &'a str,
    evidence: Vec<&'a Evidence>,
}

fn candidates<'a>(name: &str, claims: &[&'a Claimed]) -> Vec<Candidate<'a>> {
    let mut by_key: BTreeMap<String, Vec<&'a Claimed>> = BTreeMap::new();
    for claim in claims {
        let key = values::key(name, &claim.value);
        if !key.is_empty() {
            by_key.entry(key).or_default().push(claim);
        }
    }
    let mut found: Vec<Candidate<'a>> =
        by_key.into_iter().map(|(key, claims)| candidate(key, claims)).collect();
    if found.len() > MOST_VALUES {
        let strongest = |c: &Candidate<'_>| c.evidence.first().map_or(0.0, |evidence| evidence.certainty);
        // Stable: equals stay in the order of their keys.
        found.sort_by(|a, b| strongest(b).total_cmp(&strongest(a)));
        found.truncate(MOST_VALUES);
        found.sort_by(|a, b| a.key.cmp(&b.key));
    }
    found
}

fn candidate<'a>(key: String, mut claims: Vec<&'a Claimed>) -> Candidate<'a> {
    claims.sort_by(|a, b| order(&a.evidence, &b.evidence).then_with(|| a.value.cmp(&b.value)));
    let mut spellings: BTreeMap<&str, f64> = BTreeMap::new();
    for claim in &claims {
        *spellings.entry(&claim.value).or_default() += claim.evidence.certainty;
    }
    let mut shown = ("", f64::NEG_INFINITY);
    for (spelling, certainty) in spellings {
        if certainty > shown.1 {
            shown = (spelling, certainty);
        }
    }
    Candidate { key, shown: shown.0, evidence: claims.iter().map(|claim| &claim.evidence).collect() }
}

/// How the values of one attribute stand to each other and how likely each is.
struct Field<'a> {
    candidates: &'a [Candidate<'a>],
    /// For each value, which values are more special forms of it.
    special: Vec<BTreeSet<usize>>,
    likely: Vec<f64>,
}

impl<'a> Field<'a> {
    fn new(name: &str, candidates: &'a [Candidate<'a>], category: &Category<'_>) -> Self {
        let special = |general: &Candidate<'_>| {
            let more = candidates.iter().enumerate();
            more.filter(|(_, c)| values::generalises(name, &general.key, &c.key)).map(|(i, _)| i).collect()
        };
        let mut field =
            Self { candidates, special: candidates.iter().map(special).collect(), likely: Vec::new() };
        field.likely = match name {
            "device.type" => field.shares(category),
            _ => (0..candidates.len()).map(|i| field.chance(i)).collect(),
        };
        field
    }

    fn is_special(&self, general: usize, special: usize) -> bool {
        self.special.get(general).is_some_and(|all| all.contains(&special))
    }

    fn related(&self, a: usize, b: usize) -> bool {
        a == b || self.is_special(a, b) || self.is_special(b, a)
    }

    /// The odds of a value by what speaks for it and for its special forms.
    fn odds(&self, value: usize) -> f64 {
        odds(weight(self.evidence(|other| other == value || self.is_special(value, other))))
    }

    fn evidence(&self, wanted: impl Fn(usize) -> bool) -> Vec<&'a Evidence> {
        let chosen = self.candidates.iter().enumerate().filter(|(i, _)| wanted(*i));
        chosen.flat_map(|(_, candidate)| candidate.evidence.iter().copied()).collect()
    }

    /// How likely a value is beside those that exclude it; of a rival and its special forms only the rival counts.
    fn chance(&self, value: usize) -> f64 {
        let rivals: Vec<usize> = (0..self.candidates.len()).filter(|i| !self.related(value, *i)).collect();
        let heads = rivals.iter().filter(|i| !rivals.iter().any(|other| self.is_special(*other, **i)));
        let against: f64 = heads.map(|i| self.odds(*i)).sum();
        let own = self.odds(value);
        own / (1.0 + own + against)
    }

    /// How likely each device type is: near misses (printer, multifunction printer) speak together for their category
    /// and share it out.
    fn shares(&self, category: &Category<'_>) -> Vec<f64> {
        let group = |candidate: &Candidate<'_>| category(&candidate.key).unwrap_or(&candidate.key).to_owned();
        let groups: Vec<String> = self.candidates.iter().map(group).collect();
        let mut together: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (i, group) in groups.iter().enumerate() {
            together.entry(group).or_default().1 += self.odds(i);
        }
        for (group, (all, _)) in &mut together {
            *all = odds(weight(self.evidence(|i| groups.get(i).is_some_and(|other| other == group))));
        }
        let total: f64 = together.values().map(|(all, _)| all).sum();
        let share = |(i, group): (usize, &String)| {
            let (all, parts) = together.get(group.as_str()).copied().unwrap_or_default();
            if parts > 0.0 { all / (1.0 + total) * (self.odds(i) / parts) } else { 0.0 }
        };
        groups.iter().enumerate().map(share).collect()
    }

    /// The likeliest value, made as special as its special forms are likely.
    fn winner(&self) -> Option<usize> {
        let likely = |i: usize| self.likely.get(i).copied().unwrap_or_default();
        // The first of equals, in the order of their keys.
        let best = |all: &mut dyn Iterator<Item = usize>| {
            all.reduce(|best, i| if likely(i) > likely(best) { i } else { best })
        };
        let mut winner = best(&mut (0..self.candidates.len()))?;
        while let Some(special) = best(&mut self.special.get(winner)?.iter().copied())
            && likely(special) >= SPECIFIC_ENOUGH * likely(winner)
        {
            winner = special;
        }
        Some(winner)
    }
}

fn decide(
    name: &str,
    endpoint: Option<Endpoint>,
    candidates: &[Candidate<'_>],
    category: &Category<'_>,
) -> Option<Attribute> {
    let field = Field::new(name, candidates, category);
    let winner = field.winner()?;
    let likely = |i: usize| calibrated(name, field.likely.get(i).copied().unwrap_or_default());
    let mut losers: Vec<usize> = (0..candidates.len()).filter(|i| !field.related(winner, *i)).collect();
    losers.sort_by(|a, b| likely(*b).total_cmp(&likely(*a)));
    let rival = |i: &usize| {
        let value = candidates.get(*i)?.shown.to_owned();
        Some(Rival { value, confidence: likely(*i), evidence: kept(field.evidence(|other| other == *i)) })
    };
    Some(Attribute {
        name: name.to_owned(),
        value: candidates.get(winner)?.shown.to_owned(),
        confidence: likely(winner),
        endpoint,
        evidence: kept(field.evidence(|other| field.related(winner, other))),
        rivals: losers.iter().take(MOST_RIVALS).filter_map(rival).collect(),
    })
}

/// The strongest, each once.
fn kept(mut evidence: Vec<&Evidence>) -> Vec<Evidence> {
    evidence.sort_by(|a, b| order(a, b));
    evidence.dedup_by(|a, b| order(a, b).is_eq());
    evidence.into_iter().take(MOST_EVIDENCE).cloned().collect()
}

#[cfg(test)]
mod tests;
