use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn maker(makers: &Makers, mac: &str) -> Option<String> {
    makers.maker(mac.parse().unwrap()).map(str::to_owned)
}

#[test]
fn the_embedded_table_knows_all_registries() {
    let makers = Makers::embedded();
    assert!(makers.len() > 57_000, "{}", makers.len());
    assert!(EMBEDDED.len() < 1_250_000, "{}", EMBEDDED.len());
    // MA-L
    assert_eq!(maker(&makers, "00:00:0c:12:34:56").as_deref(), Some("Cisco Systems, Inc"));
    assert_eq!(maker(&makers, "b8:27:eb:00:00:01").as_deref(), Some("Raspberry Pi Foundation"));
    // MA-M: sixteen makers share 00:55:da.
    assert_eq!(maker(&makers, "00:55:da:0f:ff:ff").as_deref(), Some("Shinko Technos co.,ltd."));
    assert_eq!(maker(&makers, "00:55:da:10:00:00").as_deref(), Some("KoolPOS Inc."));
    // MA-S
    assert_eq!(maker(&makers, "00:1b:c5:00:0f:ff").as_deref(), Some("Converging Systems Inc."));
    assert_eq!(maker(&makers, "00:1b:c5:00:10:00").as_deref(), Some("OpenRB.com, Direct SIA"));
    // IAB
    assert_eq!(maker(&makers, "00:50:c2:f7:10:01").as_deref(), Some("RF Code"));
    // The highest and the lowest block.
    assert_eq!(maker(&makers, "00:00:00:00:00:00").as_deref(), Some("XEROX CORPORATION"));
    assert!(maker(&makers, "fc:fe:c2:ff:ff:ff").is_some());
}

#[test]
fn the_embedded_table_is_the_file() {
    let text = include_str!("../../../../fingerprints/tables/oui.tsv");
    let makers = Makers::embedded();
    let blocks: BTreeMap<&str, &str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect();
    for prefix in blocks.keys() {
        // The lowest address of the block, which a smaller block may hold.
        let digits = format!("{prefix:0<12}");
        let bits = u64::from_str_radix(&digits, 16).unwrap().to_be_bytes();
        let mac = MacAddr([bits[2], bits[3], bits[4], bits[5], bits[6], bits[7]]);
        let expected = [9, 7, 6].iter().find_map(|len| blocks.get(&digits[..*len])).copied();
        let group_or_local = mac.is_multicast() || mac.is_locally_administered();
        assert_eq!(makers.maker(mac), expected.filter(|_| !group_or_local), "{prefix}");
    }
    assert_eq!(blocks.len(), makers.len());
    assert_eq!(Makers::data_date(), makers.date());
    assert!(text.contains(&format!("# Date: {}\n", Makers::data_date())));
}

#[test]
fn addresses_without_a_maker() {
    let makers = Makers::embedded();
    // Software-chosen, group, and the registry's own block outside any smaller one.
    for mac in ["02:00:0c:12:34:56", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"] {
        assert_eq!(maker(&makers, mac), None, "{mac}");
    }
}

#[test]
fn the_longest_block_wins() {
    let text = "# Date: 2031-02-03\n00aabb\tLarge\n00aabbc\tMedium\n00aabbcdd\tSmall\n";
    let makers = Makers::parse(text).unwrap();
    assert_eq!(makers.date(), "2031-02-03");
    assert_eq!(maker(&makers, "00:aa:bb:bf:ff:ff").as_deref(), Some("Large"));
    assert_eq!(maker(&makers, "00:aa:bb:c0:00:00").as_deref(), Some("Medium"));
    assert_eq!(maker(&makers, "00:aa:bb:cd:cf:ff").as_deref(), Some("Medium"));
    assert_eq!(maker(&makers, "00:aa:bb:cd:d0:00").as_deref(), Some("Small"));
    assert_eq!(maker(&makers, "00:aa:bb:cd:df:ff").as_deref(), Some("Small"));
    assert_eq!(maker(&makers, "00:aa:bb:cd:e0:00").as_deref(), Some("Medium"));
    assert_eq!(maker(&makers, "00:aa:bc:00:00:00"), None);
    assert_eq!(maker(&makers, "00:aa:ba:ff:ff:ff"), None);
}

#[test]
fn names_are_cleaned() {
    let makers = Makers::parse("00AABB\t \u{1b}[31mEvil\u{7} \u{85} Ltd. \r\n").unwrap();
    assert_eq!(maker(&makers, "00:aa:bb:00:00:00").as_deref(), Some("[31mEvil Ltd."));
    let long = format!("00aabb\t{}", "ü".repeat(400));
    let name = maker(&Makers::parse(&long).unwrap(), "00:aa:bb:00:00:00").unwrap();
    assert_eq!(name, "ü".repeat(127));
}

#[test]
fn broken_tables_are_refused_by_line() {
    let error = |text: &str| Makers::parse(text).unwrap_err();
    assert_eq!(error("# x\n00aabb Name"), TableError::NoTab(2));
    assert_eq!(error("00aab\tName"), TableError::Prefix(1));
    assert_eq!(error("00aabbcc\tName"), TableError::Prefix(1));
    assert_eq!(error("00aa+b\tName"), TableError::Prefix(1));
    assert_eq!(error("00aabb\t \u{7}"), TableError::NoName(1));
    assert_eq!(error("00aabb\tA\n00AABB\tB"), TableError::Twice(2));
    assert_eq!(error("# Date: yesterday"), TableError::Date(1));
    assert!(Makers::parse("").unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_address_and_any_text_are_survived(mac in any::<[u8; 6]>(), text in ".{0,200}") {
        let _ = Makers::embedded().maker(MacAddr(mac));
        if let Ok(makers) = Makers::parse(&text) {
            let _ = makers.maker(MacAddr(mac));
        }
    }
}
