//! The XML of a file of fingerprints.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::words;
use crate::{Fault, Matcher, Pattern};

/// A file of fingerprints.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What the values are, in Recog's words.
    matches: String,
    /// In their order: the first that matches speaks.
    pub fingerprints: Vec<Fingerprint>,
}

/// One fingerprint.
#[derive(Debug)]
pub(super) struct Fingerprint {
    pub matcher: Matcher,
    pub description: String,
    pub params: Vec<Param>,
    pub examples: Vec<Example>,
}

/// What a fingerprint says.
#[derive(Debug)]
pub(super) struct Param {
    /// The number of the group that holds the value; 0 where it is given.
    pub position: u32,
    pub name: String,
    pub value: String,
}

/// A value, and what must come out of it.
#[derive(Debug, Default)]
pub(super) struct Example {
    text: String,
    base64: bool,
    /// The file that holds the value, in a directory of the name of the fingerprints' file.
    file: Option<String>,
    pub params: Vec<(String, String)>,
}

impl File {
    /// The field that the file is about. `None` where headcount does not know it.
    pub(super) fn field(&self) -> Option<&'static str> {
        words::field(&self.matches)
    }
}

impl Example {
    /// The value.
    pub(super) fn bytes(&self, file: &str, beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        match &self.file {
            Some(name) if name.split('/').any(|part| part == "..") => None,
            Some(name) => beside(&format!("{}/{name}", file.trim_end_matches(".xml"))),
            None if self.base64 => base64(self.text.as_bytes()),
            None => Some(self.text.clone().into_bytes()),
        }
    }
}

/// Reads a file.
pub(super) fn read(name: &str, text: &str) -> Result<File, Vec<Fault>> {
    let mut reader = Reader::from_str(text);
    let mut building = Building::default();
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                return Err(vec![Fault::of_entry(name, line(text, reader.buffer_position()), error)]);
            }
        };
        if matches!(event, Event::Eof) {
            break;
        }
        if let Err(cause) = building.take(event) {
            building.faults.push(Fault::of_entry(name, line(text, reader.buffer_position()), cause));
        }
    }
    if building.file.matches.is_empty() {
        // These files do not say what they are about, but their names do.
        let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".xml");
        building.file.matches = stem.to_owned();
    }
    if building.faults.is_empty() { Ok(building.file) } else { Err(building.faults) }
}

fn line(text: &str, position: u64) -> String {
    let before = usize::try_from(position).ok().and_then(|position| text.get(..position)).unwrap_or_default();
    format!("line {}", before.matches('\n').count() + 1)
}

#[derive(Default)]
struct Building {
    file: File,
    faults: Vec<Fault>,
    fingerprint: Option<Fingerprint>,
    example: Option<Example>,
    /// The text of the element that is open, where it is kept.
    text: Option<String>,
}

impl Building {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => self.open(&element),
            Event::Empty(element) => {
                self.open(&element)?;
                self.close(element.name().as_ref());
                Ok(())
            }
            Event::End(element) => {
                self.close(element.name().as_ref());
                Ok(())
            }
            Event::Text(text) => self.add(&text),
            Event::CData(text) => self.add(&text),
            Event::GeneralRef(entity) => {
                let name: &str = &entity;
                let c = entity.resolve_char_ref().ok().flatten().map(String::from);
                let known =
                    c.or_else(|| quick_xml::escape::resolve_predefined_entity(name).map(str::to_owned));
                self.add(&known.ok_or_else(|| format!("&{name}; is not known"))?)
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        if let Some(open) = &mut self.text {
            open.push_str(text);
        }
        Ok(())
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let attributes = attributes(element)?;
        let get =
            |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match element.name().as_ref() {
            "fingerprints" => self.file.matches = get("matches").unwrap_or_default().to_owned(),
            "fingerprint" => {
                let pattern = get("pattern").ok_or("a fingerprint has no pattern")?;
                let flags = get("flags").unwrap_or_default();
                self.fingerprint = Some(Fingerprint::new(pattern, flags, String::new())?);
            }
            "description" => self.text = Some(String::new()),
            "example" => {
                self.text = Some(String::new());
                let mut example = Example {
                    base64: get("_encoding") == Some("base64"),
                    file: get("_filename").map(str::to_owned),
                    ..Example::default()
                };
                example.params = attributes.into_iter().filter(|(key, _)| !key.starts_with('_')).collect();
                self.example = Some(example);
            }
            "param" => {
                let position =
                    get("pos").and_then(|pos| pos.parse().ok()).ok_or("a param's pos is no number")?;
                let name = get("name").ok_or("a param has no name")?.to_owned();
                let value = get("value").unwrap_or_default().to_owned();
                if let Some(fingerprint) = &mut self.fingerprint {
                    fingerprint.params.push(Param { position, name, value });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, element: &str) {
        match element {
            "fingerprint" => {
                let fingerprint = self.fingerprint.take().map(|mut fingerprint| {
                    fingerprint.read_characters_where_needed();
                    fingerprint
                });
                self.file.fingerprints.extend(fingerprint);
            }
            "description" => {
                if let (Some(fingerprint), Some(text)) = (&mut self.fingerprint, self.text.take()) {
                    fingerprint.description = text;
                }
            }
            "example" => {
                if let (Some(fingerprint), Some(mut example)) = (&mut self.fingerprint, self.example.take()) {
                    example.text = self.text.take().unwrap_or_default();
                    fingerprint.examples.push(example);
                }
            }
            _ => {}
        }
    }
}

impl Fingerprint {
    /// A dot of Ruby's stands for a character, ours for a byte; an example shows where that makes a difference.
    fn read_characters_where_needed(&mut self) {
        let Matcher::Pattern(bytes) = &self.matcher else { return };
        let texts = self.examples.iter().filter(|example| !example.base64 && !example.text.is_ascii());
        let missed: Vec<&Example> = texts.filter(|e| !self.matcher.matches(e.text.as_bytes())).collect();
        if missed.is_empty() {
            return;
        }
        let Ok(characters) = Pattern::new(format!("(?u){}", bytes.text)) else { return };
        let characters = Matcher::Pattern(characters);
        if missed.iter().all(|example| characters.matches(example.text.as_bytes())) {
            self.matcher = characters;
        }
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let pair = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
        let attribute =
            attribute.map_err(|error: quick_xml::events::attributes::AttrError| error.to_string())?;
        let key = attribute.key.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| error.to_string())?;
        Ok((key, value.into_owned()))
    };
    element.attributes().map(pair).collect()
}

/// A pattern of Ruby's as one of ours.
pub(super) fn pattern(text: &str, flags: &str) -> Result<Pattern, String> {
    let dot_matches_all = flags.contains("REG_DOT_NEWLINE") || flags.contains("REG_MULTILINE");
    let any_case = flags.contains("REG_ICASE");
    let mut ours =
        format!("(?m{}{})", if dot_matches_all { "s" } else { "" }, if any_case { "i" } else { "" });
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(?") {
        ours.push_str(before);
        ours.push_str("(?");
        let end = after.find(|c: char| !matches!(c, 'i' | 'm' | 'x' | '-')).unwrap_or(after.len());
        let (options, after) = after.split_at(end);
        ours.push_str(&options.replace('m', "s"));
        rest = after;
    }
    ours.push_str(rest);
    // Unicode only where the pattern needs it: it makes classes large.
    Pattern::new(ours.clone()).or_else(|_| Pattern::new(format!("(?u){ours}")))
}

/// RFC 4648, section 4; white space is passed over. `None` where there is anything else.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}
