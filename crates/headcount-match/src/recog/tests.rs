use super::*;

/// Written for this test in Recog's form.
const FTP: &str = r#"<?xml version="1.0"?>
<fingerprints matches="ftp.banner" protocol="ftp">
  <fingerprint pattern="(?m)^begin.*end version (\S+)">
    <description>Lines &amp; dots</description>
    <example service.version="1.2" os.cpe23="cpe:/o:thing:1.2">begin
more end version 1.2</example>
    <param pos="0" name="service.vendor" value="Axis"/>
    <param pos="0" name="hw.device" value="IP Camera"/>
    <param pos="0" name="hw.certainty" value="0.5"/>
    <param pos="1" name="service.version"/>
    <param pos="0" name="os.cpe23" value="cpe:/o:thing:{service.version}"/>
  </fingerprint>
  <fingerprint pattern="^second line$" flags="REG_ICASE">
    <description>Anchors are those of lines</description>
    <example _encoding="base64">Zmlyc3QgbGluZQpTRUNPTkQgTElORQ==</example>
    <example _filename="sample"/>
    <param pos="0" name="os.vendor" value="Cisco"/>
  </fingerprint>
  <fingerprint pattern="line">
    <description>Speaks only where nothing before it does</description>
    <example><![CDATA[a line]]></example>
    <param pos="0" name="hw.vendor" value="Canon"/>
  </fingerprint>
</fingerprints>
"#;

fn file(name: &str, text: &str) -> [(String, String); 1] {
    [(name.to_owned(), text.to_owned())]
}

fn beside(name: &str) -> Option<Vec<u8>> {
    (name == "xml/ftp/sample").then(|| b"\xff\nsecond LINE".to_vec())
}

fn faults(text: &str) -> Vec<String> {
    let checked = check_recog(&file("xml/ftp.xml", text), &beside);
    checked.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn examples_hold_as_in_ruby() {
    let checked = check_recog(&file("xml/ftp.xml", FTP), &beside);
    let wanted = RecogChecked { files: 1, fingerprints: 3, examples: 4, right: 4, faults: Vec::new() };
    assert_eq!(checked, wanted);
    // Without (?m) a dot stops at the end of the line.
    let all = faults(&FTP.replace("(?m)", ""));
    assert!(all[0].starts_with("xml/ftp.xml: Lines & dots: the example") && all.len() == 1, "{all:?}");
}

#[test]
fn a_dot_is_a_character_where_an_example_shows_it() {
    let text =
        FTP.replace("pattern=\"line\"", "pattern=\"^a . line$\"").replace("[a line]", "[a \u{b7} line]");
    assert_eq!(check_recog(&file("xml/ftp.xml", &text), &beside).right, 4);
    // Not where it does not help.
    let text = text.replace("^a . line$", "^b . line$");
    assert_eq!(check_recog(&file("xml/ftp.xml", &text), &beside).right, 3);
}

#[test]
fn examples_that_do_not_hold_are_named() {
    let all = faults(&FTP.replace("service.version=\"1.2\"", "service.version=\"1.3\""));
    assert_eq!(all, [r#"xml/ftp.xml: Lines & dots: service.version is Some("1.2"), not "1.3""#]);
    for (from, to) in [("Zmlyc3Qg", "Zm*yc3Qg"), ("_filename=\"sample\"", "_filename=\"../sample\"")] {
        let all = faults(&FTP.replace(from, to));
        assert_eq!(all, ["xml/ftp.xml: Anchors are those of lines: the example cannot be read"]);
    }
}

#[test]
fn of_a_file_only_the_first_speaks() {
    let mut library = Library::empty();
    library.overlay_recog(&file("xml/ftp.xml", FTP)).unwrap();
    let claims = |value: &[u8]| -> Vec<(String, String, f64)> {
        let matches = library.matches("ftp", value);
        let all = matches.iter().flat_map(|found| found.claims.iter());
        all.map(|claim| (claim.attribute.to_owned(), claim.value.clone(), claim.certainty)).collect()
    };
    let claim = |attribute: &str, value: &str, sure| (attribute.to_owned(), value.to_owned(), sure);
    assert_eq!(claims(b"a\nsecond line"), [claim("os.vendor", "Cisco", CERTAINTY)]);
    assert_eq!(claims(b"a line"), [claim("device.vendor", "Canon", CERTAINTY)]);
    let wanted = [
        claim("device.type", "camera", 0.5),
        claim("service.vendor", "Axis", CERTAINTY),
        claim("service.version", "7", CERTAINTY),
    ];
    assert_eq!(claims(b"begin\nend version 7"), wanted);
    assert_eq!(library.matches("ftp", b"a line")[0].fingerprint, "ftp/recog-ftp-3");
}

#[test]
fn files_about_something_else_are_passed_over() {
    let mut library = Library::empty();
    library.overlay_recog(&file("a.xml", &FTP.replace("ftp.banner", "something.else"))).unwrap();
    library.overlay_recog(&file("a.txt", "no XML")).unwrap();
    assert_eq!(library.fields().count(), 0);
}

#[test]
fn broken_files_are_named() {
    for (from, to, place, cause) in [
        ("</fingerprint>\n</fingerprints>", "</wrong>", "line ", "wrong"),
        ("pattern=\"^second line$\" ", "", "line 13: ", "has no pattern"),
        ("^second line$", "second(", "line 13: ", "the pattern is wrong at character"),
        ("^second line$", "second(?=x)", "line 13: ", "the pattern is wrong at character"),
        ("pos=\"1\"", "pos=\"one\"", "line 10: ", "pos is no number"),
        ("name=\"service.vendor\" ", "", "line 7: ", "has no name"),
        ("&amp;", "&nothing;", "line 4: ", "&nothing; is not known"),
    ] {
        let text = FTP.replacen(from, to, 1);
        assert_ne!(text, FTP);
        let mut library = Library::empty();
        let all = library.overlay_recog(&file("xml/ftp.xml", &text)).unwrap_err();
        let fault = all[0].to_string();
        assert!(fault.starts_with(&format!("xml/ftp.xml: {place}")) && fault.contains(cause), "{fault}");
        assert_eq!(library.fields().count(), 0);
        assert!(faults(&text).contains(&fault));
    }
}
