//! The whole result of a run as one document.

use headcount_model::{Device, Findings, Run, SCHEMA_VERSION};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a run found, in one JSON document.
///
/// Readers ignore members that they do not know: within one first number of `schema`, members are only added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// The version of this form, as in `1.0`. The first number changes when a reader of the old form would misread
    /// the new one, the second when something was added.
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub schema: String,
    /// The program that wrote it and its version.
    pub generator: String,
    /// What was done.
    pub run: Run,
    /// What was found, by lowest address.
    pub devices: Vec<Device>,
    /// What was found out about the network itself.
    pub findings: Findings,
}

impl Document {
    /// The document of a run.
    pub fn new(run: Run, devices: Vec<Device>, findings: Findings) -> Self {
        Self { schema: SCHEMA_VERSION.to_owned(), generator: generator(&run), run, devices, findings }
    }
}

/// The program and its version, as the documents of `run` name it.
pub(crate) fn generator(run: &Run) -> String {
    format!("headcount {}", run.version)
}

/// The JSON Schema (draft 2020-12) of [`Document`].
pub fn schema() -> Value {
    schema_of::<Document>("run", "A headcount run", "Everything that one run of headcount found.")
}

/// The JSON Schema of `T` with its own id, title and description.
pub(crate) fn schema_of<T: JsonSchema>(name: &str, title: &str, description: &str) -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(members) = schema.as_object_mut() {
        let major = SCHEMA_VERSION.split('.').next().unwrap_or_default();
        // A name, not a place: nothing is to be fetched from it.
        members.insert("$id".into(), format!("urn:headcount:schema:{name}:{major}").into());
        members.insert("title".into(), title.into());
        members.insert("description".into(), description.into());
    }
    schema
}
