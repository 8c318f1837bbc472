//! Why a device is thought to be what it is: from the bytes to the confidence.

mod settle;

use std::{collections::BTreeSet, io};

use headcount_model::{Attribute, Device, Endpoint, Evidence, Exposure, FoldReason};

use super::{
    NARROWEST, TableOptions,
    pen::{Pen, Style},
    text,
};
use crate::{Document, escape, words};

/// The most characters of a value that are shown.
const MOST_CHARACTERS: usize = 200;
/// The most names and addresses in the heading.
const MOST_IN_HEAD: usize = 6;

/// What an explanation is made of besides the device itself.
pub struct Explaining<'a> {
    /// Where the fact behind a fingerprint (by its id) comes from; `None` where it is not known.
    pub source: &'a dyn Fn(&str) -> Option<String>,
}

/// The devices of `document` that `wanted` names: an id, an address, a MAC address or a name, in any case.
pub fn find<'d>(document: &'d Document, wanted: &str) -> Vec<&'d Device> {
    let wanted = wanted.trim().trim_end_matches('.').to_lowercase();
    let plain = |mac: String| mac.replace([':', '-', '.'], "");
    let named = |device: &&Device| {
        let mut names = device.names.iter().map(|name| words::name(&name.name).to_lowercase());
        let mut macs = device.interfaces.iter().filter_map(|interface| interface.mac);
        device.id.to_lowercase() == wanted
            || device.addresses().any(|address| address.to_string() == wanted)
            || macs.any(|mac| plain(mac.to_string()) == plain(wanted.clone()))
            || names.any(|name| name == wanted)
    };
    document.devices.iter().filter(named).collect()
}

/// Writes why `device` is thought to be what it is, what speaks against it, what it is exposed to, and what would
/// settle the doubts.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain(
    device: &Device,
    explaining: &Explaining<'_>,
    options: &TableOptions,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let width = options.width.map(|width| usize::from(width).max(NARROWEST));
    let pen = Pen { color: options.color, unicode: options.unicode, width };
    let mut page = Page { pen, out, explaining };
    page.head(device)?;
    if device.attributes.is_empty() {
        page.line(0, Style::Warning, "Nothing that it said matches a fingerprint.")?;
    }
    for attribute in &device.attributes {
        page.attribute(attribute)?;
    }
    page.exposures(&device.exposures)?;
    page.folded(&device.folded)?;
    page.open_questions(device)
}

/// Where an explanation is written.
struct Page<'a> {
    pen: Pen,
    out: &'a mut dyn io::Write,
    explaining: &'a Explaining<'a>,
}

impl Page<'_> {
    /// One paragraph, indented.
    fn line(&mut self, indent: usize, style: Style, line: &str) -> io::Result<()> {
        let lines = match self.pen.width {
            Some(width) => text::wrap(line, width.saturating_sub(indent), &[',', '/', '.']),
            None => vec![line.to_owned()],
        };
        for line in lines {
            writeln!(self.out, "{:indent$}{}", "", self.pen.paint(style, &line))?;
        }
        Ok(())
    }

    fn heading(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(0, Style::Heading, heading)
    }

    fn head(&mut self, device: &Device) -> io::Result<()> {
        let names: BTreeSet<&str> = device.names.iter().map(|name| words::name(&name.name)).collect();
        let names = names.into_iter().take(MOST_IN_HEAD).map(|name| escape::terminal(name).into_owned());
        let addresses = device.addresses().take(MOST_IN_HEAD).map(|address| address.to_string());
        let parts: Vec<String> = std::iter::once(escape::terminal(&device.id).into_owned())
            .chain(addresses)
            .chain(names)
            .collect();
        self.line(0, Style::Heading, &parts.join(self.pen.dot()))?;
        for interface in &device.interfaces {
            if let (Some(mac), Some(maker)) = (interface.mac, &interface.maker) {
                self.line(2, Style::Faint, &format!("{mac} belongs to {}", escape::terminal(maker)))?;
            }
        }
        writeln!(self.out)
    }

    fn attribute(&mut self, attribute: &Attribute) -> io::Result<()> {
        let place = attribute.endpoint.map(|at| format!(" on {}", place(at))).unwrap_or_default();
        let what = format!(
            "{}{place} = {} (confidence {:.2})",
            escape::terminal(&attribute.name),
            quoted(&attribute.value),
            attribute.confidence
        );
        let style = if attribute.confidence < settle::SURE { Style::Warning } else { Style::Good };
        self.line(0, style, &what)?;
        self.evidence(4, &attribute.evidence)?;
        for rival in &attribute.rivals {
            let not = format!("or {} (confidence {:.2})", quoted(&rival.value), rival.confidence);
            self.line(2, Style::Warning, &not)?;
            self.evidence(4, &rival.evidence)?;
        }
        Ok(())
    }

    /// The bytes, the field, the fingerprint and where its fact comes from.
    fn evidence(&mut self, indent: usize, evidence: &[Evidence]) -> io::Result<()> {
        for one in evidence {
            let place = one.endpoint.map(|at| format!("{} ", place(at))).unwrap_or_default();
            let seen = format!("{place}{}: {}", escape::terminal(&one.field), quoted(&one.value.text()));
            self.line(indent, Style::Plain, &seen)?;
            let source = (self.explaining.source)(&one.fingerprint);
            let source = source.map(|source| format!("; {}", escape::terminal(&source))).unwrap_or_default();
            let arrow = if self.pen.unicode { "→" } else { "->" };
            let known = format!(
                "{arrow} {} (certainty {:.2}{source})",
                escape::terminal(&one.fingerprint),
                one.certainty
            );
            self.line(indent + 2, Style::Faint, &known)?;
        }
        Ok(())
    }

    fn exposures(&mut self, exposures: &[Exposure]) -> io::Result<()> {
        if exposures.is_empty() {
            return Ok(());
        }
        self.heading("Exposures")?;
        for exposure in exposures {
            let place = exposure.endpoint.map(|at| format!(" on {}", place(at))).unwrap_or_default();
            let title = escape::terminal(&exposure.title);
            let what = format!("{title}{place} ({}, confidence {:.2})", exposure.grade, exposure.confidence);
            self.line(2, Style::Bad, &what)?;
            self.evidence(6, &exposure.evidence)?;
            self.line(4, Style::Plain, &format!("To do: {}", escape::terminal(&exposure.remedy)))?;
            if !exposure.controls.is_empty() {
                let controls = exposure.controls.join(", ");
                let controls = format!("ISO/IEC 27001:2022, Annex A: {}", escape::terminal(&controls));
                self.line(4, Style::Plain, &controls)?;
            }
        }
        Ok(())
    }

    fn folded(&mut self, reasons: &[FoldReason]) -> io::Result<()> {
        if reasons.is_empty() {
            return Ok(());
        }
        self.heading("One device, because")?;
        for reason in reasons {
            let addresses: Vec<String> = reason.addresses.iter().map(ToString::to_string).collect();
            let (key, value) = (escape::terminal(&reason.key), quoted(&reason.value));
            self.line(2, Style::Plain, &format!("{} share {key} {value}", addresses.join(", ")))?;
        }
        Ok(())
    }

    fn open_questions(&mut self, device: &Device) -> io::Result<()> {
        let doubts = settle::doubts(device);
        if doubts.is_empty() {
            return Ok(());
        }
        self.heading("What would settle it")?;
        self.line(2, Style::Plain, &format!("In doubt: {}.", doubts.join(", ")))?;
        for hint in settle::hints(device) {
            self.line(2, Style::Plain, &hint)?;
        }
        Ok(())
    }
}

/// `10.0.0.1:80/tcp`.
fn place(at: Endpoint) -> String {
    format!("{}:{}/{}", at.address, at.port, at.transport)
}

fn quoted(value: &str) -> String {
    let shown: String = value.chars().take(MOST_CHARACTERS).collect();
    let more = if shown.len() < value.len() { "..." } else { "" };
    format!("\"{}{more}\"", escape::terminal(&shown))
}

#[cfg(test)]
mod tests;
