//! What a page says of itself: title, generator, icon, and where it sends the reader.
//!
//! No document tree: one pass over the tags, each byte read a bounded number of times, whatever the page.

/// Bytes of a title, a literal or an attribute that are looked at.
const LONGEST: usize = 2048;

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// The first title that is not empty: references resolved, blanks folded, no other byte changed.
    pub(crate) title: Vec<u8>,
    /// The content of `<meta name=generator>`.
    pub(crate) generator: Vec<u8>,
    /// Where `<meta http-equiv=refresh>` leads.
    pub(crate) refresh: Vec<u8>,
    /// Where `<link rel=icon>` leads.
    pub(crate) icon: Vec<u8>,
    /// The first address that a script assigns to the window's location, if that is one literal.
    pub(crate) script: Vec<u8>,
    /// Whether the page asks for input.
    pub(crate) form: bool,
}

/// Reads a page.
pub(crate) fn read(page: &[u8]) -> Page {
    let mut found = Page::default();
    let mut tags = Tags::new(page);
    while let Some((name, attributes)) = tags.tag() {
        match name.to_ascii_lowercase().as_slice() {
            b"title" if found.title.is_empty() => found.title = text(tags.title()),
            b"script" => found.take_script(tags.until(b"</script")),
            b"style" => _ = tags.until(b"</style"),
            b"meta" => found.take_meta(&attributes),
            b"link" => found.take_link(&attributes),
            b"body" => found.take_script(attribute(&attributes, "onload")),
            b"form" | b"input" => found.form = true,
            _ => {}
        }
    }
    found
}

impl Page {
    fn take_meta(&mut self, attributes: &[Attribute<'_>]) {
        let content = attribute(attributes, "content");
        if attribute(attributes, "name").eq_ignore_ascii_case(b"generator") && self.generator.is_empty() {
            self.generator = text(content);
        }
        if attribute(attributes, "http-equiv").eq_ignore_ascii_case(b"refresh") && self.refresh.is_empty() {
            self.refresh = refresh_target(&text(content));
        }
    }

    fn take_link(&mut self, attributes: &[Attribute<'_>]) {
        let mut words = attribute(attributes, "rel").split(u8::is_ascii_whitespace);
        if self.icon.is_empty() && words.any(|word| word.eq_ignore_ascii_case(b"icon")) {
            self.icon = text(attribute(attributes, "href"));
        }
    }

    fn take_script(&mut self, code: &[u8]) {
        if self.script.is_empty() {
            self.script = script_target(code).unwrap_or_default().to_vec();
        }
    }
}

/// The address in `0; url=/x`, as the header Refresh and its meta element write it.
pub(crate) fn refresh_target(value: &[u8]) -> Vec<u8> {
    let named = |part: &[u8]| part.eq_ignore_ascii_case(b"url");
    let Some(at) = value.windows(3).position(named) else { return Vec::new() };
    let rest = value[at + 3..].trim_ascii_start();
    let Some(rest) = rest.strip_prefix(b"=") else { return Vec::new() };
    let quotes = |byte: &u8| matches!(byte, b'"' | b'\'');
    let rest = rest.trim_ascii();
    let rest = if rest.first().is_some_and(quotes) { &rest[1..] } else { rest };
    let end = rest.iter().position(quotes).unwrap_or(rest.len());
    rest[..end].to_vec()
}

/// `location = "x"`, `location.href = "x"`, `location.replace("x")`, `location.assign("x")`.
fn script_target(code: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"location";
    let mut rest = code;
    loop {
        let at = rest.windows(NAME.len()).position(|part| part == NAME)?;
        rest = &rest[at + NAME.len()..];
        if let Some(target) = literal_behind(rest) {
            return Some(target);
        }
    }
}

fn literal_behind(code: &[u8]) -> Option<&[u8]> {
    let code = code.get(..LONGEST).unwrap_or(code);
    let call = [&b".replace"[..], b".assign"].iter().find_map(|name| code.strip_prefix(*name));
    let rest = match call {
        Some(rest) => rest.trim_ascii_start().strip_prefix(b"(")?,
        None => code.strip_prefix(b".href").unwrap_or(code).trim_ascii_start().strip_prefix(b"=")?,
    };
    let rest = rest.trim_ascii_start();
    let quote = rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = rest[1..].iter().position(|byte| byte == quote)?;
    let after = rest[end + 2..].trim_ascii_start();
    // A sum is more than its first part.
    (end > 0 && after.first() != Some(&b'+')).then(|| &rest[1..=end])
}

type Attribute<'a> = (&'a [u8], &'a [u8]);

fn attribute<'a>(attributes: &[Attribute<'a>], name: &str) -> &'a [u8] {
    let named = |pair: &&Attribute<'_>| pair.0.eq_ignore_ascii_case(name.as_bytes());
    attributes.iter().find(named).map_or(&b""[..], |pair| pair.1)
}

struct Tags<'a> {
    rest: &'a [u8],
    /// Whether one of `"` and `'` is known not to come any more.
    unpaired: [bool; 2],
}

impl<'a> Tags<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, unpaired: [false; 2] }
    }

    /// The next start tag: its name and attributes.
    fn tag(&mut self) -> Option<(&'a [u8], Vec<Attribute<'a>>)> {
        loop {
            let at = self.rest.iter().position(|byte| *byte == b'<')?;
            self.rest = &self.rest[at + 1..];
            if self.rest.starts_with(b"!--") {
                self.until(b"-->");
            }
            if self.rest.first().is_some_and(u8::is_ascii_alphabetic) {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| !byte.is_ascii_alphanumeric())
                    .unwrap_or(self.rest.len());
                let (name, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some((name, self.attributes()));
            }
        }
    }

    fn attributes(&mut self) -> Vec<Attribute<'a>> {
        const MOST: usize = 32;
        let mut attributes = Vec::new();
        loop {
            self.skip(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'=' | b'"' | b'\''));
            match self.rest.first() {
                None | Some(b'<') => return attributes,
                Some(b'>') => {
                    self.rest = &self.rest[1..];
                    return attributes;
                }
                Some(_) => {}
            }
            let name =
                self.skip(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'<' | b'/'));
            self.skip(|byte| byte.is_ascii_whitespace());
            let value = if self.rest.first() == Some(&b'=') { self.value() } else { b"" };
            if attributes.len() < MOST {
                attributes.push((name, value));
            }
        }
    }

    fn value(&mut self) -> &'a [u8] {
        self.rest = &self.rest[1..];
        self.skip(|byte| byte.is_ascii_whitespace());
        let which = match self.rest.first() {
            Some(b'"') => 0,
            Some(b'\'') => 1,
            _ => 2,
        };
        if let Some((quote, inside)) =
            self.rest.split_first().filter(|_| self.unpaired.get(which) == Some(&false))
        {
            if let Some(end) = inside.iter().position(|byte| byte == quote) {
                self.rest = &inside[end + 1..];
                return &inside[..end];
            }
            self.unpaired[which] = true;
        }
        self.skip(|byte| matches!(byte, b'"' | b'\''));
        self.skip(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'<'))
    }

    fn skip(&mut self, wanted: impl Fn(&u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !wanted(byte)).unwrap_or(self.rest.len());
        let (skipped, rest) = self.rest.split_at(end);
        self.rest = rest;
        skipped
    }

    /// What stands before `end`, or all there is.
    fn until(&mut self, end: &[u8]) -> &'a [u8] {
        let at = find(self.rest, end).unwrap_or(self.rest.len());
        let (inside, rest) = self.rest.split_at(at);
        self.rest = rest;
        inside
    }

    /// The text of a title: to its end tag, or to the next tag if there is none near.
    fn title(&self) -> &'a [u8] {
        let near = self.rest.get(..LONGEST).unwrap_or(self.rest);
        let end = find(near, b"</title").or_else(|| near.iter().position(|byte| *byte == b'<'));
        &near[..end.unwrap_or(near.len())]
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part.eq_ignore_ascii_case(wanted))
}

/// Resolves character references and folds blanks; all other bytes stay as they are.
pub(crate) fn text(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.get(..LONGEST).unwrap_or(bytes);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match reference(after).filter(|_| *byte == b'&') {
            Some((character, after)) => {
                rest = after;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => text.push(*byte),
        }
    }
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// References by name that titles use (HTML Living Standard, section 13.5).
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("copy", '\u{a9}'),
    ("reg", '\u{ae}'),
    ("trade", '\u{2122}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("middot", '\u{b7}'),
    ("bull", '\u{2022}'),
    ("raquo", '\u{bb}'),
    ("laquo", '\u{ab}'),
    ("auml", '\u{e4}'),
    ("ouml", '\u{f6}'),
    ("uuml", '\u{fc}'),
    ("Auml", '\u{c4}'),
    ("Ouml", '\u{d6}'),
    ("Uuml", '\u{dc}'),
    ("szlig", '\u{df}'),
    ("eacute", '\u{e9}'),
    ("egrave", '\u{e8}'),
    ("agrave", '\u{e0}'),
    ("ccedil", '\u{e7}'),
    ("rsquo", '\u{2019}'),
];

/// The character that a reference names, and what follows it. A final semicolon may be missing.
fn reference(bytes: &[u8]) -> Option<(char, &[u8])> {
    let number = |digits: &[u8], radix| {
        let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
        let character = char::from_u32(code).filter(|character| *character != '\0')?;
        Some(if character == '\u{a0}' { ' ' } else { character })
    };
    let (start, radix) = match bytes {
        [b'#', b'x' | b'X', ..] => (2, 16),
        [b'#', ..] => (1, 10),
        _ => (0, 0),
    };
    let near = bytes.get(start..bytes.len().min(start + 10)).unwrap_or_default();
    let end = near.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(near.len());
    let character = match radix {
        0 => NAMES.iter().find(|(name, _)| name.as_bytes() == &near[..end]).map(|(_, character)| *character),
        radix => number(&near[..end], radix),
    };
    let after = &bytes[start + end..];
    Some((character?, after.strip_prefix(b";").unwrap_or(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_titles() {
        for (page, title) in [
            (&b"<html><head><TITLE>\r\n HP&nbsp;LaserJet&#160;&amp; \t Co &#x41;&eacute; &bogus; &</Title>"[..], "HP LaserJet & Co A\u{e9} &bogus; &"),
            (b"<!-- <title>no</title> --><title></title><title>yes</title>", "yes"),
            (b"<script>var a = '<title>no</title>'</script><title>yes", "yes"),
            (b"<title>cut<body>", "cut"),
            (b"<title lang=\"a>b\">t</title>", "t"),
            (b"<svg:title>x</svg:title><title/ >a<b</title>", "a<b"),
            (b"<title>\x1b[31mred</title>", "\x1b[31mred"),
        ] {
            assert_eq!(String::from_utf8_lossy(&read(page).title), title, "{}", page.escape_ascii());
        }
        assert_eq!(read(b"<title>\xb0C</title>").title, b"\xb0C");
    }

    #[test]
    fn reads_where_the_page_leads() {
        let page = read(
            b"<META HTTP-EQUIV='Refresh' content=\"0; URL='/cgi/login.cgi?a=b&amp;c'\">\
            <link rel='shortcut icon' href=/img/f.ico><meta name=generator content=\"WordPress 6.1\"><input>",
        );
        assert_eq!(page.refresh, b"/cgi/login.cgi?a=b&c");
        assert_eq!(
            (page.icon, page.generator, page.form),
            (b"/img/f.ico".to_vec(), b"WordPress 6.1".to_vec(), true)
        );
        for (code, target) in [
            ("window.location.href = \"/main.html\";", "/main.html"),
            ("top.location='/a'", "/a"),
            ("if (x) location.replace( '/b' )", "/b"),
            ("var y = location.host; document.location = \"/c\"", "/c"),
            ("location.href = \"https://\" + location.host", ""),
            ("location.reload()", ""),
            ("location = target", ""),
        ] {
            let page = format!("<script type=x>{code}</script>");
            assert_eq!(String::from_utf8_lossy(&read(page.as_bytes()).script), target, "{code}");
        }
        assert_eq!(read(b"<body onload=\"location.href='/d'\">").script, b"/d");
    }

    #[test]
    fn hostile_pages_take_linear_time() {
        let size = 128 << 10;
        for part in [
            &b"<a \""[..],
            b"<",
            b"<title>",
            b"<!--",
            b"<script>",
            b"<a b='",
            b"<a b=\"'",
            b"&#",
            b"<meta a",
            b"<p a=b c",
        ] {
            let page = part.repeat(size / part.len());
            read(&page);
            text(&page);
        }
        let page = [&b"<script>"[..], &b"location='".repeat(size / 10)].concat();
        assert!(read(&page).script.len() < LONGEST);
    }
}
