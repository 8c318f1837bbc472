//! Whether what a sighting and an asset share outweighs that in which they differ.

use std::collections::BTreeSet;

use crate::{Key, KeyKind, Sighting};

use super::Held;

/// How the keys of one kind stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// They have one in common.
    Same,
    /// Both have some, and none in common.
    Other,
    /// One of them has none.
    Silent,
}

/// Whether a sighting that shares a key of `kind` with an asset can be it.
///
/// - Another serial number is another device, whatever else is the same.
/// - A key in its memory goes with an image: it counts unless both its MAC address and its name are others.
/// - A MAC address goes with a dock or an adapter: it counts unless what lies in the memory and the name are others.
/// - A name goes with its role: it counts unless anything in the memory is another, or it is another maker's.
/// - A MAC address that software chose counts unless the name is another.
pub(super) fn agree(kind: KeyKind, sighting: &Sighting, known: &Held) -> bool {
    let stand = |kind: KeyKind| stand(kind, &sighting.keys, &known.keys);
    let memory = [KeyKind::EngineId, KeyKind::Udn, KeyKind::SshHostKey].map(stand);
    let other_memory = memory.contains(&Stand::Other) && !memory.contains(&Stand::Same);
    let other_name = stand(KeyKind::Name) == Stand::Other;
    if kind != KeyKind::Serial && stand(KeyKind::Serial) == Stand::Other {
        return false;
    }
    match kind {
        KeyKind::Serial => true,
        KeyKind::EngineId | KeyKind::Udn | KeyKind::SshHostKey | KeyKind::TlsKey => {
            !(stand(KeyKind::Mac) == Stand::Other && other_name)
        }
        KeyKind::Mac => !(other_memory && other_name),
        KeyKind::Name => !other_memory && !other_vendor(sighting, known),
        KeyKind::LocalMac => !other_name && !other_memory,
    }
}

fn other_vendor(sighting: &Sighting, known: &Held) -> bool {
    let own = sighting.facts.get("device.vendor").map(|fact| fact.value.as_str());
    own.zip(known.vendor.as_deref()).is_some_and(|(own, known)| own != known)
}

fn stand(kind: KeyKind, a: &BTreeSet<Key>, b: &BTreeSet<Key>) -> Stand {
    let of = |keys: &BTreeSet<Key>| -> BTreeSet<String> {
        keys.iter().filter(|key| key.kind == kind).map(comparable).collect()
    };
    let (a, b) = (of(a), of(b));
    match (a.is_empty() || b.is_empty(), a.is_disjoint(&b)) {
        (true, _) => Stand::Silent,
        (false, true) => Stand::Other,
        (false, false) => Stand::Same,
    }
}

/// A serial number without its maker, whose spelling may change with the fingerprints; a name without its domain, which
/// only some sources give.
fn comparable(key: &Key) -> String {
    match key.kind {
        KeyKind::Serial => key.value.rsplit(' ').next().unwrap_or_default().to_owned(),
        KeyKind::Name => key.value.split('.').next().unwrap_or_default().to_owned(),
        _ => key.value.clone(),
    }
}
