//! What UDP services answer: minimal, plausible, and only to what a client of their protocol sends.

use std::net::Ipv4Addr;

use headcount_model::MacAddr;
use headcount_wire::{
    ber::{self, INTEGER, OCTET_STRING, Reader, SEQUENCE},
    dns::{
        self, FLAG_AUTHORITATIVE, FLAG_RECURSION_DESIRED, FLAG_RESPONSE, Message, Record, RecordData,
        RecordType,
    },
    netbios::{self, NodeStatus},
    snmp::Report,
};

use crate::lan::{Agent, Announced, Persona, UdpService};

/// What the answering persona says of itself.
pub(super) struct Speaker<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its address.
    pub(super) address: Ipv4Addr,
    /// Its link-layer address, zeros where it has none.
    pub(super) mac: MacAddr,
    /// All else.
    pub(super) persona: &'a Persona,
}

/// The answer to `request`, or `None` if the service would not answer it.
pub(super) fn answer(service: UdpService, speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    match service {
        UdpService::Dns => dns_refusal(request),
        UdpService::Ntp => ntp(request),
        UdpService::Nbstat => nbstat(speaker, request),
        UdpService::Snmp => snmp(speaker, request),
        UdpService::Ssdp => ssdp(speaker, request),
        UdpService::Mdns => mdns(speaker, request),
        UdpService::Bacnet => bacnet(speaker, request),
    }
}

/// The answer of the lan's name server; `name_of` knows its names (RFC 1035, section 3.5).
pub(super) fn dns_answer(request: &[u8], name_of: impl Fn(Ipv4Addr) -> Option<String>) -> Option<Vec<u8>> {
    let query = Message::parse(request).ok().filter(|query| !query.is_response())?;
    let question = query.questions.first()?.clone();
    let name = address_in(&question.name).filter(|_| question.kind == RecordType::Ptr).and_then(name_of);
    let answers = name
        .into_iter()
        .map(|name| Record {
            name: question.name.clone(),
            class: dns::CLASS_IN,
            ttl: 3_600,
            data: RecordData::Ptr(name),
        })
        .collect::<Vec<_>>();
    let code = if answers.is_empty() { NO_SUCH_NAME } else { 0 };
    let flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE | (query.flags & FLAG_RECURSION_DESIRED) | code;
    let mut out = Vec::new();
    Message { id: query.id, flags, questions: vec![question], answers, ..Message::default() }.emit(&mut out);
    Some(out)
}

const NO_SUCH_NAME: u16 = 3;
const REFUSED: u16 = 5;

fn address_in(name: &str) -> Option<Ipv4Addr> {
    let (address, zone) = name.split_at_checked(name.len().checked_sub(".in-addr.arpa".len())?)?;
    if !zone.eq_ignore_ascii_case(".in-addr.arpa") {
        return None;
    }
    let [d, c, b, a] = address.parse::<Ipv4Addr>().ok()?.octets();
    Some(Ipv4Addr::new(a, b, c, d))
}

fn dns_refusal(request: &[u8]) -> Option<Vec<u8>> {
    let query = Message::parse(request).ok().filter(|query| !query.is_response())?;
    let flags = FLAG_RESPONSE | (query.flags & FLAG_RECURSION_DESIRED) | REFUSED;
    let mut out = Vec::new();
    Message { id: query.id, flags, questions: query.questions, ..Message::default() }.emit(&mut out);
    Some(out)
}

/// RFC 5905, section 7.3: a client's packet has mode 3, the server's mode 4; the client's transmit time comes back as
/// the origin time.
fn ntp(request: &[u8]) -> Option<Vec<u8>> {
    let request = request.first_chunk::<48>().filter(|packet| packet[0] & 0x07 == 3)?;
    let mut reply = [0u8; 48];
    reply[0] = (request[0] & 0x38) | 4;
    reply[1] = 3;
    reply[2] = 6;
    reply[3] = 0xec;
    reply[24..32].copy_from_slice(&request[40..48]);
    for time in [16, 32, 40] {
        reply[time..time + 4].copy_from_slice(&0xee00_0000u32.to_be_bytes());
    }
    Some(reply.to_vec())
}

/// RFC 1002, sections 4.2.17 and 4.2.18: node status request and response.
fn nbstat(speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    let id = u16::from_be_bytes(*request.first_chunk()?);
    if request != netbios::node_status_query(id) {
        return None;
    }
    let mut bytes = [b' '; 15];
    for (to, from) in bytes.iter_mut().zip(speaker.name.bytes()) {
        *to = from.to_ascii_uppercase();
    }
    let name = |suffix| netbios::Name { bytes, suffix, flags: 0x0400 };
    let mut out = Vec::new();
    NodeStatus { id, names: vec![name(0x00), name(0x20)], mac: Some(speaker.mac) }.emit(&mut out);
    Some(out)
}

/// RFC 3414, section 4: a request without an engine ID is answered with a report that names it.
fn snmp(speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    let mut message = Reader::new(request).nested(SEQUENCE).ok()?;
    let version = message.integer().ok()?;
    if version != 3 {
        return agent(speaker.persona.snmp.as_ref()?, version, message);
    }
    let message_id = message.nested(SEQUENCE).ok()?.integer().ok()?;
    // An enterprise number (8072) and a MAC address: RFC 3411, section 5.
    let mut engine_id = vec![0x80, 0, 0x1f, 0x88, 3];
    engine_id.extend(speaker.mac.0);
    let mut out = Vec::new();
    let message_id = u32::try_from(message_id).ok()?;
    Report { message_id, engine_id: &engine_id, engine_boots: 7, engine_time: 4_660 }.emit(&mut out);
    Some(out)
}

/// RFC 3416, section 4.2: a request for values or the values after them; other communities stay unanswered.
fn agent(agent: &Agent, version: i64, mut message: Reader<'_>) -> Option<Vec<u8>> {
    const GET_NEXT: u8 = 0xa1;
    const RESPONSE: u8 = 0xa2;
    let community = message.expect(OCTET_STRING).ok()?;
    if community != agent.community.as_bytes() {
        return None;
    }
    let request = message.element().ok()?;
    let mut pdu = Reader::new(request.content);
    let (id, _, _) = (pdu.integer().ok()?, pdu.integer().ok()?, pdu.integer().ok()?);
    let mut asked = pdu.nested(SEQUENCE).ok()?;
    let mut bindings = Vec::new();
    while !asked.is_empty() {
        let oid = asked.nested(SEQUENCE).ok()?.element().ok()?.oid().ok()?;
        bindings.push(object(agent, &oid, request.tag == GET_NEXT));
    }
    // Version 1 has no way to say that one object is missing but to refuse them all.
    let refused = bindings.iter().position(|(_, value)| value.is_none()).filter(|_| version == 0);
    let mut out = Vec::new();
    ber::write_nested(&mut out, SEQUENCE, |out| {
        ber::write_integer(out, INTEGER, version);
        ber::write_bytes(out, OCTET_STRING, community);
        ber::write_nested(out, RESPONSE, |out| {
            ber::write_integer(out, INTEGER, id);
            ber::write_integer(out, INTEGER, if refused.is_some() { 2 } else { 0 });
            ber::write_integer(out, INTEGER, refused.map_or(0, |place| place as i64 + 1));
            ber::write_nested(out, SEQUENCE, |out| {
                bindings.iter().for_each(|(oid, value)| binding(out, oid, *value));
            });
        });
    });
    Some(out)
}

/// The object, or for `next` the first one after it, and its value.
fn object<'a>(agent: &'a Agent, oid: &[u32], next: bool) -> (Vec<u32>, Option<&'a str>) {
    let arcs = |text: &str| text.split('.').filter_map(|arc| arc.parse().ok()).collect::<Vec<u32>>();
    let mut objects: Vec<(Vec<u32>, &str)> =
        agent.objects.iter().map(|(oid, value)| (arcs(oid), value.as_str())).collect();
    objects.sort_unstable();
    let here = |known: &[u32]| if next { known > oid } else { known == oid };
    let found = objects.into_iter().find(|(known, _)| here(known));
    found.map_or_else(|| (oid.to_vec(), None), |(oid, value)| (oid, Some(value)))
}

fn binding(out: &mut Vec<u8>, oid: &[u32], value: Option<&str>) {
    const NO_SUCH_OBJECT: u8 = 0x80;
    ber::write_nested(out, SEQUENCE, |out| {
        ber::write_oid(out, oid);
        match value.map(|value| (value, value.strip_prefix("oid:"))) {
            None => ber::write_bytes(out, NO_SUCH_OBJECT, &[]),
            Some((_, Some(oid))) => {
                let arcs: Vec<u32> = oid.split('.').filter_map(|arc| arc.parse().ok()).collect();
                ber::write_oid(out, &arcs);
            }
            Some((text, None)) => ber::write_bytes(out, OCTET_STRING, text.as_bytes()),
        }
    });
}

/// UPnP Device Architecture 2.0, section 1.3: search and response.
fn ssdp(speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    if !request.starts_with(b"M-SEARCH * HTTP/1.1") {
        return None;
    }
    let uuid = speaker.mac.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let usn = format!("uuid:00000000-0000-1000-8000-{uuid}::upnp:rootdevice");
    let address = speaker.address;
    let server = speaker.persona.ssdp_server.as_deref().unwrap_or("Linux/5.10 UPnP/1.0 Device/1.0");
    Some(
        format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\n\
             LOCATION: http://{address}/description.xml\r\nSERVER: {server}\r\n\
             ST: upnp:rootdevice\r\nUSN: {usn}\r\n\r\n"
        )
        .into_bytes(),
    )
}

/// RFC 6762, section 6.7: a question from another port than 5353 gets an ordinary unicast answer.
fn mdns(speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    let query = Message::parse(request).ok().filter(|query| !query.is_response())?;
    let answers: Vec<Record> =
        query.questions.iter().flat_map(|question| mdns_records(speaker, question)).collect();
    if answers.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    let flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE;
    Message { id: query.id, flags, questions: query.questions, answers, ..Message::default() }.emit(&mut out);
    Some(out)
}

fn mdns_records(speaker: &Speaker<'_>, question: &dns::Question) -> Vec<Record> {
    let announced = &speaker.persona.announced;
    let data = if question.name.eq_ignore_ascii_case(dns::SERVICE_TYPES) {
        types_of(announced)
    } else if address_in(&question.name) == Some(speaker.address) {
        vec![RecordData::Ptr(format!("{}.local", speaker.name))]
    } else {
        announced.iter().flat_map(|one| about(one, speaker.name, question)).collect()
    };
    let record = |data| Record { name: question.name.clone(), class: dns::CLASS_IN, ttl: 10, data };
    data.into_iter().map(record).collect()
}

/// RFC 6763, section 9: the types of the services that are announced.
fn types_of(announced: &[Announced]) -> Vec<RecordData> {
    let types: std::collections::BTreeSet<&str> = announced.iter().map(|one| one.service.as_str()).collect();
    match types.is_empty() {
        true => vec![RecordData::Ptr("_http._tcp.local".to_owned())],
        false => types.into_iter().map(|kind| RecordData::Ptr(format!("{kind}.local"))).collect(),
    }
}

/// RFC 6763, sections 4 to 6: the instances of a type; where one is and what its TXT strings say.
fn about(one: &Announced, host: &str, question: &dns::Question) -> Vec<RecordData> {
    let kind = format!("{}.local", one.service);
    let label = one.name.replace('.', "\\.");
    if question.name.eq_ignore_ascii_case(&kind) {
        return vec![RecordData::Ptr(format!("{label}.{kind}"))];
    }
    if !question.name.eq_ignore_ascii_case(&format!("{label}.{kind}")) {
        return Vec::new();
    }
    let at = RecordData::Srv { priority: 0, weight: 0, port: one.port, target: format!("{host}.local") };
    let text = RecordData::Txt(one.txt.iter().map(|text| text.as_bytes().to_vec()).collect());
    match question.kind {
        RecordType::Srv => vec![at],
        RecordType::Txt => vec![text],
        RecordType::Any => vec![at, text],
        _ => Vec::new(),
    }
}

/// ANSI/ASHRAE 135, annex J: a who-is (unconfirmed service 8) is answered with an i-am (0).
fn bacnet(speaker: &Speaker<'_>, request: &[u8]) -> Option<Vec<u8>> {
    let is_who_is = request.first() == Some(&0x81) && request.windows(2).any(|pair| pair == [0x10, 8]);
    if !is_who_is {
        return None;
    }
    let [.., high, low] = speaker.address.octets();
    Some(vec![0x81, 0x0a, 0, 20, 1, 0, 0x10, 0, 0xc4, 2, 0, high, low, 0x22, 5, 0xc4, 0x91, 3, 0x21, 7])
}

#[cfg(test)]
mod tests {
    use headcount_wire::{dns::Question, snmp, ssdp};

    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);
    const MAC: MacAddr = MacAddr([0, 0x11, 0x32, 1, 2, 3]);

    fn speaker(persona: &Persona) -> Speaker<'_> {
        Speaker { name: "nas", address: ADDRESS, mac: MAC, persona }
    }

    #[test]
    fn an_agent_tells_its_objects_to_its_community() {
        let objects = [("1.3.6.1.2.1.1.1.0", "Printer 3"), ("1.3.6.1.2.1.1.2.0", "oid:1.3.6.1.4.1.11")];
        let objects = objects.map(|(oid, value)| (oid.to_owned(), value.to_owned())).into();
        let persona =
            Persona { snmp: Some(Agent { community: "public".to_owned(), objects }), ..Persona::default() };
        let ask = |community: &[u8], version, names: &[Vec<u32>]| {
            let mut request = Vec::new();
            snmp::Request { version, community, id: 5, next: false, names }.emit(&mut request);
            answer(UdpService::Snmp, &speaker(&persona), &request)
        };
        let names = [vec![1, 3, 6, 1, 2, 1, 1, 1, 0], vec![1, 3, 6, 1, 2, 1, 1, 2, 0], vec![1, 3, 6, 1, 9]];
        let reply = snmp::Response::parse(&ask(b"public", snmp::Version::V2c, &names).unwrap()).unwrap();
        let values: Vec<_> = reply.bindings.iter().map(|binding| &binding.value).collect();
        assert_eq!(reply.id, 5);
        assert_eq!(values[0], &snmp::Value::Bytes(b"Printer 3".to_vec()));
        assert_eq!(values[1], &snmp::Value::Name(vec![1, 3, 6, 1, 4, 1, 11]));
        assert_eq!(values[2], &snmp::Value::Missing);
        let reply = snmp::Response::parse(&ask(b"public", snmp::Version::V1, &names).unwrap()).unwrap();
        assert_eq!((reply.error_status, reply.error_index), (2, 3));
        assert_eq!(ask(b"private", snmp::Version::V2c, &names), None);
    }

    #[test]
    fn nonsense_is_not_answered() {
        let services = [
            UdpService::Dns,
            UdpService::Ntp,
            UdpService::Nbstat,
            UdpService::Snmp,
            UdpService::Ssdp,
            UdpService::Mdns,
            UdpService::Bacnet,
        ];
        for service in services {
            for len in 0..100 {
                assert_eq!(
                    answer(service, &speaker(&Persona::default()), &vec![0xff; len]),
                    None,
                    "{service:?} {len}"
                );
            }
        }
    }

    #[test]
    fn a_name_server_knows_its_names_only() {
        let ask = |name: String| {
            let mut query = Vec::new();
            dns::query(
                9,
                true,
                &[Question { name, kind: RecordType::Ptr, class: dns::CLASS_IN }],
                &mut query,
            );
            let name_of = |address| (address == ADDRESS).then(|| "nas.example".to_owned());
            Message::parse(&dns_answer(&query, name_of).unwrap()).unwrap()
        };
        let known = ask(dns::reverse_name(ADDRESS));
        assert_eq!(known.id, 9);
        assert_eq!(known.answers[0].data, RecordData::Ptr("nas.example".to_owned()));
        let unknown = ask(dns::reverse_name(Ipv4Addr::new(10, 0, 0, 8)));
        assert_eq!((unknown.answers.len(), unknown.response_code()), (0, 3));
    }

    #[test]
    fn ntp_repeats_the_clients_time() {
        let mut request = [0u8; 48];
        request[0] = 0x23;
        request[40..48].copy_from_slice(b"headcoun");
        let reply = ntp(&request).unwrap();
        assert_eq!((reply[0], &reply[24..32]), (0x24, b"headcoun".as_slice()));
    }

    #[test]
    fn what_a_client_asks_is_answered_so_that_it_can_read_it() {
        let mut request = Vec::new();
        snmp::engine_discovery(77, &mut request);
        let reply = answer(UdpService::Snmp, &speaker(&Persona::default()), &request).unwrap();
        let report = Report::parse(&reply).unwrap();
        assert_eq!((report.message_id, report.engine_id.len()), (77, 11));
        let reply = answer(UdpService::Nbstat, &speaker(&Persona::default()), &netbios::node_status_query(5))
            .unwrap();
        let status = NodeStatus::parse(&reply).unwrap();
        assert_eq!((status.id, status.mac, status.names[0].text().as_ref()), (5, Some(MAC), "NAS"));
        let reply =
            answer(UdpService::Ssdp, &speaker(&Persona::default()), &ssdp::m_search(ssdp::ROOT_DEVICE))
                .unwrap();
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n"));
        let mut request = Vec::new();
        let kind = RecordType::Ptr;
        let question = Question { name: dns::SERVICE_TYPES.to_owned(), kind, class: dns::CLASS_IN };
        dns::query(3, false, &[question], &mut request);
        let reply = answer(UdpService::Mdns, &speaker(&Persona::default()), &request).unwrap();
        assert_eq!(Message::parse(&reply).unwrap().answers.len(), 1);
        let reply = answer(UdpService::Dns, &speaker(&Persona::default()), &request).unwrap();
        assert_eq!(Message::parse(&reply).unwrap().response_code(), 5);
    }
}
