//! From the addresses to the devices that have them.

mod device;
mod keys;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{ClonedKey, Device, DuplicateAddress, Endpoint, Findings, MacAddr, SegmentKind};

use crate::{Identity, MAKER_FIELD, Said, identify};

use super::{
    Fold, Folded, HostKey, Registries, SegmentCounts,
    host::{Heard, Host, Sign},
    shadow::PhantomKey,
};

/// What makes addresses belong to one device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// They are this machine's.
    ThisMachine,
    /// They share a link-layer address, as far as that is one and the same device's (see [`reach`]).
    Mac(MacAddr, String),
    /// An address of which nothing else is known.
    Address(HostKey),
}

/// A present address: its own signs, and all else that was said of it.
struct Member<'a> {
    key: HostKey,
    host: &'a Host,
    own: Vec<(Sign, Heard)>,
}

/// The devices, findings and counts of a fold.
pub(super) fn assemble(fold: Fold, registries: &Registries<'_>) -> Folded {
    let mut segments: BTreeMap<u16, SegmentCounts> = BTreeMap::new();
    let mut not_counted: BTreeMap<PhantomKey, u64> = BTreeMap::new();
    let mut members = Vec::new();
    for (key, host) in &fold.hosts {
        let counts = segments.entry(key.0).or_default();
        let verdict = fold.shadows.judge(*key, host);
        if !verdict.own.is_empty() {
            counts.present += 1;
            members.push(Member { key: *key, host, own: verdict.own });
        } else if !verdict.blamed.is_empty() {
            counts.phantoms += 1;
            for phantom in verdict.blamed {
                *not_counted.entry(phantom).or_default() += 1;
            }
        } else if host.unreachable {
            counts.unreachable += 1;
        }
    }
    let (devices, cloned_keys) = devices(&fold, &members, registries);
    let findings = Findings {
        phantoms: fold.shadows.findings(&not_counted),
        duplicate_addresses: members.iter().filter_map(duplicate).collect(),
        cloned_keys,
    };
    Folded { devices, findings, segments }
}

/// Two or more link-layer addresses that answered for one address.
fn duplicate(member: &Member<'_>) -> Option<DuplicateAddress> {
    let macs: Vec<_> = macs(member).into_iter().collect();
    let (segment, address) = member.key;
    (macs.len() > 1).then_some(DuplicateAddress { segment, address, macs })
}

fn macs(member: &Member<'_>) -> BTreeSet<MacAddr> {
    let macs = member.own.iter().filter_map(|(sign, _)| sign.mac);
    macs.filter(|mac| *mac != MacAddr::ZERO && *mac != MacAddr::BROADCAST).collect()
}

/// The addresses of one owner, and what they alone say it is.
struct Part<'a> {
    owner: Owner,
    members: Vec<&'a Member<'a>>,
    identity: Identity,
}

impl Part<'_> {
    /// Those of its addresses that no other owner claims: what they say is its own.
    fn sole(&self) -> impl Iterator<Item = &Member<'_>> {
        self.members
            .iter()
            .copied()
            .filter(|member| macs(member).len() < 2 || self.owner == Owner::ThisMachine)
    }
}

fn devices(
    fold: &Fold,
    members: &[Member<'_>],
    registries: &Registries<'_>,
) -> (Vec<Device>, Vec<ClonedKey>) {
    let part = |(owner, members): (Owner, Vec<_>)| {
        let identity = identity(&[(&owner, &members)], registries);
        Part { owner, members, identity }
    };
    let parts: Vec<Part<'_>> = owned(fold, members).into_iter().map(part).collect();
    let keys::Joined { groups, reasons, cloned } = keys::join(fold, &parts);
    let devices = groups.iter().zip(reasons).map(|(group, folded)| {
        let parts: Vec<&Part<'_>> = group.iter().filter_map(|i| parts.get(*i)).collect();
        device::build(fold, &parts, folded, registries)
    });
    (named_apart(devices.collect()), cloned)
}

/// Who has which addresses.
fn owned<'a>(fold: &Fold, members: &'a [Member<'a>]) -> BTreeMap<Owner, Vec<&'a Member<'a>>> {
    let local: Vec<&Member<'_>> = members.iter().filter(|member| is_local(fold, member)).collect();
    let own_macs: BTreeSet<MacAddr> = local.iter().flat_map(|member| macs(member)).collect();
    let own_addresses: BTreeSet<Ipv4Addr> = local.iter().map(|member| member.key.1).collect();

    let mut owned: BTreeMap<Owner, Vec<&Member<'_>>> = BTreeMap::new();
    for member in members {
        let macs = macs(member);
        let here = is_local(fold, member) || (macs.is_empty() && own_addresses.contains(&member.key.1));
        let mut owners: BTreeSet<Owner> = macs
            .into_iter()
            .map(|mac| match here || own_macs.contains(&mac) {
                true => Owner::ThisMachine,
                false => Owner::Mac(mac, reach(fold, member.key.0, mac)),
            })
            .collect();
        if owners.is_empty() {
            owners.insert(if here { Owner::ThisMachine } else { Owner::Address(member.key) });
        }
        for owner in owners {
            owned.entry(owner).or_default().push(member);
        }
    }
    owned
}

/// What the addresses of these owners together say that they are.
fn identity(parts: &[(&Owner, &Vec<&Member<'_>>)], registries: &Registries<'_>) -> Identity {
    let mut said = Vec::new();
    for (owner, members) in parts {
        for member in *members {
            let address = member.key.1;
            said.extend(member.host.statements.iter().map(|((transport, port), field, value)| Said {
                endpoint: Some(Endpoint { address, transport, port }),
                field,
                value: &value.0,
            }));
            let macs = device::macs_of(owner, member).into_iter().flatten();
            let makers = macs.filter_map(|mac| registries.makers.maker(mac));
            said.extend(makers.map(|maker| Said {
                endpoint: None,
                field: MAKER_FIELD,
                value: maker.as_bytes(),
            }));
        }
    }
    if said.is_empty() { Identity::default() } else { identify(registries.library, &said) }
}

fn is_local(fold: &Fold, member: &Member<'_>) -> bool {
    let local_segment = fold.segments.get(&member.key.0).is_some_and(|s| s.kind == SegmentKind::Local);
    let known_local = |(sign, _): &(Sign, Heard)| sign.reason == headcount_model::Reason::LocalAddress;
    local_segment || member.own.iter().any(known_local)
}

/// How far a link-layer address names one device: everywhere if the IEEE gave it out, else (chosen by software, or
/// a virtual router's, RFC 5798) among the VLANs and subnets of one interface.
fn reach(fold: &Fold, segment: u16, mac: MacAddr) -> String {
    if !mac.is_locally_administered() && !mac.is_virtual_router() {
        return String::new();
    }
    let interface = fold.segments.get(&segment).map_or("", |vantage| vantage.interface.as_str());
    interface.split_once('.').map_or(interface, |(base, _vlan)| base).to_owned()
}

/// Sorts by lowest address and makes every id the only one of its kind.
fn named_apart(mut devices: Vec<Device>) -> Vec<Device> {
    let lowest =
        |device: &Device| device.interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.address).min();
    devices.sort_by_cached_key(|device| {
        (lowest(device), device.id.clone(), device.interfaces.first().map(|i| i.segment))
    });
    let mut taken = BTreeSet::new();
    for device in &mut devices {
        if !taken.insert(device.id.clone()) {
            // The same software-chosen link-layer address on two links.
            let segment = device.interfaces.first().map_or(0, |interface| interface.segment);
            let apart = format!("{}@{segment}", device.id);
            // Several of them may begin on one segment, where they reach over others.
            let more = (2..).map(|count| format!("{apart}.{count}"));
            let free = std::iter::once(apart.clone()).chain(more).find(|id| taken.insert(id.clone()));
            device.id = free.unwrap_or(apart);
        }
    }
    devices
}
