//! Tables as text (RFC 4180), as spreadsheets and programs write them.

use csv::{ReaderBuilder, StringRecord};

use super::{Field, How, Raw, Unreadable, field::plain, shape::Shape, text::Lines};

/// What may part two cells; the earlier ones where two fit equally.
const DELIMITERS: [u8; 3] = *b",;\t";

/// The rows of a table, and whose form it has.
pub(super) fn rows(text: &str, how: &How) -> Result<(&'static Shape, Vec<Raw>), Unreadable> {
    let (delimiter, text, before) = delimiter(text, how);
    let headings = headings(text, delimiter);
    if headings.iter().all(|heading| heading.trim().is_empty()) {
        return Err(Unreadable::Empty);
    }
    let shape = how.format.map_or_else(|| Shape::by_headings(&headings), Shape::of);
    let table = Table { columns: columns(&headings, shape, how)?, headings, shape };
    let mut reader = reader(text, delimiter);
    let mut lines = Lines::new(text);
    let mut record = StringRecord::new();
    let mut rows = Vec::new();
    let mut first = true;
    // Memory is the one source of an error that is left: the text is UTF-8, and rows may be of any length.
    while reader.read_record(&mut record).unwrap_or(false) {
        let at = record.position().map_or(0, |position| position.byte() as usize);
        if !first && record.iter().any(|cell| !cell.trim().is_empty()) {
            let line = before + lines.of(at);
            let is_last = reader.position().byte() as usize >= text.len();
            let open = is_last && text.get(at..).is_some_and(is_open);
            rows.push(if open { unclosed(line) } else { table.raw(line, &record) });
        }
        first = false;
    }
    Ok((shape, rows))
}

struct Table {
    /// What each column means.
    columns: Vec<Option<Field>>,
    headings: Vec<String>,
    shape: &'static Shape,
}

impl Table {
    fn raw(&self, line: usize, record: &StringRecord) -> Raw {
        let beyond = record.iter().skip(self.columns.len()).any(|cell| !cell.trim().is_empty());
        if beyond {
            let reason = format!(
                "it has {} cells, and the header {}: a cell is shifted",
                record.len(),
                self.columns.len()
            );
            return Raw { line, said: Err(reason), left_out: None };
        }
        let cells = || record.iter().zip(&self.columns).zip(&self.headings);
        let left_out = cells().find_map(|((cell, _), heading)| self.shape.left_out(heading, cell));
        let said = cells().filter_map(|((cell, field), _)| {
            field.and_then(|field| Some((field, (self.shape.meant)(field, cell)?)))
        });
        Raw { line, said: Ok(said.collect()), left_out }
    }
}

/// A quote that nothing closes makes one row of all that follows.
fn unclosed(line: usize) -> Raw {
    let reason = "a quote in it is not closed: this row and all after it were not read".to_owned();
    Raw { line, said: Err(reason), left_out: None }
}

/// Whether a last row is more than one line because of an odd quote.
fn is_open(row: &str) -> bool {
    row.trim().contains(['\n', '\r']) && row.matches('"').count() % 2 == 1
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes())
}

fn headings(text: &str, delimiter: u8) -> Vec<String> {
    let first = reader(text, delimiter).into_records().next();
    first.and_then(Result::ok).map(|record| record.iter().map(str::to_owned).collect()).unwrap_or_default()
}

/// The sign that makes most headings known, then the one that makes most headings; with the text after the line
/// `sep=;` that Excel reads, and how many lines that is.
fn delimiter<'t>(text: &'t str, how: &How) -> (u8, &'t str, usize) {
    let told = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    if let Some(sign) = text.as_bytes().get(4).copied().filter(|sign| told && DELIMITERS.contains(sign)) {
        let rest = text.get(5..).unwrap_or_default();
        // Where the line goes on it is a heading of that name.
        let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
        if let Some(rest) = rest {
            return (sign, rest, 1);
        }
    }
    let fits = |delimiter: &u8| {
        let headings = headings(text, *delimiter);
        let shape = how.format.map_or_else(|| Shape::by_headings(&headings), Shape::of);
        let known = |heading: &&String| mapped(how, heading).is_some() || shape.heading(heading).is_some();
        (headings.iter().filter(known).count(), headings.len())
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(fits);
    (best.unwrap_or(b','), text, 0)
}

fn mapped(how: &How, heading: &str) -> Option<Option<Field>> {
    how.map.iter().find(|(column, _)| plain(column) == plain(heading)).map(|(_, field)| *field)
}

fn columns(headings: &[String], shape: &Shape, how: &How) -> Result<Vec<Option<Field>>, Unreadable> {
    let there = |column: &str| headings.iter().any(|heading| plain(heading) == plain(column));
    let names = || headings.iter().map(|heading| format!("{:?}", heading.trim())).collect();
    if let Some((column, _)) = how.map.iter().find(|(column, _)| !there(column)) {
        return Err(Unreadable::Mapped { column: column.clone(), there: names() });
    }
    let means = |heading: &String| mapped(how, heading).unwrap_or_else(|| shape.heading(heading));
    let columns: Vec<_> = headings.iter().map(means).collect();
    if columns.iter().all(Option::is_none) { Err(Unreadable::NoColumn(names())) } else { Ok(columns) }
}
