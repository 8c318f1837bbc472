//! What would settle a doubt.

use headcount_model::{Device, PortState, Transport};

/// Attributes that are at least this likely are in no doubt.
pub(super) const SURE: f64 = 0.9;

/// What one wants to know of every device.
const WANTED: [(&str, &str); 4] = [
    ("device.type", "its type"),
    ("device.vendor", "its maker"),
    ("device.model", "its model"),
    ("device.version", "its version"),
];

/// A question, how its answers begin, and what it would take to get one.
struct Question {
    name: &'static str,
    /// The beginnings of the fields that it answers.
    fields: &'static [&'static str],
    transport: Transport,
    ports: &'static [u16],
    /// What to do where the port did not answer; empty where nothing is to be expected then.
    closed: &'static str,
}

const QUESTIONS: [Question; 8] = [
    Question {
        name: "SNMP",
        fields: &["snmp.sysdescr", "snmp.sysobjectid"],
        transport: Transport::Udp,
        ports: &[161],
        closed: "its system group names maker and model. Allow SNMP from this machine, or give the community that is set",
    },
    Question {
        name: "HTTP",
        fields: &["http."],
        transport: Transport::Tcp,
        ports: &[80, 81, 88, 8000, 8008, 8080, 8081, 8888, 443, 8443],
        closed: "",
    },
    Question { name: "TLS", fields: &["tls."], transport: Transport::Tcp, ports: &[443, 8443], closed: "" },
    Question { name: "SSH", fields: &["ssh"], transport: Transport::Tcp, ports: &[22, 2222], closed: "" },
    Question { name: "Telnet", fields: &["telnet"], transport: Transport::Tcp, ports: &[23], closed: "" },
    Question { name: "IPP", fields: &["ipp."], transport: Transport::Tcp, ports: &[631], closed: "" },
    Question {
        name: "Multicast DNS",
        fields: &["mdns."],
        transport: Transport::Udp,
        ports: &[5353],
        closed: "its services often name the model. Run headcount on the device's own segment, where multicast reaches it",
    },
    Question {
        name: "UPnP",
        fields: &["upnp.", "ssdp."],
        transport: Transport::Udp,
        ports: &[1900],
        closed: "its description names maker, model and serial number. Run headcount on the device's own segment",
    },
];

/// What is not known of the device, or not surely.
pub(super) fn doubts(device: &Device) -> Vec<&'static str> {
    let sure = |name: &str| device.attribute(name).is_some_and(|attribute| attribute.confidence >= SURE);
    WANTED.iter().filter(|(name, _)| !sure(name)).map(|(_, what)| *what).collect()
}

/// The questions without an answer, and what it would take.
pub(super) fn hints(device: &Device) -> Vec<String> {
    QUESTIONS.iter().filter_map(|question| hint(device, question)).collect()
}

fn hint(device: &Device, question: &Question) -> Option<String> {
    let Question { name, fields, transport, ports, closed } = question;
    let answered = |field: &str| fields.iter().any(|start| field.starts_with(start));
    if device.statements.iter().any(|statement| answered(&statement.field)) {
        return None;
    }
    let open = device.services.iter().find(|service| {
        service.state == PortState::Open && service.transport == *transport && ports.contains(&service.port)
    });
    match open {
        Some(service) => Some(format!(
            "{name}: port {}/{transport} is open, and no answer to {name} is on record. Ask it alone: headcount scan {}",
            service.port, service.address
        )),
        None if closed.is_empty() => None,
        None => Some(format!("{name}: nothing was heard; {closed}.")),
    }
}
