//! The closed lists: attributes, device types, fields.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Fault, Text,
    pack::{Packed, Packer, Unpacker, packed},
};

/// What may be said of an attribute's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeRule {
    /// Its name.
    pub name: Text,
    /// Whether a device has only one value of it.
    pub single: bool,
    /// What it is, for people.
    pub about: Text,
}

packed!(AttributeRule { name, single, about });

/// The closed lists that fingerprints draw on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The attributes, sorted by name.
    pub attributes: Vec<AttributeRule>,
    /// Device types and their categories, sorted by type.
    pub types: Vec<(Text, Text)>,
    /// Fields and what they are, sorted; a name that ends with `.*` stands for all that start so.
    pub fields: Vec<(Text, Text)>,
}

packed!(Vocabulary { attributes, types, fields });

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    attributes: BTreeMap<String, WrittenAttribute>,
    types: BTreeMap<String, Vec<String>>,
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAttribute {
    single: bool,
    about: String,
}

impl Vocabulary {
    pub(super) fn read(file: &str, text: &str) -> Result<Self, Fault> {
        let written: Written =
            toml::from_str(text).map_err(|error| super::entries::toml_fault(file, text, &error))?;
        let attributes = written.attributes.into_iter().map(|(name, attribute)| AttributeRule {
            name: name.into(),
            single: attribute.single,
            about: attribute.about.into(),
        });
        let mut types = BTreeMap::new();
        for (category, members) in written.types {
            for member in members {
                if types.insert(member.clone(), category.clone()).is_some() {
                    return Err(Fault::of_entry(file, member, "the type stands in two categories"));
                }
            }
        }
        Ok(Self {
            attributes: attributes.collect(),
            types: types.into_iter().map(|(name, category)| (name.into(), category.into())).collect(),
            fields: written.fields.into_iter().map(|(name, about)| (name.into(), about.into())).collect(),
        })
    }

    /// The category of a device type. `None` where there is no such type.
    pub fn category(&self, device_type: &str) -> Option<&str> {
        let at = self.types.binary_search_by(|(name, _)| name.as_ref().cmp(device_type)).ok()?;
        self.types.get(at).map(|(_, category)| category.as_ref())
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&AttributeRule> {
        let at = self.attributes.binary_search_by(|rule| rule.name.as_ref().cmp(name)).ok()?;
        self.attributes.get(at)
    }

    /// Whether there is such a field.
    pub fn has_field(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| match name.strip_suffix('*') {
            Some(start) => field.len() > start.len() && field.starts_with(start),
            None => name == field,
        })
    }
}
