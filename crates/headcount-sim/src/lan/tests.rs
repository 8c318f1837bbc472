use super::*;

const LANS: &[(&str, &str)] = &[
    ("office", include_str!("../../../../tests/lans/office.toml")),
    ("proxy-arp", include_str!("../../../../tests/lans/proxy-arp.toml")),
    ("resets-for-all", include_str!("../../../../tests/lans/resets-for-all.toml")),
    ("syn-proxy", include_str!("../../../../tests/lans/syn-proxy.toml")),
    ("echo-for-all", include_str!("../../../../tests/lans/echo-for-all.toml")),
    ("routed", include_str!("../../../../tests/lans/routed.toml")),
    ("fragile", include_str!("../../../../tests/lans/fragile.toml")),
    ("sleepy", include_str!("../../../../tests/lans/sleepy.toml")),
    ("duplicates", include_str!("../../../../tests/lans/duplicates.toml")),
    ("tarpit", include_str!("../../../../tests/lans/tarpit.toml")),
];

fn asked() -> Asked {
    let ports: PortSet = "22,80,443,445,3389,554,502".parse().unwrap();
    Asked {
        discovery_ports: ports.clone(),
        ports,
        udp_ports: "53,123,137,161,1900,5353".parse().unwrap(),
        echo: true,
    }
}

/// A lan with one attached persona and what `more` adds.
fn with(more: &str) -> Result<Lan, LanError> {
    Lan::parse(&format!(
        r#"
        name = "test"
        network = "10.0.0.0/24"
        [vantage]
        address = "10.0.0.250"
        mac = "02:00:00:00:00:fa"
        [[persona]]
        name = "a"
        mac = "00:50:56:00:00:01"
        addresses = ["10.0.0.1"]
        {more}"#
    ))
}

#[test]
fn the_computed_truth_agrees_with_what_the_author_says() {
    for (name, text) in LANS {
        let lan = Lan::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(lan.name, *name);
        let expected = lan.expected(&asked());
        assert_eq!(Some(expected.hosts.len()), lan.expect.present, "{name}");
        let phantoms: Vec<_> = expected.phantoms.iter().map(|(what, _)| *what).collect();
        assert_eq!(phantoms, lan.expect.phantoms, "{name}");
        assert_eq!(expected.duplicates.into_keys().collect::<Vec<_>>(), lan.expect.duplicates, "{name}");
        assert_eq!(expected.hidden.into_iter().collect::<Vec<_>>(), lan.expect.hidden, "{name}");
    }
}

#[test]
fn the_office_is_what_the_demo_needs() {
    let lan = Lan::parse(LANS[0].1).unwrap();
    let expected = lan.expected(&asked());
    let any = |what: fn(&Persona) -> bool| lan.personas.iter().any(what);
    assert!(any(|one| one.silent_above.is_some_and(|silent| silent.pps == 50)));
    assert!(any(|one| one.connections == Some(1)) && any(|one| one.listen_queue == Some(4)));
    assert!(any(|one| one.sleepy.is_some()) && any(|one| one.addresses.len() == 2));
    assert!(any(|one| !one.echo && one.closed == Closed::Drop && one.tcp.is_empty()));
    assert!(lan.personas.iter().filter(|one| !one.any_written_byte_prints.is_empty()).count() >= 3);
    let random =
        lan.personas.iter().filter(|one| one.mac.is_some_and(MacAddr::is_locally_administered)).count();
    assert!((4..10).contains(&random));
    let nas = &expected.hosts[&Ipv4Addr::new(10, 20, 30, 20)];
    assert_eq!((nas.persona.as_str(), nas.name.as_deref()), ("nas", Some("nas.office.example")));
    assert_eq!(nas.tcp.to_string(), "22,80,443,445");
    assert_eq!(nas.udp.to_string(), "137,161,1900,5353");
}

#[test]
fn contradictions_are_refused() {
    let second = |fields: &str| with(&format!("[[persona]]\nname = \"b\"\n{fields}")).unwrap_err();
    assert!(with("").is_ok());
    assert!(matches!(with("[[persona]]\nname = \"a\"\naddresses = [\"10.0.0.2\"]"), Err(LanError::Name(_))));
    assert!(matches!(second("addresses = [\"10.0.0.2\"]"), LanError::Mac(_)));
    assert!(matches!(second("mac = \"00:50:56:00:00:01\"\naddresses = [\"10.0.0.2\"]"), LanError::Mac(_)));
    assert!(matches!(second("mac = \"01:50:56:00:00:02\"\naddresses = [\"10.0.0.2\"]"), LanError::Mac(_)));
    assert!(matches!(second("addresses = [\"10.0.9.2\"]"), LanError::Address(..)));
    assert!(matches!(
        second("mac = \"00:50:56:00:00:02\"\naddresses = [\"10.0.0.250\"]"),
        LanError::Address(..)
    ));
    assert!(matches!(second("mac = \"00:50:56:00:00:02\"\naddresses = []"), LanError::Number(..)));
    assert!(matches!(with("latency_ms = -1.0"), Err(LanError::Number(..))));
    assert!(matches!(with("any_written_byte_prints = \"9100\""), Err(LanError::Number(..))));
    assert!(matches!(with("unknown = 1"), Err(LanError::Toml(_))));
    assert!(matches!(with("[[phantom]]\nwhat = \"proxy-arp\"\nby = \"nobody\""), Err(LanError::Router(_))));
    assert!(matches!(
        with("[[phantom]]\nwhat = \"accepts-every-port\"\nby = \"a\""),
        Err(LanError::EveryPort)
    ));
}

#[test]
fn two_claimants_make_a_duplicate_and_two_addresses_do_not() {
    let lan = with("[[persona.nic]]\nmac = \"00:50:56:00:00:03\"\naddresses = [\"10.0.0.3\", \"10.0.0.4\"]\n[[persona]]\nname = \"b\"\nmac = \"00:50:56:00:00:02\"\naddresses = [\"10.0.0.1\"]").unwrap();
    let expected = lan.expected(&asked());
    assert_eq!(expected.hosts.len(), 3);
    assert_eq!(expected.duplicates.len(), 1);
    assert_eq!(expected.duplicates[&Ipv4Addr::new(10, 0, 0, 1)].len(), 2);
}

#[test]
fn random_lans_are_sound_and_of_the_density_asked_for() {
    for seed in 0..20 {
        let random = RandomLan { network: "10.0.0.0/22".parse().unwrap(), density: 0.3, seed };
        let lan = Lan::random(&random);
        lan.check().unwrap();
        assert!((220..400).contains(&lan.personas.len()), "{}", lan.personas.len());
        assert_eq!(lan, Lan::random(&random));
        assert_eq!(lan.expected(&asked()).hosts.len(), lan.personas.len());
    }
    let full = RandomLan { network: "10.0.0.0/24".parse().unwrap(), density: 1.0, seed: 1 };
    assert_eq!(Lan::random(&full).personas.len(), 253);
}

#[test]
fn a_lan_survives_being_written_and_read() {
    let lan = Lan::random(&RandomLan { network: "10.0.0.0/26".parse().unwrap(), density: 0.2, seed: 3 });
    assert_eq!(Lan::parse(&toml::to_string(&lan).unwrap()).unwrap(), lan);
}
