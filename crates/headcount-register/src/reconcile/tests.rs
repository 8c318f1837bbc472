use proptest::prelude::*;

use super::*;
use crate::Fact;

fn key(text: &str) -> Key {
    let (kind, value) = text.split_once(' ').unwrap();
    let kind = KeyKind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap();
    Key { kind, value: value.to_owned() }
}

/// `serial HP X1; mac 00:11:22:33:44:55`
fn seen(device: &str, keys: &str) -> Sighting {
    let keys = keys.split("; ").filter(|key| !key.is_empty()).map(key).collect();
    Sighting { device: device.to_owned(), keys, ..Sighting::default() }
}

/// Runs in turn, as a register would keep them; gives the asset of each sighting, by run and device.
#[derive(Default)]
struct Story {
    held: BTreeMap<AssetId, Held>,
    pins: Pins,
    merged: Vec<(AssetId, AssetId)>,
}

impl Story {
    fn run(&mut self, run: &str, sightings: &[Sighting]) -> Vec<AssetId> {
        let result = reconcile(run, sightings, &self.held, &self.pins);
        for (from, into, _) in &result.merged {
            let gone = self.held.remove(from).unwrap();
            self.held.get_mut(into).unwrap().keys.extend(gone.keys);
            self.merged.push((from.clone(), into.clone()));
        }
        for (sighting, assignment) in sightings.iter().zip(&result.assignments) {
            let held = self.held.entry(assignment.asset.clone()).or_default();
            held.keys.extend(sighting.keys.iter().cloned());
            held.vendor = sighting.facts.get("device.vendor").map(|fact| fact.value.clone());
        }
        self.pins.shared.extend(result.shared);
        result.assignments.into_iter().map(|assignment| assignment.asset).collect()
    }
}

#[test]
fn a_new_address_or_a_new_card_is_the_same_device() {
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "serial HP X1234; mac 00:11:22:00:00:01; name printer-7.corp")]);
    // DHCP gave it another address: no key speaks of that.
    assert_eq!(story.run("2", &[seen("b", "mac 00:11:22:00:00:01; name printer-7.corp")]), first);
    // A replaced card: the serial number stays.
    assert_eq!(story.run("3", &[seen("c", "serial HP X1234; mac 00:99:22:00:00:09")]), first);
    // And the new card alone is known from then on.
    assert_eq!(story.run("4", &[seen("d", "mac 00:99:22:00:00:09")]), first);
    assert_eq!(story.held.len(), 1);
}

#[test]
fn another_serial_number_is_another_device_under_the_old_name() {
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "serial HP X1234; name scanner-1; mac 00:11:22:00:00:01")]);
    let second = story.run("2", &[seen("a", "serial HP Y9999; name scanner-1; mac 00:11:22:00:00:02")]);
    assert_ne!(first, second);
    assert!(story.pins.shared.contains(&key("name scanner-1")), "a name on two devices tells nothing");
    // The maker's spelling may change with the fingerprints.
    assert_eq!(story.run("3", &[seen("a", "serial Hewlett X1234; mac 00:11:22:00:00:01")]), first);
}

#[test]
fn a_dock_goes_from_one_notebook_to_another() {
    let mut story = Story::default();
    let dock = "mac 00:50:b6:00:00:01";
    let anna = story.run("1", &[seen("x", &format!("{dock}; name anna-nb; ssh-host-key aaaaa"))]);
    let both = story.run(
        "2",
        &[
            seen("x", &format!("{dock}; name bert-nb; ssh-host-key bbbbb")),
            seen("y", "mac 00:aa:00:00:00:01; name anna-nb; ssh-host-key aaaaa"),
        ],
    );
    assert_eq!(both[1], anna[0]);
    assert_ne!(both[0], anna[0]);
    assert!(story.pins.shared.contains(&key(dock)));
    // The dock decides nothing any more.
    let third = story.run("3", &[seen("x", &format!("{dock}; name anna-nb; ssh-host-key aaaaa"))]);
    assert_eq!(third, anna);
    // Without the notebook that was there before, too.
    let mut story = Story::default();
    let anna = story.run("1", &[seen("x", &format!("{dock}; name anna-nb; ssh-host-key aaaaa"))]);
    let bert = story.run("2", &[seen("x", &format!("{dock}; name bert-nb; ssh-host-key bbbbb"))]);
    assert_ne!(anna, bert);
}

#[test]
fn new_software_on_old_hardware_is_the_same_device() {
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "mac 00:11:22:00:00:01; ssh-host-key aaaaa; name server-1")]);
    let again = story.run("2", &[seen("a", "mac 00:11:22:00:00:01; ssh-host-key bbbbb; name server-1")]);
    assert_eq!(first, again);
    assert!(story.pins.shared.is_empty());
}

#[test]
fn a_telephone_with_random_addresses_keeps_its_name() {
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "local-mac 02:00:00:00:00:01; name annas-phone")]);
    assert_eq!(story.run("2", &[seen("b", "local-mac 06:00:00:00:00:07; name annas-phone")]), first);
    // Without a name, each address is somebody else.
    assert_ne!(story.run("3", &[seen("c", "local-mac 0a:00:00:00:00:09")]), first);
    // A chosen address under another name is not he who had it before.
    let other = story.run("4", &[seen("d", "local-mac 06:00:00:00:00:07; name berts-phone")]);
    assert_ne!(other, first);
}

#[test]
fn an_image_that_was_cloned_makes_no_one_device() {
    let mut story = Story::default();
    // Both in one run.
    let two = story.run(
        "1",
        &[
            seen("a", "ssh-host-key ccccc; mac 00:11:22:00:00:01; name vm-1"),
            seen("b", "ssh-host-key ccccc; mac 00:11:22:00:00:02; name vm-2"),
        ],
    );
    assert_ne!(two[0], two[1]);
    assert!(story.pins.shared.contains(&key("ssh-host-key ccccc")));
    let again = story.run("2", &[seen("b", "ssh-host-key ccccc; mac 00:11:22:00:00:02; name vm-2")]);
    assert_eq!(again[0], two[1]);
    // The clone alone, while the first one is off.
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "ssh-host-key ccccc; mac 00:11:22:00:00:01; name vm-1")]);
    let clone = story.run("2", &[seen("b", "ssh-host-key ccccc; mac 00:11:22:00:00:02; name vm-2")]);
    assert_ne!(first, clone);
    assert!(story.pins.shared.contains(&key("ssh-host-key ccccc")));
}

#[test]
fn two_that_turn_out_to_be_one_are_merged_with_the_reason() {
    let mut story = Story::default();
    // Two cards of one machine, seen apart at first.
    let two = story.run("1", &[seen("a", "mac 00:11:22:00:00:01"), seen("b", "mac 00:11:22:00:00:02")]);
    let one = story.run("2", &[seen("a", "serial Dell S9876; mac 00:11:22:00:00:01; mac 00:11:22:00:00:02")]);
    assert!(two.contains(&one[0]));
    assert_eq!(story.held.len(), 1);
    assert_eq!(story.merged.len(), 1);
}

#[test]
fn what_is_pinned_stays() {
    let mut story = Story::default();
    let first = story.run("1", &[seen("a", "mac 00:11:22:00:00:01; serial HP X1234")]);
    story.pins.pinned.insert(key("mac 00:11:22:00:00:01"), first[0].clone());
    // Another serial number would make it another device.
    let sightings = [seen("a", "mac 00:11:22:00:00:01; serial HP Y9999")];
    let result = reconcile("2", &sightings, &story.held, &story.pins);
    assert_eq!(result.assignments[0].asset, first[0]);
    assert_eq!(result.assignments[0].because, Because::Pinned(key("mac 00:11:22:00:00:01")));
}

#[test]
fn a_name_of_another_makers_device_is_another_device() {
    let mut story = Story::default();
    let of = |vendor: &str, keys: &str| {
        let mut sighting = seen("a", keys);
        sighting.facts.insert("device.vendor".to_owned(), Fact { value: vendor.to_owned(), confidence: 0.9 });
        sighting
    };
    let first = story.run("1", &[of("Axis", "name entrance-1")]);
    assert_eq!(story.run("2", &[of("Axis", "name entrance-1; mac 00:11:22:00:00:05")]), first);
    assert_ne!(story.run("3", &[of("Bosch", "name entrance-1")]), first);
}

fn any_sightings() -> impl Strategy<Value = Vec<Sighting>> {
    let any_key = (0usize..KeyKind::ALL.len(), 0u8..4)
        .prop_map(|(kind, value)| Key { kind: KeyKind::ALL[kind], value: format!("v{value}") });
    let keys = proptest::collection::btree_set(any_key, 0..5);
    proptest::collection::vec(keys, 0..6).prop_map(|all| {
        let sighting = |(i, keys)| Sighting { device: format!("d{i}"), keys, ..Sighting::default() };
        all.into_iter().enumerate().map(sighting).collect()
    })
}

proptest! {
    #[test]
    fn no_asset_is_two_devices_of_a_run_and_order_does_not_matter(
        runs in proptest::collection::vec(any_sightings(), 1..5),
    ) {
        let (mut story, mut turned) = (Story::default(), Story::default());
        for (number, sightings) in runs.iter().enumerate() {
            let assets = story.run(&number.to_string(), sightings);
            prop_assert_eq!(assets.iter().collect::<BTreeSet<_>>().len(), sightings.len());
            let backwards: Vec<Sighting> = sightings.iter().rev().cloned().collect();
            let mut others = turned.run(&number.to_string(), &backwards);
            others.reverse();
            prop_assert_eq!(assets, others);
        }
    }

    #[test]
    fn the_same_run_again_is_the_same_devices(sightings in any_sightings()) {
        let mut story = Story::default();
        let first = story.run("1", &sightings);
        // Only what has a key of its own can be known again.
        let known: Vec<bool> = sightings.iter().map(|s| s.keys.iter().any(|k| !story.pins.shared.contains(k))).collect();
        let again = story.run("2", &sightings);
        for ((a, b), known) in first.iter().zip(&again).zip(known) {
            prop_assert!(!known || a == b, "{} {}", a, b);
        }
    }
}
