//! Lists of objects as JSON (RFC 8259), bare or as a member of an object, and objects one after the other.

use serde::Deserialize;
use serde_json::{Deserializer, Map, Value};

use super::{Field, How, Raw, Unreadable, field::plain, shape::Shape, text::Lines};

/// The members under which programs write their lists: Snipe-IT, NetBox, ServiceNow, GLPI.
const LISTS: [&str; 4] = ["rows", "results", "result", "data"];

/// The members in which they say how many rows there are on all pages.
const TOTALS: [&str; 3] = ["total", "count", "totalcount"];

/// The rows of a list of objects, and whose form it has.
pub(super) fn rows(text: &str, how: &How) -> Result<(&'static Shape, Vec<Raw>), Unreadable> {
    let mut walk = Walk { text, at: 0, page: None };
    let found = walk.values()?;
    let first = found.iter().find_map(|(_, value)| value.as_object()).ok_or(Unreadable::NoList)?;
    let shape = how.format.map_or_else(|| Shape::by_members(|name| first.contains_key(name)), Shape::of);
    let known = found
        .iter()
        .filter_map(|(_, value)| value.as_object())
        .any(|object| !said(object, shape, how).is_empty());
    if !known {
        return Err(Unreadable::NoColumn(first.keys().map(|name| format!("{name:?}")).collect()));
    }
    let mut lines = Lines::new(text);
    let raw = |(at, value): (usize, Value)| {
        let line = lines.of(at);
        match value.as_object() {
            Some(object) => {
                Raw { line, said: Ok(said(object, shape, how)), left_out: left_out(object, shape) }
            }
            None => Raw { line, said: Err("it is no object".to_owned()), left_out: None },
        }
    };
    let mut rows: Vec<Raw> = found.into_iter().map(raw).collect();
    rows.extend(walk.page.map(|reason| Raw { line: lines.of(walk.at), said: Err(reason), left_out: None }));
    Ok((shape, rows))
}

/// Goes through a text and keeps where each row begins.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// That there is more than is here.
    page: Option<String>,
}

impl Walk<'_> {
    /// The rows, wherever the list is.
    fn values(&mut self) -> Result<Vec<(usize, Value)>, Unreadable> {
        if self.next() == Some(b'[') {
            return self.list();
        }
        let start = self.at;
        if let Some(list) = self.list_member()? {
            return Ok(list);
        }
        // No list in it: it is the first of objects one after the other, or the only one.
        self.at = start;
        let mut all: Vec<(usize, Value)> = Vec::new();
        while self.next().is_some() {
            all.push((self.at, self.value()?));
        }
        let none = all.is_empty() || all.iter().all(|(_, value)| !value.is_object());
        if none { Err(Unreadable::NoList) } else { Ok(all) }
    }

    /// The list that a member of the object at hand is, read to the object's end.
    fn list_member(&mut self) -> Result<Option<Vec<(usize, Value)>>, Unreadable> {
        if !self.takes(b'{') {
            return Ok(None);
        }
        let (mut list, mut total, mut next) = (None, 0, false);
        while self.next() == Some(b'"') {
            let name: String = self.value()?;
            if !self.takes(b':') {
                return Err(self.wrong("a colon is missing"));
            }
            if list.is_none() && LISTS.contains(&name.as_str()) && self.next() == Some(b'[') {
                list = Some(self.list()?);
            } else {
                let value: Value = self.value()?;
                next |= name == "next" && value.is_string();
                let count = value.as_u64().filter(|_| TOTALS.contains(&name.as_str()));
                total = total.max(count.unwrap_or_default());
            }
            self.takes(b',');
        }
        let has = list.as_ref().map_or(0, Vec::len);
        if next || total > has as u64 {
            let of =
                if total > has as u64 { format!("{has} of {total}") } else { format!("the first {has}") };
            self.page = Some(format!("the file is one page of an answer, {of} rows: the others are missing"));
        }
        Ok(list)
    }

    fn list(&mut self) -> Result<Vec<(usize, Value)>, Unreadable> {
        let mut all: Vec<(usize, Value)> = Vec::new();
        self.takes(b'[');
        while !self.takes(b']') {
            if self.next().is_none() {
                return Err(self.wrong("the list does not end"));
            }
            all.push((self.at, self.value()?));
            if !self.takes(b',') && self.next() != Some(b']') {
                return Err(self.wrong("a comma is missing"));
            }
        }
        Ok(all)
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is = self.next() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn value<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T, Unreadable> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut stream = Deserializer::from_str(rest).into_iter::<T>();
        match stream.next() {
            Some(Ok(value)) => {
                self.at += stream.byte_offset();
                Ok(value)
            }
            // The parser counts from the row on.
            Some(Err(error)) => {
                Err(self.wrong(error.to_string().split(" at line ").next().unwrap_or_default()))
            }
            None => Err(self.wrong("it ends too early")),
        }
    }

    fn wrong(&self, what: &str) -> Unreadable {
        Unreadable::Json(format!("{what}, in what begins in line {}", Lines::new(self.text).of(self.at)))
    }
}

/// What an object says, what the user says of it first.
fn said(object: &Map<String, Value>, shape: &Shape, how: &How) -> Vec<(Field, String)> {
    let mut said = Vec::new();
    let mut add = |field: Field, values: Vec<String>| {
        said.extend(values.iter().filter_map(|value| Some((field, (shape.meant)(field, value)?))));
    };
    let ignored = |name: &str| how.map.iter().any(|(column, field)| column == name && field.is_none());
    for (path, field) in &how.map {
        field.iter().for_each(|field| add(*field, at(object, path)));
    }
    for (path, field) in shape.members.iter().filter(|(path, _)| !ignored(path)) {
        add(*field, at(object, path));
    }
    let custom = shape.custom.and_then(|name| object.get(name)).and_then(Value::as_object);
    let own = if shape.members.is_empty() { Some(object) } else { custom };
    for (name, value) in own.into_iter().flatten().filter(|(name, _)| !ignored(name)) {
        Field::of_heading(name).into_iter().for_each(|field| add(field, words(value)));
    }
    said
}

fn left_out(object: &Map<String, Value>, shape: &Shape) -> Option<String> {
    let one = |path: &str| at(object, path).iter().find_map(|value| shape.left_out(path, value));
    shape.left_out.iter().find_map(|(path, _)| one(path))
}

/// What stands at a path of members parted by dots; `*` is every member. A list stands for each of what is in it.
fn at(object: &Map<String, Value>, path: &str) -> Vec<String> {
    if let Some(value) = object.get(path) {
        return words(value);
    }
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let member = object
        .get(first)
        .or_else(|| object.iter().find(|(name, _)| plain(name) == plain(first)).map(|(_, value)| value));
    let mut here: Vec<&Value> = member.into_iter().collect();
    for step in steps {
        here = here.into_iter().flat_map(|value| members(value, step)).collect();
    }
    here.into_iter().flat_map(words).collect()
}

fn members<'v>(value: &'v Value, step: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(all) => all.iter().flat_map(|one| members(one, step)).collect(),
        Value::Object(object) if step == "*" => object.values().collect(),
        Value::Object(object) => object.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The words that a value is; of an object, those by which programs name what it stands for.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(all) => all.iter().filter(|one| !one.is_array()).flat_map(words).collect(),
        Value::Object(object) => {
            let named = ["display_value", "name", "address", "mac_address", "display", "value", "label"];
            let text = named.into_iter().filter_map(|name| object.get(name)).find_map(Value::as_str);
            text.map(str::to_owned).into_iter().collect()
        }
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}
