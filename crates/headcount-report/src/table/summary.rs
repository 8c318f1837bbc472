//! What stands above and below the devices.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::Ipv4Addr,
    time::Duration,
};

use headcount_model::{
    AddressSet, ClonedKey, DuplicateAddress, Exposure, Grade, Phantom, PhantomKind, PortSet, Run,
    SegmentKind, SegmentRecord,
};

use super::{
    pen::{Pen, Style},
    text,
};
use crate::{Document, escape, words};

/// The column in which the facts begin.
const INDENT: usize = 10;
/// The most address ranges, segments and findings that are told one by one.
const MOST_RANGES: usize = 4;
const MOST_SEGMENTS: usize = 8;
const MOST_FINDINGS: usize = 20;
const MOST_ADDRESSES: usize = 6;
/// How many columns the ports of one transport may take.
const PORT_COLUMNS: usize = 48;

/// What was swept, from where, by which methods, and what did not run.
pub(super) fn head(document: &Document, pen: &Pen, out: &mut dyn io::Write) -> io::Result<()> {
    let run = &document.run;
    let mut title = vec![escape::terminal(&document.generator).into_owned(), when(run)];
    title.extend(run.host.as_deref().map(|host| format!("from {}", escape::terminal(host))));
    write_wrapped(pen, out, "", 0, Style::Heading, &title.join(pen.dot()))?;

    let mut label = "Swept";
    for segment in run.segments.iter().take(MOST_SEGMENTS) {
        fact(pen, out, label, Style::Plain, &swept(segment))?;
        label = "";
    }
    if let Some(more) = beyond(run.segments.len(), MOST_SEGMENTS) {
        fact(
            pen,
            out,
            "",
            Style::Plain,
            &format!("and {}", words::count(more, "more segment", "more segments")),
        )?;
    }
    if !run.scope.excluded.is_empty() {
        fact(pen, out, "Excluded", Style::Plain, &addresses(&run.scope.excluded))?;
    }
    let methods: Vec<String> = run.methods.iter().map(|m| m.method.to_string()).collect();
    let methods = if methods.is_empty() { "none".to_owned() } else { methods.join(", ") };
    fact(pen, out, "Methods", Style::Plain, &methods)?;
    if !(run.ports.is_empty() && run.udp_ports.is_empty()) {
        let ports = [ports("TCP", &run.ports, pen), ports("UDP", &run.udp_ports, pen)];
        let ports: Vec<String> = ports.into_iter().flatten().collect();
        fact(pen, out, "Ports", Style::Plain, &ports.join("; "))?;
    }
    let mut label = "Not run";
    for skipped in &run.skipped {
        let why = format!("{}: {}", skipped.method, escape::terminal(&skipped.why));
        fact(pen, out, label, Style::Warning, &why)?;
        label = "";
    }
    Ok(())
}

/// What is odd about the network; nothing where nothing is.
pub(super) fn findings(document: &Document, pen: &Pen, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = &document.findings;
    let phantoms = findings.phantoms.iter().map(|phantom| phantom_text(phantom, &document.run));
    let lines: Vec<String> = phantoms
        .chain(findings.duplicate_addresses.iter().map(duplicate_text))
        .chain(findings.cloned_keys.iter().map(cloned_text))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{}", pen.paint(Style::Heading, "Findings"))?;
    for line in lines.iter().take(MOST_FINDINGS) {
        paragraph(pen, out, "  ! ", Style::Warning, line)?;
    }
    if let Some(more) = beyond(lines.len(), MOST_FINDINGS) {
        paragraph(pen, out, "  ! ", Style::Warning, &format!("and {} more", words::number(more)))?;
    }
    Ok(())
}

/// The counts, the pace, the miss chance, and whether the run was complete.
pub(super) fn foot(document: &Document, pen: &Pen, out: &mut dyn io::Write) -> io::Result<()> {
    let run = &document.run;
    fact(pen, out, "Found", Style::Heading, &found(document))?;
    fact(pen, out, "Sent", Style::Plain, &sent(run))?;
    let trouble = trouble(run);
    if !trouble.is_empty() {
        fact(pen, out, "Received", Style::Warning, &trouble)?;
    }
    fact(pen, out, "Missed", Style::Plain, &missed(run))?;
    let completeness = &run.completeness;
    if completeness.complete {
        return fact(pen, out, "Complete", Style::Good, "yes: every planned question was asked");
    }
    let why = completeness.why.as_deref().unwrap_or("the run did not reach its end");
    fact(pen, out, "Complete", Style::Bad, &format!("NO: {}", escape::terminal(why)))
}

fn when(run: &Run) -> String {
    let started = run.started.to_string();
    // "2026-11-24T10:00:03.123456Z" to the second.
    match started.get(..19) {
        Some(second) => format!("{} UTC", second.replace('T', " ")),
        None => started,
    }
}

fn swept(segment: &SegmentRecord) -> String {
    let mut swept = addresses(&segment.addresses);
    if segment.kind == SegmentKind::Local {
        swept.push_str(", this machine itself");
        return swept;
    }
    swept.push_str(&format!(" on {}", escape::terminal(&segment.interface)));
    if let Some(gateway) = segment.gateway {
        swept.push_str(&format!(", behind {gateway}"));
    }
    if let Some(source) = segment.source {
        swept.push_str(&format!(", from {source}"));
    }
    if !segment.complete {
        swept.push_str(", not to the end");
    }
    swept
}

fn addresses(set: &AddressSet) -> String {
    let ranges = set.ranges();
    let mut shown: Vec<String> = ranges.iter().take(MOST_RANGES).map(ToString::to_string).collect();
    shown.extend(
        beyond(ranges.len(), MOST_RANGES).map(|more| words::count(more, "more range", "more ranges")),
    );
    let count =
        if set.len() == 1 { String::new() } else { format!(" ({} addresses)", words::number(set.len())) };
    format!("{}{count}", shown.join(", "))
}

fn ports(transport: &str, ports: &PortSet, pen: &Pen) -> Option<String> {
    if ports.is_empty() {
        return None;
    }
    let list = ports.to_string();
    let list = if list.len() <= PORT_COLUMNS {
        list
    } else {
        // Digits, dashes and commas only.
        let end = list[..PORT_COLUMNS].rfind(',').map_or(PORT_COLUMNS, |comma| comma + 1);
        format!("{}{}", &list[..end], pen.ellipsis())
    };
    Some(format!("{} {transport} ({list})", words::number(ports.len() as u64)))
}

fn phantom_text(phantom: &Phantom, run: &Run) -> String {
    let what = match phantom.what {
        PhantomKind::ProxyArp => "answers ARP for addresses that it does not have",
        PhantomKind::EchoForAll => "answers ping for every address",
        PhantomKind::AcceptsForAll => "accepts TCP connections for every address",
        PhantomKind::ResetsForAll => "resets TCP connections for every address",
        PhantomKind::UdpForAll => "answers UDP for every address",
        PhantomKind::AcceptsEveryPort => {
            return format!(
                "{}: accepts connections on every port, so its open ports prove nothing ({})",
                phantom.address, phantom.what
            );
        }
    };
    let who = phantom.mac.map_or_else(|| "something".to_owned(), |mac| mac.to_string());
    let place = run.segments.iter().find(|segment| segment.id == phantom.segment);
    let place = place.map(|segment| match (segment.kind, segment.gateway) {
        (SegmentKind::Routed, Some(gateway)) => format!(" behind {gateway}"),
        _ => format!(" on {}", escape::terminal(&segment.interface)),
    });
    format!(
        "{who}{} {what} ({}), as {} showed; {} not counted",
        place.unwrap_or_default(),
        phantom.what,
        phantom.address,
        words::count(phantom.not_counted, "address", "addresses"),
    )
}

fn duplicate_text(duplicate: &DuplicateAddress) -> String {
    let macs: Vec<String> = duplicate.macs.iter().map(ToString::to_string).collect();
    format!("{}: claimed by {} devices at once ({})", duplicate.address, macs.len(), macs.join(", "))
}

fn cloned_text(cloned: &ClonedKey) -> String {
    let shown: String = cloned.value.chars().take(24).collect();
    let cut = if shown.len() < cloned.value.len() { "..." } else { "" };
    format!(
        "{} {}{cut} is one key on {} that are not one device ({}): whoever has it from one of them can pose as all",
        escape::terminal(&cloned.field),
        escape::terminal(&shown),
        words::count(cloned.addresses.len() as u64, "address", "addresses"),
        address_list(&cloned.addresses),
    )
}

/// The first addresses, and how many more.
fn address_list(addresses: &[Ipv4Addr]) -> String {
    let mut shown: Vec<String> = addresses.iter().take(MOST_ADDRESSES).map(ToString::to_string).collect();
    shown.extend(beyond(addresses.len(), MOST_ADDRESSES).map(|more| format!("{} more", words::number(more))));
    shown.join(", ")
}

/// The states in which no device should stand, gravest first, with the addresses that are in them and what to do.
pub(super) fn exposures(document: &Document, pen: &Pen, out: &mut dyn io::Write) -> io::Result<()> {
    let mut groups: BTreeMap<(Grade, &str), (&Exposure, BTreeSet<Ipv4Addr>)> = BTreeMap::new();
    for device in &document.devices {
        for exposure in &device.exposures {
            let group = groups.entry((exposure.grade, &exposure.id));
            let (_, addresses) = group.or_insert_with(|| (exposure, BTreeSet::new()));
            addresses.extend(exposure.endpoint.map(|endpoint| endpoint.address).or(device.addresses().min()));
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{}", pen.paint(Style::Heading, "Exposures"))?;
    for (exposure, addresses) in groups.values().take(MOST_FINDINGS) {
        let style = if exposure.grade == Grade::KnownDefault { Style::Warning } else { Style::Bad };
        let addresses: Vec<Ipv4Addr> = addresses.iter().copied().collect();
        let title = escape::terminal(&exposure.title);
        let text = format!("{title} ({}): {}", exposure.grade, address_list(&addresses));
        paragraph(pen, out, "  ! ", style, &text)?;
        let remedy = escape::terminal(&exposure.remedy);
        let controls = exposure.controls.join(", ");
        paragraph(pen, out, "    ", Style::Plain, &format!("{remedy} [{}]", escape::terminal(&controls)))?;
    }
    if let Some(more) = beyond(groups.len(), MOST_FINDINGS) {
        paragraph(pen, out, "  ! ", Style::Warning, &format!("and {} more", words::number(more)))?;
    }
    Ok(())
}

fn found(document: &Document) -> String {
    let segments = &document.run.segments;
    let sum = |of: fn(&SegmentRecord) -> u64| segments.iter().map(of).fold(0, u64::saturating_add);
    let present = sum(|segment| segment.present);
    let mut text = format!(
        "{} on {}; {} asked",
        words::count(document.devices.len() as u64, "device", "devices"),
        words::count(present, "address", "addresses"),
        words::count(sum(|segment| segment.asked), "address", "addresses"),
    );
    let phantoms = sum(|segment| segment.phantoms);
    if phantoms > 0 {
        text.push_str(&format!(", {} not counted", words::count(phantoms, "phantom", "phantoms")));
    }
    let unreachable = sum(|segment| segment.unreachable);
    if unreachable > 0 {
        text.push_str(&format!(", {} unreachable", words::number(unreachable)));
    }
    text
}

fn sent(run: &Run) -> String {
    let micros = run.ended.as_micros().saturating_sub(run.started.as_micros());
    let time = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    let sent = run.counters.sent;
    let mut text = format!("{} in {}", words::count(sent, "packet", "packets"), words::duration(time));
    if time.as_secs_f64() >= 0.001 {
        text.push_str(&format!(", {}/s", words::number((sent as f64 / time.as_secs_f64()).round() as u64)));
    }
    let rates = &run.rates;
    let rate = |rate: f64| words::number(rate.round() as u64);
    text.push_str(&format!(
        " (profile {}: at most {}/s, {}/s a host)",
        escape::terminal(&rates.profile),
        rate(rates.total),
        rate(rates.per_host),
    ));
    if rates.backed_off > 0 {
        let times = match rates.backed_off {
            1 => "once".to_owned(),
            times => format!("{} times", words::number(u64::from(times))),
        };
        text.push_str(&format!("; slowed down {times} because answers were lost"));
    }
    text
}

/// What may have been lost on this machine.
fn trouble(run: &Run) -> String {
    let counters = &run.counters;
    let mut parts = Vec::new();
    if counters.dropped > 0 {
        parts.push(format!("the kernel dropped {}", words::count(counters.dropped, "frame", "frames")));
    }
    if counters.malformed > 0 {
        parts.push(format!("{} could not be decoded", words::count(counters.malformed, "frame", "frames")));
    }
    parts.join("; ")
}

fn missed(run: &Run) -> String {
    let Some(chance) = run.completeness.miss_chance else {
        return "unknown: nobody answered who could have been asked again".to_owned();
    };
    let worst = run.segments.iter().filter(|segment| segment.miss_chance == Some(chance));
    let loss = worst.filter_map(|segment| segment.control_loss).next();
    let loss =
        loss.map(|loss| format!(" (re-asked hosts failed to answer {} of the time)", words::percent(loss)));
    let estimate = words::percent(chance);
    format!("chance that an answering device was missed: {estimate}{}", loss.unwrap_or_default())
}

fn beyond(count: usize, most: usize) -> Option<u64> {
    count.checked_sub(most).filter(|more| *more > 0).map(|more| more as u64)
}

/// A labelled fact; further lines stand under its beginning.
fn fact(pen: &Pen, out: &mut dyn io::Write, label: &str, style: Style, text: &str) -> io::Result<()> {
    let label = format!("{label:INDENT$}");
    write_wrapped(pen, out, &pen.paint(Style::Faint, &label), INDENT, style, text)
}

fn paragraph(pen: &Pen, out: &mut dyn io::Write, mark: &str, style: Style, text: &str) -> io::Result<()> {
    write_wrapped(pen, out, &pen.paint(style, mark), mark.len(), style, text)
}

fn write_wrapped(
    pen: &Pen,
    out: &mut dyn io::Write,
    lead: &str,
    indent: usize,
    style: Style,
    text: &str,
) -> io::Result<()> {
    let lines = match pen.width {
        Some(width) => text::wrap(text, width.saturating_sub(indent), &[',']),
        None => vec![text.to_owned()],
    };
    for (i, line) in lines.iter().enumerate() {
        let line = pen.paint(style, line);
        if i == 0 {
            writeln!(out, "{lead}{line}")?;
        } else {
            writeln!(out, "{:indent$}{line}", "")?;
        }
    }
    Ok(())
}
