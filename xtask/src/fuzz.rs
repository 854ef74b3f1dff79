//! Random bytes for what reads the user's files, on the stable compiler (fuzz/README.md).

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::tools;

/// Coverage counters and compare tracing, as libFuzzer reads them; what cargo-fuzz sets on nightly.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=16";

/// How long, and what.
#[derive(Args)]
pub struct Options {
    /// Seconds, all targets together
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Runs every target; an input that breaks one is an error.
pub fn run(options: &Options) -> Result<()> {
    let failed: Vec<_> = all(options.seconds)?
        .into_iter()
        .filter(|(_, held)| !held)
        .map(|(name, _)| name)
        .collect();
    ensure!(
        failed.is_empty(),
        "broken by an input kept in fuzz/artifacts: {}",
        failed.join(", ")
    );
    Ok(())
}

/// Each target's name, and whether it held.
pub fn all(seconds: u64) -> Result<Vec<(String, bool)>> {
    let folder = tools::root().join("fuzz");
    let targets = targets()?;
    let built = tools::target().join("fuzz");
    // A target triple keeps the flags away from build scripts and macros.
    let host = host()?;
    tools::run(
        tools::cargo()
            .current_dir(&folder)
            .args(["build", "--release", "--target", &host])
            .env("RUSTFLAGS", FLAGS)
            .env("CARGO_TARGET_DIR", &built),
    )?;
    let each = (seconds / targets.len() as u64).max(1);
    let mut found = Vec::new();
    for target in targets {
        let corpus = folder.join("corpus").join(&target);
        let artifacts = folder.join("artifacts").join(&target);
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&artifacts)?;
        let mut command = Command::new(built.join(&host).join("release").join(&target));
        command.arg(corpus);
        let seeds = folder.join("seeds").join(&target);
        if seeds.is_dir() {
            command.arg(seeds);
        }
        command.args([
            format!("-max_total_time={each}"),
            "-timeout=20".to_owned(),
            "-rss_limit_mb=4096".to_owned(),
            "-print_final_stats=1".to_owned(),
            format!("-artifact_prefix={}/", artifacts.display()),
        ]);
        found.push((target, tools::succeeds(&mut command)?));
    }
    Ok(found)
}

/// The binaries of `fuzz/Cargo.toml`.
fn targets() -> Result<Vec<String>> {
    let file: PathBuf = tools::root().join("fuzz/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(&file)
        .with_context(|| format!("can't read {}", file.display()))?
        .parse()?;
    let binaries = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .context("fuzz/Cargo.toml names no [[bin]]")?;
    let name = |b: &toml::Value| b.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    binaries
        .iter()
        .map(|b| name(b).context("a [[bin]] has no name"))
        .collect()
}

fn host() -> Result<String> {
    let version = tools::output(Command::new("rustc").current_dir(tools::root()).arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc -vV names no host")?.to_owned())
}
