//! Values with what a pattern captured: `{version}`, `{model|underscores}`.

use std::borrow::Cow;

use super::{
    Text,
    pack::{Packed, Packer, Unpacker, packed},
};

/// A value, or how to make it of captures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The parts, one after the other.
    pieces: Vec<Piece>,
}

packed!(Template { pieces });

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// What stands before the capture.
    text: Text,
    /// The group's name or number; empty in a last piece without one.
    group: Text,
    filters: Vec<Filter>,
}

packed!(Piece { text, group, filters });

#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    Underscores,
    Dots,
    Trim,
    Upper,
    Lower,
    Before(Text),
}

impl Template {
    /// The value as it stands, with no captures.
    pub fn literal(text: impl Into<Text>) -> Self {
        Self { pieces: vec![Piece { text: text.into(), group: Cow::Borrowed(""), filters: Vec::new() }] }
    }

    /// What a group captured, by its number.
    pub fn group(number: u32) -> Self {
        let group = number.to_string().into();
        Self { pieces: vec![Piece { text: Cow::Borrowed(""), group, filters: Vec::new() }] }
    }

    /// Reads `text {group|filter|…} text`; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// An open brace, or a filter that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    chars.next();
                    plain.push(c);
                }
                '{' => {
                    let mut closed = false;
                    let until_closed = chars.by_ref().take_while(|c| {
                        closed = *c == '}';
                        !closed
                    });
                    let inner: String = until_closed.collect();
                    if !closed {
                        return Err(format!("a brace is not closed in {text:?}"));
                    }
                    pieces.push(Piece::capture(std::mem::take(&mut plain), &inner)?);
                }
                '}' => return Err(format!("a brace is not opened in {text:?}")),
                _ => plain.push(c),
            }
        }
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece { text: plain.into(), group: Cow::Borrowed(""), filters: Vec::new() });
        }
        Ok(Self { pieces })
    }

    /// The value; `None` where a capture took no part or nothing is left. Outer white space is taken off.
    pub fn render<'c>(&self, capture: impl Fn(&str) -> Option<Cow<'c, str>>) -> Option<String> {
        let mut value = String::new();
        for piece in &self.pieces {
            value.push_str(&piece.text);
            if !piece.group.is_empty() {
                let captured = capture(&piece.group)?.into_owned();
                let captured = piece.filters.iter().fold(captured, |text, filter| filter.apply(text));
                value.push_str(&captured);
            }
        }
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return None;
        }
        Some(if trimmed.len() == value.len() { value } else { trimmed.to_owned() })
    }

    /// The value where it needs no capture.
    pub fn fixed(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [piece] if piece.group.is_empty() => Some(&piece.text),
            _ => None,
        }
    }

    /// The groups that it needs.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| piece.group.as_ref()).filter(|group| !group.is_empty())
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.pieces {
            f.write_str(&piece.text)?;
            if !piece.group.is_empty() {
                write!(f, "{{{}", piece.group)?;
                piece.filters.iter().try_for_each(|filter| write!(f, "|{filter}"))?;
                f.write_str("}")?;
            }
        }
        Ok(())
    }
}

impl Piece {
    fn capture(text: String, inner: &str) -> Result<Self, String> {
        let mut parts = inner.split('|');
        let group = parts.next().unwrap_or_default();
        if group.is_empty() || !group.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("{{{inner}}} names no group"));
        }
        let filters = parts.map(Filter::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.into(), group: group.to_owned().into(), filters })
    }
}

impl Filter {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "underscores" => Self::Underscores,
            "dots" => Self::Dots,
            "trim" => Self::Trim,
            "upper" => Self::Upper,
            "lower" => Self::Lower,
            other => match other.strip_prefix("before:").filter(|mark| !mark.is_empty()) {
                Some(mark) => Self::Before(mark.to_owned().into()),
                None => {
                    return Err(format!(
                        "{other:?} is no filter; there are underscores, dots, trim, upper, lower and before:X"
                    ));
                }
            },
        })
    }

    fn apply(&self, text: String) -> String {
        match self {
            Self::Underscores => text.replace('_', " "),
            Self::Dots => text.replace(['_', '-'], "."),
            Self::Trim => text.trim().to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Before(mark) => match text.split_once(mark.as_ref()) {
                Some((before, _)) => before.to_owned(),
                None => text,
            },
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Underscores => f.write_str("underscores"),
            Self::Dots => f.write_str("dots"),
            Self::Trim => f.write_str("trim"),
            Self::Upper => f.write_str("upper"),
            Self::Lower => f.write_str("lower"),
            Self::Before(mark) => write!(f, "before:{mark}"),
        }
    }
}

impl Packed for Filter {
    fn pack(&self, to: &mut Packer) {
        let number: u32 = match self {
            Self::Underscores => 0,
            Self::Dots => 1,
            Self::Trim => 2,
            Self::Upper => 3,
            Self::Lower => 4,
            Self::Before(_) => 5,
        };
        number.pack(to);
        if let Self::Before(mark) = self {
            mark.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(match u32::unpack(from)? {
            0 => Self::Underscores,
            1 => Self::Dots,
            2 => Self::Trim,
            3 => Self::Upper,
            4 => Self::Lower,
            5 => Self::Before(Packed::unpack(from)?),
            _ => return None,
        })
    }
}
