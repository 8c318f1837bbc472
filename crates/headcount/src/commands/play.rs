//! `headcount play`: a random network on an interface, for benchmarks.

use std::fmt::Write as _;

use anyhow::Context;
use headcount_net::namespace::Wire;
use headcount_sim::{Lan, RandomLan, World};

use crate::{
    args::PlayArgs,
    exit::{self, Failure},
    player::Player,
    say,
};

/// Plays until it is told to stop.
pub(super) fn run(args: &PlayArgs) -> Result<u8, Failure> {
    let lan = lan(args);
    write_truth(args, &lan).map_err(Failure::Usage)?;
    let wire = Wire::open(&args.interface).map_err(Failure::usage)?;
    let world = World::new(&lan, args.seed).map_err(Failure::usage)?;
    let player = Player::new(world, wire, args.loss / 100.0, args.seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::failed)?;
    let handle = player.start();
    say("ready");
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            result = tokio::signal::ctrl_c() => result.map_err(Failure::failed),
        }
    })?;
    handle.stop();
    Ok(exit::OK)
}

fn lan(args: &PlayArgs) -> Lan {
    let mut lan =
        Lan::random(&RandomLan { network: args.network, density: args.density / 100.0, seed: args.seed });
    for persona in &mut lan.personas {
        persona.latency_ms = args.latency_us as f64 / 1e3;
        persona.jitter_ms = args.latency_us as f64 / 2e3;
    }
    lan
}

fn write_truth(args: &PlayArgs, lan: &Lan) -> anyhow::Result<()> {
    let mut truth = String::new();
    for persona in &lan.personas {
        for nic in persona.nics() {
            for address in &nic.addresses {
                let mac = nic.mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
                let _ = writeln!(truth, "{address} {mac}");
            }
        }
    }
    std::fs::write(&args.truth, truth).with_context(|| format!("cannot write {}", args.truth.display()))?;
    Ok(())
}
