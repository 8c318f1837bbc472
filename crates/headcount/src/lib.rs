//! The program: arguments, wiring, progress, exit codes. Nothing else prints; stdout is data, stderr is people.

mod args;
mod commands;
mod estimate;
mod exit;
mod log;
mod outputs;
mod player;
mod prepare;
mod profile;
mod progress;
mod session;
mod session_output;
mod sweep_run;
mod targets;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Color};

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging(cli.verbose);
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&format!("error: {}", failure.message()));
            failure.code()
        }
    }
}

/// Logs go to stderr; `HEADCOUNT_LOG` overrides the level.
fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("HEADCOUNT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A second subscriber in one process (tests) is no error.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .try_init();
}

/// A line for people. That nobody reads it is no error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether stdout gets colour (no-color.org).
pub(crate) fn wants_color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            io::stdout().is_terminal() && !no_color
        }
    }
}
