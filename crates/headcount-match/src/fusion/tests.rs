use headcount_model::{Raw, Transport};
use proptest::prelude::*;

use super::*;

fn claim(attribute: &str, value: &str, field: &str, fingerprint: &str, certainty: f64) -> Claimed {
    Claimed {
        attribute: attribute.to_owned(),
        endpoint: None,
        value: value.to_owned(),
        evidence: Evidence {
            fingerprint: fingerprint.to_owned(),
            field: field.to_owned(),
            value: Raw::from(field),
            certainty,
            endpoint: None,
        },
    }
}

fn category(of: &str) -> Option<&'static str> {
    match of {
        "printer" | "multifunction-printer" | "scanner" => Some("print"),
        "camera" => Some("video"),
        _ => None,
    }
}

fn only(claims: &[Claimed]) -> Attribute {
    let mut attributes = fuse(claims, &category);
    assert_eq!(attributes.len(), 1, "{attributes:?}");
    attributes.remove(0)
}

fn near(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < 0.01
}

#[test]
fn one_claim_is_as_sure_as_its_fingerprint() {
    let attribute = only(&[claim("os.vendor", "Axis", "http.server", "a", 0.9)]);
    assert_eq!((attribute.value.as_str(), attribute.confidence), ("Axis", 0.9));
    assert_eq!(attribute.evidence.len(), 1);
    assert_eq!(attribute.rivals, []);
}

#[test]
fn independent_evidence_adds_up_and_dependent_does_not() {
    let one = claim("os.vendor", "Axis", "http.server", "a", 0.8);
    let other_protocol = claim("os.vendor", "axis", "ftp", "b", 0.8);
    let same_protocol = claim("os.vendor", "Axis", "http.title", "c", 0.8);
    let mut same_statement = claim("os.vendor", "Axis", "http.server", "d", 0.7);
    assert!(near(only(&[one.clone(), other_protocol.clone()]).confidence, 0.96));
    assert!(near(only(&[one.clone(), same_protocol]).confidence, 1.0 - 0.2 * 0.2f64.sqrt()));
    assert!(near(only(&[one.clone(), same_statement.clone()]).confidence, 0.8));
    // One fingerprint on two ports, and the same claim twice.
    same_statement.evidence = Evidence { value: Raw::from("x"), ..one.evidence.clone() };
    assert!(near(only(&[one.clone(), same_statement]).confidence, 0.8));
    assert!(near(only(&[one.clone(), one]).confidence, 0.8));
}

#[test]
fn the_special_value_wins_and_speaks_for_the_general() {
    let attribute = only(&[
        claim("device.product", "LaserJet", "http.title", "a", 0.95),
        claim("device.product", "LaserJet M404dn", "snmp.sysdescr", "b", 0.9),
        claim("device.product", "DeskJet", "mdns.name", "c", 0.3),
    ]);
    assert_eq!(attribute.value, "LaserJet M404dn");
    assert_eq!(attribute.evidence.len(), 2);
    assert_eq!(attribute.rivals.len(), 1);
    assert_eq!(attribute.rivals[0].value, "DeskJet");
    let version = only(&[
        claim("device.version", "v5.4", "http.title", "a", 0.9),
        claim("device.version", "5.4.1", "ftp", "b", 0.8),
    ]);
    assert_eq!(version.value, "5.4.1");
    // A special form that hardly anything speaks for stays a guess.
    let doubtful = only(&[
        claim("device.product", "LaserJet", "http.title", "a", 0.95),
        claim("device.product", "LaserJet 4", "ftp", "b", 0.2),
    ]);
    assert_eq!(doubtful.value, "LaserJet");
    assert_eq!(doubtful.rivals, []);
}

#[test]
fn rivals_share_what_is_left() {
    let attribute = only(&[
        claim("os.vendor", "HP", "http.server", "a", 0.9),
        claim("os.vendor", "Canon", "ftp", "b", 0.5),
    ]);
    assert_eq!(attribute.value, "HP");
    assert!(near(attribute.confidence, 9.0 / 11.0));
    assert!(near(attribute.rivals[0].confidence, 1.0 / 11.0));
}

#[test]
fn near_misses_keep_other_categories_away() {
    let both = [
        claim("device.type", "printer", "http.server", "a", 0.8),
        claim("device.type", "multifunction-printer", "snmp.sysdescr", "b", 0.9),
    ];
    let near_miss = only(&both);
    assert_eq!(near_miss.value, "multifunction-printer");
    assert_eq!(near_miss.rivals[0].value, "printer");
    let camera = claim("device.type", "camera", "ftp", "c", 0.6);
    let with_camera = only(&[both[0].clone(), both[1].clone(), camera.clone()]);
    let alone = only(&[both[1].clone(), camera]);
    let camera_in = |attribute: &Attribute| {
        attribute.rivals.iter().find(|rival| rival.value == "camera").unwrap().confidence
    };
    assert!(camera_in(&with_camera) < camera_in(&alone));
}

#[test]
fn ports_are_decided_one_by_one() {
    let at = |port| Some(Endpoint { address: [10, 0, 0, 1].into(), transport: Transport::Tcp, port });
    let on =
        |port, value| Claimed { endpoint: at(port), ..claim("service.product", value, "ssh", value, 0.9) };
    let attributes = fuse(&[on(22, "OpenSSH"), on(2222, "Dropbear")], &category);
    let seen: Vec<_> = attributes.iter().map(|a| (a.endpoint, a.value.as_str())).collect();
    assert_eq!(seen, [(at(22), "OpenSSH"), (at(2222), "Dropbear")]);
}

#[test]
fn what_says_nothing_or_is_no_number_does_no_harm() {
    let claims = [
        claim("device.model", "-- ", "ftp", "a", 0.9),
        claim("device.vendor", "", "ftp", "a", 0.9),
        claim("os.product", "Linux", "ftp", "b", f64::NAN),
        claim("os.version", "3", "ftp", "c", 7.0),
    ];
    let attributes = fuse(&claims, &category);
    assert!(attributes.iter().all(|a| (0.0..=1.0).contains(&a.confidence)), "{attributes:?}");
}

#[test]
fn a_flood_of_values_is_bounded() {
    let flood: Vec<Claimed> =
        (0..5000).map(|i| claim("device.model", &format!("m{i}"), "ftp", &format!("f{i}"), 0.5)).collect();
    let attribute = only(&flood);
    assert_eq!(attribute.rivals.len(), MOST_RIVALS);
    assert!(attribute.confidence < 0.1);
}

fn any_claim() -> impl Strategy<Value = Claimed> {
    let name = prop::sample::select(vec!["device.type", "device.vendor", "device.product", "device.version"]);
    let value = prop::sample::select(vec![
        "printer",
        "multifunction-printer",
        "camera",
        "HP",
        "hp",
        "LaserJet",
        "LaserJet 4",
        "5",
        "5.4",
        "5.4.1",
    ]);
    let field = prop::sample::select(vec!["http.server", "http.title", "ftp", "snmp.sysdescr"]);
    let certainty = prop::sample::select(vec![0.1, 0.5, 0.8, 0.95, 1.0]);
    (name, value, field, "[a-d]", certainty).prop_map(|(name, value, field, fingerprint, certainty)| {
        claim(name, value, field, &fingerprint, certainty)
    })
}

proptest! {
    #[test]
    fn order_and_repeats_do_not_matter(
        (claims, shuffled) in prop::collection::vec(any_claim(), 0..24)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let fused = fuse(&claims, &category);
        prop_assert_eq!(&fused, &fuse(&shuffled, &category));
        let twice: Vec<_> = shuffled.iter().chain(&claims).cloned().collect();
        prop_assert_eq!(fused.len(), fuse(&twice, &category).len());
        for (one, other) in fused.iter().zip(fuse(&twice, &category)) {
            prop_assert_eq!(one.confidence, other.confidence);
            prop_assert_eq!(&one.evidence, &other.evidence);
        }
    }

    #[test]
    fn more_evidence_never_makes_a_lone_value_less_likely(
        certainties in prop::collection::vec(0.0f64..1.0, 1..8), extra in 0.0f64..1.0,
    ) {
        let claims: Vec<_> = certainties
            .iter()
            .chain([&extra])
            .enumerate()
            .map(|(i, certainty)| claim("device.vendor", "HP", &format!("f{i}.x"), &format!("{i}"), *certainty))
            .collect();
        let (all, some) = (only(&claims), only(&claims[..certainties.len()]));
        prop_assert!(all.confidence >= some.confidence);
        prop_assert!((0.0..1.0).contains(&all.confidence));
    }
}
