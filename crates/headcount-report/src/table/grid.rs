//! Rows and columns that share the terminal's width.

use std::io;

use super::{
    pen::{Pen, Style},
    text,
};

/// Between two columns.
const GAP: usize = 2;
/// On a terminal that is too narrow, columns shrink to this.
const NARROWEST_COLUMN: usize = 6;
/// How long the rule is where lines are as long as they need to be.
const RULE: usize = 100;

/// Rows under headings.
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    /// As many cells in each row as there are columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column: its heading, and the least and greatest width that make sense for it, given the room.
pub(super) struct Column {
    pub(super) heading: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    /// Cutting or breaking it would make it useless.
    pub(super) whole: bool,
}

/// What stands in one row of one column.
pub(super) enum Cell {
    /// Each on a line of its own, cut where it is too long.
    Lines(Vec<(Style, String)>),
    /// Each begins a line and goes on in the next, up to so many.
    Wrapped { texts: Vec<(Style, String)>, most: usize },
    /// Parted by commas; cut, and the rest counted, behind so many lines.
    List { items: Vec<String>, lines: usize },
}

impl Cell {
    fn natural_width(&self) -> usize {
        match self {
            Self::Lines(lines) | Self::Wrapped { texts: lines, .. } => {
                lines.iter().map(|(_, line)| text::width(line)).max().unwrap_or(0)
            }
            Self::List { items, .. } => {
                items.iter().map(|item| text::width(item) + 2).sum::<usize>().max(2) - 2
            }
        }
    }

    fn set(&self, columns: usize, pen: &Pen) -> Vec<(Style, String)> {
        match self {
            Self::Lines(lines) => {
                let clip =
                    |(style, line): &(Style, String)| (*style, text::clip(line, columns, pen.ellipsis()));
                lines.iter().map(clip).collect()
            }
            Self::Wrapped { texts, most } => {
                let wrap = |(style, text): &(Style, String)| {
                    let style = *style;
                    wrapped(text, columns, *most, pen).into_iter().map(move |line| (style, line))
                };
                texts.iter().flat_map(wrap).collect()
            }
            Self::List { items, lines } => {
                text::fill(items, columns, *lines).into_iter().map(|line| (Style::Plain, line)).collect()
            }
        }
    }
}

fn wrapped(text: &str, columns: usize, most: usize, pen: &Pen) -> Vec<String> {
    let mut lines = text::wrap(text, columns, &['.', '-']);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let room = columns.saturating_sub(text::width(pen.ellipsis()));
            *last = format!("{}{}", text::clip(last, room, ""), pen.ellipsis());
        }
    }
    lines
}

impl Grid {
    /// Writes headings, a rule and the rows.
    pub(super) fn write(&self, pen: &Pen, out: &mut dyn io::Write) -> io::Result<()> {
        let widths = self.widths(pen.width);
        let heading = |(column, width): (&Column, &usize)| {
            vec![(Style::Heading, text::clip(column.heading, *width, pen.ellipsis()))]
        };
        let headings: Vec<_> = self.columns.iter().zip(&widths).map(heading).collect();
        write_row(&headings, &widths, pen, out)?;
        let all = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let rule = all.min(pen.width.unwrap_or(RULE));
        writeln!(out, "{}", pen.paint(Style::Faint, &pen.rule(rule)))?;
        for row in &self.rows {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| cell.set(*width, pen)).collect();
            write_row(&cells, &widths, pen, out)?;
        }
        Ok(())
    }

    /// Every column gets what it needs if there is room; else the room is shared out in proportion to the needs.
    fn widths(&self, available: Option<usize>) -> Vec<usize> {
        let needs: Vec<usize> =
            self.columns.iter().enumerate().map(|(i, column)| self.need(i, column)).collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let Some(room) = available.map(|available| available.saturating_sub(gaps)) else { return needs };
        let mut widths: Vec<usize> =
            self.columns.iter().zip(&needs).map(|(column, need)| column.least.min(*need)).collect();
        let broken = |widths: &[usize]| {
            let loose =
                (0..widths.len()).filter(|i| !self.columns[*i].whole && widths[*i] > NARROWEST_COLUMN);
            loose.max_by_key(|i| widths[*i])
        };
        while widths.iter().sum::<usize>() > room
            && let Some(i) = broken(&widths)
        {
            widths[i] -= 1;
        }
        while widths.iter().sum::<usize>() < room {
            // The column that has least of what it needs.
            let poorest = (0..widths.len())
                .filter(|i| widths[*i] < needs[*i])
                .min_by(|a, b| (widths[*a] * needs[*b]).cmp(&(widths[*b] * needs[*a])));
            match poorest {
                Some(i) => widths[i] += 1,
                None => break,
            }
        }
        widths
    }

    fn need(&self, index: usize, column: &Column) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        let natural = cells.map(Cell::natural_width).max().unwrap_or(0);
        natural.min(column.most).max(text::width(column.heading))
    }
}

fn write_row(
    cells: &[Vec<(Style, String)>],
    widths: &[usize],
    pen: &Pen,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for line in 0..height {
        let mut pending = 0;
        for (cell, width) in cells.iter().zip(widths) {
            if let Some((style, piece)) = cell.get(line).filter(|(_, piece)| !piece.is_empty()) {
                write!(out, "{:pending$}{}", "", pen.paint(*style, piece))?;
                pending = width.saturating_sub(text::width(piece)) + GAP;
            } else {
                pending += width + GAP;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
