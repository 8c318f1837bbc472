//! ServiceNow: what the Table API answers for `cmdb_ci` and the tables that extend it, with or without
//! `sysparm_display_value`, and the list as CSV.
//!
//! Source: ServiceNow, REST API reference, "Table API" (`GET /now/table/{tableName}`), and "Configuration item [cmdb_ci]"
//! of the CMDB's schema; install states: "Life cycle: install status". A reference that is not shown is the `sys_id` of
//! a row elsewhere, which says nothing here. The CSV has the names of the columns, not their labels.

use super::{
    Field, Format,
    shape::{Shape, as_written},
};

/// The states `retired`, `stolen` and `absent`, as numbers and as shown.
const NOT_IN_USE: &[&str] = &["7", "8", "100", "retired", "stolen", "absent"];

pub(super) const SHAPE: Shape = Shape {
    format: Format::ServiceNow,
    told_by_members: &[
        &["sys_id", "sys_class_name"],
        &["sys_id", "serial_number"],
        &["sys_class_name", "name"],
    ],
    told_by_headings: &[
        &["sys_class_name"],
        &["sys_id", "name"],
        &["name", "model_id"],
        &["name", "install_status"],
    ],
    members: &[
        ("name", Field::Name),
        ("asset_tag", Field::AssetTag),
        ("serial_number", Field::Serial),
        ("mac_address", Field::Mac),
        ("ip_address", Field::Address),
        ("fqdn", Field::Host),
        ("host_name", Field::Host),
        ("manufacturer", Field::Vendor),
        ("model_id", Field::Model),
        ("model_number", Field::Model),
        ("sys_class_name", Field::Type),
        ("category", Field::Type),
        ("owned_by", Field::Owner),
        ("assigned_to", Field::Owner),
        ("managed_by", Field::Owner),
        ("location", Field::Location),
    ],
    headings: &[
        ("model_id", Some(Field::Model)),
        ("model_id.display_name", Some(Field::Model)),
        ("sys_class_name", Some(Field::Type)),
        ("managed_by", Some(Field::Owner)),
        ("location.name", Some(Field::Location)),
        ("manufacturer.name", Some(Field::Vendor)),
    ],
    custom: None,
    left_out: &[("install_status", NOT_IN_USE)],
    meant,
};

fn meant(field: Field, value: &str) -> Option<String> {
    let value = value.trim();
    let refers = value.len() == 32 && value.chars().all(|c| c.is_ascii_hexdigit());
    match field {
        Field::Vendor | Field::Model | Field::Owner | Field::Location if refers => None,
        // A table's name: cmdb_ci_ip_switch.
        Field::Type => as_written(field, &value.strip_prefix("cmdb_ci_").unwrap_or(value).replace('_', " ")),
        _ => as_written(field, value),
    }
}
