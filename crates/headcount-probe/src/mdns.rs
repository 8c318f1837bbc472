//! The services that a host announces, with their names and properties.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use headcount_wire::dns::{
    self, CLASS_IN, CLASS_TOP_BIT, Message, Question, Record, RecordData, RecordType, SERVICE_TYPES,
};

use crate::{Budget, Carrier, Context, Conversation, End, Group, Out, Probe, Safety};

/// Multicast DNS: all service types, then each one's instances, then each instance.
pub(crate) static PROBE: Probe = Probe {
    name: "mdns",
    title: "mDNS service discovery",
    carrier: Carrier::Datagram,
    ports: &[PORT],
    tls_ports: &[],
    multicast: Some(Group::asked(Ipv4Addr::new(224, 0, 0, 251), PORT)),
    sends: "one query for all service types; then, to the host alone, queries for the instances of the types that it named \
            and for the SRV, TXT and A records of those",
    normal: "every browser of network services asks so",
    source: "RFC 6763, sections 4, 6 and 9; RFC 6762, sections 5.4, 5.5 and 6.7",
    yields: &[
        "mdns.service",
        "mdns.name",
        "mdns.host",
        "mdns.address",
        "mdns.txt",
        "mdns.device_info",
        "mdns.workstation",
    ],
    safety: Safety::Safe,
    budget: Budget {
        received: 128 << 10,
        sent: 12 << 10,
        sends: MOST_QUERIES as u32 + 2,
        time: Duration::from_secs(8),
        quiet: Duration::from_millis(1200),
    },
    begin,
};

const PORT: u16 = 5353;
/// Queries after the first one.
const MOST_QUERIES: usize = 16;
/// Questions of one query: what fits into one packet.
const MOST_QUESTIONS: usize = 12;
/// Bytes of the names in one query.
const MOST_NAME_BYTES: usize = 512;
/// Records of one kind that are kept of a host.
const MOST_RECORDS: usize = 64;
/// Types that are asked for where the list of types is not answered.
const USUAL: &[&str] = &[
    "_http._tcp.local",
    "_ipp._tcp.local",
    "_printer._tcp.local",
    "_workstation._tcp.local",
    "_smb._tcp.local",
    "_ssh._tcp.local",
    "_googlecast._tcp.local",
    "_airplay._tcp.local",
    "_hap._tcp.local",
    "_axis-video._tcp.local",
    "_esphomelib._tcp.local",
    "_sonos._tcp.local",
];

fn begin(context: &Context) -> Box<dyn Conversation> {
    Box::new(Browse { host: context.host, id: context.id(), ..Browse::default() })
}

/// A name and a type, as asked.
type Asked = (String, u16);

struct Browse {
    host: Ipv4Addr,
    id: u16,
    /// What was asked, whether answered or not.
    asked: BTreeMap<Asked, u8>,
    /// What the last query asked and is not answered.
    open: BTreeSet<Asked>,
    queries: usize,
    /// The types are the usual ones.
    guessed: bool,
    said: BTreeSet<(&'static str, Vec<u8>)>,
    types: BTreeSet<String>,
    instances: BTreeSet<String>,
    servers: BTreeMap<String, String>,
    texts: BTreeMap<String, Vec<Vec<u8>>>,
    addresses: BTreeMap<String, BTreeSet<Ipv4Addr>>,
}

impl Default for Browse {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::UNSPECIFIED,
            id: 0,
            asked: BTreeMap::new(),
            open: BTreeSet::new(),
            queries: 0,
            guessed: false,
            said: BTreeSet::new(),
            types: BTreeSet::new(),
            instances: BTreeSet::new(),
            servers: BTreeMap::new(),
            texts: BTreeMap::new(),
            addresses: BTreeMap::new(),
        }
    }
}

impl Conversation for Browse {
    fn opened(&mut self, out: &mut Out) {
        self.open.insert((SERVICE_TYPES.to_owned(), RecordType::Ptr.into()));
        // A group is asked with the number 0 (RFC 6762, section 18.1).
        out.send(query(0, [(SERVICE_TYPES, RecordType::Ptr)]));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        let Ok(message) = Message::parse(bytes) else { return };
        if !message.is_response() || (message.id != 0 && message.id != self.id) {
            return;
        }
        for record in message.answers.iter().chain(&message.additionals) {
            self.keep(record);
            self.tell_type(record, out);
            self.open.remove(&(folded(&record.name), record.kind().into()));
        }
        if self.open.is_empty() {
            self.go_on(out);
        } else {
            // The rest of an answer comes at once or not at all.
            out.wait(Duration::from_millis(400));
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        if end == End::Quiet {
            if self.queries == 0 && self.types.is_empty() {
                self.types.extend(USUAL.iter().map(|name| (*name).to_owned()));
                self.guessed = true;
            }
            self.go_on(out);
        } else {
            self.say(out);
        }
    }
}

impl Browse {
    fn keep(&mut self, record: &Record) {
        let name = folded(&record.name);
        match &record.data {
            RecordData::Ptr(target) if name == SERVICE_TYPES => insert(&mut self.types, folded(target)),
            RecordData::Ptr(target) if service_of(&name).is_some_and(|(instance, _)| instance.is_empty()) => {
                insert(&mut self.types, name);
                // Spelling matters in an instance's name, and nowhere else.
                insert(&mut self.instances, target.clone());
            }
            RecordData::Srv { target, .. } => bounded(&mut self.servers, name, target.clone()),
            RecordData::Txt(strings) => bounded(&mut self.texts, name, strings.clone()),
            RecordData::A(address)
                if self.addresses.len() < MOST_RECORDS || self.addresses.contains_key(&name) =>
            {
                insert(self.addresses.entry(name).or_default(), *address);
            }
            _ => {}
        }
    }

    /// Asks what is not known yet; what was asked together and not answered is asked once more, alone.
    fn go_on(&mut self, out: &mut Out) {
        let mut wanted: Vec<(String, RecordType)> = Vec::new();
        for name in &self.types {
            if !self.instances.iter().any(|instance| ends_with(instance, name)) {
                wanted.push((name.clone(), RecordType::Ptr));
            }
        }
        for instance in &self.instances {
            let name = folded(instance);
            if !self.servers.contains_key(&name) {
                wanted.push((instance.clone(), RecordType::Srv));
            }
            if !self.texts.contains_key(&name) {
                wanted.push((instance.clone(), RecordType::Txt));
            }
        }
        for label in self.instances.iter().filter_map(|instance| Some(service_of(instance)?.0)) {
            let name = format!("{label}.{DEVICE_INFO}");
            if !self.texts.contains_key(&folded(&name)) {
                wanted.push((name, RecordType::Txt));
            }
        }
        for target in self.servers.values().filter(|target| !self.addresses.contains_key(&folded(target))) {
            wanted.push((target.clone(), RecordType::A));
        }
        self.ask(wanted, out);
    }

    fn ask(&mut self, wanted: Vec<(String, RecordType)>, out: &mut Out) {
        let times = |asked: &BTreeMap<Asked, u8>, name: &str, kind: RecordType| {
            asked.get(&(folded(name), kind.into())).copied().unwrap_or(0)
        };
        let mut chosen: Vec<(String, RecordType)> = Vec::new();
        let mut bytes = 0;
        for (name, kind) in &wanted {
            let fits = chosen.len() < MOST_QUESTIONS && bytes + name.len() <= MOST_NAME_BYTES;
            if fits && times(&self.asked, name, *kind) == 0 && !chosen.contains(&(name.clone(), *kind)) {
                bytes += name.len();
                chosen.push((name.clone(), *kind));
            }
        }
        if chosen.is_empty() {
            // Some answer the first question of a query only. What need not be there is not worth it.
            let likely = |(name, kind): &(String, RecordType)| {
                !name.ends_with(DEVICE_INFO) && (!self.guessed || *kind != RecordType::Ptr)
            };
            let again =
                |asked: &&(String, RecordType)| times(&self.asked, &asked.0, asked.1) == 1 && likely(asked);
            chosen.extend(wanted.iter().find(again).cloned());
        }
        if chosen.is_empty() || self.queries >= MOST_QUERIES {
            self.say(out);
            return out.done();
        }
        self.queries += 1;
        self.open.clear();
        for (name, kind) in &chosen {
            let key = (folded(name), u16::from(*kind));
            let alone = if chosen.len() == 1 { 2 } else { 1 };
            self.asked.insert(key.clone(), alone);
            self.open.insert(key);
        }
        out.wait(Duration::from_millis(if self.said.is_empty() { 800 } else { 400 }));
        out.send(query(self.id, chosen.iter().map(|(name, kind)| (name.as_str(), *kind))));
    }

    /// Says what belongs to the host itself: others' records come from a proxy or a repeater.
    fn say(&mut self, out: &mut Out) {
        let mut said = Vec::new();
        for name in self
            .addresses
            .iter()
            .filter(|(_, addresses)| addresses.contains(&self.host))
            .map(|(name, _)| name)
        {
            said.push(("mdns.host", name.clone().into_bytes()));
            for address in self.addresses.get(name).into_iter().flatten() {
                said.push(("mdns.address", address.to_string().into_bytes()));
            }
        }
        for (name, target) in &self.servers {
            if self.is_own(name) {
                said.push(("mdns.host", folded(target).into_bytes()));
            }
        }
        let own: Vec<&String> =
            self.instances.iter().filter(|instance| self.is_own(&folded(instance))).collect();
        for instance in &own {
            let Some((label, service)) = service_of(instance) else { continue };
            said.push(("mdns.service", service.as_bytes().to_vec()));
            let label = plain(label);
            if service == "_workstation._tcp" {
                said.push(("mdns.workstation", label.clone()));
            }
            said.push(("mdns.name", label));
        }
        for (name, strings) in self.texts.iter().filter(|(name, _)| self.is_own(name)) {
            let field = if name.ends_with(DEVICE_INFO) { "mdns.device_info" } else { "mdns.txt" };
            said.extend(strings.iter().filter(|text| !text.is_empty()).map(|text| (field, text.clone())));
        }
        for (field, value) in said {
            self.tell(field, value, out);
        }
    }

    /// The list of types alone says that somebody speaks here.
    fn tell_type(&mut self, record: &Record, out: &mut Out) {
        let RecordData::Ptr(target) = &record.data else { return };
        let target = folded(target);
        if folded(&record.name) == SERVICE_TYPES && self.types.contains(&target) {
            service_of(&target).into_iter().for_each(|(_, service)| self.tell("mdns.service", service, out));
        }
    }

    fn tell(&mut self, field: &'static str, value: impl AsRef<[u8]>, out: &mut Out) {
        let value = value.as_ref();
        if self.said.len() < Out::MOST_STATEMENTS && self.said.insert((field, value.to_vec())) {
            out.say(field, value);
        }
    }

    /// Whether nothing says that an instance's server is another host.
    fn is_own(&self, instance: &str) -> bool {
        let addresses = self.servers.get(instance).and_then(|target| self.addresses.get(&folded(target)));
        addresses.is_none_or(|addresses| addresses.contains(&self.host))
    }
}

const DEVICE_INFO: &str = "_device-info._tcp.local";

fn query<'a>(id: u16, questions: impl IntoIterator<Item = (&'a str, RecordType)>) -> Vec<u8> {
    let class = CLASS_IN | CLASS_TOP_BIT;
    let questions: Vec<Question> =
        questions.into_iter().map(|(name, kind)| Question { name: name.to_owned(), kind, class }).collect();
    let mut message = Vec::new();
    dns::query(id, false, &questions, &mut message);
    message
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn ends_with(instance: &str, kind: &str) -> bool {
    let at = instance.len().checked_sub(kind.len());
    at.and_then(|at| instance.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(kind))
}

fn insert<T: Ord>(set: &mut BTreeSet<T>, value: T) {
    if set.len() < MOST_RECORDS {
        set.insert(value);
    }
}

fn bounded<T>(map: &mut BTreeMap<String, T>, name: String, value: T) {
    if map.len() < MOST_RECORDS || map.contains_key(&name) {
        map.insert(name, value);
    }
}

/// Instance label (empty for a type itself) and service of a name: `Label._ipp._tcp.local` (RFC 6763, section 4.1).
fn service_of(name: &str) -> Option<(&str, &str)> {
    let start = name.get(..name.len().checked_sub(".local".len())?)?;
    if !ends_with(name, ".local") {
        return None;
    }
    let protocol = start.rfind("._").filter(|at| matches!(&start[*at..], "._tcp" | "._udp"))?;
    let service = start[..protocol].rfind('.').map_or(0, |at| at + 1);
    let label = start[..service].strip_suffix('.').unwrap_or_default();
    start[service..].starts_with('_').then(|| (label, &start[service..]))
}

/// A label without the escapes of its presentation form: `\\.` is a dot, `\\DDD` a byte.
fn plain(label: &str) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = label.as_bytes();
    while let [first, after @ ..] = rest {
        let number = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        (text, rest) = match (*first, number, after) {
            (b'\\', Some(byte), _) => (pushed(text, byte), &after[3..]),
            (b'\\', None, [byte, after @ ..]) => (pushed(text, *byte), after),
            (byte, ..) => (pushed(text, byte), after),
        };
    }
    text
}

fn pushed(mut text: Vec<u8>, byte: u8) -> Vec<u8> {
    text.push(byte);
    text
}

#[cfg(test)]
mod tests;
