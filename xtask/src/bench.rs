//! Native timings.

use anyhow::Result;
use clap::Args;

use crate::tools;

/// What to time.
#[derive(Args)]
pub struct Options {
    /// Only benchmarks whose name holds this
    filter: Option<String>,
}

/// Runs `benches/` in the bench profile.
pub fn run(options: &Options) -> Result<()> {
    tools::run(
        tools::cargo()
            .args(["bench", "--package", "lucarne", "--benches", "--"])
            .args(&options.filter),
    )
}
