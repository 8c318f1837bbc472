//! One tolerant reader for the small XML documents in which devices describe themselves.
//!
//! It takes elements in the order in which they open, without prefixes and attributes, and stops at what it cannot
//! read. Entities of a document's own are never looked up, so that nothing grows; depth and number are bounded.

use quick_xml::{Reader, events::Event};

/// Elements taken of one document.
const MOST: usize = 1024;
/// Elements inside of one another; deeper ones are left out.
const DEEPEST: usize = 64;
/// Bytes kept of one element's text.
const LONGEST: usize = 4096;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name without prefix.
    pub(crate) name: String,
    /// Its own text, without that of the elements in it and without surrounding blanks.
    pub(crate) text: String,
}

/// The elements of a document, as far as it can be read.
pub(crate) fn elements(document: &[u8]) -> Vec<Element> {
    let text = String::from_utf8_lossy(document);
    let mut reader = Reader::from_str(text.trim_start_matches(['\u{feff}', '\0', '\r', '\n', ' ']));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut found = Found::default();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => found.open(start.local_name().as_ref()),
            Event::End(_) => {
                found.open.pop();
            }
            Event::Text(text) => found.text(&text),
            Event::CData(text) => found.text(&text),
            Event::GeneralRef(name) => {
                let named = match &*name {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => name.resolve_char_ref().ok().flatten(),
                };
                found.text(named.map(String::from).as_deref().unwrap_or_default());
            }
            Event::Eof => break,
            _ => {}
        }
        if found.elements.len() >= MOST || found.open.len() >= DEEPEST {
            break;
        }
    }
    for element in &mut found.elements {
        element.text = element.text.trim().to_owned();
    }
    found.elements
}

#[derive(Default)]
struct Found {
    elements: Vec<Element>,
    /// Which of them are open.
    open: Vec<usize>,
}

impl Found {
    fn open(&mut self, name: &str) {
        self.open.push(self.elements.len());
        self.elements.push(Element { name: name.chars().take(64).collect(), text: String::new() });
    }

    fn text(&mut self, text: &str) {
        let element = self.open.last().and_then(|at| self.elements.get_mut(*at));
        if let Some(element) = element.filter(|element| element.text.len() + text.len() <= LONGEST) {
            element.text.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Vec<(String, String)> {
        elements(document.as_bytes()).into_iter().map(|element| (element.name, element.text)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn reads_names_and_texts() {
        let document = "\u{feff}<?xml version='1.0'?><a:root x=\"1\"><!-- no --><b>A&amp;B &#x263a;</b>own<c><![CDATA[<1>]]></c><d/></a:root>";
        let expected = pairs(&[("root", "own"), ("b", "A&B \u{263a}"), ("c", "<1>")]);
        assert_eq!(read(document), expected);
    }

    #[test]
    fn takes_what_is_there_of_broken_documents() {
        assert_eq!(read("<a><b>x</c></a></z><d>y"), pairs(&[("a", ""), ("b", "x"), ("d", "y")]));
        assert_eq!(read("<a>R & D</a>"), pairs(&[("a", "R & D")]));
        assert_eq!(read("no markup"), pairs(&[]));
        assert_eq!(elements(b"<a>\xff\xfe</a>")[0].text, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn nothing_grows() {
        let bomb = "<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;&b;</l>";
        assert_eq!(read(bomb), pairs(&[("l", "")]));
        assert_eq!(elements("<a>".repeat(100_000).as_bytes()).len(), DEEPEST);
        assert_eq!(elements("<a></a>".repeat(100_000).as_bytes()).len(), MOST);
        let long = format!("<a>{}&amp;{}</a>", "x".repeat(LONGEST - 2), "y".repeat(LONGEST));
        assert!(elements(long.as_bytes())[0].text.len() <= LONGEST);
    }
}
