//! `headcount explain`: why a device is thought to be what it is.

use std::io::Write;

use anyhow::anyhow;
use headcount_match::Library;
use headcount_model::Device;
use headcount_report::{Document, Explaining, escape, explain, find};

use super::{fingerprints::files, show};
use crate::{
    args::{Color, ExplainDeviceArgs},
    exit::{self, Failure},
    session_output,
};

/// The most devices that are offered where a name fits several.
const MOST_OFFERED: usize = 8;

/// Explains the one device that the arguments name.
pub(super) fn run(args: &ExplainDeviceArgs, color: Color) -> Result<u8, Failure> {
    let library = files::library(&args.library)?;
    let document = show::read(&args.file, &library, &args.library).map_err(Failure::Usage)?.document;
    let device = the_one(&document, &args.device).map_err(Failure::Usage)?;
    let source = |id: &str| source(&library, id);
    let mut text = Vec::new();
    let options = session_output::table_options(color);
    let explained = explain(device, &Explaining { source: &source }, &options, &mut text)
        .and_then(|()| std::io::stdout().write_all(&text))
        .and_then(|()| std::io::stdout().flush());
    session_output::tolerate_closed_pipe(explained.map_err(anyhow::Error::from))?;
    Ok(exit::OK)
}

fn the_one<'d>(document: &'d Document, wanted: &str) -> anyhow::Result<&'d Device> {
    match find(document, wanted).as_slice() {
        [device] => Ok(device),
        [] => Err(anyhow!("no device has the id, address, MAC address or name {wanted}")),
        several => {
            let ids: Vec<_> =
                several.iter().take(MOST_OFFERED).map(|device| escape::terminal(&device.id)).collect();
            Err(anyhow!("{wanted} fits {} devices; name one by its id: {}", several.len(), ids.join(", ")))
        }
    }
}

/// Where the fact behind a fingerprint comes from.
fn source(library: &Library, fingerprint: &str) -> Option<String> {
    let (kind, id) = fingerprint.split_once('/').unwrap_or((fingerprint, ""));
    let source = match kind {
        "oui" => "the IEEE's registry of MAC addresses".to_owned(),
        "cpe" => "the NVD's dictionary of CPE names, by cpe.tsv".to_owned(),
        "rule" => library.rules().iter().find(|rule| rule.id == id)?.source.to_string(),
        "exposure" => library.exposures().iter().find(|rule| rule.id == id)?.source.to_string(),
        field => library.entries(field).iter().find(|(entry, _)| entry.id == id)?.1.source.to_string(),
    };
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fingerprint_has_a_source() {
        let mut library = Library::empty();
        let entry = "field = \"ftp\"\n[[entry]]\nid = \"x\"\nequals = \"x\"\ncertainty = 0.9\n\
                     says = { \"service.product\" = \"x\" }\nsource = \"a manual\"\nexamples = [ { input = \"x\" } ]\n";
        library.overlay(&[("ftp/x.toml".to_owned(), entry.to_owned())]).unwrap();
        assert_eq!(source(&library, "ftp/x").as_deref(), Some("a manual"));
        assert!(source(&library, "oui").is_some());
        for unknown in ["ftp/y", "rule/y", "exposure/y", "nothing", "", "/"] {
            assert_eq!(source(&library, unknown), None, "{unknown}");
        }
    }
}
