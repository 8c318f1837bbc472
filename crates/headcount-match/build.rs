//! Compiles the table of makers into the form that is embedded and searched without parsing.
#![expect(clippy::disallowed_methods, reason = "a build script reads its inputs")]

use std::{env, error::Error, fs, path::Path};

#[path = "src/makers/table.rs"]
#[expect(unreachable_pub, dead_code, reason = "the library is the other user of this file")]
mod table;

fn main() -> Result<(), Box<dyn Error>> {
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../fingerprints/tables/oui.tsv");
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-changed=src/makers/table.rs");
    let text = fs::read_to_string(&source).map_err(|error| format!("{}: {error}", source.display()))?;
    let table = table::encode(&text).map_err(|error| format!("{}: {error}", source.display()))?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("oui.bin"), table)?;
    Ok(())
}
