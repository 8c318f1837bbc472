//! `headcount identify`: what devices are, from what other programs heard them say.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    num::NonZero,
    thread,
};

use headcount_match::{Identity, Library, Said, identify};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};
use serde_json::Value;

use super::fingerprints::files;
use crate::{
    args::IdentifyArgs,
    exit::{self, Failure},
    session_output,
};

/// Longer lines are refused, so that memory is bounded.
const MAX_LINE: u64 = 1 << 20;
/// What is read at once. Lines that came together are shared out among the threads.
const BUFFER: usize = 256 << 10;
/// More threads than this gain nothing: reading and writing is one thread's work.
const MAX_THREADS: usize = 4;

/// Reads JSON Lines from stdin, writes one line for each to stdout, in the same order.
pub(super) fn run(args: &IdentifyArgs) -> Result<u8, Failure> {
    let library = files::library(&args.library)?;
    let output = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut all_read = true;
    let result =
        answer_all(&library, BufReader::with_capacity(BUFFER, io::stdin().lock()), output, &mut all_read);
    session_output::tolerate_closed_pipe(result.map_err(anyhow::Error::from))?;
    Ok(if all_read { exit::OK } else { exit::FAILED })
}

fn answer_all(
    library: &Library,
    mut input: BufReader<impl Read>,
    mut output: impl Write,
    all_read: &mut bool,
) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    loop {
        let lines = lines(&mut input)?;
        if lines.is_empty() {
            return output.flush();
        }
        for (answer, well) in answers(library, &lines, threads) {
            *all_read &= well;
            output.write_all(&answer)?;
            output.write_all(b"\n")?;
        }
        output.flush()?;
    }
}

/// The next line, and all those that have come with it. `None` in place of a line that is too long.
fn lines(input: &mut BufReader<impl Read>) -> io::Result<Vec<Option<Vec<u8>>>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(lines);
        }
        if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
            skip_line(input)?;
            lines.push(None);
        } else if !line.trim_ascii().is_empty() {
            lines.push(Some(line));
        }
        if !lines.is_empty() && !input.buffer().contains(&b'\n') {
            return Ok(lines);
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let Some(end) = buffer.iter().position(|byte| *byte == b'\n') else {
            let len = buffer.len();
            input.consume(len);
            if len == 0 {
                return Ok(());
            }
            continue;
        };
        input.consume(end + 1);
        return Ok(());
    }
}

/// The answers in the lines' order, and whether each line could be read.
fn answers(library: &Library, lines: &[Option<Vec<u8>>], threads: usize) -> Vec<(Vec<u8>, bool)> {
    let each = |lines: &[Option<Vec<u8>>]| -> Vec<(Vec<u8>, bool)> {
        lines.iter().map(|line| answer(library, line.as_deref())).collect()
    };
    if threads < 2 || lines.len() < 2 * threads {
        return each(lines);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = lines
            .chunks(lines.len().div_ceil(threads))
            .map(|part| (part, scope.spawn(move || each(part))))
            .collect();
        let broken = |part: &[_]| vec![refused("internal error"); part.len()];
        parts.into_iter().flat_map(|(part, thread)| thread.join().unwrap_or_else(|_| broken(part))).collect()
    })
}

fn answer(library: &Library, line: Option<&[u8]>) -> (Vec<u8>, bool) {
    let Some(line) = line else { return refused("the line is longer than 1 MiB") };
    let row: Row = match serde_json::from_slice(line) {
        Ok(row) => row,
        Err(error) => return refused(&error.to_string()),
    };
    let said: Vec<Said<'_>> = row
        .observations
        .iter()
        .map(|seen| Said { endpoint: None, field: &seen.field, value: &seen.value.0 })
        .collect();
    let identity = identify(library, &said);
    match serde_json::to_vec(&Answer::new(row.id, &identity)) {
        Ok(answer) => (answer, true),
        Err(error) => refused(&error.to_string()),
    }
}

fn refused(error: &str) -> (Vec<u8>, bool) {
    (serde_json::json!({ "id": null, "error": error }).to_string().into_bytes(), false)
}

#[derive(Deserialize)]
struct Row {
    id: Value,
    observations: Vec<Observed>,
}

#[derive(Deserialize)]
struct Observed {
    field: String,
    value: Bytes,
}

/// What was heard: the UTF-8 of a JSON string, in which U+DC80 to U+DCFF stand for the bytes 80 to FF.
pub(in crate::commands) struct Bytes(pub(in crate::commands) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(text.as_bytes().to_vec()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(without_escapes(bytes)))
            }
        }
        // As bytes, lone surrogates come through, encoded as UTF-8 would encode them.
        deserializer.deserialize_bytes(Text)
    }
}

/// U+DC80 to U+DCFF are ED B2 80 to ED B3 BF; no valid UTF-8 holds them.
fn without_escapes(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        match rest {
            [0xed, high @ 0xb2..=0xb3, low @ 0x80..=0xbf, after @ ..] => {
                plain.push(if *high == 0xb2 { *low } else { *low | 0x40 });
                rest = after;
            }
            _ => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    plain
}

#[derive(Serialize)]
struct Answer<'i> {
    id: Value,
    attributes: BTreeMap<&'i str, Named<'i>>,
    exposures: Vec<Exposed<'i>>,
}

#[derive(Serialize)]
struct Named<'i> {
    value: &'i str,
    confidence: f64,
    evidence: Vec<&'i str>,
}

#[derive(Serialize)]
struct Exposed<'i> {
    id: &'i str,
    grade: &'static str,
    title: &'i str,
    confidence: f64,
    evidence: Vec<&'i str>,
    remedy: &'i str,
    controls: &'i [String],
}

impl<'i> Answer<'i> {
    fn new(id: Value, identity: &'i Identity) -> Self {
        let ids = |evidence: &'i [headcount_model::Evidence]| -> Vec<&'i str> {
            evidence.iter().map(|one| one.fingerprint.as_str()).collect()
        };
        let attributes = identity.attributes.iter().map(|attribute| {
            let confidence = rounded(attribute.confidence);
            let evidence = ids(&attribute.evidence);
            (attribute.name.as_str(), Named { value: &attribute.value, confidence, evidence })
        });
        let exposures = identity.exposures.iter().map(|exposure| Exposed {
            id: &exposure.id,
            grade: exposure.grade.as_str(),
            title: &exposure.title,
            confidence: rounded(exposure.confidence),
            evidence: ids(&exposure.evidence),
            remedy: &exposure.remedy,
            controls: &exposure.controls,
        });
        Self { id, attributes: attributes.collect(), exposures: exposures.collect() }
    }
}

/// More than three digits of a confidence say nothing.
fn rounded(confidence: f64) -> f64 {
    (confidence * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
