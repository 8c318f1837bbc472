//! `headcount schema`.

use crate::{
    args::SchemaArgs,
    exit::{self, Failure},
    session_output,
};

/// Prints the JSON Schema of the output.
pub(super) fn run(args: &SchemaArgs) -> Result<u8, Failure> {
    let schema = if args.ndjson { headcount_report::record_schema() } else { headcount_report::schema() };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::failed)?;
    session_output::print(&format!("{text}\n"))?;
    Ok(exit::OK)
}
