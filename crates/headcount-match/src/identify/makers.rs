//! Makers of network interfaces that are not the makers of the devices.

/// Words that begin the names of organisations whose interfaces, modules or virtual machines are in devices of others.
const COMPONENT_MAKERS: [&str; 62] = [
    "accton",
    "ampak",
    "amper",
    "asix",
    "askey",
    "asrock",
    "atheros",
    "azurewave",
    "bilian",
    "broadcom",
    "cambridge silicon",
    "chelsio",
    "chongqing fugui",
    "cloud network",
    "compal",
    "cypress",
    "elitegroup",
    "emulex",
    "espressif",
    "fn-link",
    "foxconn",
    "gemtek",
    "giga-byte",
    "gigabyte",
    "hon hai",
    "intel",
    "inventec",
    "lcfc",
    "lite-on",
    "liteon",
    "marvell",
    "mediatek",
    "mellanox",
    "micro-star",
    "microchip",
    "microsoft",
    "msi",
    "murata",
    "nordic semi",
    "nvidia",
    "nxp",
    "pcs systemtechnik",
    "pegatron",
    "proxmox",
    "qlogic",
    "qualcomm",
    "quanta",
    "ralink",
    "realtek",
    "rivet",
    "sercomm",
    "silicom",
    "silicon lab",
    "solarflare",
    "sparklan",
    "texas instruments",
    "u-blox",
    "universal global",
    "vmware",
    "wistron",
    "wiznet",
    "xensource",
];

/// Whether the organisation sells its interfaces to everybody.
pub(super) fn is_component_maker(organisation: &str) -> bool {
    let name = organisation.to_lowercase();
    let at_word = |word: &str| {
        name.match_indices(word).any(|(at, _)| {
            let before = name.get(..at).and_then(|before| before.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric())
        })
    };
    COMPONENT_MAKERS.iter().any(|word| at_word(word))
}

/// The organisation's name as it stands, then with ever more of its last words left off: `Cisco Systems, Inc`, `Cisco
/// Systems`, `Cisco`.
pub(super) fn spellings(organisation: &str) -> impl Iterator<Item = &str> {
    let trim = |name: &str| name.trim_end_matches([' ', ',', '.', '(', ')']).len();
    let mut next = organisation.get(..trim(organisation)).filter(|name| !name.is_empty());
    let rest = std::iter::from_fn(move || {
        let name = next?;
        let cut = name.rfind([' ', ',']).and_then(|at| name.get(..at));
        next = cut.and_then(|name| name.get(..trim(name))).filter(|name| !name.is_empty());
        Some(name)
    });
    std::iter::once(organisation).chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_makers_are_known_by_the_beginnings_of_words() {
        for name in
            ["Intel Corporate", "Realtek Semiconductor Corp.", "VMware, Inc.", "Hon Hai Precision Ind."]
        {
            assert!(is_component_maker(name), "{name}");
        }
        for name in ["Axis Communications AB", "Cisco Systems, Inc", "Mintel", "Synology Incorporated"] {
            assert!(!is_component_maker(name), "{name}");
        }
        assert!(COMPONENT_MAKERS.is_sorted());
    }

    #[test]
    fn names_lose_their_legal_form() {
        let all: Vec<_> = spellings("Cisco Systems, Inc.").collect();
        assert_eq!(all, ["Cisco Systems, Inc.", "Cisco Systems, Inc", "Cisco Systems", "Cisco"]);
        assert_eq!(spellings("").count(), 1);
        assert_eq!(spellings(" , ").count(), 1);
    }
}
