//! What may change about an asset from one run to the next.

use std::{collections::BTreeSet, fmt, net::Ipv4Addr};

use headcount_model::Grade;
use serde::{Deserialize, Serialize};

use crate::{AssetId, Because, Key, KeyKind, ServiceAt, asset::At};

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Of which asset.
    pub asset: AssetId,
    /// The run that showed it.
    pub at: At,
    /// What.
    pub what: What,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// It was never seen before.
    Appeared {
        /// Why it is none of those that were known.
        because: Because,
    },
    /// It had fallen silent.
    Returned {
        /// When it had last been seen.
        since: At,
    },
    /// It was asked for and did not answer, more often than its kind may.
    WentSilent {
        /// How often in a row.
        misses: u32,
    },
    /// It has an address that it did not have.
    Moved {
        /// The addresses that it had.
        from: BTreeSet<Ipv4Addr>,
        /// The addresses that it has.
        to: BTreeSet<Ipv4Addr>,
    },
    /// An attribute has another value.
    Changed {
        /// The attribute: `device.version`.
        attribute: String,
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
    /// It has another key of a kind of which it had one.
    Rekeyed {
        /// The kind.
        kind: KeyKind,
        /// What it has now.
        to: String,
    },
    /// Another certificate on a port.
    Certificate {
        /// The port.
        port: u16,
        /// SHA-256 of the old one.
        from: String,
        /// SHA-256 of the new one.
        to: String,
    },
    /// A port is open that was not.
    Opened {
        /// The port.
        service: ServiceAt,
        /// What answers there.
        product: Option<String>,
    },
    /// A port that was open refuses connections.
    Closed {
        /// The port.
        service: ServiceAt,
    },
    /// It stands in a state in which it should not, and did not before.
    Exposed {
        /// The rule's id.
        id: String,
        /// How it is known.
        grade: Grade,
    },
    /// Such a state was not seen again, twice in a row.
    Cleared {
        /// The rule's id.
        id: String,
    },
    /// Another asset turned out to be this one.
    Merged {
        /// The other one.
        from: AssetId,
        /// The key that shows it.
        key: Key,
    },
}

impl What {
    /// The kind of change, in a word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Appeared { .. } => "appeared",
            Self::Returned { .. } => "returned",
            Self::WentSilent { .. } => "went silent",
            Self::Moved { .. } => "moved",
            Self::Changed { .. } | Self::Rekeyed { .. } | Self::Certificate { .. } => "changed",
            Self::Opened { .. } => "opened",
            Self::Closed { .. } => "closed",
            Self::Exposed { .. } => "exposed",
            Self::Cleared { .. } => "cleared",
            Self::Merged { .. } => "merged",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
