//! Timings: native ones, the page's, and the committed table of all engines side by side.

mod layers;
mod plot;
mod render;
mod results;
mod server;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{build, serve, tools, wasm};

/// What to time.
#[derive(Args)]
pub struct Options {
    /// Only native benchmarks whose name holds this
    filter: Option<String>,
    /// Build and serve the page's benchmark instead, which runs beside its peers in your browser
    #[arg(long, conflicts_with = "filter")]
    page: bool,
    /// Port of the page's benchmark; the next free one is taken where it is in use
    #[arg(long, default_value_t = 8090, requires = "page")]
    port: u16,
    /// Make the networks that are compared; needs --torch and --tensorflow
    #[arg(long, conflicts_with_all = ["filter", "page"], requires_all = ["torch", "tensorflow"])]
    networks: bool,
    /// Measure everything side by side in headless Chromium, natively and, with --torch, in Python; writes
    /// docs/benchmarks
    #[arg(long, conflicts_with_all = ["filter", "page", "networks"])]
    table: bool,
    /// Write docs/benchmarks from its results.json again
    #[arg(long, conflicts_with_all = ["filter", "page", "networks", "table"])]
    render: bool,
    /// A Python with the packages of benches/python/requirements.txt for PyTorch, Captum and Quantus
    #[arg(long, value_name = "PYTHON")]
    torch: Option<PathBuf>,
    /// A Python with TensorFlow
    #[arg(long, value_name = "PYTHON")]
    tensorflow: Option<PathBuf>,
    #[command(flatten)]
    scope: table::Scope,
}

/// Runs what is asked for; without options `benches/` in the bench profile.
pub fn run(options: &Options) -> Result<()> {
    if options.networks {
        return networks(options);
    }
    if options.render {
        return render::write(&results::Results::read()?);
    }
    if options.table {
        return table::run(&options.scope, options.torch.as_deref());
    }
    if options.page {
        have_networks()?;
        build::bench(wasm::Options::default())?;
        return serve::folder(&tools::root().join("dist/bench"), "bench.html", options.port);
    }
    tools::run(
        tools::cargo()
            .args(["bench", "--package", "lucarne", "--benches", "--"])
            .args(&options.filter),
    )
}

/// Runs `benches/python/networks.py`, both of its steps.
fn networks(options: &Options) -> Result<()> {
    let script = tools::root().join("benches/python/networks.py");
    for (python, step) in [(&options.torch, "onnx"), (&options.tensorflow, "others")] {
        let python = python.as_deref().context("both Pythons are needed")?;
        tools::run(std::process::Command::new(python).arg(&script).arg(step))?;
    }
    Ok(())
}

/// The networks that are compared are made, not committed.
fn have_networks() -> Result<()> {
    ensure!(
        tools::root().join("benches/networks/networks.json").is_file(),
        "the networks that are compared are not there; `cargo xtask bench --networks --torch PYTHON --tensorflow PYTHON` \
         makes them, with the packages of benches/python/requirements.txt"
    );
    Ok(())
}
