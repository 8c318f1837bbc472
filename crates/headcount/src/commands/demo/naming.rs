//! What devices are taken for beside what they are.

use std::net::Ipv4Addr;

use headcount_model::Device;
use headcount_report::Document;
use headcount_sim::{
    Expected, Lan,
    lan::{Persona, Truth},
};

/// The attributes in which a product's name may stand.
const PRODUCTS: [&str; 4] = ["device.product", "device.model", "os.product", "service.product"];

/// A persona that tells what it is, and what is wrong with what it was taken for.
pub(super) struct Naming {
    pub(super) address: Ipv4Addr,
    pub(super) persona: String,
    /// Empty: it was named rightly.
    pub(super) wrong: Vec<String>,
}

/// One for each persona that can be found and tells what it is.
pub(super) fn namings(lan: &Lan, expected: &Expected, document: &Document) -> Vec<Naming> {
    let naming = |persona: &Persona| {
        let is = persona.is.as_ref()?;
        let address = persona.all_addresses().find(|address| expected.hosts.contains_key(address))?;
        let device = document.devices.iter().find(|device| device.addresses().any(|own| own == address));
        let wrong = device.map_or_else(|| vec!["missed".to_owned()], |device| wrong(is, device));
        Some(Naming { address, persona: persona.name.clone(), wrong })
    };
    lan.personas.iter().filter_map(naming).collect()
}

fn wrong(is: &Truth, device: &Device) -> Vec<String> {
    let same = |name: &str, what: &str, truth: &Option<String>| {
        let truth = truth.as_ref()?;
        let found = device.attribute(name).map(|attribute| attribute.value.as_str());
        (found != Some(truth)).then(|| format!("{what}: {} instead of {truth}", found.unwrap_or("none")))
    };
    let named = [
        same("device.type", "type", &is.device_type),
        same("device.vendor", "maker", &is.vendor),
        same("device.version", "version", &is.version),
        same("device.serial", "serial number", &is.serial),
    ];
    let product = is
        .product
        .as_ref()
        .filter(|product| !has_product(device, product))
        .map(|product| format!("product: no {product}"));
    let has = |id: &String| device.exposures.iter().any(|exposure| exposure.id == *id);
    let exposures = is.exposures.iter().filter(|id| !has(id)).map(|id| format!("exposure: no {id}"));
    named.into_iter().flatten().chain(product).chain(exposures).collect()
}

fn has_product(device: &Device, product: &str) -> bool {
    let product = product.to_lowercase();
    device
        .attributes
        .iter()
        .filter(|attribute| PRODUCTS.contains(&attribute.name.as_str()))
        .any(|attribute| attribute.value.to_lowercase().contains(&product))
}
