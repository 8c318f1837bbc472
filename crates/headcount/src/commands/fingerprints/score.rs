//! `headcount fingerprints score`: the library's answers against rows whose answers are known.

mod rows;

use std::{
    fmt::Write,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, anyhow};
use headcount_match::{Aspect, Library, Said, Score, Tally, identify};
use rows::Row;

use crate::exit::Failure;

/// Longer lines are refused, so that memory is bounded.
const MAX_LINE: u64 = 1 << 20;

/// Scores the library on the rows of some files (JSON Lines).
///
/// # Errors
/// A file that cannot be read, or a line of it that is no row.
pub(super) fn score(library: &Library, files: &[impl AsRef<Path>]) -> Result<Score, Failure> {
    let mut score = Score::default();
    for path in files {
        let path = path.as_ref();
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()));
        let file = BufReader::new(file.map_err(Failure::Usage)?);
        add_file(library, file, &mut score)
            .with_context(|| path.display().to_string())
            .map_err(Failure::Usage)?;
    }
    Ok(score)
}

fn add_file(library: &Library, mut file: impl BufRead, score: &mut Score) -> anyhow::Result<()> {
    for number in 1_u64.. {
        let mut line = Vec::new();
        if file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == MAX_LINE {
            return Err(anyhow!("line {number} is longer than 1 MiB"));
        }
        if !line.trim_ascii().is_empty() {
            let row = Row::read(&line).with_context(|| format!("line {number}"))?;
            let said: Vec<Said<'_>> =
                row.observations.iter().map(|(field, value)| Said { endpoint: None, field, value }).collect();
            score.add(library, &row.kind, &row.truth, &identify(library, &said).attributes);
        }
    }
    Ok(())
}

/// The figures, as text.
pub(super) fn table(score: &Score) -> String {
    let mut text = format!("{:<28}{:>6}", "kind", "rows");
    for aspect in Aspect::ALL {
        let _ = write!(text, "{:>21}", format!("{} r/p of rows", aspect.as_str()));
    }
    text.push('\n');
    for (name, kind) in score.kinds() {
        let _ = write!(text, "{name:<28}{:>6}", kind.rows);
        for aspect in Aspect::ALL {
            let _ = write!(text, "{:>21}", kind.tally(aspect).map(cell).unwrap_or_default());
        }
        text.push('\n');
    }
    text.push_str("\nmeans over kinds with 20 rows or more\n");
    for aspect in Aspect::ALL {
        if let Some(mean) = score.mean(aspect) {
            let _ = writeln!(
                text,
                "{:>10}  recall {:.3}  precision {:.3}  over {} kinds",
                aspect.as_str(),
                mean.recall,
                mean.precision,
                mean.kinds
            );
        }
    }
    let _ = writeln!(text, "{:>10}  device types claimed of software", score.false_types);
    text.push_str("\nconfidence      claims    mean   right\n");
    for band in score.calibration() {
        let _ = writeln!(
            text,
            "{:.2} to {:.2} {:>9}   {:.3}   {:.3}",
            band.from, band.to, band.claims, band.confidence, band.right
        );
    }
    text
}

/// The fingerprints that were wrong more often than they said, as text; empty where there are none.
pub(super) fn too_wide(score: &Score) -> String {
    let wide = score.fingerprints().filter(|(_, record)| record.is_too_wide());
    let lines = wide.map(|(id, record)| {
        format!("{:>6} {:>6}   {:.2}      {id}\n", record.right, record.wrong, record.promised())
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n right  wrong  promised  fingerprint\n{lines}") }
}

/// Recall, precision and how many rows.
fn cell(tally: &Tally) -> String {
    let figure = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
    format!("{}/{} of {}", figure(tally.recall()), figure(tally.precision()), tally.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_scored_by_kind() {
        let rows = concat!(
            r#"{"kind":"http.server","input":"Axis \udcff","truth":{"vendor":"Axis"},"visible":["vendor"]}"#,
            "\n\n",
            r#"{"kind":"snmp","input":{"sysDescr":"x"},"truth":{"vendor":"Axis"}}"#
        );
        let facts = r#"
            field = "http.server"
            [[entry]]
            id = "a"
            pattern = '^Axis \xff$'
            certainty = 0.9
            says = { "device.vendor" = "Axis" }
            source = "made up for the test"
            examples = [{ hex = "4178697320ff" }]
        "#;
        let mut library = Library::empty();
        library.overlay(&[("a.toml".to_owned(), facts.to_owned())]).unwrap();
        let mut score = Score::default();
        add_file(&library, rows.as_bytes(), &mut score).unwrap();
        let text = table(&score);
        assert!(text.contains("1.00/1.00 of 1"), "{text}");
        assert!(text.contains("0.00/- of 1"), "{text}");
        assert!(text.contains("0.90 to 0.95         1"), "{text}");
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let error = add_file(&Library::empty(), "\n{\"kind\":7}".as_bytes(), &mut Score::default());
        assert!(format!("{:#}", error.unwrap_err()).starts_with("line 2"));
    }
}
