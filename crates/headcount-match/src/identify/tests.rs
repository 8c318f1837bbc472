use headcount_model::{Grade, Transport};
use proptest::prelude::*;

use super::*;

const SERVERS: &str = r#"
field = "http.server"
[[entry]]
id = "axis"
equals = "Axis-Web"
certainty = 0.95
says = { "device.vendor" = "Axis", "device.model" = "P3245-LV", "device.version" = "5.4.9" }
source = "made up for the test"
examples = [ { input = "Axis-Web" } ]
[[entry]]
id = "generic"
prefix = "nginx"
certainty = 0.9
says = { "service.product" = "nginx" }
source = "made up for the test"
examples = [ { input = "nginx/1" } ]
"#;

const RULES: &str = r#"
[[rule]]
id = "axis-p"
when = { "device.vendor" = "Axis", "device.model" = '/^P[0-9]{4}/' }
says = { "device.type" = "camera" }
certainty = 0.9
source = "made up for the test"
examples = [ { given = { "device.vendor" = "Axis", "device.model" = "P3245-LV" } } ]
[[rule]]
id = "camera-os"
when = { "device.type" = "camera" }
says = { "os.family" = "Linux" }
certainty = 0.5
source = "made up for the test"
examples = [ { given = { "device.type" = "camera" } } ]
[[rule]]
id = "circle"
when = { "os.family" = "Linux" }
says = { "device.type" = "camera" }
certainty = 0.9
source = "made up for the test"
examples = [ { given = { "os.family" = "Linux" } } ]
"#;

const EXPOSURES: &str = r#"
[[exposure]]
id = "old-axis"
grade = "known-default"
title = "Known account"
when = { "device.vendor" = "Axis" }
version_before = "5.10"
remedy = "Set a password."
controls = ["A.5.17"]
source = "made up for the test"
examples = [ { given = { "device.vendor" = "Axis", "device.version" = "5.4" } } ]
[[exposure]]
id = "not-activated"
grade = "factory-state"
title = "Not activated"
field = "sadp.activated"
equals = "false"
remedy = "Activate it."
controls = ["A.5.17", "A.8.9"]
source = "made up for the test"
examples = [ { statements = { "sadp.activated" = "false" } } ]
"#;

fn library() -> Library {
    let mut library = Library::empty();
    let files = [
        ("http/test.toml", SERVERS),
        ("rules/test.toml", RULES),
        ("exposures/test.toml", EXPOSURES),
        ("vendors.tsv", "Axis\t\tAxis Communications\n"),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    library.overlay(&files).unwrap();
    library
}

fn said<'a>(port: u16, field: &'a str, value: &'a str) -> Said<'a> {
    let endpoint = Endpoint { address: [10, 0, 0, 1].into(), transport: Transport::Tcp, port };
    Said { endpoint: Some(endpoint), field, value: value.as_bytes() }
}

fn value<'a>(identity: &'a Identity, name: &str) -> Option<(&'a str, f64)> {
    identity.attributes.iter().find(|a| a.name == name).map(|a| (a.value.as_str(), a.confidence))
}

#[test]
fn statements_become_attributes_and_rules_draw_on_them() {
    let identity = identify(&library(), &[said(80, "http.server", "Axis-Web")]);
    assert_eq!(value(&identity, "device.vendor").unwrap().0, "Axis");
    let (device_type, sure) = value(&identity, "device.type").unwrap();
    assert_eq!(device_type, "camera");
    let vendor = value(&identity, "device.vendor").unwrap().1;
    assert!(sure < vendor, "{sure}");
    let device_type = identity.attributes.iter().find(|a| a.name == "device.type").unwrap();
    assert!(device_type.evidence.iter().any(|e| e.fingerprint == "rule/axis-p"), "{device_type:?}");
    assert!(value(&identity, "os.family").is_some());
}

#[test]
fn what_a_port_runs_belongs_to_the_port() {
    let identity =
        identify(&library(), &[said(80, "http.server", "nginx/1"), said(81, "http.server", "nginx/2")]);
    let ports: Vec<_> = identity.attributes.iter().map(|a| a.endpoint.unwrap().port).collect();
    assert_eq!(ports, [80, 81]);
}

#[test]
fn the_interfaces_maker_is_weak_evidence() {
    let maker = |name: &'static str| Said { endpoint: None, field: MAKER_FIELD, value: name.as_bytes() };
    let alone = identify(&library(), &[maker("Axis Communications AB")]);
    let (vendor, confidence) = value(&alone, "device.vendor").unwrap();
    assert_eq!(vendor, "Axis");
    assert!(confidence < 0.5);
    assert_eq!(
        identify(&library(), &[maker("Intel Corporate"), maker("\u{1b}[2J"), maker("")]).attributes,
        []
    );
}

#[test]
fn exposures_compare_versions_and_need_no_lead_where_the_device_shows_it() {
    let axis = said(80, "http.server", "Axis-Web");
    let lead = identify(&library(), &[axis]).exposures;
    assert_eq!(lead.len(), 1);
    assert_eq!((lead[0].id.as_str(), lead[0].grade), ("old-axis", Grade::KnownDefault));
    let shown = identify(&library(), &[axis, said(37020, "sadp.activated", "false")]).exposures;
    let ids: Vec<_> = shown.iter().map(|e| (e.id.as_str(), e.endpoint.map(|e| e.port))).collect();
    assert_eq!(ids, [("not-activated", Some(37020))]);
    assert_eq!(identify(&library(), &[said(37020, "sadp.activated", "true")]).exposures, []);
}

#[test]
fn nothing_comes_of_nothing() {
    assert_eq!(identify(&Library::empty(), &[said(80, "http.server", "Axis-Web")]), Identity::default());
    assert_eq!(identify(&library(), &[]), Identity::default());
}

fn any_said() -> impl Strategy<Value = (u16, &'static str, Vec<u8>)> {
    let field = prop::sample::select(vec![
        "http.server",
        "sadp.activated",
        MAKER_FIELD,
        "tls.subject",
        "mdns.txt",
        "",
    ]);
    let value = prop_oneof![
        Just(b"Axis-Web".to_vec()),
        Just(b"nginx/1".to_vec()),
        Just(b"false".to_vec()),
        Just(b"CN=Axis,O=\xff".to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    (80u16..83, field, value)
}

proptest! {
    #[test]
    fn order_and_repeats_do_not_matter(
        (all, shuffled) in prop::collection::vec(any_said(), 0..12)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        fn said<'a>(all: &'a [(u16, &'static str, Vec<u8>)]) -> Vec<Said<'a>> {
            let at = |port| Endpoint { address: [10, 0, 0, 1].into(), transport: Transport::Tcp, port };
            all.iter().map(|(port, field, value)| Said { endpoint: Some(at(*port)), field, value }).collect()
        }
        let library = library();
        let one = identify(&library, &said(&all));
        prop_assert_eq!(&one, &identify(&library, &said(&shuffled)));
        let twice: Vec<_> = said(&shuffled).into_iter().chain(said(&all)).collect();
        prop_assert_eq!(&one, &identify(&library, &twice));
    }
}
