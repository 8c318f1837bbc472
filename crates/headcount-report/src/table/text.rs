//! Fitting text into columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many terminal columns `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to `most` columns, with `ellipsis` in place of what is gone.
pub(super) fn clip(text: &str, most: usize, ellipsis: &str) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let (head, _) = split(text, most.saturating_sub(width(ellipsis)));
    format!("{}{ellipsis}", head.trim_end())
}

/// Breaks `text` into lines of at most `most` columns: at spaces, behind one of `soft`, or else anywhere.
pub(super) fn wrap(text: &str, most: usize, soft: &[char]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while width(rest) > most.max(2) {
        let (head, _) = split(rest, most.max(2));
        // A space right behind the line is a break as well.
        let reach = head.len() + usize::from(rest[head.len()..].starts_with(' '));
        let space = rest[..reach].rfind(' ').filter(|at| *at > 0);
        let behind = |(at, c): (usize, char)| at + c.len_utf8();
        let soft = head.char_indices().rev().find(|(at, c)| *at > 0 && soft.contains(c)).map(behind);
        let at = space.or(soft).unwrap_or(head.len());
        lines.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// Sets `items` in lines of at most `columns`, parted by commas; what does not fit into `most` lines is counted: `+12`.
pub(super) fn fill(items: &[String], columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let token = if i + 1 < items.len() { format!("{item},") } else { item.clone() };
        let full = lines.len() >= most;
        match lines.last_mut().filter(|line| line_width(line) + 1 + width(&token) <= columns) {
            Some(line) => line.push(token),
            None if full => {
                count_rest(&mut lines, items.len() - i, columns);
                break;
            }
            None => lines.push(vec![token]),
        }
    }
    lines.into_iter().flat_map(|line| wrap(&line.join(" "), columns, &['-', '.'])).collect()
}

/// Ends the last line with the number of items that are missing, taking back as many as it needs room for.
fn count_rest(lines: &mut [Vec<String>], mut missing: usize, columns: usize) {
    let Some(line) = lines.last_mut() else { return };
    while line.len() > 1 && line_width(line) + 1 + format!("+{missing}").len() > columns {
        line.pop();
        missing += 1;
    }
    line.push(format!("+{missing}"));
}

fn line_width(line: &[String]) -> usize {
    line.iter().map(|token| width(token)).sum::<usize>() + line.len().saturating_sub(1)
}

/// The longest beginning of `text` that fits into `most` columns, and the rest.
fn split(text: &str, most: usize) -> (&str, &str) {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken > most
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn text_is_clipped_and_wrapped() {
        assert_eq!(clip("Hewlett Packard", 15, "…"), "Hewlett Packard");
        assert_eq!(clip("Hewlett Packard", 9, "…"), "Hewlett…");
        assert_eq!(clip("会議室", 5, "…"), "会議…");
        assert_eq!(wrap("one two three", 7, &[]), ["one two", "three"]);
        assert_eq!(wrap("printer-2.example.net", 12, &['.', '-']), ["printer-2.", "example.net"]);
        assert_eq!(wrap("abcdefgh", 3, &[]), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3, &[]), [""]);
    }

    #[test]
    fn long_lists_are_counted() {
        let ports = strings(&["22 ssh", "80 http", "443 https", "8080", "9100"]);
        assert_eq!(fill(&ports, 40, 1), ["22 ssh, 80 http, 443 https, 8080, 9100"]);
        assert_eq!(fill(&ports, 16, 3), ["22 ssh, 80 http,", "443 https, 8080,", "9100"]);
        assert_eq!(fill(&ports, 16, 2), ["22 ssh, 80 http,", "443 https, +2"]);
        assert_eq!(fill(&ports, 30, 1), ["22 ssh, 80 http, 443 https, +2"]);
        assert_eq!(fill(&[], 30, 1), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn wrapped_text_fits_and_loses_nothing(text in "[a-z会. -]{0,80}", most in 2usize..30) {
            let lines = wrap(&text, most, &['.', '-']);
            for line in &lines {
                prop_assert!(width(line) <= most);
            }
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
