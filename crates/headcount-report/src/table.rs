//! A table for people.

mod devices;
mod explain;
mod grid;
mod pen;
mod summary;
mod text;

use std::io;

use crate::Document;
pub use explain::{Explaining, explain, find};
use pen::{Pen, Style};

/// Narrower terminals get lines of this width, which they break as they like.
const NARROWEST: usize = 60;

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

/// Writes `document` for people to read: what was swept and how, the devices, what is odd about the network, and last
/// the counts and whether the run was complete.
///
/// # Errors
/// When `out` cannot be written.
pub fn table(document: &Document, options: &TableOptions, out: &mut dyn io::Write) -> io::Result<()> {
    let width = options.width.map(|width| usize::from(width).max(NARROWEST));
    let pen = Pen { color: options.color, unicode: options.unicode, width };
    summary::head(document, &pen, out)?;
    writeln!(out)?;
    if document.devices.is_empty() {
        writeln!(out, "{}", pen.paint(Style::Warning, "No device answered."))?;
    } else {
        devices::grid(document, &pen).write(&pen, out)?;
    }
    summary::exposures(document, &pen, out)?;
    summary::findings(document, &pen, out)?;
    writeln!(out)?;
    summary::foot(document, &pen, out)
}

#[cfg(test)]
mod tests;
