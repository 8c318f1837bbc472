use std::{cell::Cell, sync::LazyLock};

use proptest::{prelude::*, sample::Index as Place};

use super::*;

mod faults;

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::embedded);

/// Every value that the library's own files give: field and value.
static VALUES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let fields: Vec<String> = LIBRARY.fields().map(|(field, _)| field.to_owned()).collect();
    let of_field = |field: String| -> Vec<(String, Vec<u8>)> {
        let mut values = Vec::new();
        for (entry, notes) in LIBRARY.entries(&field) {
            values.extend(notes.examples.iter().map(|example| example.input.to_vec()));
            values.extend(notes.misses.iter().map(|miss| miss.to_vec()));
            values.extend(entry.matcher.key().map(<[u8]>::to_vec));
        }
        // A field of many rows must not take all the turns.
        let step = values.len() / 400 + 1;
        values.into_iter().step_by(step).map(|value| (field.clone(), value)).collect()
    };
    fields.into_iter().flat_map(of_field).collect()
});

/// What matches when every entry is tried, by their numbers.
fn naive(entries: &[Entry], value: &[u8]) -> Vec<String> {
    let longest = |wanted: fn(&Matcher) -> Option<usize>| {
        entries.iter().filter(|e| e.matcher.matches(value)).filter_map(|e| wanted(&e.matcher)).max()
    };
    let longest_prefix = longest(prefix_len);
    let longest_oid = longest(oid_len);
    let speaks = |entry: &&Entry| {
        entry.matcher.matches(value)
            && prefix_len(&entry.matcher).is_none_or(|len| Some(len) == longest_prefix)
            && oid_len(&entry.matcher).is_none_or(|len| Some(len) == longest_oid)
    };
    entries.iter().filter(speaks).map(|entry| entry.id.to_string()).collect()
}

fn prefix_len(matcher: &Matcher) -> Option<usize> {
    let Matcher::LongestPrefix(words) = matcher else { return None };
    words.any.first().map(|word| word.len())
}

fn oid_len(matcher: &Matcher) -> Option<usize> {
    let Matcher::OidPrefix(oid) = matcher else { return None };
    Some(oid.len())
}

fn matching(field: &str, value: &[u8]) -> Vec<String> {
    LIBRARY.matching(field, value).into_iter().map(|entry| entry.id.to_string()).collect()
}

/// How a value is changed.
#[derive(Clone, Debug)]
enum Change {
    None,
    Cut(Place, Place),
    Insert(Place, Vec<u8>),
    Case(Place, Place),
    Join(Place),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::None),
        (any::<Place>(), any::<Place>()).prop_map(|(a, b)| Change::Cut(a, b)),
        (any::<Place>(), proptest::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, b)| Change::Insert(at, b)),
        (any::<Place>(), any::<Place>()).prop_map(|(a, b)| Change::Case(a, b)),
        any::<Place>().prop_map(Change::Join),
    ]
}

fn changed(value: &[u8], change: &Change) -> Vec<u8> {
    let place = |place: &Place| place.index(value.len() + 1);
    let span = |a: &Place, b: &Place| place(a).min(place(b))..place(a).max(place(b));
    let mut value = value.to_vec();
    match change {
        Change::None => {}
        Change::Cut(a, b) => drop(value.drain(span(a, b))),
        Change::Insert(at, bytes) => drop(value.splice(place(at)..place(at), bytes.iter().copied())),
        Change::Case(a, b) => {
            for byte in &mut value[span(a, b)] {
                *byte = if byte.is_ascii_lowercase() {
                    byte.to_ascii_uppercase()
                } else {
                    byte.to_ascii_lowercase()
                };
            }
        }
        Change::Join(other) => value.extend_from_slice(&other.get(&VALUES).1),
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_index_finds_what_trying_every_entry_finds(
        at in any::<Place>(),
        first in changes(),
        second in changes(),
    ) {
        let (field, value) = at.get(&VALUES);
        let value = changed(&changed(value, &first), &second);
        let value = value.get(..MAX_VALUE).unwrap_or(&value);
        let slot = LIBRARY.fields.get(field.as_str()).unwrap();
        prop_assert_eq!(matching(field, value), naive(slot.index(&LIBRARY.blob).entries(), value));
    }

    #[test]
    fn any_bytes_are_matched_in_any_field(at in any::<Place>(), value in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (field, _) = at.get(&VALUES);
        for found in LIBRARY.matches(field, &value) {
            for claim in &found.claims {
                prop_assert!(claim.certainty > 0.0 && claim.certainty <= 1.0);
                prop_assert!(!claim.value.trim().is_empty());
            }
        }
    }
}

/// A library of one file.
fn with(text: &str) -> Library {
    let mut library = Library::empty();
    library.overlay(&[("a.toml".to_owned(), text.to_owned())]).unwrap();
    library
}

/// Claims on `value`, as `fingerprint: attribute = value`.
fn claims(library: &Library, field: &str, value: &str) -> Vec<String> {
    let matches = library.matches(field, value.as_bytes());
    let of_match = |found: &Match<'_>| -> Vec<String> {
        let line =
            |claim: &Claim<'_>| format!("{}: {} = {}", found.fingerprint, claim.attribute, claim.value);
        found.claims.iter().map(line).collect()
    };
    matches.iter().flat_map(of_match).collect()
}

const ENTRIES: &str = r#"
field = "http.server"
[[entry]]
id = "pattern"
pattern = '^Thing[/_](?P<model>[^ (]+)(?: \((?P<version>[0-9._-]+)\))?'
certainty = 0.9
says = { "device.vendor" = "Axis Communications AB", "device.product" = "Thing {{{model|underscores|upper}}}", "device.version" = "{version|dots}", "device.name" = "{1|before:_|lower}" }
source = "made up for the test"
examples = ["Thing/x"]
[[entry]]
id = "any"
contains = ["THING"]
ignore_case = true
certainty = 0.5
says = { "device.type" = { value = "camera", certainty = 0.25 } }
source = "made up for the test"
examples = ["a thing"]
[[entry]]
id = "start"
prefix = ["Thing/", "Other/"]
certainty = 0.5
says = { "device.type" = "printer" }
source = "made up for the test"
examples = ["Thing/"]
supersedes = ["http.server/any"]
"#;

#[test]
fn claims_are_made_of_captures() {
    let library = with(ENTRIES);
    let all = claims(&library, "http.server", "Thing_A_b (1_2-3)");
    let wanted = [
        "http.server/pattern: device.name = a",
        "http.server/pattern: device.product = Thing {A B}",
        "http.server/pattern: device.vendor = Axis",
        "http.server/pattern: device.version = 1.2.3",
        "http.server/any: device.type = camera",
    ];
    assert_eq!(all, wanted);
    // A capture that took no part claims nothing; the superseded fingerprint is silent.
    let all = claims(&library, "http.server", "Thing/x");
    assert!(!all.iter().any(|claim| claim.contains("version")), "{all:?}");
    assert!(!all.iter().any(|claim| claim.contains("/any:")), "{all:?}");
    assert_eq!(all.last().unwrap(), "http.server/start: device.type = printer");
    let matches = library.matches("http.server", b"some thing");
    assert_eq!(matches[0].claims[0].certainty, 0.25);
}

#[test]
fn derived_fields_are_matched_too() {
    let text = ENTRIES.replace("http.server", "http.auth_realm");
    let library = with(&text);
    let value = br#"Basic realm="Other/thing""#;
    let matches = library.matches("http.www_authenticate", value);
    let seen: Vec<_> =
        matches.iter().map(|found| (found.fingerprint.as_ref(), found.value.as_ref())).collect();
    assert_eq!(seen, [("http.auth_realm/start", b"Other/thing".as_slice())]);
}

#[test]
fn pages_are_asked_for_by_what_matches_and_is_not_superseded() {
    let text = ENTRIES
        .replacen("certainty = 0.9", "certainty = 0.9\nasks = ['/pattern', '/both']", 1)
        .replacen(
            "certainty = 0.5\nsays = { \"device.type\" = {",
            "certainty = 0.5\nasks = ['/any']\nsays = { \"device.type\" = {",
            1,
        )
        .replacen(
            "certainty = 0.5\nsays = { \"device.type\" = \"printer\"",
            "certainty = 0.5\nasks = ['/both', '/start']\nsays = { \"device.type\" = \"printer\"",
            1,
        );
    let library = with(&text);
    // Each page once; the superseded fingerprint asks for nothing.
    assert_eq!(library.asks("http.server", b"Thing/x"), ["/pattern", "/both", "/start"]);
    assert_eq!(library.asks("http.server", b"some thing"), ["/any"]);
    assert!(
        library.asks("http.server", b"other").is_empty() && library.asks("http.title", b"Thing/x").is_empty()
    );
    assert!(library.asks("no.field", b"Thing/x").is_empty());
    // A derived field asks for what the field that it stood in says.
    let realm = with(&text.replace("http.server", "http.auth_realm"));
    assert_eq!(realm.asks("http.www_authenticate", br#"Basic realm="some thing""#), ["/any"]);
}

#[test]
fn the_compiled_library_asks_for_the_pages_of_its_files() {
    let library = &*LIBRARY;
    assert_eq!(library.asks("http.server", b"HPE-iLO-Server/1.30"), ["/xmldata?item=all", "/redfish/v1/"]);
    assert_eq!(library.asks("tls.subject", b"CN=fritz.box"), ["/jason_boxinfo.xml"]);
    assert!(library.asks("http.server", b"Apache/2.4.1").is_empty());
    // Who asks for a page can read it: each has a fingerprint that matches its answer.
    let read: Vec<Vec<u8>> =
        VALUES.iter().filter(|(field, _)| field == "http.page").map(|(_, value)| value.clone()).collect();
    for (field, _) in library.fields() {
        for path in library.entries(field).iter().flat_map(|(entry, _)| &entry.asks) {
            let start = format!("{path}\n");
            assert!(read.iter().any(|value| value.starts_with(start.as_bytes())), "nothing reads {path}");
        }
    }
}

#[test]
fn the_longest_row_of_a_table_speaks() {
    let table = "# field: snmp.sysobjectid\n# match: oid-prefix\n# source: made up for the test\n\
                 # columns: key\tdevice.vendor\tdevice.type\tcertainty\n\
                 1.3.6.1.4.1.9\tCisco\n\
                 1.3.6.1.4.1.9.1.1208\tCisco\tswitch\t0.5\n";
    let mut library = Library::empty();
    library.overlay(&[("a.tsv".to_owned(), table.to_owned())]).unwrap();
    let ids = |oid: &str| -> Vec<String> {
        library
            .matches("snmp.sysobjectid", oid.as_bytes())
            .iter()
            .map(|found| found.fingerprint.to_string())
            .collect()
    };
    assert_eq!(ids("1.3.6.1.4.1.9.1.1208"), ["snmp.sysobjectid/1.3.6.1.4.1.9.1.1208"]);
    assert_eq!(ids(".1.3.6.1.4.1.9.1.1208.7"), ["snmp.sysobjectid/1.3.6.1.4.1.9.1.1208"]);
    assert_eq!(ids("1.3.6.1.4.1.9.1.12080"), ["snmp.sysobjectid/1.3.6.1.4.1.9"]);
    assert!(ids("1.3.6.1.4.1.99").is_empty());
    let matches = library.matches("snmp.sysobjectid", b"1.3.6.1.4.1.9.1.1208");
    assert!(matches[0].claims.iter().all(|claim| claim.certainty == 0.5));
}

#[test]
fn makers_have_one_spelling() {
    let library = Library::embedded();
    for spelling in ["HP", "hp", "Hewlett-Packard", "HEWLETT-PACKARD COMPANY", "Hewlett-Packard Co."] {
        assert_eq!(library.vendor(spelling), Some("HP"), "{spelling}");
    }
    assert_eq!(library.vendor("Axis Communications AB"), Some("Axis"));
    for spelling in ["", ".", "Inc.", "nobody at all"] {
        assert_eq!(library.vendor(spelling), None, "{spelling}");
    }
    // The library's own names are their own spellings, and they are sorted.
    assert!(library.vendors().is_sorted_by(|a, b| a.name < b.name));
    for vendor in library.vendors() {
        assert_eq!(library.vendor(&vendor.name), Some(vendor.name.as_ref()));
    }
}

#[test]
fn what_is_laid_over_replaces_its_namesakes() {
    let mut library = with(ENTRIES);
    let other = r#"
        [[entry]]
        field = "http.server"
        id = "any"
        equals = "other"
        certainty = 0.5
        says = { "device.vendor" = "Newmaker Incorporated" }
        source = "made up for the test"
        examples = ["other"]
    "#;
    let vendors = "New Maker\t\tNewmaker\nAxis\t\tAxis Two\n";
    let files = [("b.toml".to_owned(), other.to_owned()), ("vendors.tsv".to_owned(), vendors.to_owned())];
    library.overlay(&files).unwrap();
    assert!(library.matches("http.server", b"a thing").is_empty());
    assert_eq!(claims(&library, "http.server", "other"), ["http.server/any: device.vendor = New Maker"]);
    assert_eq!(library.fields().collect::<Vec<_>>(), [("http.server", 3)]);
    assert_eq!(library.vendor("Axis Two"), Some("Axis"));
}

/// Time cannot be tested, but the work can: what is looked at, tried and handed out is bounded.
#[test]
fn a_hostile_value_costs_no_more_than_a_long_one() {
    let all: Vec<u8> =
        VALUES.iter().flat_map(|(_, value)| value.iter().copied()).cycle().take(1 << 20).collect();
    let fields: Vec<String> = LIBRARY.fields().map(|(field, _)| field.to_owned()).collect();
    for field in &fields {
        let whole = LIBRARY.matches(field, &all);
        assert_eq!(whole, LIBRARY.matches(field, &all[..MAX_VALUE]), "{field}");
        assert!(whole.iter().all(|found| found.value.len() <= MAX_VALUE), "{field}");
    }
}

#[test]
fn of_patterns_that_all_want_the_same_text_only_some_are_tried() {
    let entry = |number: usize| {
        let pattern = Matcher::Pattern(Pattern::new(format!("same text{{1,2}}.*{number}")).unwrap());
        Entry {
            id: number.to_string().into(),
            matcher: pattern,
            says: Vec::new(),
            supersedes: Vec::new(),
            first_of: Text::default(),
            asks: Vec::new(),
        }
    };
    let index = Index::new((0..2000).map(entry).collect());
    let value = b"same text 1999 1000 3";
    let tried = Cell::new(0);
    for entry in index.entries() {
        if let Matcher::Pattern(pattern) = &entry.matcher {
            assert_eq!(pattern.needles, [b"same tex".as_slice()]);
            tried.set(tried.get() + 1);
        }
    }
    assert_eq!(tried.get(), 2000);
    let ids: Vec<_> = index.matching(value).into_iter().map(|entry| entry.id.to_string()).collect();
    // 0, 1, 3, 9, 10, 19, 99, 100, 199 and so on match, but those after the first 512 are not tried.
    assert!(ids.contains(&"3".to_owned()) && ids.contains(&"199".to_owned()), "{ids:?}");
    assert!(ids.iter().all(|id| id.parse::<usize>().unwrap() < 512), "{ids:?}");
}

#[test]
fn bytes_that_are_no_library_are_refused() {
    let (_, parts) = Blob::open(EMBEDDED).unwrap();
    assert_eq!(parts.len(), LIBRARY.fields().count());
    for len in [0, 3, 4, 8, 100, EMBEDDED.len() / 2] {
        assert!(Blob::open(&EMBEDDED[..len]).is_none(), "{len}");
    }
}

#[test]
fn words_of_a_text_add_to_what_the_field_itself_says() {
    let entry = |field: &str, id: &str, certainty: f64, says: &str| {
        format!(
            "[[entry]]\nid = \"{id}\"\nfield = \"{field}\"\ncontains = \"Frob\"\ncertainty = {certainty}\n\
             says = {{ {says} }}\nsource = \"a test\"\nexamples = [\"Frob\"]\n"
        )
    };
    let text = [
        entry("ftp", "own", 0.8, "\"device.vendor\" = \"Axis\", \"device.type\" = \"camera\""),
        entry("text", "weaker", 0.7, "\"device.vendor\" = \"Bosch\", \"device.product\" = \"Frob\""),
        entry("text", "surer", 0.9, "\"device.type\" = \"nvr\""),
        entry("text", "same", 0.8, "\"device.vendor\" = \"Sony\""),
    ];
    let mut library = Library::empty();
    library.overlay(&[("x.toml".to_owned(), text.concat())]).unwrap();
    let of = |field: &str| -> Vec<(String, String, String)> {
        let matches = library.matches(field, b"a Frob");
        let claims = matches.iter().flat_map(|found| {
            let row = |claim: &Claim<'_>| {
                (found.fingerprint.to_string(), found.field.to_string(), claim.value.clone())
            };
            found.claims.iter().map(row).collect::<Vec<_>>()
        });
        claims.collect()
    };
    let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    let mut own = of("ftp");
    own.sort();
    assert_eq!(
        own,
        [
            row("ftp/own", "ftp", "Axis"),
            row("ftp/own", "ftp", "camera"),
            row("text/surer", "ftp", "nvr"),
            row("text/weaker", "ftp", "Frob"),
        ]
    );
    assert_eq!(of("telnet").iter().filter(|(_, field, _)| field == "telnet").count(), 4);
    assert!(of("snmp.sysname").is_empty());
}
