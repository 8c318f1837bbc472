//! What is wrong with a file is told with its name, the entry and the cause.

use super::*;

const ENTRY: &str = r#"
field = "http.server"
[[entry]]
id = "one"
equals = "x"
certainty = 0.9
says = { "device.type" = "camera" }
source = "made up for the test"
examples = ["x"]
"#;
const RULE: &str = r#"
[[rule]]
id = "two"
when = { "device.vendor" = "Axis" }
says = { "device.type" = "camera" }
certainty = 0.9
source = "made up for the test"
examples = [ { given = { "device.vendor" = "Axis" } } ]
"#;
const EXPOSURE: &str = r#"
[[exposure]]
id = "three"
grade = "known-default"
title = "Known account"
when = { "device.vendor" = "Axis" }
remedy = "Set a password."
controls = ["A.5.17"]
source = "made up for the test"
examples = [ { given = { "device.vendor" = "Axis" } } ]
"#;
const TABLE: &str = "# field: snmp.enterprise\n# match: equals\n# certainty: 0.9\n# source: made up for the test\n\
                     # columns: key\tdevice.vendor\tcertainty\n9\tCisco\t0.9\n";

/// The faults of one file, as they are shown; the library must be as before.
fn faults(file: &str, text: &str) -> Vec<String> {
    let mut library = with(ENTRIES);
    match library.overlay(&[(file.to_owned(), text.to_owned())]) {
        Ok(()) => Vec::new(),
        Err(faults) => {
            assert_eq!(library.fields().collect::<Vec<_>>(), [("http.server", 3)]);
            faults.iter().map(ToString::to_string).collect()
        }
    }
}

/// One fault that starts with `place` and tells `cause`.
#[track_caller]
fn wrong(file: &str, text: &str, place: &str, cause: &str) {
    let all = faults(file, text);
    let [fault] = &all[..] else { panic!("{all:?}") };
    assert!(fault.starts_with(&format!("{file}: {place}")) && fault.contains(cause), "{fault}");
}

#[test]
fn what_is_right_is_read() {
    for text in [ENTRY, RULE, EXPOSURE] {
        assert_eq!(faults("a.toml", text), [""; 0]);
    }
    assert_eq!(faults("a.tsv", TABLE), [""; 0]);
    assert_eq!(faults("a.txt", "anything"), [""; 0]);
}

#[test]
fn broken_toml_names_the_line_and_the_entry() {
    wrong("a.toml", &format!("{ENTRY}says = {{"), "line 10 (in or after \"one\"): ", "");
    wrong("a.toml", "field = ", "line 1: ", "");
    wrong("vocabulary.toml", "[attributes\n", "line 1: ", "");
    wrong("a.toml", "file = 1\n", "", "\"file\" is not known here");
    wrong("a.toml", "entry = 1\n", "", "[[entry]]");
}

#[test]
fn wrong_entries_are_named() {
    let change = |from: &str, to: &str| ENTRY.replace(from, to);
    for (text, cause) in [
        (change("equals = \"x\"", "pattern = 'a(?=b)'"), "at character 1"),
        (change("equals = \"x\"", r"pattern = '(a)\1'"), "at character 3"),
        (change("equals = \"x\"", "pattern = 'a('"), "at character 1"),
        (change("equals = \"x\"", "pattern = 'x'\nprefix = 'x'"), "exactly one of"),
        (change("equals = \"x\"", ""), "exactly one of"),
        (change("equals = \"x\"", "equals = ''"), "an empty text"),
        (change("equals = \"x\"", "equals = []"), "an empty text"),
        (change("equals = \"x\"", "pattern = 'x'\nignore_case = true"), "(?i)"),
        (change("0.9", "0"), "above 0, at most 1"),
        (change("0.9", "1.01"), "above 0, at most 1"),
        (change("0.9", "nan"), "above 0, at most 1"),
        (change("\"camera\"", "\"{type\""), "device.type: a brace is not closed"),
        (change("\"camera\"", "\"{1|nothing}\""), "\"nothing\" is no filter"),
        (change("\"camera\"", "\"{1|before:}\""), "is no filter"),
        (change("\"camera\"", "\"{}\""), "names no group"),
        (change("\"camera\"", "\"}\""), "a brace is not opened"),
        (change("{ \"device.type\" = \"camera\" }", "{}"), "says nothing"),
        (change("\"made up for the test\"", "\" \""), "source is empty"),
        (change("source =", "sauce ="), "sauce"),
        (change("[\"x\"]", "[{ hex = \"abc\" }]"), "odd number of digits"),
        (change("[\"x\"]", "[{ hex = \"zz\" }]"), "or others"),
        (change("[\"x\"]", "[{ says = {} }]"), "an input, or hex"),
    ] {
        wrong("http/a.toml", &text, "one: ", cause);
    }
    wrong("a.toml", &change("field = \"http.server\"", ""), "one: ", "names no field");
    wrong("a.toml", &change("id = \"one\"", ""), "entry 1: ", "id");
    let twice = format!("{ENTRY}{}", ENTRY.replace("field = \"http.server\"", ""));
    wrong("a.toml", &twice, "one: ", "used twice");
}

#[test]
fn pages_that_may_not_be_asked_for_are_refused() {
    let asking = |pages: &str| format!("{ENTRY}asks = {pages}\n");
    let long = format!("['/{}']", "x".repeat(128));
    for (pages, cause) in [
        ("[]", "one page or two, not for 0"),
        ("['/a', '/b', '/c']", "one page or two, not for 3"),
        ("['info.xml']", "\"info.xml\""),
        ("['http://192.0.2.1/']", "\"http://192.0.2.1/\""),
        ("['']", "\"\""),
        ("['/a', '/b c']", "\"/b c\""),
        ("['/a#1']", "without #"),
        ("[\"/a\\r\\nX: y\"]", "visible ASCII"),
        ("['/\u{fc}']", "visible ASCII"),
        (long.as_str(), "at most 128 bytes"),
        ("'/a'", "sequence"),
    ] {
        wrong("http/a.toml", &asking(pages), "one: ", cause);
    }
    for field in ["ssh", "upnp.modelname", "text", "http.page", "https.title"] {
        let text = asking("['/a']").replace("http.server", field);
        wrong("a.toml", &text, "one: ", &format!("ask for pages, not {field:?}"));
    }
    for field in ["http.title", "tls.subject.cn"] {
        let text = asking("['/a?b=c', '/d']").replace("http.server", field);
        assert!(with(ENTRIES).overlay(&[("a.toml".to_owned(), text)]).is_ok(), "{field}");
    }
}

#[test]
fn wrong_rules_and_exposures_are_named() {
    let rule = |from: &str, to: &str| RULE.replace(from, to);
    for (text, cause) in [
        (rule("{ \"device.vendor\" = \"Axis\" }\nsays", "{}\nsays"), "no condition"),
        (rule("= \"Axis\" }\nsays", "= [] }\nsays"), "device.vendor: no value is wanted"),
        (rule("= \"Axis\" }\nsays", "= '/[/' }\nsays"), "device.vendor: the pattern is wrong"),
        (rule("certainty = 0.9", "certainty = -1"), "above 0"),
    ] {
        wrong("rules/a.toml", &text, "two: ", cause);
    }
    let exposure = |from: &str, to: &str| EXPOSURE.replace(from, to);
    for (text, cause) in [
        (exposure("known-default", "bad"), "\"bad\" is no grade; there are disclosed, factory-state"),
        (exposure("when =", "field = 'x'\nwhen ="), "go together"),
        (exposure("when =", "equals = 'x'\nwhen ="), "go together"),
        (exposure("when = { \"device.vendor\" = \"Axis\" }", ""), "or when"),
        (exposure("Set a password.", ""), "remedy is empty"),
        (exposure("controls = [\"A.5.17\"]", ""), "controls"),
    ] {
        wrong("exposures/a.toml", &text, "three: ", cause);
    }
}

#[test]
fn wrong_tables_name_the_line() {
    let change = |from: &str, to: &str| TABLE.replace(from, to);
    for (text, place, cause) in [
        (change("# field: snmp.enterprise\n", ""), "", "\"# field: …\""),
        (change("\tdevice.vendor\tcertainty", ""), "", "parted by tabs"),
        (change("equals", "regex"), "", "\"regex\" is no way to match"),
        (change("# certainty: 0.9", "# certainty: much"), "", "a certainty is"),
        (change("9\tCisco\t0.9", "9\tCisco\t0.9\tmore"), "line 6: ", "4 cells, but 3 columns"),
        (change("9\tCisco\t0.9", "\tCisco"), "line 6: ", "no key"),
        (change("9\tCisco\t0.9", "9\t\t0.9"), "line 6: ", "says nothing"),
        (change("9\tCisco\t0.9", "9\tCisco\t2"), "line 6: ", "above 0"),
    ] {
        wrong("tables/a.tsv", &text, place, cause);
    }
    wrong("tables/a.tsv", &format!("{TABLE}9\tCisco\n"), "9: ", "snmp.enterprise/9 is used twice");
}

#[test]
fn wrong_makers_and_types_are_named() {
    wrong("vendors.tsv", "# head\n\tcpe\talias\n", "line 2: ", "write the name");
    wrong("vendors.tsv", "A\tb\tc\td\n", "line 1: ", "write the name");
    wrong("vendors.tsv", "A\n\nA\n", "A: ", "two lines");
    wrong("vendors.tsv", "A\t\tThe B\nB\t\tthe b Inc.\n", "", "stands for \"A\" and for \"B\"");
    let types = "[attributes]\n[fields]\n[types]\na = [\"x\"]\nb = [\"x\"]\n";
    wrong("vocabulary.toml", types, "x: ", "in two categories");
}
