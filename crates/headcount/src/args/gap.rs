//! The arguments of what is expected and of the gap.

use std::path::PathBuf;

use clap::Args;
use headcount_register::{Field, Format};

use super::DbArgs;

/// `headcount register expect`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes:\n  0    all rows were taken in\n  1    some rows are broken: they are listed with their lines, the others were taken in\n  2    nothing can be read; nothing was changed"
)]
pub(crate) struct ExpectArgs {
    /// The list: a table, JSON, or an export of Snipe-IT, NetBox, GLPI or ServiceNow.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Its form: csv, json, snipe-it, netbox, glpi or servicenow [default: recognised].
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub format: Option<Format>,
    /// What a column means, where its heading does not say it in English or German: --map "Inv. no=asset_tag". Fields:
    /// name, asset_tag, serial, mac, address, host, vendor, model, type, owner, location, segment; - for a column that is
    /// not to be read. In JSON a column is a member, or a path of members parted by dots.
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = mapping)]
    pub map: Vec<(String, Option<Field>)>,
    #[command(flatten)]
    pub db: DbArgs,
}

/// `headcount gap`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes:\n  0    the gap is not above the threshold\n  1    the gap of devices that nobody expects is above the threshold\n  2    bad input: there is no list or no run in the register"
)]
pub(crate) struct GapArgs {
    /// Print one JSON document: the four groups, the figures by segment, type and maker, the devices in question.
    #[arg(long)]
    pub json: bool,
    /// The gap above which the exit code is 1, in per cent of what is expected.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub threshold: f64,
    #[command(flatten)]
    pub db: DbArgs,
}

fn format(text: &str) -> Result<Format, String> {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
    let known = Format::ALL.into_iter().find(|format| format.as_str() == text);
    known.ok_or_else(|| format!("there are {}", names.join(", ")))
}

fn mapping(text: &str) -> Result<(String, Option<Field>), String> {
    let (column, field) =
        text.rsplit_once('=').ok_or("write the column, an equals sign, and what it means")?;
    let field = if field == "-" { None } else { Some(field.parse()?) };
    Ok((column.to_owned(), field))
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 =
        text.trim_end_matches('%').trim().parse().map_err(|_| "it must be a number".to_owned())?;
    if percent.is_finite() && percent >= 0.0 { Ok(percent) } else { Err("it must be 0 or more".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_and_a_threshold_are_read() {
        assert_eq!(mapping("a=b=serial"), Ok(("a=b".to_owned(), Some(Field::Serial))));
        assert_eq!(mapping("Notes=-"), Ok(("Notes".to_owned(), None)));
        assert!(mapping("Notes").is_err() && mapping("Notes=colour").is_err());
        assert_eq!((percent("5"), percent("2.5%")), (Ok(5.0), Ok(2.5)));
        assert!(percent("-1").is_err() && percent("NaN").is_err() && percent("inf").is_err());
        assert_eq!(format("netbox"), Ok(Format::NetBox));
        assert!(format("xls").is_err());
    }
}
