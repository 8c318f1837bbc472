//! Sets of limits.

use clap::ValueEnum;
use headcount_engine::Limits;

use crate::args::CareArgs;

/// A named set of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// For networks with old or critical devices: 100 packets a second, 10 to a host.
    Gentle,
    /// 1000 packets a second, 40 to a host.
    Standard,
    /// More hosts at once, no more to each: 10000 packets a second, 45 to a host.
    Fast,
}

impl ProfileName {
    /// The name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gentle => "gentle",
            Self::Standard => "standard",
            Self::Fast => "fast",
        }
    }

    /// The limits. No profile sends a host more than the most fragile devices stand: 50 packets a second, one
    /// connection at a time.
    pub(crate) fn limits(self) -> Limits {
        let (total, per_host, broadcast) = match self {
            Self::Gentle => (100.0, 10.0, 50.0),
            Self::Standard => (1_000.0, 40.0, 800.0),
            Self::Fast => (10_000.0, 45.0, 3_000.0),
        };
        Limits {
            total,
            per_host,
            broadcast,
            passes: 16,
            port_tries: 7,
            connections_per_host: 1,
            in_flight: 512,
        }
    }
}

/// The limits that the command line asks for.
pub(crate) fn limits(care: &CareArgs) -> Limits {
    let mut limits = care.profile.limits();
    limits.total = care.rate.unwrap_or(limits.total);
    limits.per_host = care.host_rate.unwrap_or(limits.per_host);
    limits.broadcast = care.broadcast_rate.unwrap_or(limits.broadcast);
    limits.passes = care.passes.unwrap_or(limits.passes);
    limits
}
