//! GLPI: the export of its lists of computers, network equipment, printers and telephones, and what
//! `GET /apirest.php/Computer` and its like answer, best with `expand_dropdowns` and `with_networkports`.
//!
//! Source: GLPI, REST API documentation (apirest.md of its releases), "Get all items". Without `expand_dropdowns` makers,
//! models and places are numbers that say nothing here. Before version 10, texts are written with the entities of HTML.
//! The table's cells hold several values by lines; its headings are in the user's language.

use super::{
    Field, Format,
    shape::{Shape, unescaped},
};

pub(super) const SHAPE: Shape = Shape {
    format: Format::Glpi,
    told_by_members: &[
        &["entities_id", "otherserial"],
        &["entities_id", "serial"],
        &["otherserial", "states_id"],
    ],
    told_by_headings: &[
        &["Name", "Alternate username"],
        &["Name", "Operating System - Name"],
        &["Name", "Network - IP"],
        &["Name", "Components - Processor"],
        &["Name", "Inventory number", "Last update"],
        &["Name", "Alternativer Benutzername"],
        &["Name", "Betriebssystem - Name"],
        &["Name", "Netzwerk - IP"],
        &["Name", "Inventarnummer", "Letzte Änderung"],
    ],
    members: &[
        ("name", Field::Name),
        ("otherserial", Field::AssetTag),
        ("serial", Field::Serial),
        ("_networkports.*.mac", Field::Mac),
        ("_networkports.*.NetworkName.IPAddress.name", Field::Address),
        ("_networkports.*.NetworkName.FQDN.fqdn", Field::Host),
        ("manufacturers_id", Field::Vendor),
        ("computermodels_id", Field::Model),
        ("networkequipmentmodels_id", Field::Model),
        ("printermodels_id", Field::Model),
        ("phonemodels_id", Field::Model),
        ("peripheralmodels_id", Field::Model),
        ("computertypes_id", Field::Type),
        ("networkequipmenttypes_id", Field::Type),
        ("printertypes_id", Field::Type),
        ("phonetypes_id", Field::Type),
        ("peripheraltypes_id", Field::Type),
        ("users_id", Field::Owner),
        ("contact", Field::Owner),
        ("locations_id", Field::Location),
        ("networks_id", Field::Segment),
    ],
    headings: &[
        ("Alternate username", Some(Field::Owner)),
        ("Alternativer Benutzername", Some(Field::Owner)),
        ("Network - IP", Some(Field::Address)),
        ("Network - MAC", Some(Field::Mac)),
        ("Network - MAC address", Some(Field::Mac)),
        ("Network - Network names", Some(Field::Host)),
        ("Netzwerk - IP", Some(Field::Address)),
        ("Netzwerk - MAC", Some(Field::Mac)),
        ("Netzwerk - MAC-Adresse", Some(Field::Mac)),
    ],
    custom: None,
    left_out: &[("is_deleted", &["1"]), ("is_template", &["1"])],
    meant,
};

/// A number stands for a row of another table of GLPI.
fn meant(field: Field, value: &str) -> Option<String> {
    let refers = matches!(
        field,
        Field::Vendor | Field::Model | Field::Type | Field::Owner | Field::Location | Field::Segment
    );
    let number = value.chars().all(|c| c.is_ascii_digit());
    if refers && number { None } else { unescaped(field, value) }
}
