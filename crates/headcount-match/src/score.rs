//! How often a library is right: its answers against rows whose answers are known.

mod same;

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Attribute, Evidence};
use serde::Deserialize;

use crate::{Band, Library, calibration};
use same::{same_product, same_vendor, same_version};

/// Claims below this confidence do not count as answers.
const ANSWER: f64 = 0.5;
/// Kinds with fewer rows than this have no part in the means.
const LEAST_ROWS: u64 = 20;
/// What no software is: claiming one of these on a row about software alone is the worst mistake.
const NEVER_SOFTWARE: [&str; 8] =
    ["access-control", "camera", "hmi", "medical-device", "multifunction-printer", "nvr", "plc", "printer"];

/// What is so of the device that a row was seen on; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Truth {
    /// Who made the device.
    pub vendor: Option<String>,
    /// Its product name.
    pub product: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its type, one of the vocabulary.
    pub device_type: Option<String>,
    /// The category of its type, where the type itself is not known.
    pub device_category: Option<String>,
    /// The version of its firmware.
    pub version: Option<String>,
    /// Who made its operating system.
    pub os_vendor: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// Who made the software that answered.
    pub service_vendor: Option<String>,
    /// The software that answered.
    pub service: Option<String>,
    /// Its version.
    pub service_version: Option<String>,
    /// Which of these can be read out of what was seen; product and version count only there.
    #[serde(skip)]
    pub visible: BTreeSet<String>,
}

/// What is asked of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Who made it.
    Vendor,
    /// What it is; another type of the same category is half right.
    Type,
    /// Its product or model.
    Product,
    /// Its version.
    Version,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Vendor, Self::Type, Self::Product, Self::Version];

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Type => "type",
            Self::Product => "product",
            Self::Version => "version",
        }
    }
}

/// How well one aspect was answered over some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Rows whose truth is known.
    pub rows: u64,
    /// Those that had an answer.
    pub answers: u64,
    /// The sum of how right the answers were, each from 0 to 1.
    pub right: f64,
}

impl Tally {
    /// The share of rows that were answered rightly. `None` without rows.
    pub fn recall(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.right / self.rows as f64)
    }

    /// The share of answers that were right. `None` without answers.
    pub fn precision(&self) -> Option<f64> {
        (self.answers > 0).then(|| self.right / self.answers as f64)
    }
}

/// The means of one aspect over all kinds of observation with at least 20 rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// How many kinds.
    pub kinds: usize,
    /// The mean of their recalls.
    pub recall: f64,
    /// The mean of their precisions, of those that have answers.
    pub precision: f64,
}

/// The rows of one kind of observation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kind {
    /// How many there were.
    pub rows: u64,
    tallies: BTreeMap<Aspect, Tally>,
}

impl Kind {
    /// How well an aspect was answered. `None` where no row says what is right.
    pub fn tally(&self, aspect: Aspect) -> Option<&Tally> {
        self.tallies.get(&aspect)
    }
}

/// How often one fingerprint was right about the maker or the category of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Record {
    /// Claims that were right.
    pub right: u64,
    /// Claims that were wrong.
    pub wrong: u64,
    /// The sum of their certainties.
    certainty: f64,
}

impl Record {
    /// How often it said that it would be right, from 0 to 1.
    pub fn promised(&self) -> f64 {
        self.certainty / (self.right + self.wrong).max(1) as f64
    }

    /// Whether it speaks of more than its family: wrong more often than by chance, for what it promised.
    ///
    /// By chance is within two standard deviations of a binomial distribution, and never fewer than three times.
    pub fn is_too_wide(&self) -> bool {
        let all = (self.right + self.wrong) as f64;
        let expected = all - self.certainty;
        let deviation = (expected * self.promised()).max(0.0).sqrt();
        self.wrong >= 3 && self.wrong as f64 > expected + 2.0 * deviation
    }
}

/// How often a library is right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    kinds: BTreeMap<String, Kind>,
    claims: Vec<(f64, bool)>,
    records: BTreeMap<String, Record>,
    /// Rows about software alone on which a device type was claimed that no software has.
    pub false_types: u64,
}

impl Score {
    /// Adds what was said of a row of this kind.
    pub fn add(&mut self, library: &Library, kind: &str, truth: &Truth, said: &[Attribute]) {
        let answers = Answers::of(said);
        let kind = self.kinds.entry(kind.to_owned()).or_default();
        kind.rows += 1;
        for aspect in Aspect::ALL {
            if let Some((answered, right)) = judge(library, aspect, truth, &answers) {
                let tally = kind.tallies.entry(aspect).or_default();
                tally.rows += 1;
                tally.answers += u64::from(answered);
                tally.right += right;
            }
        }
        let of_software = truth.device_type.is_none() && truth.device_category.is_none();
        let device_type = answers.get("device.type").filter(|_| of_software);
        self.false_types += u64::from(device_type.is_some_and(|claim| NEVER_SOFTWARE.contains(&claim)));
        let right = |one: &Attribute| is_right(library, truth, &one.name, &one.value);
        let judged = said.iter().filter_map(|one| Some((one.confidence, right(one)?)));
        self.claims.extend(judged);
        for claim in said {
            self.note(library, truth, &claim.name, &claim.value, &claim.evidence);
            for rival in &claim.rivals {
                self.note(library, truth, &claim.name, &rival.value, &rival.evidence);
            }
        }
    }

    /// Notes whether the fingerprints that say so are right about the family: the maker and the kind of device.
    fn note(&mut self, library: &Library, truth: &Truth, name: &str, value: &str, evidence: &[Evidence]) {
        let right = match (name, &truth.vendor, &truth.device_type) {
            ("device.vendor", Some(wanted), _) => same_vendor(library, value, wanted),
            ("device.type", _, Some(wanted)) => type_right(library, value, wanted) > 0.0,
            _ => return,
        };
        for one in evidence {
            let record = self.records.entry(one.fingerprint.clone()).or_default();
            *(if right { &mut record.right } else { &mut record.wrong }) += 1;
            record.certainty += one.certainty;
        }
    }

    /// Each fingerprint that spoke of a row, by its id, and how often it was right.
    pub fn fingerprints(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.records.iter().map(|(id, record)| (id.as_str(), record))
    }

    /// Each kind of observation and how it did, sorted by name.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &Kind)> {
        self.kinds.iter().map(|(name, kind)| (name.as_str(), kind))
    }

    /// The means over kinds. `None` where no kind has enough rows.
    pub fn mean(&self, aspect: Aspect) -> Option<Mean> {
        let tallies: Vec<&Tally> = self
            .kinds
            .values()
            .filter_map(|kind| kind.tally(aspect))
            .filter(|tally| tally.rows >= LEAST_ROWS)
            .collect();
        let recalls: Vec<f64> = tallies.iter().filter_map(|tally| tally.recall()).collect();
        let precisions: Vec<f64> = tallies.iter().filter_map(|tally| tally.precision()).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (recall, precision) = (mean(&recalls), mean(&precisions));
        (!tallies.is_empty()).then_some(Mean { kinds: tallies.len(), recall, precision })
    }

    /// The confidences claimed, against the shares that were right.
    pub fn calibration(&self) -> Vec<Band> {
        calibration(self.claims.iter().copied())
    }
}

/// The attributes that are sure enough to be answers.
struct Answers<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Answers<'a> {
    fn of(said: &'a [Attribute]) -> Self {
        let sure = said.iter().filter(|one| one.confidence >= ANSWER);
        Self(sure.map(|one| (one.name.as_str(), one.value.as_str())).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn any(&self, names: &[&str]) -> Vec<&'a str> {
        names.iter().filter_map(|name| self.get(name)).collect()
    }
}

/// Whether an aspect was answered, and how right. `None` where the row does not say what is right.
fn judge(library: &Library, aspect: Aspect, truth: &Truth, answers: &Answers<'_>) -> Option<(bool, f64)> {
    let of = |names: &[&str], right: &dyn Fn(&str) -> bool| {
        let given = answers.any(names);
        (!given.is_empty(), f64::from(u8::from(given.into_iter().any(right))))
    };
    match aspect {
        Aspect::Vendor => {
            let wanted = [&truth.vendor, &truth.os_vendor, &truth.service_vendor];
            let wanted = wanted.into_iter().find_map(|name| name.as_deref())?;
            let names = ["device.vendor", "os.vendor", "service.vendor"];
            Some(of(&names, &|given| same_vendor(library, given, wanted)))
        }
        Aspect::Type => {
            let wanted = truth.device_type.as_deref()?;
            let given = answers.get("device.type");
            Some((given.is_some(), given.map_or(0.0, |given| type_right(library, given, wanted))))
        }
        Aspect::Product => {
            let wanted = truth.product.as_deref().or(truth.model.as_deref())?;
            let names = ["device.product", "device.model", "os.product", "service.product"];
            truth.sees(&["product", "model"]).then(|| of(&names, &|given| same_product(given, wanted)))
        }
        Aspect::Version => {
            let wanted = truth.version.as_deref().or(truth.service_version.as_deref())?;
            let names = ["device.version", "os.version", "service.version"];
            let sees = truth.sees(&["version", "service_version"]);
            sees.then(|| of(&names, &|given| same_version(given, wanted)))
        }
    }
}

fn type_right(library: &Library, given: &str, wanted: &str) -> f64 {
    match (library.category(given), library.category(wanted)) {
        _ if given == wanted => 1.0,
        (Some(given), Some(wanted)) if given == wanted => 0.5,
        _ => 0.0,
    }
}

/// Whether one claim, however sure, is right. `None` where the row does not say. Systems are left out: labels call them by
/// other names (Mac OS X for macOS, the product's own name for what runs on it), which is no measure of sureness.
fn is_right(library: &Library, truth: &Truth, name: &str, given: &str) -> Option<bool> {
    match name {
        "device.vendor" => truth.vendor.as_deref().map(|wanted| same_vendor(library, given, wanted)),
        "device.type" => truth.device_type.as_deref().map(|wanted| given == wanted),
        "device.product" if truth.sees(&["product"]) => {
            truth.product.as_deref().map(|wanted| same_product(given, wanted))
        }
        "device.version" if truth.sees(&["version"]) => {
            truth.version.as_deref().map(|wanted| same_version(given, wanted))
        }
        "service.product" => truth.service.as_deref().map(|wanted| same_product(given, wanted)),
        _ => None,
    }
}

impl Truth {
    fn sees(&self, any: &[&str]) -> bool {
        any.iter().any(|name| self.visible.contains(*name))
    }
}

#[cfg(test)]
mod tests;
