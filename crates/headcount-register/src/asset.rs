//! The register's row of a device.

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AssetId, Held, Key, Sighting};

/// A run and when it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    /// When.
    pub time: Timestamp,
    /// The run's id.
    pub run: String,
}

/// A device over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name for ever.
    pub id: AssetId,
    /// The run that first saw it.
    pub first: At,
    /// The run that last saw it.
    pub last: At,
    /// All keys that it ever had.
    pub keys: BTreeSet<Key>,
    /// What is known of it: what the last run saw, and what earlier ones saw that no later one contradicted.
    pub latest: Sighting,
    /// In how many runs in a row it was asked for and did not answer.
    pub misses: u32,
    /// That it fell silent was reported.
    pub silent: bool,
    /// Exposures that were not seen again, and in how many runs in a row.
    pub unseen: BTreeMap<String, u32>,
}

impl Asset {
    /// What decides whether a device of another run is this one.
    pub fn held(&self) -> Held {
        let vendor = self.latest.facts.get("device.vendor").map(|fact| fact.value.clone());
        Held { keys: self.keys.clone(), vendor }
    }

    /// Its type, as far as that is known.
    pub fn device_type(&self) -> Option<&str> {
        self.latest.facts.get("device.type").map(|fact| fact.value.as_str())
    }

    /// How many runs it may miss before it counts as silent: some sleep, some are carried home.
    pub fn patience(&self) -> u32 {
        match self.device_type() {
            Some("smartphone" | "tablet" | "wearable" | "notebook" | "laptop" | "game-console") => 6,
            Some(
                "workstation" | "printer" | "multifunction-printer" | "smart-tv" | "display" | "projector",
            ) => 3,
            Some("iot-sensor" | "sensor" | "smart-plug" | "lighting" | "media-player" | "speaker") => 3,
            Some("router" | "switch" | "firewall" | "access-point" | "server" | "nas" | "plc" | "ups") => 1,
            _ => 2,
        }
    }
}
