//! What this crate offers on systems where it cannot drive a run yet: the same names, and a clear refusal.

use std::{convert::Infallible, future::Future, io, ops::RangeInclusive};

use headcount_engine::Engine;

use crate::{DriveOptions, DriveStats, LinkSpec, NetError, Watcher};

const DRIVER: NetError = NetError::Unsupported { what: "sweeping a real network" };

/// No links.
#[derive(Debug)]
pub struct Links(());

impl Links {
    /// Refuses any link.
    ///
    /// # Errors
    /// Always, but for no link at all.
    pub fn open(specs: &[LinkSpec], source_ports: RangeInclusive<u16>) -> Result<Self, NetError> {
        let _ = source_ports;
        if specs.is_empty() { Ok(Self(())) } else { Err(DRIVER) }
    }

    /// No links.
    pub fn none() -> Self {
        Self(())
    }
}

/// There is none.
#[derive(Debug)]
pub struct EchoSocket(Infallible);

impl EchoSocket {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn drive(
    engine: &mut Engine,
    links: Links,
    options: DriveOptions,
    stop: impl Future<Output = &'static str>,
    watcher: &mut dyn Watcher,
) -> Result<DriveStats, NetError> {
    let _ = (engine, links, options, stop, watcher);
    Err(DRIVER)
}
