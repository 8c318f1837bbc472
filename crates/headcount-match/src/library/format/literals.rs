//! The text that a pattern cannot match without: what a quick search over all patterns at once looks for.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter text is in too many values to be worth a search.
const SHORTEST: usize = 2;
/// More alternatives than this are searched one by one instead.
const MOST: usize = 64;
/// Longer text finds no less.
const LONGEST: usize = 24;

/// Texts, in ASCII lower case, of which every match of `pattern` holds at least one (in any case).
///
/// Empty where no such list is known: the pattern must be tried on everything.
///
/// # Errors
/// Why the pattern is none: its syntax, look-around, a back-reference, Unicode where bytes are matched.
pub(crate) fn required(pattern: &str) -> Result<Vec<Vec<u8>>, String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(100)
        .build()
        .parse(pattern)
        .map_err(cause)?;
    let Some(found) = Found::of(&hir).best else { return Ok(Vec::new()) };
    Ok(found.into_iter().collect())
}

fn cause(error: regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => {
            format!("the pattern is wrong at character {}: {}", error.span().start.offset, error.kind())
        }
        regex_syntax::Error::Translate(error) => {
            format!("the pattern is wrong at character {}: {}", error.span().start.offset, error.kind())
        }
        error => format!("the pattern is wrong: {error}"),
    }
}

/// What is known of a part of a pattern.
#[derive(Default)]
struct Found {
    /// The one text that it matches.
    exact: Option<Vec<u8>>,
    /// Texts of which each match holds one.
    best: Option<BTreeSet<Vec<u8>>>,
}

impl Found {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::exactly(Vec::new()),
            HirKind::Literal(literal) => Self::exactly(literal.0.to_ascii_lowercase()),
            HirKind::Class(class) => {
                letter(class).map_or_else(Self::default, |byte| Self::exactly(vec![byte]))
            }
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                let once = Self::of(&repetition.sub);
                let exact = once.exact.filter(|_| repetition.min == 1 && repetition.max == Some(1));
                Self { exact, best: once.best }
            }
            HirKind::Repetition(_) => Self::default(),
            HirKind::Concat(parts) => Self::concat(parts),
            HirKind::Alternation(parts) => Self::alternation(parts),
        }
    }

    fn exactly(text: Vec<u8>) -> Self {
        Self { best: worthwhile(&text), exact: Some(text) }
    }

    fn concat(parts: &[Hir]) -> Self {
        let mut best = None;
        let mut run = Vec::new();
        let mut whole = true;
        for part in parts {
            let found = Self::of(part);
            match found.exact {
                Some(text) => run.extend_from_slice(&text),
                None => {
                    whole = false;
                    best = better(best, worthwhile(&run));
                    best = better(best, found.best);
                    run.clear();
                }
            }
        }
        best = better(best, worthwhile(&run));
        Self { exact: whole.then_some(run), best }
    }

    fn alternation(parts: &[Hir]) -> Self {
        let mut all = BTreeSet::new();
        for part in parts {
            match Self::of(part).best {
                Some(best) if all.len() + best.len() <= MOST => all.extend(best),
                _ => return Self::default(),
            }
        }
        Self { exact: None, best: Some(all).filter(|all| !all.is_empty()) }
    }
}

/// One byte in one case or both.
fn letter(class: &Class) -> Option<u8> {
    let mut bytes = Vec::new();
    match class {
        Class::Bytes(class) => {
            bytes.extend(class.iter().flat_map(|range| range.start()..=range.end()).take(3))
        }
        Class::Unicode(class) => {
            for c in class.iter().flat_map(|range| range.start()..=range.end()).take(3) {
                bytes.push(u8::try_from(c).ok().filter(u8::is_ascii)?);
            }
        }
    }
    match *bytes.as_slice() {
        [byte] => Some(byte.to_ascii_lowercase()),
        [a, b] if a.eq_ignore_ascii_case(&b) => Some(a.to_ascii_lowercase()),
        _ => None,
    }
}

fn worthwhile(text: &[u8]) -> Option<BTreeSet<Vec<u8>>> {
    let kept = text.get(..LONGEST).unwrap_or(text);
    (kept.len() >= SHORTEST).then(|| BTreeSet::from([kept.to_vec()]))
}

/// The list whose shortest text is longer; of two such, the shorter list.
fn better(a: Option<BTreeSet<Vec<u8>>>, b: Option<BTreeSet<Vec<u8>>>) -> Option<BTreeSet<Vec<u8>>> {
    let rank =
        |set: &BTreeSet<Vec<u8>>| (set.iter().map(Vec::len).min().unwrap_or(0), std::cmp::Reverse(set.len()));
    match (a, b) {
        (Some(a), Some(b)) if rank(&b) > rank(&a) => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}
