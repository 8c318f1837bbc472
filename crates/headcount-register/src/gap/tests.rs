use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::{
    Fact, Key, KeyKind, Sighting,
    sample::{device, is, run},
};

/// The asset that this sighting made, seen yesterday.
fn asset(sighting: Sighting) -> Asset {
    let at = At { time: run(1).started, run: "run-1".to_owned() };
    let mut keys = sighting.keys.clone();
    if let Some(Fact { value, .. }) = sighting.facts.get("device.serial") {
        keys.insert(Key { kind: KeyKind::Serial, value: format!("Some Maker {}", value.to_lowercase()) });
    }
    Asset {
        id: AssetId(sighting.device.clone()),
        first: at.clone(),
        last: at,
        keys,
        latest: sighting,
        misses: 0,
        silent: false,
        unseen: BTreeMap::new(),
    }
}

fn named(mut sighting: Sighting, names: &[&str]) -> Sighting {
    sighting.names.extend(names.iter().map(|name| (*name).to_owned()));
    sighting
}

fn row(line: usize) -> Expected {
    Expected { source_line: line, ..Expected::default() }
}

fn serial(line: usize, serial: &str) -> Expected {
    Expected { serial: Some(serial.to_owned()), ..row(line) }
}

fn mac(line: usize, last: u8) -> Expected {
    Expected { macs: BTreeSet::from([headcount_model::MacAddr([0, 0x11, 0x22, 0, 0, last])]), ..row(line) }
}

fn name(line: usize, name: &str) -> Expected {
    Expected { name: Some(name.to_owned()), ..row(line) }
}

fn at(mut row: Expected, address: [u8; 4]) -> Expected {
    row.addresses.insert(IpAddr::from(address));
    row
}

fn looked() -> LookedAt {
    LookedAt::of(&[run(1)])
}

fn id(asset: &str) -> AssetId {
    AssetId(asset.to_owned())
}

fn pairs(gap: &Gap) -> Vec<(usize, &str, By)> {
    gap.found.iter().map(|found| (found.row.source_line, found.asset.0.as_str(), found.by)).collect()
}

fn reasons(gap: &Gap) -> Vec<(usize, &Why)> {
    gap.not_found.iter().map(|missing| (missing.row.source_line, &missing.why)).collect()
}

#[test]
fn the_firmest_key_decides() {
    let assets = [
        asset(is(device(1, 5), "device.serial", "CN-12 345")),
        asset(device(2, 6)),
        asset(named(device(3, 7), &["nas1.office.example"])),
        asset(device(4, 8)),
    ];
    let rows = [
        // Its MAC address is another device's: the serial number counts.
        Expected { macs: mac(2, 4).macs, ..serial(2, "cn12345") },
        mac(3, 2),
        name(4, "NAS1"),
        name(5, "nas1.branch.example"),
    ];
    let gap = gap(&rows, &assets, &looked());
    assert_eq!(pairs(&gap), [(2, "d1", By::Serial), (3, "d2", By::Mac), (4, "d3", By::Name)]);
    assert_eq!(reasons(&gap), [(5, &Why::Nowhere)]);
    assert_eq!(gap.unexpected, [id("d4")]);
    assert_eq!(gap.ambiguous, []);
    let figures = gap.figures;
    assert_eq!((figures.expected, figures.found, figures.missing, figures.unexpected), (4, 3, 1, 1));
    assert_eq!((figures.unexpected_percent, figures.missing_percent), (Some(25.0), Some(25.0)));
    assert!(figures.is_above(24.9) && !figures.is_above(25.0));
}

#[test]
fn what_is_not_found_has_a_reason() {
    let mut gone = asset(device(1, 5));
    gone.silent = true;
    let mut forgotten = asset(device(2, 6));
    forgotten.silent = true;
    let rows = [
        mac(2, 1),
        at(mac(3, 9), [10, 0, 0, 9]),
        at(mac(4, 10), [10, 9, 0, 9]),
        Expected { segment: Some("10.0.0.0/16".to_owned()), ..mac(5, 11) },
        Expected { segment: Some("192.168.7.0/24".to_owned()), ..mac(6, 12) },
        Expected { segment: Some("office".to_owned()), ..mac(7, 13) },
    ];
    let gap = gap(&rows, &[gone.clone(), forgotten], &looked());
    let silent = Why::Silent { asset: id("d1"), since: gone.last, by: By::Mac };
    let (no, not_looked) = (&Why::NoAnswer, &Why::NotLookedAt);
    assert_eq!(
        reasons(&gap),
        [(2, &silent), (3, no), (4, not_looked), (5, no), (6, not_looked), (7, &Why::Nowhere)]
    );
    assert_eq!((gap.unexpected.len(), gap.gone), (0, 1));
    assert_eq!(gap.shares.segments["10.9.0.0/24"].missing, 1);
    assert_eq!(gap.shares.segments["office"].missing, 1);
}

#[test]
fn what_may_be_several_is_ambiguous_and_neither_found_nor_unexpected() {
    let twin = |mac: u8, last: u8| asset(named(device(mac, last), &["twin"]));
    let assets =
        [twin(1, 5), twin(2, 6), asset(device(3, 7)), asset(is(device(4, 8), "device.serial", "REAL-1"))];
    let rows = [
        name(2, "twin"),
        // Only the address: another device may have it now.
        at(serial(3, "S-UNSEEN"), [10, 0, 0, 7]),
        // The MAC address of a device that says another serial number.
        Expected { macs: mac(4, 4).macs, ..serial(4, "OTHER-2") },
    ];
    let gap = gap(&rows, &assets, &looked());
    assert_eq!(gap.found, []);
    assert!(gap.not_found.iter().all(|missing| missing.why == Why::Ambiguous));
    let doubts: Vec<_> =
        gap.ambiguous.iter().map(|one| (one.rows[0].source_line, one.by, one.doubt)).collect();
    assert_eq!(
        doubts,
        [
            (2, By::Name, Doubt::SeveralAssets),
            (3, By::Address, Doubt::OnlyAddress),
            (4, By::Mac, Doubt::OtherSerial)
        ]
    );
    assert_eq!(gap.ambiguous[0].assets, BTreeSet::from([id("d1"), id("d2")]));
    assert_eq!((gap.unexpected.len(), gap.figures.ambiguous, gap.figures.missing), (0, 4, 3));
}

#[test]
fn several_rows_of_one_device_are_told_and_one_may_still_be_it() {
    let mut two_cards = device(1, 5);
    two_cards.keys.extend(device(2, 5).keys);
    let assets = [asset(named(two_cards, &["laptop-7"]))];
    let both = gap(&[mac(2, 1), mac(3, 2)], &assets, &looked());
    assert_eq!((both.found.len(), both.not_found.len(), both.ambiguous.len()), (0, 2, 1));
    assert_eq!(both.ambiguous[0].doubt, Doubt::SeveralRows);
    assert_eq!(both.ambiguous[0].rows.len(), 2);
    // The name decides; the other row is told with it.
    let named = Expected { name: Some("Laptop-7".to_owned()), ..mac(2, 1) };
    let one = gap(&[named, mac(3, 2)], &assets, &looked());
    assert_eq!(pairs(&one), [(2, "d1", By::Name)]);
    assert_eq!(reasons(&one), [(3, &Why::Ambiguous)]);
    assert_eq!(one.ambiguous[0].rows.iter().map(|row| row.source_line).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((one.figures.ambiguous, one.figures.unexpected), (0, 0));
}

#[test]
fn a_device_that_was_replaced_under_its_name_is_not_found() {
    let assets = [asset(named(is(device(1, 5), "device.serial", "NEW-22222"), &["pc-7"]))];
    let old = Expected { name: Some("pc-7".to_owned()), ..serial(2, "OLD-11111") };
    let new = Expected { name: Some("pc-7".to_owned()), ..serial(3, "NEW-22222") };
    let gap = gap(&[old, new], &assets, &looked());
    assert_eq!(pairs(&gap), [(3, "d1", By::Serial)]);
    assert_eq!(reasons(&gap), [(2, &Why::Nowhere)]);
}

#[test]
fn a_name_that_many_have_tells_nothing() {
    let many: Vec<Asset> = (1..=40).map(|i| asset(named(device(i, i), &["MacBook Pro"]))).collect();
    let rows: Vec<Expected> =
        (2..50).map(|line| Expected { name: Some("MacBook Pro".to_owned()), ..serial(line, "x") }).collect();
    let gap = gap(&rows, &many, &looked());
    assert_eq!((gap.found.len(), gap.ambiguous.len(), gap.unexpected.len()), (0, 0, 40));
}

#[test]
fn what_one_pair_decides_may_decide_another() {
    // The register holds one serial number on two assets; one of them is another row's by its MAC address.
    let twin = |mac: u8| asset(is(device(mac, mac), "device.serial", "S-12345"));
    let rows = [serial(2, "S-12345"), mac(3, 2)];
    let gap = gap(&rows, &[twin(1), twin(2)], &looked());
    assert_eq!(pairs(&gap), [(2, "d1", By::Serial), (3, "d2", By::Mac)]);
}

#[test]
fn the_maker_decides_between_equal_serial_numbers() {
    let of = |mac: u8, maker: &str| {
        asset(is(is(device(mac, mac), "device.serial", "10001"), "device.vendor", maker))
    };
    let rows = [Expected { vendor: Some("HP Inc.".to_owned()), ..serial(2, "10001") }];
    let gap = gap(&rows, &[of(1, "Axis"), of(2, "HP")], &looked());
    assert_eq!(pairs(&gap), [(2, "d2", By::Serial)]);
    assert_eq!(gap.shares.makers["hp"].found, 1);
    assert_eq!(gap.shares.makers["axis"].unexpected, 1);
}

#[test]
fn this_machine_is_expected_by_nobody_and_still_not_unexpected() {
    let mut from = run(1);
    from.segments[0].source = Some([10, 0, 0, 2].into());
    let looked = LookedAt::of(&[from]);
    let gap = gap(&[], &[asset(device(1, 2)), asset(device(2, 3))], &looked);
    assert_eq!(gap.unexpected, [id("d2")]);
    assert_eq!(gap.figures.unexpected_percent, None);
    assert!(gap.figures.is_above(1000.0));
}

proptest! {
    #[test]
    fn every_row_and_every_asset_is_in_one_group_whatever_the_order(
        rows in proptest::collection::vec((0..4_u8, 0..4_u8, 0..4_u8, 0..4_u8), 0..8),
        assets in proptest::collection::vec((0..4_u8, 0..4_u8, 0..4_u8, any::<bool>()), 0..8),
    ) {
        let rows: Vec<Expected> = rows.iter().enumerate().map(|(i, (serial, card, name, last))| {
            let mut row = row(i + 2);
            row.serial = (*serial > 0).then(|| format!("SERIAL-{serial}"));
            row.name = (*name > 0).then(|| format!("name-{name}"));
            if *card > 0 { row.macs = mac(0, *card).macs; }
            if *last > 0 { row = at(row, [10, 0, 0, *last]); }
            row
        }).collect();
        let mut assets: Vec<Asset> = assets.iter().enumerate().map(|(i, (serial, card, name, silent))| {
            let mut seen = device(*card, card + 1);
            seen.device = format!("a{i}");
            if *serial > 0 { seen = is(seen, "device.serial", &format!("SERIAL-{serial}")); }
            if *name > 0 { seen = named(seen, &[&format!("name-{name}")]); }
            let mut asset = asset(seen);
            asset.silent = *silent;
            asset
        }).collect();
        let result = gap(&rows, &assets, &looked());
        prop_assert_eq!(result.found.len() + result.not_found.len(), rows.len());
        let mut used: Vec<&AssetId> = result.found.iter().map(|found| &found.asset).collect();
        used.extend(result.not_found.iter().filter_map(|missing| match &missing.why {
            Why::Silent { asset, .. } => Some(asset),
            _ => None,
        }));
        let paired: BTreeSet<&AssetId> = used.iter().copied().collect();
        prop_assert_eq!(paired.len(), used.len());
        let doubtful: BTreeSet<&AssetId> = result.ambiguous.iter().flat_map(|one| &one.assets).filter(|id| !paired.contains(id)).collect();
        prop_assert_eq!(paired.len() + doubtful.len() + result.unexpected.len() + result.gone, assets.len());
        let segments: usize = result.shares.segments.values().map(|figures| figures.expected).sum();
        prop_assert_eq!(segments, rows.len());
        assets.reverse();
        prop_assert_eq!(gap(&rows, &assets, &looked()), result);
    }
}
