//! How the program ends.

use std::process::ExitCode;

/// Everything went well.
pub(crate) const OK: u8 = 0;
/// Something failed on the way; what was found until then is in the run log.
pub(crate) const FAILED: u8 = 1;
/// Bad input; nothing was sent.
pub(crate) const USAGE: u8 = 2;
/// Interrupted; what was found until then was written, marked as incomplete.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit codes, for `--help`.
pub(crate) const HELP: &str = "Exit codes:
  0    done
  1    failed on the way; what was found until then is in the run log
  2    bad input or settings; nothing was sent
  130  interrupted; what was found until then was written with \"complete\": false";

/// Why a command did not do what it was told.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the user asked for cannot be done as asked. Nothing was sent.
    Usage(anyhow::Error),
    /// Something failed on the way.
    Failed(anyhow::Error),
}

impl Failure {
    /// The user's input is at fault.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// The world is at fault.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }

    /// The one line that the user reads.
    pub(crate) fn message(&self) -> String {
        let (Self::Usage(error) | Self::Failed(error)) = self;
        // Some errors tell their cause themselves; it is not said twice.
        error.chain().fold(String::new(), |text, cause| match cause.to_string() {
            cause if text.contains(&cause) => text,
            cause if text.is_empty() => cause,
            cause => format!("{text}: {cause}"),
        })
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => USAGE,
            Self::Failed(_) => FAILED,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let error =
            anyhow::anyhow!("no such file").context("cannot read x: no such file").context("--json x");
        assert_eq!(Failure::Usage(error).message(), "--json x: cannot read x: no such file");
    }
}
