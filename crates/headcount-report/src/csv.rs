//! One row an address, for spreadsheets.

use std::{collections::BTreeSet, io};

use headcount_model::{Address, Device, Interface, PortState, Transport};

use crate::{Document, escape, words};

/// The columns, in order. Columns are only added, and only at the end.
const COLUMNS: [&str; 26] = [
    "device",
    "address",
    "mac",
    "maker",
    "locally_administered",
    "names",
    "known_by",
    "open_tcp",
    "open_udp",
    "accepts_every_port",
    "this_machine",
    "segment",
    "interface",
    "gateway",
    "rtt_us",
    "first_heard",
    "last_heard",
    "type",
    "vendor",
    "product",
    "model",
    "version",
    "serial",
    "os",
    "confidence",
    "exposures",
];

/// Writes one row for each address of each device (RFC 4180: CRLF, quotes where needed), with a header row.
///
/// Lists within a cell are parted by a space, names by `; `. What the network said is escaped: nothing acts on a
/// terminal and nothing is a formula.
///
/// # Errors
/// When `out` cannot be written.
pub fn csv(document: &Document, out: &mut dyn io::Write) -> io::Result<()> {
    row(out, &COLUMNS.map(str::to_owned))?;
    for device in &document.devices {
        for interface in &device.interfaces {
            for address in &interface.addresses {
                row(out, &cells(document, device, interface, address))?;
            }
        }
    }
    Ok(())
}

fn cells(document: &Document, device: &Device, interface: &Interface, address: &Address) -> [String; 26] {
    let at = address.address;
    let names: BTreeSet<&str> =
        device.names.iter().filter(|name| name.address == at).map(|name| words::name(&name.name)).collect();
    let reasons: BTreeSet<&str> = device
        .presence
        .iter()
        .filter(|presence| presence.address == at)
        .map(|presence| presence.reason.as_str())
        .collect();
    let open = |transport: Transport| {
        let ports = device
            .services
            .iter()
            .filter(|s| s.address == at && s.transport == transport && s.state == PortState::Open);
        join(ports.map(|service| service.port.to_string()), " ")
    };
    let segment = document.run.segments.iter().find(|segment| segment.id == interface.segment);
    let text = |text: &str| escape::cell(text).into_owned();
    let said = |name: &str| text(device.attribute(name).map_or("", |attribute| &attribute.value));
    [
        text(&device.id),
        at.to_string(),
        interface.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        text(interface.maker.as_deref().unwrap_or_default()),
        interface.locally_administered.to_string(),
        text(&join(names.into_iter().map(str::to_owned), "; ")),
        join(reasons.into_iter().map(str::to_owned), " "),
        open(Transport::Tcp),
        open(Transport::Udp),
        device.accepts_every_port.to_string(),
        device.this_machine.to_string(),
        interface.segment.to_string(),
        text(segment.map_or("", |segment| &segment.interface)),
        segment.and_then(|segment| segment.gateway).map(|gateway| gateway.to_string()).unwrap_or_default(),
        address.rtt_us.map(|rtt| rtt.to_string()).unwrap_or_default(),
        device.first_heard.to_string(),
        device.last_heard.to_string(),
        said("device.type"),
        said("device.vendor"),
        said("device.product"),
        said("device.model"),
        said("device.version"),
        said("device.serial"),
        text(&words::system(device)),
        confidence(device),
        text(&exposures(device)),
    ]
}

/// How likely the type is, or where none is known, the maker.
fn confidence(device: &Device) -> String {
    let named = device.attribute("device.type").or_else(|| device.attribute("device.vendor"));
    named.map(|attribute| format!("{:.2}", attribute.confidence)).unwrap_or_default()
}

/// `factory-state not-activated; known-default old-model`.
fn exposures(device: &Device) -> String {
    let shown: BTreeSet<String> =
        device.exposures.iter().map(|exposure| format!("{} {}", exposure.grade, exposure.id)).collect();
    join(shown.into_iter(), "; ")
}

fn join(items: impl Iterator<Item = String>, separator: &str) -> String {
    items.collect::<Vec<_>>().join(separator)
}

fn row(out: &mut dyn io::Write, cells: &[String]) -> io::Result<()> {
    for (i, cell) in cells.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        if cell.contains([',', '"', '\r', '\n', ';']) || cell.starts_with(' ') || cell.ends_with(' ') {
            write!(out, "{comma}\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            write!(out, "{comma}{cell}")?;
        }
    }
    out.write_all(b"\r\n")
}
