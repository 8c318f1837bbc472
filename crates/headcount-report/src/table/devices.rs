//! The devices as rows.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{Device, Interface, PortState, Run, SegmentKind, Service, Transport};

use super::{
    grid::{Cell, Column, Grid},
    pen::{Pen, Style},
};
use crate::{Document, escape, words};

/// From this width on, the maker has a column of its own.
const WIDE: usize = 116;
/// The most addresses of an interface that are shown.
const MOST_ADDRESSES: usize = 6;
/// The most names of a device that are shown.
const MOST_NAMES: usize = 3;
/// The most ports on a line that is as long as it needs to be.
const MOST_ON_A_LINE: usize = 24;

/// All devices of `document`.
pub(super) fn grid(document: &Document, pen: &Pen) -> Grid {
    let wide = pen.width.is_none_or(|width| width >= WIDE);
    let column = |heading, least, most| Column { heading, least, most };
    let mut columns = vec![column("ADDRESS", 15, 15)];
    if wide {
        columns.extend([column("MAC", 17, 24), column("MAKER", 16, 36)]);
    } else {
        columns.push(column("MAC, MAKER", 17, 26));
    }
    columns.extend([column("NAME", 10, 36), column("KNOWN BY", 10, 32), column("OPEN PORTS", 14, 64)]);
    let mut shape = Shape { wide, port_lines: 4, port_items: usize::MAX };
    match pen.width {
        None => {
            // For a file or a pipe: one line a device, so that line tools can search it.
            shape = Shape { wide, port_lines: 1, port_items: MOST_ON_A_LINE };
            for column in columns.iter_mut().skip(1) {
                column.most = usize::MAX;
            }
        }
        Some(width) if width >= WIDE => shape.port_lines = 3,
        Some(_) => {}
    }
    Grid { columns, rows: document.devices.iter().map(|device| row(device, &document.run, shape)).collect() }
}

/// What depends on the room that there is.
#[derive(Clone, Copy)]
struct Shape {
    wide: bool,
    port_lines: usize,
    port_items: usize,
}

fn row(device: &Device, run: &Run, shape: Shape) -> Vec<Cell> {
    let (mut addresses, mut macs, mut makers) = (Vec::new(), Vec::new(), Vec::new());
    for interface in &device.interfaces {
        addresses.extend(address_lines(interface));
        macs.push((Style::Plain, mac_text(interface, run)));
        let maker = maker_text(interface).map(|maker| (Style::Faint, maker));
        if shape.wide { &mut makers } else { &mut macs }.extend(maker);
        // The next interface begins on one line in all columns.
        let height = [&addresses, &macs, &makers].iter().map(|lines| lines.len()).max().unwrap_or(0);
        for lines in [&mut addresses, &mut macs, &mut makers] {
            lines.resize(height, (Style::Plain, String::new()));
        }
    }
    let mut cells = vec![Cell::Lines(addresses), Cell::Lines(macs)];
    if shape.wide {
        cells.push(Cell::Lines(makers));
    }
    cells.extend([name_cell(device, run), known_cell(device), ports_cell(device, shape)]);
    cells
}

fn address_lines(interface: &Interface) -> Vec<(Style, String)> {
    let shown = interface.addresses.iter().take(MOST_ADDRESSES);
    let mut lines: Vec<_> = shown.map(|a| (Style::Address, a.address.to_string())).collect();
    let more = interface.addresses.len() - lines.len();
    if more > 0 {
        lines.push((Style::Faint, format!("+{more}")));
    }
    lines
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

fn name_cell(device: &Device, run: &Run) -> Cell {
    let names: BTreeSet<&str> =
        device.names.iter().map(|name| name.name.strip_suffix('.').unwrap_or(&name.name)).collect();
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
    Cell::Wrapped(lines)
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
    Cell::List { items, lines: usize::MAX }
}

fn ports_cell(device: &Device, shape: Shape) -> Cell {
    let open = device.services.iter().filter(|service| service.state == PortState::Open);
    let open: BTreeSet<(Transport, u16, Option<&str>)> =
        open.map(|service: &Service| (service.transport, service.port, service.name.as_deref())).collect();
    let mut items = Vec::new();
    if device.accepts_every_port {
        items.push("accepts every port".to_owned());
    }
    items.extend(open.iter().take(shape.port_items).map(|(transport, port, name)| {
        let suffix = if *transport == Transport::Udp { "/udp" } else { "" };
        let name = name.map(|name| format!(" {}", escape::terminal(name))).unwrap_or_default();
        format!("{port}{suffix}{name}")
    }));
    if open.len() > shape.port_items {
        items.push(format!("+{}", open.len() - shape.port_items));
    }
    if items.is_empty() {
        return Cell::Wrapped(vec![(Style::Faint, none_open(device))]);
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
