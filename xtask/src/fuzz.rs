//! Random bytes for what reads the user's files, on the stable compiler (fuzz/README.md).

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::tools;

/// Coverage counters and compare tracing, as libFuzzer reads them; what cargo-fuzz sets on nightly.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=16";

/// Inputs a target gets when it is a test.
const RUNS: u32 = 2000;
/// Lines of a broken target's log that are shown.
const TAIL: usize = 60;
/// Bytes of a breaking input, compressed, that are shown in the log of a test.
const SHOWN: usize = 24 << 10;

/// How long, and what.
#[derive(Args)]
pub struct Options {
    /// Seconds, all targets together
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// What bounds a run.
#[derive(Clone, Copy)]
pub enum Budget {
    /// The same inputs every time, from the seeds alone: a test.
    Fixed,
    /// Seconds, all targets together, going on from what earlier runs found: a search.
    Seconds(u64),
}

/// Searches with every target; an input that breaks one is an error.
pub fn run(options: &Options) -> Result<()> {
    let failed: Vec<_> = all(Budget::Seconds(options.seconds))?
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
pub fn all(budget: Budget) -> Result<Vec<(String, bool)>> {
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
    let mut found = Vec::new();
    for target in &targets {
        let artifacts = folder.join("artifacts").join(target);
        std::fs::create_dir_all(&artifacts)?;
        let (corpus, limits) = match budget {
            Budget::Fixed => {
                let corpus = built.join("corpus").join(target);
                if corpus.is_dir() {
                    std::fs::remove_dir_all(&corpus)?;
                }
                (corpus, vec!["-seed=1".to_owned(), format!("-runs={RUNS}")])
            }
            Budget::Seconds(seconds) => {
                let each = (seconds / targets.len() as u64).max(1);
                (
                    folder.join("corpus").join(target),
                    vec![format!("-max_total_time={each}")],
                )
            }
        };
        std::fs::create_dir_all(&corpus)?;
        let mut command = Command::new(built.join(&host).join("release").join(target));
        command.arg(corpus);
        let seeds = folder.join("seeds").join(target);
        if seeds.is_dir() {
            command.arg(seeds);
        }
        command.args(limits).args([
            "-timeout=60".to_owned(),
            "-rss_limit_mb=4096".to_owned(),
            "-print_final_stats=1".to_owned(),
            format!("-artifact_prefix={}/", artifacts.display()),
        ]);
        let log = built.join(format!("{target}.log"));
        let file = File::create(&log).with_context(|| format!("can't write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        let held = tools::succeeds(&mut command)?;
        if !held {
            show(&log, &artifacts)?;
        }
        found.push((target.clone(), held));
    }
    Ok(found)
}

/// The end of a broken target's log, and the newest input that breaks it.
fn show(log: &Path, artifacts: &Path) -> Result<()> {
    let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(TAIL)..] {
        eprintln!("{line}");
    }
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(artifacts)? {
        let entry = entry?;
        kept.push((entry.metadata()?.modified()?, entry.path()));
    }
    let Some((_, newest)) = kept.into_iter().max() else {
        return Ok(());
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&std::fs::read(&newest)?)?;
    let packed = packed.finish()?;
    eprintln!("the input: {}", newest.display());
    if packed.len() <= SHOWN {
        let hex = packed
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        eprintln!("gunzip of these bytes (xxd -r -p | gunzip):\n{hex}");
    }
    Ok(())
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
