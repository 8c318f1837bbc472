//! What an SNMP agent tells to whoever knows its read community: system, entities, printer, UPS.

use std::collections::VecDeque;

use headcount_wire::snmp::{
    self, Binding, GENERAL_ERROR, NO_SUCH_NAME, Request, Response, TOO_BIG, Value, Version,
};

use crate::{Budget, Carrier, Context, Conversation, End, Out, Probe, Safety};

/// SNMPv1 and v2c: some identity values, read with the configured community.
pub(crate) static PROBE: Probe = Probe {
    name: "snmp-community",
    title: "SNMP identity values",
    carrier: Carrier::Datagram,
    ports: &[snmp::PORT],
    tls_ports: &[],
    multicast: None,
    sends: "read requests with the configured community, for the system group, the first entities, the first device, \
            the printer's serial number and the UPS's identity; nothing is ever set",
    normal: "every network management system reads these first",
    source: "RFC 1157, section 4.1; RFC 3416, section 4.2; RFC 3418 (system), RFC 6933 (entities), RFC 2790 (devices), \
             RFC 3805 (printer), RFC 1628 (UPS)",
    yields: &[
        "snmp.community",
        "snmp.sys*",
        "snmp.entphysical*",
        "snmp.hrdevicedescr",
        "snmp.prtserial",
        "snmp.upsident.*",
    ],
    safety: Safety::Safe,
    budget: Budget { sends: 24, ..Budget::DATAGRAM },
    begin,
};

/// mib-2.
const MIB: [u32; 6] = [1, 3, 6, 1, 2, 1];

/// A column or object below mib-2, what it is called, and the index that is wanted of a column.
struct Object {
    below: &'static [u32],
    field: &'static str,
    index: Option<&'static [u32]>,
}

const fn object(below: &'static [u32], field: &'static str) -> Object {
    Object { below, field, index: None }
}

static SYSTEM: &[Object] = &[
    object(&[1, 1], "snmp.sysdescr"),
    object(&[1, 2], "snmp.sysobjectid"),
    object(&[1, 3], "snmp.sysuptime"),
    object(&[1, 4], "snmp.syscontact"),
    object(&[1, 5], "snmp.sysname"),
    object(&[1, 6], "snmp.syslocation"),
    object(&[1, 7], "snmp.sysservices"),
];

static ENTITY: &[Object] = &[
    object(&[47, 1, 1, 1, 1, 2], "snmp.entphysicaldescr"),
    object(&[47, 1, 1, 1, 1, 5], "snmp.entphysicalclass"),
    object(&[47, 1, 1, 1, 1, 7], "snmp.entphysicalname"),
    object(&[47, 1, 1, 1, 1, 8], "snmp.entphysicalhardwarerev"),
    object(&[47, 1, 1, 1, 1, 9], "snmp.entphysicalfirmwarerev"),
    object(&[47, 1, 1, 1, 1, 10], "snmp.entphysicalsoftwarerev"),
    object(&[47, 1, 1, 1, 1, 11], "snmp.entphysicalserialnum"),
    object(&[47, 1, 1, 1, 1, 12], "snmp.entphysicalmfgname"),
    object(&[47, 1, 1, 1, 1, 13], "snmp.entphysicalmodelname"),
];

static OTHERS: &[Object] = &[
    // The first device is the printer itself on printers, and nothing that tells on computers.
    Object { below: &[25, 3, 2, 1, 3], field: "snmp.hrdevicedescr", index: Some(&[1]) },
    object(&[43, 5, 1, 1, 17], "snmp.prtserial"),
    object(&[33, 1, 1, 1], "snmp.upsident.manufacturer"),
    object(&[33, 1, 1, 2], "snmp.upsident.model"),
    object(&[33, 1, 1, 3], "snmp.upsident.upssoftwareversion"),
    object(&[33, 1, 1, 4], "snmp.upsident.agentsoftwareversion"),
    object(&[33, 1, 1, 5], "snmp.upsident.name"),
];

/// Rows of entities that are read: a stack or chassis, what it holds, and one more.
const ENTITY_ROWS: u8 = 3;
/// Questions in a row without an answer after which no more are asked.
const MOST_SILENCES: u8 = 2;

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Reading {
        community: context.community.clone().unwrap_or_default().into_bytes(),
        version: Version::V2c,
        id: u32::from(context.id()),
        answered: false,
        silences: 0,
        rows: 0,
        asked: None,
        queue: VecDeque::new(),
    })
}

struct Reading {
    community: Vec<u8>,
    version: Version,
    id: u32,
    answered: bool,
    silences: u8,
    rows: u8,
    asked: Option<Ask>,
    queue: VecDeque<Ask>,
}

/// One request: the names, or what follows them.
#[derive(Clone, Debug)]
struct Ask {
    next: bool,
    entity: bool,
    names: Vec<Vec<u32>>,
}

impl Ask {
    fn system() -> Self {
        Self { next: false, entity: false, names: names_of(SYSTEM, &[0]) }
    }

    /// Of columns and groups that may be missing: whatever follows their heads, so that version 1 need not fail.
    fn heads(objects: &[Object], entity: bool) -> Self {
        Self { next: true, entity, names: names_of(objects, &[]) }
    }

    /// Whether the binding at this place is what was asked: that very name, or a further row of the same column. What
    /// follows the end of a column is the next one, which is asked for by itself.
    fn wants(&self, at: usize, binding: &Binding, object: &Object) -> bool {
        if !self.next {
            return self.names.contains(&binding.name);
        }
        let column = self.names.get(at).and_then(|name| named(name));
        column.is_some_and(|(column, _)| column.field == object.field)
    }
}

fn names_of(objects: &[Object], index: &[u32]) -> Vec<Vec<u32>> {
    objects.iter().map(|object| [&MIB[..], object.below, index].concat()).collect()
}

impl Conversation for Reading {
    fn opened(&mut self, out: &mut Out) {
        if self.community.is_empty() {
            out.done();
            return;
        }
        self.queue.push_back(Ask::system());
        self.go_on(out);
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(response) = Response::parse(bytes) else { return };
        if response.id != i64::from(self.id) || response.version != self.version {
            return;
        }
        let Some(asked) = self.asked.take() else { return };
        self.silences = 0;
        if !self.answered {
            self.answered = true;
            out.say("snmp.community", &self.community);
            self.queue.push_back(Ask::heads(OTHERS, false));
            self.queue.push_back(Ask::heads(ENTITY, true));
        }
        if response.error_status == 0 {
            self.take(&asked, &response.bindings, out);
        } else {
            self.without_the_wrong(asked, &response);
        }
        self.go_on(out);
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end != End::Quiet {
            return;
        }
        self.asked = None;
        self.silences += 1;
        if !self.answered && self.version == Version::V2c {
            self.version = Version::V1;
            self.queue.push_back(Ask::system());
        }
        if self.silences <= MOST_SILENCES {
            self.go_on(out);
        }
    }
}

impl Reading {
    fn go_on(&mut self, out: &mut Out) {
        let Some(ask) = self.queue.pop_front() else { return out.done() };
        self.id = self.id.wrapping_add(1) & 0x7fff_ffff;
        let request = Request {
            version: self.version,
            community: &self.community,
            id: self.id,
            next: ask.next,
            names: &ask.names,
        };
        let mut message = Vec::new();
        request.emit(&mut message);
        out.send(message);
        self.asked = Some(ask);
    }

    fn take(&mut self, asked: &Ask, bindings: &[Binding], out: &mut Out) {
        let mut row = Vec::new();
        for (at, binding) in bindings.iter().enumerate() {
            let Some((object, index)) = named(&binding.name) else { continue };
            if !asked.wants(at, binding, object) || object.index.is_some_and(|wanted| wanted != index) {
                continue;
            }
            // An agent that does not move on would be asked for the same for ever.
            let moves = asked.names.iter().all(|name| *name != binding.name);
            if asked.entity && moves {
                row.push(binding.name.clone());
            }
            if let Some(text) = text_of(&binding.value) {
                out.say(object.field, text);
            }
        }
        if asked.entity && !row.is_empty() {
            self.rows += 1;
            if self.rows < ENTITY_ROWS {
                self.queue.push_back(Ask { next: true, entity: true, names: row });
            }
        }
    }

    /// Asks again, without the name that could not be read, or in two halves.
    fn without_the_wrong(&mut self, mut asked: Ask, response: &Response) {
        let wrong = usize::try_from(response.error_index).ok().and_then(|index| index.checked_sub(1));
        match response.error_status {
            NO_SUCH_NAME | GENERAL_ERROR if wrong.is_some_and(|wrong| wrong < asked.names.len()) => {
                asked.names.remove(wrong.unwrap_or_default());
                if !asked.names.is_empty() {
                    self.queue.push_front(asked);
                }
            }
            TOO_BIG | NO_SUCH_NAME | GENERAL_ERROR if asked.names.len() > 1 => {
                let second = asked.names.split_off(asked.names.len() / 2);
                self.queue.push_front(Ask { names: second, ..asked.clone() });
                self.queue.push_front(asked);
            }
            _ => {}
        }
    }
}

/// The object that a name belongs to, and the index behind it.
fn named(name: &[u32]) -> Option<(&'static Object, &[u32])> {
    let below = name.strip_prefix(&MIB)?;
    let objects = SYSTEM.iter().chain(ENTITY).chain(OTHERS);
    objects.into_iter().find_map(|object| Some((object, below.strip_prefix(object.below)?)))
}

/// A value as text: bytes without the zeros and blanks around them, numbers in decimal, names with dots.
fn text_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Unsigned(number) => Some(number.to_string().into_bytes()),
        Value::Name(name) => {
            let numbers: Vec<String> = name.iter().map(u32::to_string).collect();
            Some(numbers.join(".").into_bytes())
        }
        Value::Bytes(bytes) => {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            Some(bytes[..end].trim_ascii().to_vec())
        }
        Value::Missing | Value::Other => None,
    }
}

#[cfg(test)]
mod tests;
