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
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

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
    let wanted = std::env::var("HEADCOUNT_LOG").ok().filter(|wanted| !wanted.is_empty());
    let filter = wanted.and_then(|wanted| wanted.parse::<Targets>().ok());
    let filter = filter.or_else(|| level.parse().ok()).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // A second subscriber in one process (tests) is no error.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
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
