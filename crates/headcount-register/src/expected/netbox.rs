//! NetBox: the export of its list of devices, and what `GET /api/dcim/devices/` answers, with the devices' interfaces
//! where somebody put them in.
//!
//! Source: NetBox, REST API (netboxlabs.com/docs/netbox/integrations/rest-api) and the schema of `DeviceWithConfigContext`
//! at /api/schema/; `role` was `device_role` before version 3.6, MAC addresses are objects since version 4.2.

use super::{
    Field, Format,
    shape::{Shape, as_written},
};

/// States in which a device stands on no network yet, or no more.
const NOT_IN_USE: &[&str] = &["planned", "staged", "inventory", "decommissioning"];

pub(super) const SHAPE: Shape = Shape {
    format: Format::NetBox,
    told_by_members: &[&["device_type", "site"], &["device_type", "primary_ip4"]],
    told_by_headings: &[
        &["device_type", "site"],
        &["Site", "Rack", "Role"],
        &["Site", "Role", "Type"],
        &["Tenant", "Site", "Role"],
        &["Manufacturer", "Type", "IPv4 Address"],
    ],
    members: &[
        ("name", Field::Name),
        ("asset_tag", Field::AssetTag),
        ("serial", Field::Serial),
        ("primary_ip4.address", Field::Address),
        ("primary_ip.address", Field::Address),
        ("oob_ip.address", Field::Address),
        ("primary_ip4.dns_name", Field::Host),
        ("interfaces.mac_address", Field::Mac),
        ("interfaces.primary_mac_address.mac_address", Field::Mac),
        ("interfaces.mac_addresses.mac_address", Field::Mac),
        ("device_type.manufacturer.name", Field::Vendor),
        ("device_type.model", Field::Model),
        ("role.name", Field::Type),
        ("device_role.name", Field::Type),
        ("tenant.name", Field::Owner),
        ("location.name", Field::Location),
        ("site.name", Field::Location),
    ],
    headings: &[
        ("Type", Some(Field::Model)),
        ("device_type", Some(Field::Model)),
        ("Role", Some(Field::Type)),
        ("device_role", Some(Field::Type)),
        ("Tenant", Some(Field::Owner)),
        ("IPv4 Address", Some(Field::Address)),
        ("primary_ip4", Some(Field::Address)),
        ("oob_ip", Some(Field::Address)),
    ],
    custom: Some("custom_fields"),
    left_out: &[("status.value", NOT_IN_USE), ("Status", NOT_IN_USE)],
    meant: as_written,
};
