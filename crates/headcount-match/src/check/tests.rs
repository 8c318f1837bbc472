use super::*;

/// The faults of a library of this one file.
fn faults(text: &str) -> Vec<String> {
    let mut library = Library::empty();
    library.overlay(&[("a.toml".to_owned(), text.to_owned())]).unwrap();
    check(&library).faults.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn wrong(text: &str, wanted: &[&str]) {
    let all = faults(text);
    assert_eq!(all.len(), wanted.len(), "{all:?}");
    for (fault, wanted) in all.iter().zip(wanted) {
        let (place, cause) = wanted.split_once(" … ").unwrap();
        assert!(fault.starts_with(&format!("a.toml: {place}")) && fault.contains(cause), "{fault}");
    }
}

fn entry(id: &str, pattern: &str, says: &str, rest: &str) -> String {
    format!(
        "[[entry]]\nfield = \"http.server\"\nid = \"{id}\"\npattern = '{pattern}'\ncertainty = 0.9\n\
         says = {says}\nsource = \"made up for the test\"\n{rest}\n"
    )
}

const CAMERA: &str = r#"{ "device.type" = "camera" }"#;
const PRINTER: &str = r#"{ "device.type" = "printer" }"#;

#[test]
fn what_is_right_has_no_fault() {
    let one = entry(
        "a",
        "^(?P<model>x.)",
        r#"{ "device.model" = "{model}" }"#,
        "examples = [{ input = \"xyz\", says = { \"device.model\" = \"xy\" } }]\nmisses = [\"yx\"]",
    );
    let checked = {
        let mut library = Library::empty();
        library.overlay(&[("a.toml".to_owned(), one)]).unwrap();
        check(&library)
    };
    let wanted = Checked { fields: vec![("http.server".to_owned(), 1)], examples: 2, ..Checked::default() };
    assert_eq!(checked, wanted);
}

#[test]
fn examples_are_tried() {
    wrong(&entry("a", "x", CAMERA, ""), &["http.server/a … no example"]);
    wrong(
        &entry("a", "x", CAMERA, "examples = [\"y\\u0000\"]"),
        &[r#"http.server/a … "y\x00" does not match"#],
    );
    let text = entry("a", "x", CAMERA, "examples = [\"x\"]\nmisses = [\"axa\"]");
    wrong(&text, &["http.server/a … which it must miss"]);
    let says = "examples = [{ input = \"x\", says = { \"device.type\" = \"nvr\" } }]";
    wrong(&entry("a", "x", CAMERA, says), &[r#"http.server/a … device.type = "camera", not "nvr""#]);
    let says = "examples = [{ input = \"x\", says = { \"device.model\" = \"1\" } }]";
    wrong(&entry("a", "x", CAMERA, says), &["http.server/a … device.model = nothing"]);
}

#[test]
fn words_are_those_of_the_vocabulary() {
    let word = |says: &str, cause: &str| {
        wrong(&entry("a", "x", says, "examples = [\"x\"]"), &[&format!("http.server/a … {cause}")]);
    };
    word(r#"{ "device.kind" = "camera" }"#, "\"device.kind\" is no attribute");
    word(r#"{ "device.type" = "webcam" }"#, "\"webcam\" is no device type");
    word(r#"{ "device.vendor" = "Nobody at all" }"#, "is not in vendors.tsv");
    word(r#"{ "device.vendor" = "Hewlett-Packard" }"#, "vendors.tsv spells \"Hewlett-Packard\" \"HP\"");
    word(r#"{ "device.model" = "{model}" }"#, "has no group \"model\"");
    let field = entry("a", "x", CAMERA, "examples = [\"x\"]").replace("http.server", "http.servant");
    wrong(&field, &["\"http.servant\" … no field of the vocabulary"]);
}

#[test]
fn contradictions_need_a_word_on_who_is_right() {
    let both = |rest: &str| {
        entry("a", "x", CAMERA, "examples = [\"xy\"]")
            + &entry("b", "y", PRINTER, &format!("examples = [\"y\"]\n{rest}"))
    };
    wrong(&both(""), &["http.server/a and http.server/b … device.type = \"camera\" or \"printer\""]);
    // Told who is right, the example of the other one shows it.
    wrong(&both("supersedes = [\"http.server/a\"]"), &["http.server/a … http.server/b supersedes it"]);
    wrong(
        &both("supersedes = [\"http.server/z\"]"),
        &[
            "http.server/a and http.server/b … disagree",
            "http.server/b … \"http.server/z\", which is not there",
        ],
    );
    let right = entry("a", "x", CAMERA, "examples = [\"xx\"]")
        + &entry("b", "xy", PRINTER, "examples = [\"xy\"]\nsupersedes = [\"http.server/a\"]");
    assert_eq!(faults(&right), [""; 0]);
    // Where there may be many, nothing is contradicted; a longer name of one thing is none either.
    let names = entry("a", "x", r#"{ "device.name" = "A" }"#, "examples = [\"x\"]")
        + &entry("b", "x", r#"{ "device.name" = "B" }"#, "examples = [\"x\"]");
    assert_eq!(faults(&names), [""; 0]);
    let longer = names.replace("device.name", "device.product").replace("\"B\"", "\"a b\"");
    assert_eq!(faults(&longer), [""; 0]);
}

#[test]
fn rules_and_exposures_are_tried() {
    let rule = r#"
        [[rule]]
        id = "a"
        when = { "device.vendor" = "Axis", "device.model" = '/^P\d{4}/' }
        says = { "device.type" = "camera" }
        certainty = 0.9
        source = "made up for the test"
        examples = [ { given = { "device.vendor" = "axis", "device.model" = "P3245" } } ]
        misses = [ { given = { "device.vendor" = "Axis", "device.model" = "A1001" } } ]
    "#;
    assert_eq!(faults(rule), [""; 0]);
    wrong(&rule.replace("A1001", "P1001"), &["rule/a … it holds of device.model = \"P1001\""]);
    wrong(&rule.replace("P3245", "3245"), &["rule/a … it does not hold of"]);
    wrong(&rule.replace("device.model", "device.modell"), &["rule/a … \"device.modell\" is no attribute"]);
    let exposure = r#"
        [[exposure]]
        id = "b"
        grade = "no-authentication"
        title = "Open"
        field = "http.auth_realm"
        prefix = "open"
        when = { "device.vendor" = "Axis" }
        version_before = "5.10"
        remedy = "Close it."
        controls = ["A.5.17"]
        source = "made up for the test"
        examples = [ { statements = { "http.www_authenticate" = "Basic realm=open" }, given = { "device.vendor" = "Axis", "device.version" = "5.9.1" } } ]
        misses = [ { statements = { "http.auth_realm" = "open" }, given = { "device.vendor" = "Axis", "device.version" = "5.10" } } ]
    "#;
    assert_eq!(faults(exposure), [""; 0]);
    wrong(&exposure.replace("realm=open", "realm=shut"), &["exposure/b … it does not hold of"]);
    wrong(
        &exposure.replace("\"device.version\" = \"5.10\"", "\"device.version\" = \"v5.2\""),
        &["exposure/b … it holds of"],
    );
    wrong(
        &exposure.replace("field = \"http.auth_realm\"", "field = \"http.realm\""),
        &["exposure/b … \"http.realm\" is no field", "exposure/b … it does not hold of"],
    );
    let versions = [
        ("1.2", "1.10", true),
        ("1.10", "1.9", false),
        ("v5.2-rc1", "5.2", false),
        ("", "1", false),
        ("99999999999999999999999", "1", false),
    ];
    for (version, limit, before) in versions {
        assert_eq!(crate::is_before(version, limit), before, "{version} {limit}");
    }
}
