//! `headcount gap`: what is expected against what was found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::anyhow;
use headcount_register::{
    Aside, Asset, AssetId, Doubt, Expected, ExpectedList, Figures, Gap, LookedAt, Store, Why, gap,
};
use headcount_report::{escape, json_line};
use serde::Serialize;

use super::register::{called, failure, open};
use crate::{
    args::GapArgs,
    exit::{self, Failure},
    say,
    session_output::print,
};

/// The document of `--json`.
#[derive(Serialize)]
struct Answer<'a> {
    list: List<'a>,
    gap: &'a Gap,
    /// The devices that are unexpected or ambiguous.
    assets: Vec<&'a Asset>,
}

/// What is expected, and since when.
#[derive(Serialize)]
struct List<'a> {
    taken: headcount_model::Timestamp,
    source: &'a str,
    rows: usize,
    broken: &'a [Aside],
}

type ById<'a> = BTreeMap<&'a AssetId, &'a Asset>;

/// Prints the gap.
pub(super) fn run(args: &GapArgs) -> Result<u8, Failure> {
    let store = open(&args.db).map_err(Failure::Usage)?;
    let none = || anyhow!("no list is in the register yet: headcount register expect FILE takes one in");
    let list = store.expected().map_err(failure)?.ok_or_else(|| Failure::Usage(none()))?;
    let runs = store.runs().map_err(failure)?;
    if runs.is_empty() {
        return Err(Failure::usage(anyhow!(
            "no run is in the register yet: headcount scan --register makes one"
        )));
    }
    let assets = store.assets().map_err(failure)?;
    let gap = gap(&list.rows, &assets, &LookedAt::of(runs.iter().map(|stored| &stored.run)));
    let by_id: ById<'_> = assets.iter().map(|asset| (&asset.id, asset)).collect();
    if args.json {
        print(&json(&list, &gap, &by_id)?)?;
    } else {
        print(&groups(&gap, &by_id))?;
        print(&figures(&gap))?;
    }
    if !list.broken.is_empty() {
        let source = escape::terminal(&list.source);
        say(&format!(
            "note: {} rows of {source} could not be read and are in none of the groups",
            list.broken.len()
        ));
    }
    Ok(if gap.figures.is_above(args.threshold) { exit::FAILED } else { exit::OK })
}

fn json(list: &ExpectedList, gap: &Gap, assets: &ById<'_>) -> Result<String, Failure> {
    let doubtful = gap.ambiguous.iter().flat_map(|one| &one.assets);
    let ids: BTreeSet<&AssetId> = gap.unexpected.iter().chain(doubtful).collect();
    let answer = Answer {
        list: List { taken: list.taken, source: &list.source, rows: list.rows.len(), broken: &list.broken },
        gap,
        assets: ids.into_iter().filter_map(|id| assets.get(id).copied()).collect(),
    };
    let mut text = Vec::new();
    json_line(&answer, &mut text).map_err(Failure::failed)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The four groups, the ones that ask for something first.
fn groups(gap: &Gap, assets: &ById<'_>) -> String {
    let device = |id: &AssetId| assets.get(id).map_or_else(|| id.to_string(), |asset| shown(asset));
    let mut text = String::new();
    let mut group = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(text, "{heading} ({})", lines.len());
            text.extend(lines.iter().map(|line| format!("  {line}\n")));
            text.push('\n');
        }
    };
    group("Found, not expected", gap.unexpected.iter().map(device).collect());
    let missing = gap.not_found.iter().filter(|missing| missing.why != Why::Ambiguous);
    group(
        "Expected, not found",
        missing.map(|missing| format!("{}: {}", named(&missing.row), reason(&missing.why, assets))).collect(),
    );
    let doubts = gap.ambiguous.iter().map(|one| {
        let rows: Vec<String> = one.rows.iter().map(named).collect();
        let devices: Vec<String> = one.assets.iter().map(device).collect();
        format!("{} <> {}: {}", rows.join(", "), devices.join(", "), doubt(one.doubt, one.by.as_str()))
    });
    group("Ambiguous", doubts.collect());
    let found = gap.found.iter().map(|found| {
        format!("{}: {}, by its {}", named(&found.row), device(&found.asset), found.by.as_str())
    });
    group("Expected and found", found.collect());
    text
}

fn shown(asset: &Asset) -> String {
    let address = asset.latest.addresses.first().map(ToString::to_string).unwrap_or_default();
    format!("{address} {} ({})", called(asset), asset.id)
}

/// A row by what people call it, safe to print.
fn named(row: &Expected) -> String {
    let mac = row.macs.first().map(ToString::to_string);
    let address = row.addresses.first().map(ToString::to_string);
    let words = [row.name.as_ref(), row.names.first(), row.asset_tag.as_ref(), row.serial.as_ref()];
    let word = words.into_iter().flatten().next().cloned().or(mac).or(address).unwrap_or_default();
    format!("line {} {}", row.source_line, escape::terminal(&word))
}

fn reason(why: &Why, assets: &ById<'_>) -> String {
    match why {
        Why::Silent { asset, since, by } => {
            let device = assets.get(asset).map_or_else(|| asset.to_string(), |asset| shown(asset));
            format!("silent since {}: {device}, by its {}", since.time, by.as_str())
        }
        Why::Ambiguous => "ambiguous".to_owned(),
        Why::NotLookedAt => "no run looked where it should be".to_owned(),
        Why::NoAnswer => "nothing that answered where it should be is it".to_owned(),
        Why::Nowhere => {
            "nothing that was found is it, and the list does not say at which address it is".to_owned()
        }
    }
}

fn doubt(doubt: Doubt, by: &str) -> String {
    match doubt {
        Doubt::OnlyAddress => "they have only an address in common".to_owned(),
        Doubt::SeveralAssets => format!("several devices have its {by}"),
        Doubt::SeveralRows => format!("several rows have a {by} of one device"),
        Doubt::OtherSerial => format!("they have a {by} in common, and different serial numbers"),
    }
}

/// The figures by segment and in all.
fn figures(gap: &Gap) -> String {
    let width = gap
        .shares
        .segments
        .keys()
        .map(|name| escape::terminal(name).chars().count())
        .max()
        .unwrap_or(0)
        .max(7);
    let mut text = format!("{:<width$}  expected    found  missing  unexpected  ambiguous  gap\n", "Segment");
    for (name, figures) in &gap.shares.segments {
        let _ = writeln!(text, "{:<width$}  {}", escape::terminal(name), line(figures));
    }
    let _ = writeln!(text, "{:<width$}  {}", "In all", line(&gap.figures));
    if gap.gone > 0 {
        let _ = writeln!(text, "\n{} more that nobody expects fell silent and do not count.", gap.gone);
    }
    text
}

fn line(figures: &Figures) -> String {
    let percent =
        figures.unexpected_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1} %"));
    format!(
        "{:>8}  {:>7}  {:>7}  {:>10}  {:>9}  {percent}",
        figures.expected, figures.found, figures.missing, figures.unexpected, figures.ambiguous
    )
}
