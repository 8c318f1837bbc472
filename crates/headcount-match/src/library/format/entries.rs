//! TOML files of fingerprints, rules and exposures.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::Deserialize;

use super::{
    Bytes, Entry, Example, Fault, Matcher, Notes, Saying, Template, Text, Words,
    conditions::{Condition, ExposureRule, Given, Rule},
    matcher::Pattern,
};

/// How sure an exposure is that does not say.
const EXPOSURE_CERTAINTY: f64 = 0.95;
/// The grades of exposures.
const GRADES: [&str; 4] = ["disclosed", "factory-state", "no-authentication", "known-default"];

/// What a TOML file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub entries: Vec<(Text, Entry, Notes)>,
    pub rules: Vec<Rule>,
    pub exposures: Vec<ExposureRule>,
}

/// Reads a file of `[[entry]]`, `[[rule]]` and `[[exposure]]`.
pub(super) fn read(file: &str, text: &str) -> Result<Contents, Vec<Fault>> {
    let table: toml::Table = toml::from_str(text).map_err(|error| vec![toml_fault(file, text, &error)])?;
    let mut contents = Contents::default();
    let mut faults = Vec::new();
    let mut field = None;
    for (key, value) in table {
        match (key.as_str(), value) {
            ("field", toml::Value::String(name)) => field = Some(name),
            ("entry", value) => each(file, value, &mut faults, |written: WrittenEntry| {
                contents.entries.push(written.build(file, None)?);
                Ok(())
            }),
            ("rule", value) => each(file, value, &mut faults, |written: WrittenRule| {
                contents.rules.push(written.build(file)?);
                Ok(())
            }),
            ("exposure", value) => each(file, value, &mut faults, |written: WrittenExposure| {
                contents.exposures.push(written.build(file)?);
                Ok(())
            }),
            (key, _) => faults.push(Fault::of_file(
                file,
                format_args!("{key:?} is not known here; there are field, entry, rule and exposure"),
            )),
        }
    }
    // The file's field stands before its entries, but a table is sorted.
    for (own, entry, _) in &mut contents.entries {
        if own.is_empty() {
            match &field {
                Some(field) => *own = field.clone().into(),
                None => faults.push(Fault::of_entry(file, &entry.id, "the file names no field")),
            }
        }
        if !entry.asks.is_empty() && !may_ask(own) {
            let cause =
                format_args!("only fields http.* (not http.page) and tls.* ask for pages, not {own:?}");
            faults.push(Fault::of_entry(file, &entry.id, cause));
        }
    }
    if faults.is_empty() { Ok(contents) } else { Err(faults) }
}

/// Where a text stops being TOML.
pub(super) fn toml_fault(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let Some(span) = error.span() else { return Fault::of_file(file, error.message()) };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    // The entry that was begun last.
    let id = before.rsplit_once("\nid").and_then(|(_, rest)| rest.split('"').nth(1));
    let place = match id {
        Some(id) => format!("line {line} (in or after {id:?})"),
        None => format!("line {line}"),
    };
    Fault::of_entry(file, place, error.message())
}

/// A certainty, if it is one.
pub(super) fn certainty(number: Option<f64>) -> Result<f64, String> {
    number
        .filter(|certainty| *certainty > 0.0 && *certainty <= 1.0)
        .ok_or_else(|| "a certainty is a number above 0, at most 1".to_owned())
}

fn each<T: for<'de> Deserialize<'de>>(
    file: &str,
    value: toml::Value,
    faults: &mut Vec<Fault>,
    mut take: impl FnMut(T) -> Result<(), String>,
) {
    let toml::Value::Array(items) = value else {
        faults.push(Fault::of_file(file, "entries are written under [[entry]], rules under [[rule]]"));
        return;
    };
    for (number, item) in items.into_iter().enumerate() {
        let id = item.get("id").and_then(toml::Value::as_str).map(str::to_owned);
        let id = id.unwrap_or_else(|| format!("entry {}", number + 1));
        let taken =
            item.try_into().map_err(|error: toml::de::Error| error.message().to_owned()).and_then(&mut take);
        if let Err(cause) = taken {
            faults.push(Fault::of_entry(file, id, cause));
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenSaying {
    Value(String),
    Sure { value: String, certainty: f64 },
}

/// A value: text, or bytes as hex digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenInput {
    Text(String),
    Long(WrittenExample),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExample {
    input: Option<String>,
    hex: Option<String>,
    #[serde(default)]
    says: BTreeMap<String, String>,
}

impl WrittenInput {
    fn build(self) -> Result<Example, String> {
        let (input, hex, says) = match self {
            Self::Text(text) => (Some(text), None, BTreeMap::new()),
            Self::Long(WrittenExample { input, hex, says }) => (input, hex, says),
        };
        let input: Bytes = match (input, hex) {
            (Some(text), None) => Cow::Owned(text.into_bytes()),
            (None, Some(hex)) => {
                Cow::Owned(from_hex(&hex).ok_or("hex holds an odd number of digits, or others")?)
            }
            _ => return Err("an example has an input, or hex".to_owned()),
        };
        let says = says.into_iter().map(|(attribute, value)| (attribute.into(), value.into())).collect();
        Ok(Example { input, says })
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    id: String,
    field: Option<String>,
    pattern: Option<String>,
    equals: Option<OneOrMany>,
    prefix: Option<OneOrMany>,
    contains: Option<OneOrMany>,
    #[serde(default)]
    ignore_case: bool,
    certainty: f64,
    says: BTreeMap<String, WrittenSaying>,
    source: String,
    #[serde(default)]
    examples: Vec<WrittenInput>,
    #[serde(default)]
    misses: Vec<WrittenInput>,
    #[serde(default)]
    supersedes: Vec<String>,
    asks: Option<Vec<String>>,
}

impl WrittenEntry {
    fn build(self, file: &str, field: Option<&str>) -> Result<(Text, Entry, Notes), String> {
        let matcher = matcher(self.pattern, self.equals, self.prefix, self.contains, self.ignore_case)?
            .ok_or(NO_MATCHER)?;
        let certainty = certainty(Some(self.certainty))?;
        // What only keeps others from speaking says nothing itself.
        let silences = self.says.is_empty() && !self.supersedes.is_empty();
        let says = if silences { Vec::new() } else { says(self.says, certainty)? };
        filled("source", &self.source)?;
        let entry = Entry {
            id: filled("id", &self.id)?.into(),
            matcher,
            says,
            supersedes: texts(self.supersedes),
            first_of: Text::default(),
            asks: asks(self.asks)?,
        };
        let notes = Notes {
            file: file.to_owned().into(),
            source: self.source.into(),
            examples: self.examples.into_iter().map(WrittenInput::build).collect::<Result<_, _>>()?,
            misses: self
                .misses
                .into_iter()
                .map(|miss| miss.build().map(|example| example.input))
                .collect::<Result<_, _>>()?,
        };
        Ok((self.field.or_else(|| field.map(str::to_owned)).unwrap_or_default().into(), entry, notes))
    }
}

/// Pages that an entry asks for; what could leave the request line, or is long or many, is refused.
fn asks(written: Option<Vec<String>>) -> Result<Vec<Text>, String> {
    let Some(paths) = written else { return Ok(Vec::new()) };
    if paths.is_empty() || paths.len() > Entry::MOST_ASKS {
        return Err(format!("it asks for one page or two, not for {}", paths.len()));
    }
    let fits = |path: &&String| {
        let sent = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        sent && path.starts_with('/') && path.len() <= Entry::LONGEST_ASK
    };
    match paths.iter().find(|path| !fits(path)) {
        Some(path) => Err(format!(
            "it asks for {path:?}; a page is / and visible ASCII without #, at most {} bytes",
            Entry::LONGEST_ASK
        )),
        None => Ok(texts(paths)),
    }
}

/// Whether values of a field are heard where pages can be asked for, and are not such a page themselves.
fn may_ask(field: &str) -> bool {
    field != "http.page" && (field.starts_with("http.") || field.starts_with("tls."))
}

const NO_MATCHER: &str = "write exactly one of pattern, equals, prefix and contains";

/// What is written of a matcher; `None` where nothing is.
fn matcher(
    pattern: Option<String>,
    equals: Option<OneOrMany>,
    prefix: Option<OneOrMany>,
    contains: Option<OneOrMany>,
    ignore_case: bool,
) -> Result<Option<Matcher>, String> {
    let words = |words: OneOrMany| {
        let any: Vec<Bytes> =
            words.into_vec().into_iter().map(|word| Cow::Owned(word.into_bytes())).collect();
        if any.is_empty() || any.iter().any(|word| word.is_empty()) {
            return Err("an empty text would match everything or nothing".to_owned());
        }
        Ok(Words { any, ignore_case })
    };
    Ok(Some(match (pattern, equals, prefix, contains) {
        (Some(_), None, None, None) if ignore_case => {
            return Err("ignore_case is for texts; start the pattern with (?i)".to_owned());
        }
        (Some(pattern), None, None, None) => Matcher::Pattern(Pattern::new(pattern)?),
        (None, Some(equals), None, None) => Matcher::Equals(words(equals)?),
        (None, None, Some(prefix), None) => Matcher::Prefix(words(prefix)?),
        (None, None, None, Some(contains)) => Matcher::Contains(words(contains)?),
        (None, None, None, None) => return Ok(None),
        _ => return Err(NO_MATCHER.to_owned()),
    }))
}

fn says(written: BTreeMap<String, WrittenSaying>, sure: f64) -> Result<Vec<Saying>, String> {
    if written.is_empty() {
        return Err("it says nothing".to_owned());
    }
    let build = |(attribute, saying): (String, WrittenSaying)| {
        let (value, sure) = match saying {
            WrittenSaying::Value(value) => (value, sure),
            WrittenSaying::Sure { value, certainty: own } => (value, certainty(Some(own))?),
        };
        let value = Template::parse(&value).map_err(|cause| format!("{attribute}: {cause}"))?;
        Ok(Saying { attribute: attribute.into(), value, certainty: sure })
    };
    written.into_iter().map(build).collect()
}

fn filled(what: impl fmt::Display, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err(format!("{what} is empty")) } else { Ok(text.to_owned()) }
}

fn texts(list: Vec<String>) -> Vec<Text> {
    list.into_iter().map(Cow::Owned).collect()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGiven {
    #[serde(default)]
    statements: BTreeMap<String, String>,
    #[serde(default)]
    given: BTreeMap<String, String>,
}

fn givens(list: Vec<WrittenGiven>) -> Vec<Given> {
    let pairs = |map: BTreeMap<String, String>| {
        map.into_iter().map(|(name, value)| (Cow::Owned(name), Cow::Owned(value))).collect()
    };
    list.into_iter()
        .map(|given| Given { statements: pairs(given.statements), attributes: pairs(given.given) })
        .collect()
}

/// A plain text is one value, `/…/` a pattern, a list any of its values.
fn conditions(written: BTreeMap<String, OneOrMany>) -> Result<Vec<Condition>, String> {
    let build = |(attribute, values): (String, OneOrMany)| {
        let mut any = values.into_vec();
        let pattern = match any.as_slice() {
            [one] => one.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).map(str::to_owned),
            [] => return Err(format!("{attribute}: no value is wanted")),
            _ => None,
        };
        if pattern.is_some() {
            any.clear();
        }
        let pattern =
            pattern.map(Pattern::new).transpose().map_err(|cause| format!("{attribute}: {cause}"))?;
        Ok(Condition { attribute: attribute.into(), any: texts(any), pattern })
    };
    written.into_iter().map(build).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    when: BTreeMap<String, OneOrMany>,
    says: BTreeMap<String, WrittenSaying>,
    certainty: f64,
    source: String,
    #[serde(default)]
    examples: Vec<WrittenGiven>,
    #[serde(default)]
    misses: Vec<WrittenGiven>,
}

impl WrittenRule {
    fn build(self, file: &str) -> Result<Rule, String> {
        let when = conditions(self.when)?;
        if when.is_empty() {
            return Err("it has no condition".to_owned());
        }
        Ok(Rule {
            id: filled("id", &self.id)?.into(),
            when,
            says: says(self.says, certainty(Some(self.certainty))?)?,
            source: filled("source", &self.source)?.into(),
            file: file.to_owned().into(),
            examples: givens(self.examples),
            misses: givens(self.misses),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExposure {
    id: String,
    grade: String,
    title: String,
    field: Option<String>,
    pattern: Option<String>,
    equals: Option<OneOrMany>,
    prefix: Option<OneOrMany>,
    contains: Option<OneOrMany>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    when: BTreeMap<String, OneOrMany>,
    version_before: Option<String>,
    certainty: Option<f64>,
    remedy: String,
    controls: Vec<String>,
    source: String,
    #[serde(default)]
    examples: Vec<WrittenGiven>,
    #[serde(default)]
    misses: Vec<WrittenGiven>,
}

impl WrittenExposure {
    fn build(self, file: &str) -> Result<ExposureRule, String> {
        if !GRADES.contains(&self.grade.as_str()) {
            return Err(format!("{:?} is no grade; there are {}", self.grade, GRADES.join(", ")));
        }
        let matcher = matcher(self.pattern, self.equals, self.prefix, self.contains, self.ignore_case)?;
        let evidence = match (self.field, matcher) {
            (Some(field), Some(matcher)) => Some((field.into(), matcher)),
            (None, None) if !self.when.is_empty() => None,
            (None, None) => return Err("write a field and what it must be like, or when".to_owned()),
            _ => return Err("a field and one of pattern, equals, prefix, contains go together".to_owned()),
        };
        Ok(ExposureRule {
            id: filled("id", &self.id)?.into(),
            grade: self.grade.into(),
            title: filled("title", &self.title)?.into(),
            evidence,
            when: conditions(self.when)?,
            version_before: self.version_before.map(Cow::Owned),
            certainty: self.certainty.map_or(Ok(EXPOSURE_CERTAINTY), |own| certainty(Some(own)))?,
            remedy: filled("remedy", &self.remedy)?.into(),
            controls: texts(self.controls),
            source: filled("source", &self.source)?.into(),
            file: file.to_owned().into(),
            examples: givens(self.examples),
            misses: givens(self.misses),
        })
    }
}
