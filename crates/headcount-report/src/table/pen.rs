//! What the terminal can show.

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) color: bool,
    pub(super) unicode: bool,
    /// Columns; `None`: as many as are needed.
    pub(super) width: Option<usize>,
}

/// What a piece of text is. Colours only underline it; the words say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Heading,
    Address,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Pen {
    /// `text` in its colours (ECMA-48, SGR), if there are any.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Plain => "",
            Style::Heading => "1",
            Style::Address => "1;36",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Warning => "33",
            Style::Bad => "1;31",
        };
        if !self.color || code.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// What stands between two facts on a line.
    pub(super) fn dot(&self) -> &'static str {
        if self.unicode { " · " } else { " - " }
    }

    /// What stands for text that was left out.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// A horizontal line.
    pub(super) fn rule(&self, width: usize) -> String {
        if self.unicode { "─" } else { "-" }.repeat(width)
    }
}
