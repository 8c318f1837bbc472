//! The texts of an XML document: descriptions of UPnP devices, property lists.
//!
//! Entities are not expanded, apart from the five that XML itself has and characters by number (XML 1.0, sections
//! 4.1 and 4.6): a document's own definitions do nothing. What is unbalanced is read as far as it makes sense.

use quick_xml::{Reader, events::Event};

/// Elements inside one another that are followed; what is deeper is skipped.
const DEEPEST: usize = 24;
/// Texts kept.
const MOST: usize = 1024;
/// Bytes of a name or a text that are kept.
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 2048;

/// An element that holds nothing but text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// The local names from the outermost element to this one.
    pub(crate) path: Vec<String>,
    /// Its text, trimmed.
    pub(crate) text: String,
}

impl Leaf {
    /// Its own name.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The name of the element that holds it.
    pub(crate) fn holder(&self) -> &str {
        self.path.iter().rev().nth(1).map_or("", String::as_str)
    }
}

/// The leaves of a document in order, up to the first thing that cannot be read. Empty ones are kept: a property list
/// writes truth as `<true/>`.
pub(crate) fn leaves(document: &[u8]) -> Vec<Leaf> {
    let text = String::from_utf8_lossy(document);
    let mut reader = Reader::from_str(text.trim_start_matches(['\u{feff}', '\0', ' ', '\r', '\n', '\t']));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    config.expand_empty_elements = true;
    let mut walk = Walk::default();
    while walk.leaves.len() < MOST {
        match reader.read_event() {
            Ok(Event::Start(start)) => walk.open(start.local_name().into_inner()),
            Ok(Event::End(end)) => walk.close(end.local_name().into_inner()),
            Ok(Event::Text(part)) => walk.add(&part),
            Ok(Event::CData(part)) => walk.add(&part),
            Ok(Event::GeneralRef(reference)) => walk.refer(&reference),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    walk.leaves
}

#[derive(Default)]
struct Walk {
    path: Vec<String>,
    /// Elements that are open below the deepest one followed.
    below: usize,
    text: String,
    /// Whether the innermost element has held no other.
    leaf: bool,
    leaves: Vec<Leaf>,
}

impl Walk {
    fn open(&mut self, name: &str) {
        self.text.clear();
        if self.path.len() >= DEEPEST {
            self.below += 1;
            return;
        }
        self.leaf = true;
        self.path.push(cut(name, LONGEST_NAME).to_owned());
    }

    fn close(&mut self, name: &str) {
        if self.below > 0 {
            self.below -= 1;
            self.leaf = false;
            return;
        }
        let name = cut(name, LONGEST_NAME);
        // An end tag closes what is open inside its element; one that opens nothing closes nothing.
        let Some(at) = self.path.iter().rposition(|open| open == name) else { return };
        if self.leaf {
            self.leaves.push(Leaf { path: self.path.clone(), text: self.text.trim().to_owned() });
        }
        self.path.truncate(at);
        self.leaf = false;
        self.text.clear();
    }

    fn add(&mut self, text: &str) {
        let room = LONGEST_TEXT.saturating_sub(self.text.len());
        self.text.push_str(cut(text, room));
    }

    fn refer(&mut self, name: &str) {
        let known = [("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'")];
        if let Some((_, text)) = known.iter().find(|(known, _)| *known == name) {
            return self.add(text);
        }
        let code = match name.strip_prefix("#x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => name.strip_prefix('#').and_then(|digits| digits.parse().ok()),
        };
        if let Some(character) = code.and_then(char::from_u32) {
            self.add(character.encode_utf8(&mut [0; 4]));
        }
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Vec<String> {
        leaves(document.as_bytes())
            .iter()
            .map(|leaf| format!("{}={}", leaf.path.join("/"), leaf.text))
            .collect()
    }

    #[test]
    fn reads_leaves_in_order() {
        let document = "\u{feff}<?xml version='1.0'?><!-- x --><u:root xmlns:u='y'><d><n> A &amp; B&#65;&#x42; </n>\
            <c><![CDATA[<raw>]]></c><e/></d></u:root>";
        assert_eq!(read(document), ["root/d/n=A & BAB", "root/d/c=<raw>", "root/d/e="]);
    }

    #[test]
    fn reads_what_is_unbalanced_as_far_as_it_makes_sense() {
        assert_eq!(read("<a><b>1</a><c>2 & 3</c></x><d>4</d>"), ["a/b=1", "c=2 & 3", "d=4"]);
        assert_eq!(read("<a><b>1</b><c>2"), ["a/b=1"]);
        assert_eq!(leaves(b"<a>\xff</a>")[0].text, "\u{fffd}");
        assert!(read("no markup").is_empty() && read("").is_empty() && read("<").is_empty());
    }

    #[test]
    fn bombs_are_inert() {
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;'><!ENTITY f SYSTEM 'file:///x'>]><a>x&c;&f;y</a>";
        assert_eq!(read(laughs), ["a=xy"]);
        let deep = "<a>".repeat(100_000);
        assert!(read(&deep).is_empty());
        let deep = [&*deep, "x", &"</a>".repeat(100_000), "<b>1</b>"].concat();
        assert_eq!(read(&deep).last().map(String::as_str), Some("b=1"));
        assert_eq!(leaves("<a/>".repeat(50_000).as_bytes()).len(), MOST);
        let attributes = format!("<a {}>x</a>", "b='c' ".repeat(50_000));
        assert_eq!(read(&attributes), ["a=x"]);
    }
}
