//! Which addresses are one device because they share something that only one device has.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{
    ClonedKey, FoldReason, MacAddr, SegmentKind,
    key::{telling, telling_serial},
};

use super::{Fold, Member, Owner, Part, macs};

/// Fields whose values belong to one device alone, the firmest first.
const KEYS: [&str; 6] = [SSH_KEY, "upnp.udn", ENGINE_ID, SERIAL, "tls.key", HOST_NAME];
const SSH_KEY: &str = "ssh.hostkey.sha256";
const ENGINE_ID: &str = "snmp.engineid";
/// Not a field: the attributes `device.vendor` and `device.serial`.
const SERIAL: &str = "serial";
/// A host name is chosen, and unique only on its link (RFC 6762, section 9): it counts where the host lists its addresses.
const HOST_NAME: &str = "mdns.host";
const HOST_ADDRESS: &str = "mdns.address";
/// A certificate on more devices than this is a farm's, not one device's.
const MOST_BY_CERTIFICATE: usize = 8;
/// The most shared keys that are reported.
const MOST_CLONED: usize = 256;

/// A key: its rank among [`KEYS`], and its value.
type Key = (usize, String);
/// The parts that have a key, and on which addresses.
type Holders = BTreeMap<usize, BTreeSet<Ipv4Addr>>;

/// Which parts are one device, and why.
pub(super) struct Joined {
    /// The parts of each device.
    pub(super) groups: Vec<Vec<usize>>,
    /// What joins those of each device.
    pub(super) reasons: Vec<Vec<FoldReason>>,
    /// What does not join, because a factory gave it to many.
    pub(super) cloned: Vec<ClonedKey>,
}

/// Joins `parts` by their keys.
pub(super) fn join(fold: &Fold, parts: &[Part<'_>]) -> Joined {
    let traits: Vec<Traits> = parts.iter().map(|part| Traits::of(fold, part)).collect();
    let keys = keys(parts);
    let mut union = Union::new(&traits);
    let (mut cloned, mut joining) = (Vec::new(), Vec::new());
    for (key, holders) in &keys {
        if holders.len() < 2 {
            continue;
        }
        let (rank, value) = key;
        let field = KEYS.get(*rank).copied().unwrap_or_default();
        if is_cloned(field, holders, &traits) {
            let addresses: BTreeSet<Ipv4Addr> = holders.values().flatten().copied().collect();
            if field != HOST_NAME && cloned.len() < MOST_CLONED {
                let addresses = addresses.into_iter().collect();
                cloned.push(ClonedKey { field: field.to_owned(), value: value.clone(), addresses });
            }
            continue;
        }
        let mut all = holders.keys();
        if let Some(first) = all.next() {
            all.for_each(|part| union.join(*first, *part));
        }
        joining.push((field, value.as_str(), holders));
    }
    let groups = union.groups();
    let reasons = groups.iter().map(|group| reasons(group, parts, &joining)).collect();
    Joined { groups, reasons, cloned }
}

/// Why the parts of `group` are one device.
fn reasons(group: &[usize], parts: &[Part<'_>], joining: &[(&str, &str, &Holders)]) -> Vec<FoldReason> {
    let mut reasons = Vec::new();
    for part in group.iter().filter_map(|i| parts.get(*i)) {
        let addresses: BTreeSet<Ipv4Addr> = part.members.iter().map(|member| member.key.1).collect();
        if let (Owner::Mac(mac, _), true) = (&part.owner, addresses.len() > 1) {
            let addresses = addresses.into_iter().collect();
            reasons.push(FoldReason { key: "mac".to_owned(), value: mac.to_string(), addresses });
        }
    }
    if group.len() < 2 {
        return reasons;
    }
    for (field, value, holders) in joining {
        let sharing: Vec<&BTreeSet<Ipv4Addr>> = group.iter().filter_map(|part| holders.get(part)).collect();
        if sharing.len() > 1 {
            let addresses: BTreeSet<Ipv4Addr> = sharing.into_iter().flatten().copied().collect();
            let addresses = addresses.into_iter().collect();
            reasons.push(FoldReason { key: (*field).to_owned(), value: (*value).to_owned(), addresses });
        }
    }
    reasons
}

fn keys(parts: &[Part<'_>]) -> BTreeMap<Key, Holders> {
    let mut keys: BTreeMap<Key, Holders> = BTreeMap::new();
    let mut listed: BTreeMap<String, BTreeSet<Ipv4Addr>> = BTreeMap::new();
    for (i, part) in parts.iter().enumerate() {
        for member in part.sole() {
            let mut names = BTreeSet::new();
            let mut addresses = BTreeSet::from([member.key.1]);
            for (_, field, value) in member.host.statements.iter() {
                if field == HOST_ADDRESS {
                    addresses.extend(value.text().trim().parse::<Ipv4Addr>());
                }
                let Some(rank) = KEYS.iter().position(|key| *key == field) else { continue };
                let Some(value) = telling(&value.text()) else { continue };
                if field == HOST_NAME {
                    names.insert(value.clone());
                }
                keys.entry((rank, value)).or_default().entry(i).or_default().insert(member.key.1);
            }
            if addresses.len() > 1 {
                names.into_iter().for_each(|name| listed.entry(name).or_default().extend(&addresses));
            }
        }
        if let Some(serial) = serial(part)
            && let Some(rank) = KEYS.iter().position(|key| *key == SERIAL)
        {
            let addresses: BTreeSet<Ipv4Addr> = part.sole().map(|member| member.key.1).collect();
            keys.entry((rank, serial)).or_default().entry(i).or_default().extend(addresses);
        }
    }
    for ((rank, name), holders) in &mut keys {
        if KEYS.get(*rank) == Some(&HOST_NAME) {
            let known = listed.get(name);
            holders.retain(|_, own| known.is_some_and(|known| !known.is_disjoint(own)));
        }
    }
    keys
}

/// Maker and serial number, as far as they are likely.
fn serial(part: &Part<'_>) -> Option<String> {
    let likely = |name: &str| {
        let mut all = part.identity.attributes.iter();
        all.find(|a| a.name == name && a.confidence >= 0.5).map(|a| a.value.as_str())
    };
    let (vendor, serial) = (likely("device.vendor")?, likely("device.serial")?);
    telling_serial(serial).map(|_| format!("{vendor} {serial}"))
}

/// Whether a key stands for an image or a farm rather than for one device.
fn is_cloned(field: &str, holders: &Holders, traits: &[Traits]) -> bool {
    let mut places = BTreeSet::new();
    let mut marks: BTreeMap<&Mark, &BTreeSet<String>> = BTreeMap::new();
    for held in holders.keys().filter_map(|part| traits.get(*part)) {
        if held.places.iter().any(|place| !places.insert(*place)) {
            return true;
        }
        for (mark, values) in &held.marks {
            if marks.entry(mark).or_insert(values).is_disjoint(values) {
                return true;
            }
        }
    }
    field == "tls.key" && holders.len() > MOST_BY_CERTIFICATE
}

/// A field that has one value on one device, and the port where there is one a port.
type Mark = (&'static str, u16);

/// What parts of one device may not differ in.
struct Traits {
    /// The attached segments on which it has a link-layer address, burned in (`false`) or chosen by software. Two
    /// parts with one place are two devices: they have two addresses of one kind on one link.
    places: BTreeSet<(u16, bool)>,
    marks: BTreeMap<Mark, BTreeSet<String>>,
}

impl Traits {
    fn of(fold: &Fold, part: &Part<'_>) -> Self {
        let mut places = BTreeSet::new();
        let mut marks: BTreeMap<Mark, BTreeSet<String>> = BTreeMap::new();
        for member in &part.members {
            let segment = member.key.0;
            if fold.segments.get(&segment).is_some_and(|vantage| vantage.kind == SegmentKind::Attached) {
                let macs = owned(&part.owner, member).into_iter().filter(|mac| !mac.is_virtual_router());
                places.extend(macs.map(|mac| (segment, mac.is_locally_administered())));
            }
        }
        for member in part.sole() {
            for ((_, port), field, value) in member.host.statements.iter() {
                let mark = match field {
                    SSH_KEY => (SSH_KEY, port),
                    ENGINE_ID => (ENGINE_ID, 0),
                    _ => continue,
                };
                marks.entry(mark).or_default().extend(telling(&value.text()));
            }
        }
        marks.retain(|_, values| !values.is_empty());
        Self { places, marks }
    }
}

fn owned(owner: &Owner, member: &Member<'_>) -> BTreeSet<MacAddr> {
    match owner {
        Owner::Mac(mac, _) => BTreeSet::from([*mac]),
        Owner::ThisMachine => macs(member),
        Owner::Address(_) => BTreeSet::new(),
    }
}

/// The parts of one device, and their places.
type Group = (Vec<usize>, BTreeSet<(u16, bool)>);

/// Sets of parts that are one device each.
struct Union {
    group_of: Vec<usize>,
    /// The parts and places of each group; empty where it went into another.
    groups: Vec<Group>,
}

impl Union {
    fn new(traits: &[Traits]) -> Self {
        let groups = traits.iter().enumerate().map(|(i, of)| (vec![i], of.places.clone())).collect();
        Self { group_of: (0..traits.len()).collect(), groups }
    }

    /// Makes the devices of two parts one, unless what they were joined with before forbids it.
    fn join(&mut self, a: usize, b: usize) {
        let (Some(to), Some(from)) = (self.group_of.get(a).copied(), self.group_of.get(b).copied()) else {
            return;
        };
        let apart =
            |groups: &[Group]| -> Option<bool> { Some(groups.get(to)?.1.is_disjoint(&groups.get(from)?.1)) };
        if to == from || apart(&self.groups) != Some(true) {
            return;
        }
        let Some((parts, places)) = self.groups.get_mut(from).map(std::mem::take) else { return };
        for part in &parts {
            if let Some(group) = self.group_of.get_mut(*part) {
                *group = to;
            }
        }
        if let Some(group) = self.groups.get_mut(to) {
            group.0.extend(parts);
            group.1.extend(places);
        }
    }

    /// The parts of each device, sorted.
    fn groups(self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = self.groups.into_iter().map(|(parts, _)| parts).collect();
        groups.retain(|parts| !parts.is_empty());
        groups.iter_mut().for_each(|parts| parts.sort_unstable());
        groups
    }
}
