//! What a column may mean.

use std::{fmt, str::FromStr};

/// What a column may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// What the organisation calls the device.
    Name,
    /// The number of the sticker on it.
    AssetTag,
    /// The maker's serial number.
    Serial,
    /// A MAC address, or several.
    Mac,
    /// An IP address, or several.
    Address,
    /// A host or DNS name, or several.
    Host,
    /// The maker.
    Vendor,
    /// The model.
    Model,
    /// The kind of device.
    Type,
    /// Who it belongs to.
    Owner,
    /// Where it stands.
    Location,
    /// The network that it belongs in.
    Segment,
}

/// What each field is called, the word of the command line first; in English and in German, as [`plain`] writes it.
const WORDS: [(Field, &[&str]); 12] = [
    (
        Field::Name,
        &[
            "name",
            "devicename",
            "assetname",
            "displayname",
            "configurationitem",
            "ciname",
            "bezeichnung",
            "geraetename",
            "geraet",
            "computername",
            "rechnername",
            "systemname",
            "rechner",
        ],
    ),
    (
        Field::AssetTag,
        &[
            "assettag",
            "tag",
            "asset",
            "assetid",
            "assetnumber",
            "assetno",
            "inventorynumber",
            "inventoryno",
            "inventarnummer",
            "inventarnr",
            "inventar",
            "anlagennummer",
            "anlagennr",
            "otherserial",
        ],
    ),
    (
        Field::Serial,
        &[
            "serial",
            "serialnumber",
            "serialno",
            "serialnum",
            "serialnr",
            "sn",
            "servicetag",
            "seriennummer",
            "seriennr",
            "fabriknummer",
            "geraetenummer",
        ],
    ),
    (
        Field::Mac,
        &[
            "mac",
            "macs",
            "macaddress",
            "macaddresses",
            "macaddr",
            "ethernetaddress",
            "hardwareaddress",
            "physicaladdress",
            "wifimac",
            "wlanmac",
            "lanmac",
            "ethernetmac",
            "wifimacaddress",
            "wirelessmac",
            "wiredmac",
            "macadresse",
            "macadressen",
            "hardwareadresse",
            "physischeadresse",
        ],
    ),
    (
        Field::Address,
        &[
            "address",
            "addresses",
            "ip",
            "ips",
            "ipaddress",
            "ipaddresses",
            "ipaddr",
            "ipv4",
            "ipv4address",
            "primaryip",
            "primaryip4",
            "managementip",
            "mgmtip",
            "adresse",
            "ipadresse",
            "ipadressen",
            "ipv4adresse",
        ],
    ),
    (
        Field::Host,
        &[
            "host",
            "hosts",
            "hostname",
            "hostnames",
            "names",
            "dns",
            "dnsname",
            "dnsnames",
            "fqdn",
            "netbiosname",
            "netzwerkname",
        ],
    ),
    (Field::Vendor, &["vendor", "manufacturer", "maker", "make", "brand", "hersteller", "fabrikat", "marke"]),
    (
        Field::Model,
        &["model", "modelname", "modelno", "modelnumber", "product", "modell", "modellname", "produkt"],
    ),
    (
        Field::Type,
        &[
            "type",
            "devicetype",
            "category",
            "assettype",
            "kind",
            "class",
            "role",
            "typ",
            "geraetetyp",
            "geraeteart",
            "kategorie",
            "art",
            "klasse",
        ],
    ),
    (
        Field::Owner,
        &[
            "owner",
            "user",
            "username",
            "assignedto",
            "responsible",
            "department",
            "ownedby",
            "besitzer",
            "eigentuemer",
            "benutzer",
            "nutzer",
            "verantwortlich",
            "verantwortlicher",
            "abteilung",
        ],
    ),
    (
        Field::Location,
        &[
            "location",
            "site",
            "room",
            "building",
            "place",
            "standort",
            "raum",
            "ort",
            "gebaeude",
            "aufstellort",
        ],
    ),
    (
        Field::Segment,
        &["segment", "network", "subnet", "vlan", "vlanid", "netz", "netzwerk", "subnetz", "netzsegment"],
    ),
];

impl Field {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.into_iter().map(|(field, _)| field)
    }

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::AssetTag => "asset_tag",
            Self::Serial => "serial",
            Self::Mac => "mac",
            Self::Address => "address",
            Self::Host => "host",
            Self::Vendor => "vendor",
            Self::Model => "model",
            Self::Type => "type",
            Self::Owner => "owner",
            Self::Location => "location",
            Self::Segment => "segment",
        }
    }

    /// What a column with this heading means, if that is known.
    pub fn of_heading(heading: &str) -> Option<Self> {
        let heading = plain(heading);
        WORDS.into_iter().find(|(_, words)| words.contains(&heading.as_str())).map(|(field, _)| field)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Field {
    type Err = String;

    /// Any word that a heading may have, in any spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of_heading(text).ok_or_else(|| {
            let all: Vec<_> = Self::all().map(Self::as_str).collect();
            format!("{text:?} is no field; there are {}", all.join(", "))
        })
    }
}

/// A heading in one spelling: lower case, letters and digits only, umlauts written out.
pub(super) fn plain(heading: &str) -> String {
    let mut plain = String::with_capacity(heading.len());
    for c in heading.chars().flat_map(char::to_lowercase) {
        match c {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            c if c.is_alphanumeric() => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_means_one_field_and_is_written_plainly() {
        let words: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        assert!(words.iter().all(|word| plain(word) == *word));
        assert!(Field::all().all(|field| field.as_str().parse() == Ok(field)));
        assert_eq!("MAC-Adresse".parse(), Ok(Field::Mac));
        assert_eq!("Gerätename".parse(), Ok(Field::Name));
        assert!("colour".parse::<Field>().unwrap_err().contains("asset_tag"));
    }
}
