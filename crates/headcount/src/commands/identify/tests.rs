use super::*;

fn lines_of(library: &Library, input: &str) -> (Vec<Value>, bool) {
    let (mut output, mut all_read) = (Vec::new(), true);
    answer_all(library, BufReader::new(input.as_bytes()), &mut output, &mut all_read).unwrap();
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), all_read)
}

fn library() -> Library {
    let mut library = Library::empty();
    let text = r#"
        field = "http.server"
        [[entry]]
        id = "raw"
        pattern = '\xff\x80(?P<version>[0-9.]+)'
        certainty = 0.9
        says = { "device.version" = "{version}" }
        source = "test"
        examples = [{ hex = "ff8031" }]
    "#;
    library.overlay(&[("a.toml".to_owned(), text.to_owned())]).unwrap();
    library
}

#[test]
fn lone_surrogates_are_raw_bytes() {
    let line = r#"{"id":7,"observations":[{"field":"http.server","value":"\udcff\udc801.2"}]}"#;
    let (answers, all_read) = lines_of(&library(), line);
    assert!(all_read);
    assert_eq!(answers[0]["id"], 7);
    assert_eq!(answers[0]["attributes"]["device.version"]["value"], "1.2");
    assert_eq!(answers[0]["attributes"]["device.version"]["evidence"][0], "http.server/raw");
}

#[test]
fn every_line_has_its_answer_in_its_place() {
    let mut input = String::new();
    for number in 0..500 {
        input.push_str(&match number % 50 {
            7 => "{\"id\": 1, \n".to_owned(),
            8 => format!("{}\n", "x".repeat(MAX_LINE as usize + 9)),
            9 => "\n{\"id\":9}\n".to_owned(),
            _ => format!("{{\"id\":{number},\"observations\":[]}}\n"),
        });
    }
    let (answers, all_read) = lines_of(&library(), &input);
    assert!(!all_read);
    assert_eq!(answers.len(), 500);
    for (number, answer) in answers.iter().enumerate() {
        match number % 50 {
            7..=9 => {
                assert_eq!(answer["id"], Value::Null);
                assert!(answer["error"].is_string(), "{answer}");
            }
            _ => assert_eq!(answer["id"], number),
        }
    }
}
