//! The end of a command: what goes to stdout and to files.

use std::io::{self, IsTerminal, Write};

use headcount_report::{Document, TableOptions, table};

use crate::{
    args::Color,
    exit::Failure,
    outputs::{Output, Outputs},
    wants_color,
};

/// Columns where stdout is no terminal and COLUMNS does not say.
const WIDTH: u16 = 120;

/// Writes the document everywhere it is to go. Every output is tried, also after one failed.
///
/// # Errors
/// The first output that could not be written.
pub(crate) fn write(outputs: Outputs, document: &Document, color: Color) -> Result<(), Failure> {
    let mut results = Vec::new();
    if let Some(output) = outputs.json {
        results.push(to(output, |out| headcount_report::json(document, out)));
    }
    if let Some(output) = outputs.csv {
        results.push(to(output, |out| headcount_report::csv(document, out)));
    }
    if let Some(output) = outputs.unknown {
        results.push(to(output, |out| headcount_report::unknown(document, out)));
    }
    if outputs.table {
        results.push(to(Output::Stdout, |out| table(document, &table_options(color), out)));
    }
    results.into_iter().try_for_each(tolerate_closed_pipe)
}

/// Prints text to stdout.
///
/// # Errors
/// Stdout cannot be written, other than because nobody reads it.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    tolerate_closed_pipe(to(Output::Stdout, |out| out.write_all(text.as_bytes())))
}

/// That nobody reads our output to its end is no error.
pub(crate) fn tolerate_closed_pipe(result: anyhow::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        other => other.map_err(Failure::Failed),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn to(mut output: Output, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    write(&mut output)?;
    output.finish()
}

/// How tables and explanations are to look on this stdout.
pub(crate) fn table_options(color: Color) -> TableOptions {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || io::stdout().is_terminal().then(terminal_width).flatten();
    let width = columns.or_else(terminal).unwrap_or(WIDTH);
    TableOptions { color: wants_color(color), width: Some(width), unicode: is_utf8() }
}

fn terminal_width() -> Option<u16> {
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}

/// Whether the locale can show more than ASCII.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
