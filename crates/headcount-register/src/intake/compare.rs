//! What is otherwise than it was, and what is known afterwards.

use headcount_model::PortSet;

use crate::{Asset, Key, KeyKind, ServiceAt, Sighting, What};

/// Attributes whose change is worth a word.
const WATCHED: [&str; 9] = [
    "device.model",
    "device.product",
    "device.serial",
    "device.type",
    "device.vendor",
    "device.version",
    "os.family",
    "os.product",
    "os.version",
];
/// Kinds of keys of which a device has one at a time.
const SINGLE: [KeyKind; 4] = [KeyKind::Serial, KeyKind::EngineId, KeyKind::Udn, KeyKind::SshHostKey];
/// How often in a row an exposure must not be seen until it counts as gone: an answer may be lost.
const CLEARED_AFTER: u32 = 2;

/// What a sighting shows that was not so before, in a fixed order.
pub(super) fn changes(asset: &Asset, now: &Sighting) -> Vec<What> {
    let mut changes = Vec::new();
    let known = &asset.latest;
    if !now.addresses.is_subset(&known.addresses) {
        changes.push(What::Moved { from: known.addresses.clone(), to: now.addresses.clone() });
    }
    changes.extend(WATCHED.iter().filter_map(|name| fact(name, known, now)));
    changes.extend(SINGLE.iter().flat_map(|kind| rekeyed(*kind, asset, now)));
    for (port, to) in &now.certificates {
        if let Some(from) = known.certificates.get(port).filter(|from| *from != to) {
            changes.push(What::Certificate { port: *port, from: from.clone(), to: to.clone() });
        }
    }
    for (service, software) in &now.services {
        if !known.services.contains_key(service) {
            changes.push(What::Opened { service: *service, product: software.product.clone() });
        }
    }
    let closed = known.services.keys().filter(|service| is_closed(now, service));
    changes.extend(closed.map(|service| What::Closed { service: *service }));
    for (id, grade) in &now.exposures {
        if !known.exposures.contains_key(id) {
            changes.push(What::Exposed { id: id.clone(), grade: *grade });
        }
    }
    changes.extend(cleared(asset, now).map(|id| What::Cleared { id: id.clone() }));
    changes
}

/// What is known after a sighting.
pub(super) fn update(asset: &mut Asset, now: &Sighting) {
    let gone: Vec<String> = cleared(asset, now).cloned().collect();
    let missing: Vec<String> =
        asset.latest.exposures.keys().filter(|id| !now.exposures.contains_key(*id)).cloned().collect();
    asset.unseen.retain(|id, _| missing.contains(id));
    for id in missing {
        *asset.unseen.entry(id).or_default() += 1;
    }
    for id in &gone {
        asset.unseen.remove(id);
        asset.latest.exposures.remove(id);
    }
    asset.keys.extend(now.keys.iter().cloned());
    let known = &mut asset.latest;
    known.device.clone_from(&now.device);
    known.keys.clone_from(&now.keys);
    known.addresses.clone_from(&now.addresses);
    known.heard = now.heard;
    for (name, fact) in &now.facts {
        let same = known.facts.get(name).is_some_and(|old| says_more(&old.value, &fact.value));
        if !same {
            known.facts.insert(name.clone(), fact.clone());
        }
    }
    known.services.retain(|service, _| !is_closed(now, service));
    known.services.extend(now.services.iter().map(|(at, software)| (*at, software.clone())));
    known.closed.clone_from(&now.closed);
    known.certificates.extend(now.certificates.iter().map(|(port, hash)| (*port, hash.clone())));
    known.exposures.extend(now.exposures.iter().map(|(id, grade)| (id.clone(), *grade)));
    if !now.names.is_empty() {
        known.names.clone_from(&now.names);
    }
}

/// An attribute with another value; that one of the two says more is no change.
fn fact(name: &str, known: &Sighting, now: &Sighting) -> Option<What> {
    let (from, to) = (&known.facts.get(name)?.value, &now.facts.get(name)?.value);
    let same = from.eq_ignore_ascii_case(to) || says_more(from, to) || says_more(to, from);
    (!same).then(|| What::Changed { attribute: name.to_owned(), from: from.clone(), to: to.clone() })
}

/// Whether `long` begins with `short` and goes on with something other than a letter or digit: `5.4.9` says more than
/// `5.4`, `5.40` does not.
fn says_more(long: &str, short: &str) -> bool {
    let rest = long
        .get(short.len()..)
        .filter(|_| long.get(..short.len()).is_some_and(|start| start.eq_ignore_ascii_case(short)));
    rest.and_then(|rest| rest.chars().next()).is_some_and(|next| !next.is_alphanumeric())
}

fn rekeyed(kind: KeyKind, asset: &Asset, now: &Sighting) -> Vec<What> {
    let of = |keys: &std::collections::BTreeSet<Key>| -> Vec<String> {
        keys.iter().filter(|key| key.kind == kind).map(|key| key.value.clone()).collect()
    };
    let (known, now) = (of(&asset.keys), of(&now.keys));
    if known.is_empty() || now.iter().any(|value| known.contains(value)) {
        return Vec::new();
    }
    now.into_iter().map(|to| What::Rekeyed { kind, to }).collect()
}

fn is_closed(now: &Sighting, service: &ServiceAt) -> bool {
    let closed =
        now.closed.get(&service.transport).is_some_and(|ports: &PortSet| ports.contains(service.port));
    closed && !now.services.contains_key(service)
}

/// Exposures that this sighting is the last one of enough in a row not to show.
fn cleared<'a>(asset: &'a Asset, now: &'a Sighting) -> impl Iterator<Item = &'a String> {
    let missing = asset.latest.exposures.keys().filter(|id| !now.exposures.contains_key(*id));
    missing.filter(|id| asset.unseen.get(*id).copied().unwrap_or_default() + 1 >= CLEARED_AFTER)
}
