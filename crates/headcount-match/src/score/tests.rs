use std::slice::from_ref;

use super::*;

fn said(name: &str, value: &str, confidence: f64) -> Attribute {
    Attribute {
        name: name.to_owned(),
        endpoint: None,
        value: value.to_owned(),
        confidence,
        evidence: Vec::new(),
        rivals: Vec::new(),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_same_by_another_spelling() {
    let library = Library::embedded();
    assert!(same_vendor(&library, "Hewlett-Packard Company", "HP"));
    assert!(same_vendor(&library, "Example Networks", "example, Inc."));
    assert!(!same_vendor(&library, "Cisco", "Canon"));
    assert!(!same_vendor(&library, "X", "X Y"));
    assert!(same_product("LaserJet Pro M404", "M404"));
    assert!(same_product("Laser Jet", "LaserJet"));
    assert!(same_product("Catalyst", "Catalyst 2960"));
    assert!(!same_product("", "Catalyst"));
    assert!(!same_product("P1", "P2"));
    assert!(same_version("5.4", "5.4.9"));
    assert!(same_version("5.4.9-p1", "5.4"));
    assert!(!same_version("5.40", "5.4"));
    assert!(!same_version("", "5.4"));
}

#[test]
fn answers_count_from_one_half_and_kin_counts_half() {
    let library = Library::embedded();
    let truth = Truth { device_type: some("printer"), vendor: some("HP"), ..Truth::default() };
    let mut score = Score::default();
    let kin = said("device.type", "multifunction-printer", 0.9);
    score.add(&library, "snmp", &truth, &[kin, said("device.vendor", "HP", 0.49)]);
    score.add(&library, "snmp", &truth, &[said("device.type", "camera", 0.9)]);
    let (_, kind) = score.kinds().next().unwrap();
    assert_eq!(kind.rows, 2);
    assert_eq!(kind.tally(Aspect::Type), Some(&Tally { rows: 2, answers: 2, right: 0.5 }));
    assert_eq!(kind.tally(Aspect::Vendor), Some(&Tally { rows: 2, answers: 0, right: 0.0 }));
    assert_eq!(kind.tally(Aspect::Product), None);
    assert_eq!(kind.tally(Aspect::Vendor).unwrap().precision(), None);
    assert_eq!(score.false_types, 0);
    // Few rows make no mean.
    assert_eq!(score.mean(Aspect::Type), None);
}

#[test]
fn what_cannot_be_read_is_not_asked_for() {
    let library = Library::embedded();
    let mut truth = Truth { version: some("1.2"), product: some("Thing 9"), ..Truth::default() };
    let answers = [said("service.version", "1.2", 0.9), said("device.product", "Thing 9", 0.9)];
    let mut score = Score::default();
    score.add(&library, "ssh", &truth, &answers);
    truth.visible = BTreeSet::from(["version".to_owned(), "product".to_owned()]);
    score.add(&library, "http", &truth, &answers);
    let tallies: Vec<_> = score
        .kinds()
        .map(|(name, kind)| {
            (name, kind.tally(Aspect::Version).copied(), kind.tally(Aspect::Product).copied())
        })
        .collect();
    let all = Some(Tally { rows: 1, answers: 1, right: 1.0 });
    assert_eq!(tallies, [("http", all, all), ("ssh", None, None)]);
}

#[test]
fn a_camera_is_no_software() {
    let library = Library::embedded();
    let truth = Truth { service: some("nginx"), ..Truth::default() };
    let mut score = Score::default();
    score.add(&library, "http.server", &truth, from_ref(&said("device.type", "camera", 0.9)));
    score.add(&library, "http.server", &truth, from_ref(&said("device.type", "camera", 0.3)));
    score.add(&library, "http.server", &truth, from_ref(&said("device.type", "router", 0.9)));
    let known = Truth { device_category: some("video"), ..Truth::default() };
    score.add(&library, "http.server", &known, from_ref(&said("device.type", "camera", 0.9)));
    assert_eq!(score.false_types, 1);
}

#[test]
fn means_are_over_kinds_and_confidences_are_held_to_their_word() {
    let library = Library::embedded();
    let truth = Truth { vendor: some("Axis"), ..Truth::default() };
    let mut score = Score::default();
    for number in 0..20 {
        let vendor = if number < 15 { "Axis" } else { "Canon" };
        score.add(&library, "a", &truth, from_ref(&said("device.vendor", vendor, 0.75)));
        score.add(&library, "b", &truth, &[]);
    }
    let mean = score.mean(Aspect::Vendor).unwrap();
    assert_eq!((mean.kinds, mean.recall, mean.precision), (2, 0.375, 0.75));
    let [band] = score.calibration()[..] else { panic!("{:?}", score.calibration()) };
    assert_eq!((band.claims, band.right), (20, 0.75));
}

#[test]
fn a_fingerprint_that_is_wrong_more_often_than_it_said_is_too_wide() {
    let library = Library::embedded();
    let truth = Truth { vendor: some("Axis"), ..Truth::default() };
    let evidence = |id: &str, certainty| Evidence {
        fingerprint: id.to_owned(),
        field: "ftp".to_owned(),
        value: headcount_model::Raw::from("x"),
        certainty,
        endpoint: None,
    };
    let mut score = Score::default();
    for number in 0..20 {
        let vendor = if number < 16 { "Axis" } else { "Canon" };
        let claims = vec![evidence("ftp/honest", 0.8), evidence("ftp/boastful", 0.97)];
        let claim = Attribute { evidence: claims, ..said("device.vendor", vendor, 0.9) };
        score.add(&library, "ftp", &truth, &[claim]);
    }
    let wide: Vec<_> = score.fingerprints().map(|(id, record)| (id, record.is_too_wide())).collect();
    assert_eq!(wide, [("ftp/boastful", true), ("ftp/honest", false)]);
    // Twice wrong is chance.
    assert!(!Record { right: 0, wrong: 2, certainty: 1.9 }.is_too_wide());
    assert!(!Record::default().is_too_wide());
}
