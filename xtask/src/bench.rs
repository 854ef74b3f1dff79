//! Timings, natively and in the browser.

use anyhow::Result;
use clap::Args;

use crate::{build, serve, tools, wasm};

/// What to time.
#[derive(Args)]
pub struct Options {
    /// Only native benchmarks whose name holds this
    filter: Option<String>,
    /// Build and serve the page's benchmark instead, which runs beside onnxruntime-web in your browser
    #[arg(long, conflicts_with = "filter")]
    page: bool,
    /// Port of the page's benchmark; the next free one is taken where it is in use
    #[arg(long, default_value_t = 8090, requires = "page")]
    port: u16,
}

/// Runs `benches/` in the bench profile, or serves `dist/bench`.
pub fn run(options: &Options) -> Result<()> {
    if options.page {
        build::bench(wasm::Options::default())?;
        return serve::folder(&tools::root().join("dist/bench"), "bench.html", options.port);
    }
    tools::run(
        tools::cargo()
            .args(["bench", "--package", "lucarne", "--benches", "--"])
            .args(&options.filter),
    )
}
