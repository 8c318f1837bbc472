//! Files shaped as the programs write them.

use super::*;

fn only(text: &str, format: Format) -> Expected {
    let reading = read_as(text);
    assert_eq!((reading.format, reading.rows.len()), (format, 1), "{reading:?}");
    assert_eq!(reading.broken, []);
    let named = read(text.as_bytes(), &How { format: Some(format), map: Vec::new() }).unwrap();
    assert_eq!(named, reading);
    reading.rows.into_iter().next().unwrap()
}

#[test]
fn snipe_it() {
    let json = r#"{"total": 2, "rows": [
      {"id": 1, "name": "Anna&#039;s printer", "asset_tag": "IT-0001", "serial": "CNB1234567",
       "model": {"id": 9, "name": "LaserJet P4015"}, "byod": false, "model_number": "CB509A",
       "status_label": {"id": 2, "name": "In use", "status_type": "deployable", "status_meta": "deployed"},
       "category": {"id": 4, "name": "Printers"}, "manufacturer": {"id": 3, "name": "HP"}, "supplier": null,
       "location": {"id": 1, "name": "Ground floor"}, "rtd_location": {"id": 2, "name": "Store"},
       "assigned_to": {"id": 7, "username": "anna", "name": "Anna Smith", "type": "user"},
       "purchase_date": {"date": "2024-01-05", "formatted": "2024-01-05"},
       "custom_fields": {
         "MAC Address": {"field": "_snipeit_mac_address_1", "value": "3C:D9:2B:7A:10:6E", "field_format": "MAC", "element": "text"},
         "IP address": {"field": "_snipeit_ip_2", "value": "10.20.30.25", "field_format": "IP", "element": "text"},
         "Colour": {"field": "_snipeit_colour_3", "value": "grey", "field_format": "ANY", "element": "text"}},
       "available_actions": {"checkout": true}},
      {"id": 2, "name": "old", "asset_tag": "IT-0002", "serial": "CNB7654321",
       "status_label": {"id": 5, "name": "Gone", "status_type": "archived", "status_meta": "archived"},
       "custom_fields": []}]}"#;
    let row = only(json, Format::SnipeIt);
    assert_eq!(row.name.as_deref(), Some("Anna's printer"));
    assert_eq!((row.vendor.as_deref(), row.model.as_deref()), (Some("HP"), Some("LaserJet P4015")));
    assert_eq!((row.device_type.as_deref(), row.owner.as_deref()), (Some("Printers"), Some("Anna Smith")));
    assert_eq!((row.location.as_deref(), row.macs.len(), row.addresses.len()), (Some("Ground floor"), 1, 1));
    let aside = &read_as(json).left_out[0];
    assert!(aside.line == 14 && aside.reason.contains("archived"), "{aside:?}");

    let csv = "\"ID\",\"Company\",\"Asset Name\",\"Asset Tag\",\"Serial\",\"Model\",\"Model No.\",\"Category\",\"Status\",\"Checked Out To\",\"Type\",\"Location\",\"Manufacturer\",\"MAC Address\"\n\
               \"1\",\"\",\"\",\"IT-0001\",\"CNB1234567\",\"LaserJet P4015\",\"CB509A\",\"Printers\",\"In use\",\"Anna Smith\",\"user\",\"Ground floor\",\"HP\",\"3C:D9:2B:7A:10:6E\"\n";
    let row = only(csv, Format::SnipeIt);
    assert_eq!((row.name, row.asset_tag.as_deref()), (None, Some("IT-0001")));
    assert_eq!((row.device_type.as_deref(), row.owner.as_deref()), (Some("Printers"), Some("Anna Smith")));
    assert_eq!(row.macs.len(), 1);
}

#[test]
fn netbox() {
    let json = r#"{"count": 2, "next": null, "previous": null, "results": [
      {"id": 12, "url": "https://netbox.example/api/dcim/devices/12/", "display": "sw-1 (IT-9)", "name": "sw-1",
       "device_type": {"id": 4, "display": "Catalyst 2960", "manufacturer": {"id": 2, "display": "Cisco", "name": "Cisco", "slug": "cisco"},
                       "model": "Catalyst 2960", "slug": "c2960"},
       "role": {"id": 1, "display": "Access switch", "name": "Access switch", "slug": "access-switch"},
       "tenant": {"id": 1, "display": "IT", "name": "IT"}, "platform": null, "serial": "FOC1234X0AB", "asset_tag": "IT-9",
       "site": {"id": 3, "display": "Bern", "name": "Bern", "slug": "bern"}, "location": null, "rack": null,
       "status": {"value": "active", "label": "Active"},
       "primary_ip": {"id": 5, "display": "10.20.30.4/24", "family": {"value": 4, "label": "IPv4"}, "address": "10.20.30.4/24"},
       "primary_ip4": {"id": 5, "display": "10.20.30.4/24", "family": {"value": 4, "label": "IPv4"}, "address": "10.20.30.4/24"},
       "primary_ip6": null, "custom_fields": {"owner": null},
       "interfaces": [{"id": 1, "name": "Vlan1", "mac_address": "00:90:E8:5B:02:19"}, {"id": 2, "name": "Gi0/1", "mac_address": null}]},
      {"id": 13, "name": "sw-2", "device_type": {"id": 4, "model": "Catalyst 2960"}, "site": {"name": "Bern"},
       "status": {"value": "planned", "label": "Planned"}, "primary_ip4": null}]}"#;
    let row = only(json, Format::NetBox);
    assert_eq!((row.name.as_deref(), row.serial.as_deref()), (Some("sw-1"), Some("FOC1234X0AB")));
    assert_eq!((row.vendor.as_deref(), row.model.as_deref()), (Some("Cisco"), Some("Catalyst 2960")));
    assert_eq!((row.device_type.as_deref(), row.location.as_deref()), (Some("Access switch"), Some("Bern")));
    assert_eq!((row.macs.len(), row.addresses), (1, BTreeSet::from([[10, 20, 30, 4].into()])));
    assert_eq!(read_as(json).left_out.len(), 1);

    let csv = "Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,IP Address,Serial number,Asset tag\n\
               sw-1,Active,IT,Bern,,,Access switch,Cisco,Catalyst 2960,10.20.30.4/24,FOC1234X0AB,IT-9\n\
               sw-2,Planned,IT,Bern,,,Access switch,Cisco,Catalyst 2960,,,\n";
    let row = only(csv, Format::NetBox);
    assert_eq!((row.vendor.as_deref(), row.model.as_deref()), (Some("Cisco"), Some("Catalyst 2960")));
    assert_eq!((row.device_type.as_deref(), row.owner.as_deref()), (Some("Access switch"), Some("IT")));
    let bulk = "name,role,tenant,manufacturer,device_type,platform,serial,asset_tag,status,site,location,rack\n\
                sw-1,access,,Cisco,c2960,,FOC1234X0AB,IT-9,active,Bern,,\n";
    assert_eq!(only(bulk, Format::NetBox).model.as_deref(), Some("c2960"));
}

#[test]
fn glpi() {
    let json = r#"[{"id": 71, "entities_id": "Root &gt; Bern", "name": "pc-adm-1", "serial": "PF1ABCDE", "otherserial": "000071",
       "contact": "anna", "users_id_tech": 0, "comment": null, "locations_id": "Bern > 2", "networks_id": 0,
       "computermodels_id": "ThinkCentre M70q", "computertypes_id": "Desktop", "is_template": 0, "manufacturers_id": "Lenovo",
       "is_deleted": 0, "users_id": 0, "states_id": "In use", "uuid": "4c4c4544-0000-1111-2222-333344445555",
       "_networkports": {"NetworkPortEthernet": [{"netport_id": 5, "name": "eth0", "mac": "3c:97:0e:52:e1:14",
          "NetworkName": {"id": 3, "name": "pc-adm-1", "FQDN": {"id": 1, "name": "office", "fqdn": "office.example"},
                          "IPAddress": [{"id": 9, "name": "10.20.30.77", "IPNetwork": []}]}}],
        "NetworkPortLocal": [{"netport_id": 6, "name": "lo", "mac": "00:00:00:00:00:00", "NetworkName": {"IPAddress": [{"name": "127.0.0.1"}]}}]},
       "links": [{"rel": "Entity", "href": "https://glpi.example/apirest.php/Entity/0"}]},
      {"id": 72, "entities_id": 0, "name": "old", "serial": "X12345", "otherserial": null, "is_template": 0, "is_deleted": 1}]"#;
    let row = only(json, Format::Glpi);
    assert_eq!((row.name.as_deref(), row.asset_tag.as_deref()), (Some("pc-adm-1"), Some("000071")));
    assert_eq!((row.vendor.as_deref(), row.model.as_deref()), (Some("Lenovo"), Some("ThinkCentre M70q")));
    assert_eq!((row.owner.as_deref(), row.segment), (Some("anna"), None));
    assert_eq!((row.macs.len(), row.addresses.len()), (1, 1));
    assert!(row.names.is_empty() || row.names.contains("office.example"));
    assert_eq!(read_as(json).left_out.len(), 1);

    let csv = "\"Name\";\"Status\";\"Manufacturer\";\"Serial number\";\"Type\";\"Model\";\"Operating System - Name\";\"Location\";\"Last update\";\"Network - IP\";\"Network - MAC address\";\n\
               \"pc-adm-1\";\"In use\";\"Lenovo\";\"PF1ABCDE\";\"Desktop\";\"ThinkCentre M70q\";\"Windows\";\"Bern > 2\";\"2026-01-05 10:00\";\"10.20.30.77\nfe80::1\";\"3c:97:0e:52:e1:14\n3c:97:0e:52:e1:15\";\n";
    let row = only(csv, Format::Glpi);
    assert_eq!((row.macs.len(), row.addresses.len(), row.device_type.as_deref()), (2, 2, Some("Desktop")));
}

#[test]
fn service_now() {
    let shown = r#"{"result": [{"sys_id": "00a96c0d3790200044e0bfc8bcbe5db4", "sys_class_name": "cmdb_ci_ip_switch", "name": "sw-1",
       "asset_tag": "P1000479", "serial_number": "FOC1234X0AB", "mac_address": "00:90:e8:5b:02:19", "ip_address": "10.20.30.4",
       "fqdn": "sw-1.office.example", "manufacturer": {"display_value": "Cisco", "link": "https://x.example/api/now/table/core_company/1"},
       "model_id": {"link": "https://x.example/api/now/table/cmdb_model/2", "value": "1a2b3c4d5e6f70811a2b3c4d5e6f7081"},
       "location": "1a2b3c4d5e6f70811a2b3c4d5e6f7081", "install_status": "1", "assigned_to": ""},
      {"sys_id": "10a96c0d3790200044e0bfc8bcbe5db4", "sys_class_name": "cmdb_ci_printer", "name": "gone", "install_status": "7"}]}"#;
    let row = only(shown, Format::ServiceNow);
    assert_eq!((row.vendor.as_deref(), row.model, row.location), (Some("Cisco"), None, None));
    assert_eq!((row.device_type.as_deref(), row.asset_tag.as_deref()), (Some("ip switch"), Some("P1000479")));
    assert!(row.names.contains("sw-1.office.example"));
    assert_eq!(read_as(shown).left_out[0].line, 6);
    let all = r#"{"result": [{"sys_id": {"display_value": "00a9", "value": "00a9"}, "sys_class_name": {"display_value": "IP Switch", "value": "cmdb_ci_ip_switch"},
       "name": {"display_value": "sw-1", "value": "sw-1"}, "install_status": {"display_value": "Installed", "value": "1"},
       "serial_number": {"display_value": "FOC1234X0AB", "value": "FOC1234X0AB"}, "owned_by": {"display_value": "Anna", "link": "x", "value": "1a2b"}}]}"#;
    let row = only(all, Format::ServiceNow);
    assert_eq!(
        (row.name.as_deref(), row.device_type.as_deref(), row.owner.as_deref()),
        (Some("sw-1"), Some("IP Switch"), Some("Anna"))
    );

    let csv = b"\"name\",\"sys_class_name\",\"asset_tag\",\"serial_number\",\"manufacturer\",\"model_id\",\"ip_address\",\"install_status\"\r\n\"B\xfcro-1\",\"cmdb_ci_printer\",\"P1\",\"CNB1234567\",\"HP\",\"LaserJet\",\"10.20.30.25\",\"Installed\"\r\n\"x1\",\"cmdb_ci_printer\",\"P2\",\"\",\"HP\",\"\",\"\",\"Retired\"\r\n";
    let reading = read(csv, &How::default()).unwrap();
    assert_eq!((reading.format, reading.rows.len(), reading.left_out.len()), (Format::ServiceNow, 1, 1));
    assert_eq!(reading.rows[0].name.as_deref(), Some("Büro-1"));
    assert_eq!(reading.rows[0].device_type.as_deref(), Some("printer"));
}
