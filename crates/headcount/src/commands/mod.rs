//! One file each.

mod demo;
mod diff;
mod doctor;
mod explain;
mod fingerprints;
mod gap;
mod identify;
mod play;
mod register;
mod scan;
mod schema;
mod show;

use crate::{
    args::{Cli, Command},
    exit::Failure,
};

/// Does what the command line says; returns the exit code.
///
/// # Errors
/// It could not be done.
pub(crate) fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        Command::Scan(args) => scan::run(&args, cli.color),
        Command::Show(args) => show::run(&args, cli.color),
        Command::Explain(args) => explain::run(&args, cli.color),
        Command::Demo(args) => demo::run(&args, cli.color),
        Command::Doctor => doctor::run(),
        Command::Schema(args) => schema::run(&args),
        Command::Identify(args) => identify::run(&args),
        Command::Register(args) => register::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Gap(args) => gap::run(&args),
        Command::Fingerprints(args) => fingerprints::run(&args),
        Command::Play(args) => play::run(&args),
    }
}
