use proptest::prelude::*;

use super::*;

fn read_as(text: &str) -> Reading {
    read(text.as_bytes(), &How::default()).unwrap()
}

fn mac(text: &str) -> MacAddr {
    text.parse().unwrap()
}

#[test]
fn a_hand_kept_list_is_read_whatever_its_spelling() {
    let text = "Gerätename;Seriennummer;MAC-Adresse;IP-Adresse;Hersteller;Modell;Standort;Verantwortlicher;VLAN;Notiz\r\n\
                Drucker EG;CNB1234567;00-11-22-AA-BB-CC;10.0.0.5;HP;LaserJet;Büro 3;\"Müller; Anna\";10.0.0.0/24;\"zwei\r\nZeilen\"\r\n\
                \r\n\
                Kamera Hof;;0011.22aa.bbcd;DHCP;Axis;;;;;\r\n";
    let mut windows: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in
        [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), std::mem::take(&mut windows)]
    {
        let reading = read(&bytes, &How::default()).unwrap();
        assert_eq!(reading.format, Format::Csv);
        assert_eq!(reading.broken, []);
        let [printer, camera] = &reading.rows[..] else { panic!("{reading:?}") };
        assert_eq!(printer.name.as_deref(), Some("Drucker EG"));
        assert_eq!(printer.serial.as_deref(), Some("CNB1234567"));
        assert_eq!(printer.macs, BTreeSet::from([mac("00:11:22:aa:bb:cc")]));
        assert_eq!(printer.addresses, BTreeSet::from([[10, 0, 0, 5].into()]));
        assert_eq!(printer.location.as_deref(), Some("Büro 3"));
        assert_eq!(printer.owner.as_deref(), Some("Müller; Anna"));
        assert_eq!(printer.segment.as_deref(), Some("10.0.0.0/24"));
        assert_eq!((camera.source_line, camera.macs.len(), camera.addresses.len()), (5, 1, 0));
    }
    let tabs = read_as("sep=\t\nname\tserial\nnas, big\tS1234\n");
    assert_eq!((tabs.rows[0].name.as_deref(), tabs.rows[0].source_line), (Some("nas, big"), 3));
}

#[test]
fn rows_that_cannot_be_read_come_back_with_line_and_reason() {
    let text = "name,serial,mac,ip,asset tag\n\
                a,S11111,,,1\n\
                b,S22222,00:11:22:33:44,,2\n\
                c,S33333,,10.0.0.300,3\n\
                ,,,,4\n\
                d,s11111,,,5\n\
                e,,,,1\n\
                A,,,,6\n\
                f,1.23E+12,,,7\n\
                g,,,,8,more\n\
                h,,,10.0.0.9\n\
                ,,,10.0.0.9,9\n\
                \"i,S4\n\
                j,S5\n";
    let reading = read_as(text);
    assert_eq!(reading.rows.iter().map(|row| row.source_line).collect::<Vec<_>>(), [2, 11]);
    let broken: Vec<(usize, &str)> =
        reading.broken.iter().map(|aside| (aside.line, aside.reason.as_str())).collect();
    let expected = [
        (3, "is no MAC address"),
        (4, "is no IP address"),
        (5, "nothing in it recognises a device"),
        (6, "line 2 has the same serial number S11111"),
        (7, "line 2 has the same asset tag 1"),
        (8, "line 2 has the same name a"),
        (9, "was made a number"),
        (10, "a cell is shifted"),
        (12, "line 11 has the same IP address 10.0.0.9"),
        (13, "a quote in it is not closed"),
    ];
    assert_eq!(broken.len(), expected.len(), "{broken:?}");
    for ((line, reason), (at, part)) in broken.iter().zip(expected) {
        assert!(*line == at && reason.contains(part), "{line} {reason}, not {at} {part}");
    }
}

#[test]
fn columns_are_mapped_by_hand_and_what_is_not_there_is_said() {
    let how = |column: &str, field| How { format: None, map: vec![(column.to_owned(), field)] };
    let text = b"Kennung,Serial,Ort\nprinter-1,S1234,Hof\n";
    let row = &read(text, &how("kennung", Some(Field::Name))).unwrap().rows[0];
    assert_eq!(row.name.as_deref(), Some("printer-1"));
    let row = &read(text, &how("Ort", None)).unwrap().rows[0];
    assert_eq!((row.location.as_deref(), row.serial.as_deref()), (None, Some("S1234")));
    let error = read(text, &how("Raum", Some(Field::Location))).unwrap_err().to_string();
    assert!(error.contains("Raum") && error.contains("\"Ort\""), "{error}");
    let error = read(b"colour,size\nred,3\n", &How::default()).unwrap_err().to_string();
    assert!(error.contains("\"colour\"") && error.contains("--map"), "{error}");
    assert_eq!(read(b"", &How::default()), Err(Unreadable::Empty));
    assert_eq!(read(b"name,serial\n", &How::default()), Err(Unreadable::Empty));
    let json = br#"[{"hw": {"nic": [{"addr": "00:11:22:33:44:55"}]}, "name": "x1"}]"#;
    let row = &read(json, &how("hw.nic.addr", Some(Field::Mac))).unwrap().rows[0];
    assert_eq!(row.macs.len(), 1);
}

#[test]
fn our_own_form_is_read_as_it_is_written() {
    let row = Expected {
        name: Some("Drucker EG".to_owned()),
        asset_tag: Some("A-1".to_owned()),
        serial: Some("S1234".to_owned()),
        macs: BTreeSet::from([mac("00:11:22:33:44:55"), mac("00:11:22:33:44:56")]),
        addresses: BTreeSet::from([[10, 0, 0, 5].into()]),
        names: BTreeSet::from(["printer.example".to_owned()]),
        vendor: Some("HP".to_owned()),
        model: Some("M404".to_owned()),
        device_type: Some("printer".to_owned()),
        owner: Some("Anna".to_owned()),
        location: Some("EG".to_owned()),
        segment: Some("10.0.0.0/24".to_owned()),
        source_line: 1,
    };
    for text in [serde_json::to_string(&[&row]).unwrap(), serde_json::to_string(&row).unwrap()] {
        let reading = read_as(&text);
        assert_eq!((reading.format, &reading.rows[..]), (Format::Json, std::slice::from_ref(&row)), "{text}");
    }
}

#[test]
fn json_is_read_wherever_its_list_is_and_rows_keep_their_lines() {
    let text = "{\"total\": 2, \"note\": {\"x\": [1]},\n \"data\": [\n  {\"name\": \"a1\"},\n\n  {\"hostname\": \"B1.example.\",\n   \"ip\": \"x\"}, 7\n]}";
    let reading = read_as(text);
    assert_eq!((reading.rows.len(), reading.rows[0].source_line), (1, 3));
    assert_eq!(reading.broken.iter().map(|aside| aside.line).collect::<Vec<_>>(), [5, 6]);
    let lines = read_as("{\"name\": \"a1\"}\n{\"name\": \"b1\"}\n");
    assert_eq!(lines.rows.iter().map(|row| row.source_line).collect::<Vec<_>>(), [1, 2]);
    for (text, part) in [
        ("[{\"name\": \"a\"}", "a comma is missing, in what begins in line 1"),
        ("[\n{\"name\": }]", "expected value, in what begins in line 2"),
        ("[1, 2]", "no list of objects"),
        ("[]", "no list of objects"),
        ("{\"rows\": 3", "is no JSON"),
        ("[{\"colour\": \"red\"}]", "\"colour\""),
    ] {
        let error = read(text.as_bytes(), &How::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn one_page_of_an_answer_is_told() {
    for (text, part) in [
        ("{\"total\": 30, \"rows\": [{\"name\": \"a1\"}]}", "1 of 30 rows"),
        (
            "{\"results\": [{\"name\": \"a1\"}],\n\"next\": \"https://x.example/?offset=1\"}",
            "the first 1 rows",
        ),
    ] {
        let reading = read_as(text);
        assert_eq!((reading.rows.len(), reading.broken.len()), (1, 1));
        assert!(reading.broken[0].reason.contains(part), "{reading:?}");
    }
    assert_eq!(read_as("{\"count\": 1, \"next\": null, \"results\": [{\"name\": \"a1\"}]}").broken, []);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), format in 0..7_usize) {
        let how = How { format: Format::ALL.get(format).copied(), map: Vec::new() };
        let _ = read(&bytes, &how);
    }

    #[test]
    fn any_text_of_the_signs_that_matter_is_read_or_refused(
        text in r#"(sep=)?(name|serial|mac|ip|[\[\]{}":,;\t\r\n \\ü0-9-]){0,60}"#, format in 0..7_usize,
    ) {
        let how = How { format: Format::ALL.get(format).copied(), map: Vec::new() };
        if let Ok(reading) = read(text.as_bytes(), &how) {
            let lines = text.split(['\n', '\r']).count();
            let all = reading.rows.iter().map(|row| row.source_line);
            prop_assert!(all.chain(reading.broken.iter().map(|aside| aside.line)).all(|line| (1..=lines).contains(&line)));
        }
    }

    #[test]
    fn no_row_of_a_table_is_lost(cells in proptest::collection::vec("[a-z0-9:.]{0,17}", 1..40)) {
        let text: String = cells.chunks(3).map(|row| format!("{}\n", row.join(","))).collect();
        let count = cells.chunks(3).filter(|row| row.iter().any(|cell| !cell.is_empty())).count();
        match read(format!("name,mac,ip\n{text}").as_bytes(), &How::default()) {
            Ok(reading) => prop_assert_eq!(reading.rows.len() + reading.broken.len(), count),
            Err(error) => prop_assert!(error == Unreadable::Empty && count == 0),
        }
    }
}

mod programs;
