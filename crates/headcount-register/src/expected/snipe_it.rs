//! Snipe-IT: the export of its list of hardware, and what `GET /api/v1/hardware` answers.
//!
//! Source: Snipe-IT, API reference, "Hardware" (snipe-it.readme.io/reference/hardware-list). Texts are written with the
//! entities of HTML. MAC and IP addresses are fields that users make, by whatever name they give them.

use super::{
    Field, Format,
    shape::{Shape, unescaped},
};

pub(super) const SHAPE: Shape = Shape {
    format: Format::SnipeIt,
    told_by_members: &[&["asset_tag", "status_label"], &["asset_tag", "custom_fields", "model_number"]],
    told_by_headings: &[
        &["Asset Tag", "Model No."],
        &["Asset Tag", "Asset Name"],
        &["Asset Tag", "Checked Out To"],
        &["Asset Tag", "Default Location"],
    ],
    members: &[
        ("name", Field::Name),
        ("asset_tag", Field::AssetTag),
        ("serial", Field::Serial),
        ("manufacturer.name", Field::Vendor),
        ("model.name", Field::Model),
        ("model_number", Field::Model),
        ("category.name", Field::Type),
        ("assigned_to.name", Field::Owner),
        ("location.name", Field::Location),
        ("rtd_location.name", Field::Location),
    ],
    headings: &[
        ("Checked Out To", Some(Field::Owner)),
        ("Checked Out", Some(Field::Owner)),
        ("Default Location", Some(Field::Location)),
        // Whether it was given to a person, a place or another asset.
        ("Type", None),
        ("Username", None),
    ],
    custom: Some("custom_fields"),
    left_out: &[("status_label.status_type", &["archived"]), ("Status Type", &["archived"])],
    meant: unescaped,
};
