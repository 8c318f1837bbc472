//! One fingerprint, rule or exposure in words.

use std::fmt::Write;

use headcount_match::{Condition, Entry, ExposureRule, Given, Library, Matcher, Notes, Rule, Saying, Words};

/// What the library says of an id. `None` where it has none such.
pub(super) fn explain(library: &Library, id: &str) -> Option<String> {
    if let Some(own) = id.strip_prefix("rule/") {
        return library.rules().iter().find(|rule| rule.id == own).map(rule_text);
    }
    if let Some(own) = id.strip_prefix("exposure/") {
        return library.exposures().iter().find(|exposure| exposure.id == own).map(exposure_text);
    }
    // A table's key may hold a slash, a field does not.
    let (field, own) = id.split_once('/')?;
    let (entry, notes) = library.entries(field).into_iter().find(|(entry, _)| entry.id == own)?;
    Some(entry_text(field, &entry, &notes))
}

/// Lines of a name and what stands under it.
struct Lines(String);

impl Lines {
    fn under(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    fn add(&mut self, name: &str, text: &str) {
        let _ = writeln!(self.0, "  {name:<10} {text}");
    }

    fn says(&mut self, says: &[Saying]) {
        for saying in says {
            let text = format!("{} = {} ({:.2})", saying.attribute, saying.value, saying.certainty);
            self.add("says", &text);
        }
    }

    fn when(&mut self, conditions: &[Condition]) {
        for (number, condition) in conditions.iter().enumerate() {
            self.add(if number == 0 { "where" } else { "and" }, &condition_text(condition));
        }
    }

    fn given(&mut self, name: &str, all: &[Given]) {
        for given in all {
            let pairs = given.statements.iter().chain(&given.attributes);
            let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name} = {value:?}")).collect();
            self.add(name, &pairs.join(", "));
        }
    }
}

fn entry_text(field: &str, entry: &Entry, notes: &Notes) -> String {
    let mut lines = Lines::under(&format!("{field}/{}", entry.id));
    lines.add("matches", &matcher_text(&entry.matcher));
    lines.says(&entry.says);
    entry.supersedes.iter().for_each(|other| lines.add("instead of", other));
    entry.asks.iter().for_each(|path| lines.add("asks for", path));
    lines.add("source", &notes.source);
    lines.add("file", &notes.file);
    for example in &notes.examples {
        lines.add("example", &format!("\"{}\"", example.input.escape_ascii()));
        for (attribute, value) in &example.says {
            lines.add("", &format!("  {attribute} = {value}"));
        }
    }
    notes.misses.iter().for_each(|miss| lines.add("misses", &format!("\"{}\"", miss.escape_ascii())));
    lines.0
}

fn rule_text(rule: &Rule) -> String {
    let mut lines = Lines::under(&format!("rule/{}", rule.id));
    lines.when(&rule.when);
    lines.says(&rule.says);
    lines.add("source", &rule.source);
    lines.add("file", &rule.file);
    lines.given("example", &rule.examples);
    lines.given("misses", &rule.misses);
    lines.0
}

fn exposure_text(exposure: &ExposureRule) -> String {
    let mut lines = Lines::under(&format!("exposure/{}", exposure.id));
    lines.add("title", &exposure.title);
    lines.add("grade", &exposure.grade);
    if let Some((field, matcher)) = &exposure.evidence {
        lines.add("shown by", &format!("{field}: {}", matcher_text(matcher)));
    }
    lines.when(&exposure.when);
    if let Some(version) = &exposure.version_before {
        let word = if exposure.when.is_empty() { "where" } else { "and" };
        lines.add(word, &format!("device.version is known and before {version}"));
    }
    lines.add("certainty", &format!("{:.2}", exposure.certainty));
    lines.add("remedy", &exposure.remedy);
    lines.add("controls", &format!("ISO/IEC 27001:2022 Annex A: {}", exposure.controls.join(", ")));
    lines.add("source", &exposure.source);
    lines.add("file", &exposure.file);
    lines.given("example", &exposure.examples);
    lines.given("misses", &exposure.misses);
    lines.0
}

fn condition_text(condition: &Condition) -> String {
    match &condition.pattern {
        Some(pattern) => format!("{} matches /{}/", condition.attribute, pattern.text),
        None => {
            let any: Vec<String> = condition.any.iter().map(|value| format!("{value:?}")).collect();
            format!("{} is {}", condition.attribute, any.join(" or "))
        }
    }
}

fn matcher_text(matcher: &Matcher) -> String {
    let words = |kind: &str, words: &Words| {
        let any: Vec<String> = words.any.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect();
        format!("{kind} {}{}", any.join(" or "), if words.ignore_case { ", in any case" } else { "" })
    };
    match matcher {
        Matcher::Pattern(pattern) => format!("/{}/", pattern.text),
        Matcher::Equals(list) => words("exactly", list),
        Matcher::Prefix(list) => words("what starts with", list),
        Matcher::LongestPrefix(list) => {
            format!("{}, unless a longer row of the table does", words("what starts with", list))
        }
        Matcher::Contains(list) => words("what holds", list),
        Matcher::OidPrefix(oid) => {
            format!("{oid} and what lies below it, unless a longer row of the table does")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = r#"
        [[entry]]
        id = "a"
        field = "http.server"
        prefix = ["Cam", "cam/"]
        ignore_case = true
        certainty = 0.9
        says = { "device.type" = "camera" }
        asks = ["/info.xml"]
        source = "made up for the test"
        examples = ["Cam"]
        [[rule]]
        id = "b"
        when = { "device.vendor" = ["Axis", "Sony"], "device.model" = '/^P\d/' }
        says = { "device.type" = "camera" }
        certainty = 0.9
        source = "made up for the test"
        examples = [ { given = { "device.vendor" = "Axis", "device.model" = "P1" } } ]
        [[exposure]]
        id = "c"
        grade = "known-default"
        title = "Known account"
        field = "sadp.activated"
        equals = "false"
        version_before = "5.3"
        remedy = "Activate it."
        controls = ["A.5.17"]
        source = "made up for the test"
        examples = [ { statements = { "sadp.activated" = "false" }, given = { "device.version" = "5.2" } } ]
    "#;

    fn text(id: &str) -> Option<String> {
        let mut library = Library::empty();
        library.overlay(&[("a.toml".to_owned(), FACTS.to_owned())]).unwrap();
        explain(&library, id)
    }

    #[test]
    fn facts_are_told_in_words() {
        let entry = text("http.server/a").unwrap();
        assert!(entry.contains(r#"what starts with "Cam" or "cam/", in any case"#), "{entry}");
        assert!(entry.contains("device.type = camera (0.90)"), "{entry}");
        assert!(entry.contains("asks for   /info.xml\n"), "{entry}");
        let rule = text("rule/b").unwrap();
        assert!(rule.contains("where      device.model matches /^P\\d/"), "{rule}");
        assert!(rule.contains(r#"and        device.vendor is "Axis" or "Sony""#), "{rule}");
        let exposure = text("exposure/c").unwrap();
        assert!(exposure.contains(r#"shown by   sadp.activated: exactly "false""#), "{exposure}");
        assert!(exposure.contains("device.version is known and before 5.3"), "{exposure}");
        assert!(exposure.contains("Annex A: A.5.17"), "{exposure}");
    }

    #[test]
    fn what_is_not_there_is_not_explained() {
        for id in ["http.server/z", "rule/z", "exposure/z", "z", "no.field/a"] {
            assert_eq!(text(id), None, "{id}");
        }
    }
}
