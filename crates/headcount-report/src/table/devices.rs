//! The devices as rows.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{Device, Grade, Interface, PortState, Run, SegmentKind, Service, Transport};

use super::{
    grid::{Cell, Column, Grid},
    pen::{Pen, Style},
};
use crate::{Document, escape, words};

/// From this width on, the link-layer address has a column of its own.
const WIDE: usize = 124;
/// From this width on, there is room for how a device is known.
const MIDDLE: usize = 96;
/// The most addresses of an interface that are shown.
const MOST_ADDRESSES: usize = 6;
/// The most names of a device that are shown.
const MOST_NAMES: usize = 3;
/// The most lines for one fact about a device and for one name.
const MOST_LINES: usize = 2;
const MOST_NAME_LINES: usize = 4;
/// The most lines for the ways in which a device is known; the JSON has them all.
const MOST_REASON_LINES: usize = 2;
/// What is less likely than this is shown as a guess.
const LIKELY: f64 = 0.5;
/// The most ports on a line that is as long as it needs to be.
const MOST_ON_A_LINE: usize = 24;

/// All devices of `document`.
pub(super) fn grid(document: &Document, pen: &Pen) -> Grid {
    let shape = match pen.width {
        None => Shape { mac_column: true, known_by: true, one_line: true, port_lines: 1 },
        Some(width) => Shape {
            mac_column: width >= WIDE,
            known_by: width >= MIDDLE,
            one_line: false,
            port_lines: if width >= WIDE { 3 } else { 4 },
        },
    };
    let devices = document.devices.iter();
    Grid { columns: columns(shape), rows: devices.map(|device| row(device, &document.run, shape)).collect() }
}

/// What depends on the room that there is.
#[derive(Clone, Copy)]
struct Shape {
    mac_column: bool,
    known_by: bool,
    /// For a file or a pipe: one line an interface, so that line tools can search it.
    one_line: bool,
    port_lines: usize,
}

fn columns(shape: Shape) -> Vec<Column> {
    let column = |heading, least, most| Column {
        heading,
        least,
        most: if shape.one_line { usize::MAX } else { most },
        whole: false,
    };
    let whole = |column: Column| Column { whole: true, ..column };
    let mut columns = Vec::new();
    if shape.mac_column {
        columns.extend([whole(column("ADDRESS", 15, 15)), whole(column("MAC", 17, 19))]);
    } else {
        columns.push(whole(column("ADDRESS, MAC", 17, 19)));
    }
    columns.extend([column("NAME", 12, 30), column("DEVICE", 20, 40), whole(column("EXPOSED", 7, 8))]);
    if shape.known_by {
        columns.push(column("KNOWN BY", 11, 28));
    }
    columns.push(column("OPEN PORTS", 14, 64));
    columns
}

fn row(device: &Device, run: &Run, shape: Shape) -> Vec<Cell> {
    let (mut addresses, mut macs) = (Vec::new(), Vec::new());
    for interface in &device.interfaces {
        addresses.extend(address_lines(interface, shape));
        let mac = (if shape.mac_column { Style::Plain } else { Style::Faint }, mac_text(interface, run));
        if shape.mac_column { &mut macs } else { &mut addresses }.push(mac);
        // The next interface begins on one line in both columns.
        let height = addresses.len().max(macs.len());
        if shape.mac_column {
            addresses.resize(height, (Style::Plain, String::new()));
            macs.resize(height, (Style::Plain, String::new()));
        }
    }
    let mut cells = vec![Cell::Lines(addresses)];
    if shape.mac_column {
        cells.push(Cell::Lines(macs));
    }
    cells.extend([name_cell(device, run, shape), device_cell(device, shape), exposed_cell(device, shape)]);
    if shape.known_by {
        cells.push(known_cell(device));
    }
    cells.push(ports_cell(device, shape));
    cells
}

/// What the device is: its type, its maker and model, its version and system. A guess has a question mark.
fn device_cell(device: &Device, shape: Shape) -> Cell {
    let said = |name: &str| {
        let attribute = device.attribute(name)?;
        let doubt = if attribute.confidence < LIKELY { "?" } else { "" };
        Some(format!("{}{doubt}", escape::terminal(&attribute.value)))
    };
    let mut texts: Vec<(Style, String)> = Vec::new();
    texts.extend(said("device.type").map(|named| (Style::Plain, named)));
    let maker = said("device.vendor").map(|vendor| (Style::Plain, vendor));
    let maker =
        maker.or_else(|| device.interfaces.iter().find_map(maker_text).map(|maker| (Style::Faint, maker)));
    let product = said("device.product");
    let model = said("device.model").filter(|model| {
        product.as_ref().is_none_or(|product| !product.contains(model.trim_end_matches('?')))
    });
    let model: Vec<String> = [product, model].into_iter().flatten().collect();
    match maker {
        Some((style, maker)) if model.is_empty() => texts.push((style, maker)),
        Some((_, maker)) => texts.push((Style::Plain, format!("{maker} {}", model.join(" ")))),
        None if !model.is_empty() => texts.push((Style::Plain, model.join(" "))),
        None => {}
    }
    let system = Some(words::system(device)).filter(|system| !system.is_empty());
    let system = system.map(|system| escape::terminal(&system).into_owned());
    let state: Vec<String> = [said("device.version"), system].into_iter().flatten().collect();
    if !state.is_empty() {
        texts.push((Style::Faint, state.join(", ")));
    }
    if texts.is_empty() {
        texts.push((Style::Faint, "-".to_owned()));
    }
    let texts = if shape.one_line { on_one_line(texts, ", ", Style::Plain) } else { texts };
    Cell::Wrapped { texts, most: MOST_LINES }
}

/// How many exposures the device shows, and how many known accounts its model is delivered with.
fn exposed_cell(device: &Device, shape: Shape) -> Cell {
    let leads = device.exposures.iter().filter(|exposure| exposure.grade == Grade::KnownDefault).count();
    let shown = device.exposures.len() - leads;
    let mut lines = Vec::new();
    if shown > 0 {
        lines.push((Style::Bad, format!("! {shown}")));
    }
    if leads > 0 {
        lines.push((Style::Warning, words::count(leads as u64, "lead", "leads")));
    }
    Cell::Lines(if shape.one_line { on_one_line(lines, ", ", Style::Bad) } else { lines })
}

fn address_lines(interface: &Interface, shape: Shape) -> Vec<(Style, String)> {
    let shown = interface.addresses.iter().take(MOST_ADDRESSES);
    let mut lines: Vec<_> = shown.map(|a| (Style::Address, a.address.to_string())).collect();
    let more = interface.addresses.len() - lines.len();
    if more > 0 {
        lines.push((Style::Faint, format!("+{more}")));
    }
    if shape.one_line { on_one_line(lines, ", ", Style::Address) } else { lines }
}

fn on_one_line(lines: Vec<(Style, String)>, separator: &str, style: Style) -> Vec<(Style, String)> {
    let texts: Vec<String> = lines.into_iter().map(|(_, text)| text).collect();
    vec![(style, texts.join(separator))]
}

fn mac_text(interface: &Interface, run: &Run) -> String {
    if let Some(mac) = interface.mac {
        return mac.to_string();
    }
    let segment = run.segments.iter().find(|segment| segment.id == interface.segment);
    match segment {
        Some(segment) if segment.kind == SegmentKind::Routed => match segment.gateway {
            Some(gateway) => format!("via {gateway}"),
            None => "routed".to_owned(),
        },
        Some(segment) if segment.kind == SegmentKind::Local => {
            format!("on {}", escape::terminal(&segment.interface))
        }
        _ => "unknown".to_owned(),
    }
}

fn maker_text(interface: &Interface) -> Option<String> {
    interface.mac?;
    Some(match &interface.maker {
        Some(maker) => escape::terminal(maker).into_owned(),
        None if interface.locally_administered => "(random/local)".to_owned(),
        None => "(unknown maker)".to_owned(),
    })
}

fn name_cell(device: &Device, run: &Run, shape: Shape) -> Cell {
    let names: BTreeSet<&str> = device.names.iter().map(|name| words::name(&name.name)).collect();
    let mut lines: Vec<_> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| (Style::Plain, escape::terminal(name).into_owned()))
        .collect();
    if names.len() > MOST_NAMES {
        lines.push((Style::Faint, format!("+{}", names.len() - MOST_NAMES)));
    }
    let is_gateway = |address: Ipv4Addr| run.segments.iter().any(|segment| segment.gateway == Some(address));
    if device.this_machine {
        lines.push((Style::Faint, "(this machine)".to_owned()));
    }
    if device.interfaces.iter().flat_map(|i| &i.addresses).any(|a| is_gateway(a.address)) {
        lines.push((Style::Faint, "(gateway)".to_owned()));
    }
    if lines.is_empty() {
        lines.push((Style::Faint, "-".to_owned()));
    }
    let texts = if shape.one_line { on_one_line(lines, " ", Style::Plain) } else { lines };
    Cell::Wrapped { texts, most: MOST_NAME_LINES }
}

/// Each reason once, in the order in which they were seen.
fn known_cell(device: &Device) -> Cell {
    let mut items: Vec<String> = Vec::new();
    for presence in &device.presence {
        let reason = presence.reason.as_str();
        if !items.iter().any(|item| item == reason) {
            items.push(reason.to_owned());
        }
    }
    Cell::List { items, lines: MOST_REASON_LINES }
}

fn ports_cell(device: &Device, shape: Shape) -> Cell {
    let open = device.services.iter().filter(|service| service.state == PortState::Open);
    let open: BTreeSet<(Transport, u16, Option<&str>)> =
        open.map(|service: &Service| (service.transport, service.port, service.name.as_deref())).collect();
    let mut items = Vec::new();
    if device.accepts_every_port {
        items.push("accepts every port".to_owned());
    }
    let most = if shape.one_line { MOST_ON_A_LINE } else { usize::MAX };
    items.extend(open.iter().take(most).map(|(transport, port, name)| {
        let suffix = if *transport == Transport::Udp { "/udp" } else { "" };
        let name = name.map(|name| format!(" {}", escape::terminal(name))).unwrap_or_default();
        format!("{port}{suffix}{name}")
    }));
    if open.len() > most {
        items.push(format!("+{}", open.len() - most));
    }
    if items.is_empty() {
        return Cell::Wrapped { texts: vec![(Style::Faint, none_open(device))], most: usize::MAX };
    }
    Cell::List { items, lines: shape.port_lines }
}

/// What the ports of a device said of which none is open.
fn none_open(device: &Device) -> String {
    let count =
        |state| device.ports.iter().filter(|p| p.state == state).map(|p| u64::from(p.count)).sum::<u64>();
    let parts: Vec<String> = [PortState::Closed, PortState::Filtered]
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{} {state}", words::number(count)))
        .collect();
    if parts.is_empty() { "not asked".to_owned() } else { format!("none ({})", parts.join(", ")) }
}
