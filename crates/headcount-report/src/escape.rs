//! Making what the network said harmless to look at.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// `text` with everything that a terminal would act on, or that an eye would not see, written out: control characters
/// as `\x1b`, all others (bidirectional overrides, zero-width and blank characters, private use) as `\u{202e}`.
///
/// Ordinary text comes back as it is, without a copy. A backslash stays one, so that DNS names with escapes of their
/// own (RFC 4343) stay readable.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !is_hidden(c) {
            shown.push(c);
        } else if u32::from(c) < 0x100 {
            shown.push_str(&format!("\\x{:02x}", u32::from(c)));
        } else {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        }
    }
    Cow::Owned(shown)
}

/// As [`terminal`], for one cell of a spreadsheet: a cell that would be read as a formula gets an apostrophe in front
/// (OWASP, CSV injection).
pub fn cell(text: &str) -> Cow<'_, str> {
    let shown = terminal(text);
    // A full-width sign (U+FF0B and so on) is a formula's sign to some spreadsheets as well.
    let formula = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches(' ').starts_with(formula) { Cow::Owned(format!("'{shown}")) } else { shown }
}

/// Whether a program that writes `c` out of a JSON string to a terminal, or an eye that reads it, may be misled.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // Spaces that are not a space, and letters that are blank.
        '\u{a0}' | '\u{ad}' | '\u{1680}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' => true,
        '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{115f}' | '\u{1160}' | '\u{3164}' => true,
        '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => true,
        // Private use, tags and everything above.
        '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}' => true,
        // Control characters have no width; what joins to its neighbours has none either.
        _ => c.width().unwrap_or(0) == 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_stays() {
        for text in
            ["", "printer-2.example", "Büro Müller", "会議室のプリンタ", "a\\032b", "{x} \"y\" <z>", "🖨"]
        {
            assert!(matches!(terminal(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_acts_or_hides_is_written_out() {
        assert_eq!(terminal("a\x1b[31mb\x07\r\n\t\0"), "a\\x1b[31mb\\x07\\x0d\\x0a\\x09\\x00");
        assert_eq!(terminal("\x7f\u{9b}31m\u{85}"), "\\x7f\\x9b31m\\x85");
        assert_eq!(terminal("gpj\u{202e}exe"), "gpj\\u{202e}exe");
        assert_eq!(terminal("a\u{200b}b\u{feff}c\u{2066}d"), "a\\u{200b}b\\u{feff}c\\u{2066}d");
        assert_eq!(terminal("a\u{a0}b\u{2028}c\u{e000}d"), "a\\xa0b\\u{2028}c\\u{e000}d");
        assert_eq!(terminal("e\u{301}\u{301}\u{301}"), "e\\u{301}\\u{301}\\u{301}");
        assert_eq!(terminal("\u{e0041}\u{fe0f}"), "\\u{e0041}\\u{fe0f}");
    }

    #[test]
    fn formulas_are_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert!(cell(text).starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("a=1"), "a=1");
        assert_eq!(cell("=\x1b"), "'=\\x1b");
        assert_eq!(cell(""), "");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            let shown = terminal(&text);
            prop_assert!(!shown.contains(is_hidden), "{:?}", shown);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(terminal(&shown), shown.as_ref());
        }
    }
}
