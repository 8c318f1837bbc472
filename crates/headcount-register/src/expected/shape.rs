//! How a program writes its list.

use super::{Field, Format, field::plain, glpi, netbox, service_now, snipe_it};

/// What is particular to the exports of one program.
#[derive(Debug)]
pub(super) struct Shape {
    /// Whose it is.
    pub format: Format,
    /// Sets of members of a JSON object, any of which tells that it is this program's.
    pub told_by_members: &'static [&'static [&'static str]],
    /// Sets of headings of a table, any of which tells that it is this program's.
    pub told_by_headings: &'static [&'static [&'static str]],
    /// What the members mean, by their paths; where two mean the same, the first that says something.
    pub members: &'static [(&'static str, Field)],
    /// What headings mean where they mean something else than elsewhere; `None` for nothing.
    pub headings: &'static [(&'static str, Option<Field>)],
    /// The member under which users' own fields stand by their names.
    pub custom: Option<&'static str>,
    /// Paths and headings, with the values that say that a device is not expected on the network.
    pub left_out: &'static [(&'static str, &'static [&'static str])],
    /// A value as it was meant; `None` where it says nothing.
    pub meant: fn(Field, &str) -> Option<String>,
}

/// A table or a list of objects of nobody in particular.
pub(super) const PLAIN_CSV: Shape = Shape {
    format: Format::Csv,
    told_by_members: &[],
    told_by_headings: &[],
    members: &[],
    headings: &[],
    custom: None,
    left_out: &[],
    meant: as_written,
};
/// The same in JSON.
pub(super) const PLAIN_JSON: Shape = Shape { format: Format::Json, ..PLAIN_CSV };

const PROGRAMS: [&Shape; 4] = [&snipe_it::SHAPE, &netbox::SHAPE, &glpi::SHAPE, &service_now::SHAPE];

impl Shape {
    /// The shape that the user names.
    pub(super) fn of(format: Format) -> &'static Self {
        match format {
            Format::Csv => &PLAIN_CSV,
            Format::Json => &PLAIN_JSON,
            format => PROGRAMS.into_iter().find(|shape| shape.format == format).unwrap_or(&PLAIN_CSV),
        }
    }

    /// The program whose objects have these members, if one is known by them.
    pub(super) fn by_members(has: impl Fn(&str) -> bool) -> &'static Self {
        let told = |shape: &&Self| shape.told_by_members.iter().any(|all| all.iter().all(|name| has(name)));
        PROGRAMS.into_iter().find(told).unwrap_or(&PLAIN_JSON)
    }

    /// The program whose tables have these headings, if one is known by them.
    pub(super) fn by_headings(headings: &[String]) -> &'static Self {
        let has = |name: &&str| headings.iter().any(|heading| heading.trim().eq_ignore_ascii_case(name));
        let told = |shape: &&Self| shape.told_by_headings.iter().any(|all| all.iter().all(has));
        PROGRAMS.into_iter().find(told).unwrap_or(&PLAIN_CSV)
    }

    /// What a heading means.
    pub(super) fn heading(&self, heading: &str) -> Option<Field> {
        let own = self.headings.iter().find(|(name, _)| plain(name) == plain(heading));
        own.map_or_else(|| Field::of_heading(heading), |(_, field)| *field)
    }

    /// Why a device with this value there is not expected.
    pub(super) fn left_out(&self, path: &str, value: &str) -> Option<String> {
        let (_, values) = self.left_out.iter().find(|(name, _)| plain(name) == plain(path))?;
        let says = values.iter().any(|out| out.eq_ignore_ascii_case(value.trim()));
        says.then(|| format!("the list says that it is not in use: {path} is {}", value.trim()))
    }
}

/// The value itself.
pub(super) fn as_written(_: Field, value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// With the five signs that PHP's `htmlspecialchars` writes as entities.
pub(super) fn unescaped(_: Field, value: &str) -> Option<String> {
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.into_iter().fold(value.to_owned(), |text, (entity, sign)| text.replace(entity, sign)))
}
