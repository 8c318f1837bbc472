//! `headcount fingerprints score`.

use crate::{
    args::ScoreArgs,
    exit::{self, Failure},
};

pub(super) fn run(_args: &ScoreArgs) -> Result<u8, Failure> {
    Ok(exit::OK)
}
