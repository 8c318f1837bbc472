//! A table for people.

use std::io;

use crate::Document;

/// How a table is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// Colours (ANSI SGR). They only repeat what the text says.
    pub color: bool,
    /// How many columns the terminal has; `None`: lines as long as they need to be.
    pub width: Option<u16>,
    /// Lines and dots beyond ASCII.
    pub unicode: bool,
}

/// Writes `document` for people to read.
///
/// # Errors
/// When `out` cannot be written.
pub fn table(document: &Document, options: &TableOptions, out: &mut dyn io::Write) -> io::Result<()> {
    let _ = options;
    writeln!(out, "{} devices", document.devices.len())
}
