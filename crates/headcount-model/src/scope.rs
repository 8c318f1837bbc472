//! What may be touched.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AddressRange, AddressSet};

/// The addresses that a run may touch. Built once, checked again at the gate for every frame and connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// The addresses that may be touched; no excluded one is among them.
    pub allowed: AddressSet,
    /// What was excluded, whether or not it was among the targets.
    pub excluded: AddressSet,
}

/// Why a scope is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No target at all, or all of them excluded.
    #[error("the scope is empty: {0}")]
    Empty(&'static str),
    /// Addresses that no host can have.
    #[error("{0} holds no host addresses (multicast, reserved, broadcast or \"this network\")")]
    NotHosts(AddressRange),
    /// Public addresses without leave.
    #[error("{0} is public address space: pass --allow-public if you are allowed to sweep it")]
    Public(AddressRange),
    /// More than 65,536 addresses without leave.
    #[error("the scope has {0} addresses, more than a /16: pass --allow-large if that is meant")]
    Large(u64),
}

impl Scope {
    /// The largest scope without `allow_large`: the addresses of a /16.
    pub const LARGE: u64 = 1 << 16;

    /// `targets` minus `excluded`.
    ///
    /// # Errors
    /// An empty scope; addresses that no host can have; public or too many addresses without leave.
    pub fn new(
        targets: &AddressSet,
        excluded: AddressSet,
        allow_public: bool,
        allow_large: bool,
    ) -> Result<Self, ScopeError> {
        if targets.is_empty() {
            return Err(ScopeError::Empty("no target was given"));
        }
        let allowed = targets.difference(&excluded);
        if allowed.is_empty() {
            return Err(ScopeError::Empty("every target is excluded"));
        }
        let blocks = |networks: &[(u32, u32)]| {
            networks.iter().map(|(net, len)| block(*net, *len)).collect::<AddressSet>()
        };
        if let Some(range) = allowed.intersection(&blocks(NOT_HOSTS)).ranges().first() {
            return Err(ScopeError::NotHosts(*range));
        }
        if !allow_public && let Some(range) = allowed.difference(&blocks(NOT_PUBLIC)).ranges().first() {
            return Err(ScopeError::Public(*range));
        }
        if !allow_large && allowed.len() > Self::LARGE {
            return Err(ScopeError::Large(allowed.len()));
        }
        Ok(Self { allowed, excluded })
    }

    /// Whether `address` may be touched.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.allowed.contains(address)
    }
}

/// Whether `address` is in address space that is not routed on the Internet.
pub fn is_private(address: Ipv4Addr) -> bool {
    NOT_PUBLIC.iter().any(|(net, len)| block(*net, *len).contains(address))
}

/// IANA IPv4 special-purpose registry: private (RFC 1918), shared (RFC 6598), loopback, link-local,
/// documentation (RFC 5737), benchmarking (RFC 2544).
const NOT_PUBLIC: &[(u32, u32)] = &[
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0200, 24),
    (0xc0a8_0000, 16),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
];

/// "This network" (RFC 791), multicast (RFC 5771), reserved and limited broadcast (RFC 1112, RFC 919).
const NOT_HOSTS: &[(u32, u32)] = &[(0x0000_0000, 8), (0xe000_0000, 4), (0xf000_0000, 4)];

fn block(network: u32, length: u32) -> AddressRange {
    AddressRange { first: network.into(), last: (network | (u32::MAX >> length)).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> AddressSet {
        crate::targets_in_text(text)
            .map(|(_, target)| match target {
                Ok(crate::TargetSpec::Range(range)) => range,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn exclusion_wins() {
        let scope =
            Scope::new(&set("10.0.0.0/24 10.0.0.7"), set("10.0.0.7 10.0.9.0/24"), false, false).unwrap();
        assert!(!scope.contains(Ipv4Addr::new(10, 0, 0, 7)));
        assert_eq!(scope.allowed.len(), 255);
    }

    #[test]
    fn unfit_scopes_are_refused() {
        let check = |targets: &str, excluded: &str| {
            Scope::new(&set(targets), set(excluded), false, false).unwrap_err()
        };
        assert!(matches!(check("", ""), ScopeError::Empty(_)));
        assert!(matches!(check("10.0.0.1", "10.0.0.0/8"), ScopeError::Empty(_)));
        assert!(matches!(check("8.8.8.0/24", ""), ScopeError::Public(_)));
        assert!(matches!(check("10.0.0.0/15", ""), ScopeError::Large(131_072)));
        assert!(matches!(check("224.0.0.1", ""), ScopeError::NotHosts(_)));
        assert!(matches!(check("172.31.255.255-172.32.0.0", ""), ScopeError::Public(_)));
        assert!(Scope::new(&set("10.0.0.0/16"), AddressSet::new(), false, false).is_ok());
        assert!(Scope::new(&set("0.0.0.0/0"), AddressSet::new(), true, true).is_err());
    }

    #[test]
    fn private_space_is_known() {
        assert!(is_private(Ipv4Addr::new(192, 168, 1, 1)));
        assert!(is_private(Ipv4Addr::new(100, 127, 0, 1)));
        assert!(!is_private(Ipv4Addr::new(100, 128, 0, 1)));
        assert!(!is_private(Ipv4Addr::new(9, 9, 9, 9)));
    }
}
