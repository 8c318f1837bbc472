//! Keyed cookies: what a question carries, so that its answer can be told from anything else.

use std::{hash::Hasher, net::Ipv4Addr, ops::RangeInclusive};

use headcount_model::Method;
use siphasher::sip::SipHasher13;

/// The key of a run's cookies. Whoever does not know it cannot forge an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64, u64);

impl Key {
    /// The key that belongs to a run's seed.
    pub fn from_seed(seed: u64) -> Self {
        let half = |tweak: u64| {
            let mut hasher = SipHasher13::new_with_keys(seed, tweak);
            hasher.write_u64(seed ^ tweak);
            hasher.finish()
        };
        Self(half(0x6865_6164), half(0x636f_756e))
    }

    /// 64 bits that belong to this question to this address.
    pub fn cookie(self, method: Method, target: Ipv4Addr, port: u16) -> Cookie {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_u64(u64::from(u32::from(target)) | u64::from(port) << 32 | (method as u64) << 48);
        Cookie(hasher.finish())
    }
}

/// 64 keyed bits of one question, taken apart into the fields of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie(u64);

impl Cookie {
    /// For TCP's sequence number, or ICMP's identifier and sequence number.
    pub fn sequence(self) -> u32 {
        self.0 as u32
    }

    /// For the IP identification field and protocols with a 16-bit transaction id.
    pub fn identification(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// For the source port: one of `ports`.
    pub fn source_port(self, ports: &RangeInclusive<u16>) -> u16 {
        let span = u32::from(ports.end().saturating_sub(*ports.start())) + 1;
        let offset = ((self.0 >> 48) as u32 * span) >> 16;
        ports.start() + offset as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn source_ports_stay_in_range(seed: u64, target: u32, port: u16, start in 1024u16.., len in 0u16..5000) {
            let ports = start..=start.saturating_add(len);
            let cookie = Key::from_seed(seed).cookie(Method::TcpSyn, target.into(), port);
            prop_assert!(ports.contains(&cookie.source_port(&ports)));
        }

        #[test]
        fn another_key_target_port_or_method_gives_another_cookie(seed: u64, target: u32, port: u16) {
            let key = Key::from_seed(seed);
            let cookie = key.cookie(Method::TcpSyn, target.into(), port);
            prop_assert_eq!(cookie, key.cookie(Method::TcpSyn, target.into(), port));
            prop_assert_ne!(cookie, key.cookie(Method::Udp, target.into(), port));
            prop_assert_ne!(cookie, key.cookie(Method::TcpSyn, (target ^ 1).into(), port));
            prop_assert_ne!(cookie, key.cookie(Method::TcpSyn, target.into(), port ^ 1));
            prop_assert_ne!(cookie, Key::from_seed(seed ^ 1).cookie(Method::TcpSyn, target.into(), port));
        }
    }

    #[test]
    fn source_ports_use_the_whole_range() {
        let key = Key::from_seed(7);
        let ports = 61_000..=61_003;
        let seen: std::collections::BTreeSet<u16> =
            (0..200u32).map(|i| key.cookie(Method::TcpSyn, i.into(), 80).source_port(&ports)).collect();
        assert_eq!(seen.len(), 4);
    }
}
