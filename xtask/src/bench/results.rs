//! What was measured, as `docs/benchmarks/results.json` keeps it: every round, nothing computed from them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::tools;

/// This engine in the browser: what the others are compared with.
pub const OURS: &str = "lucarne";

/// Everything that was measured.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Results {
    /// Where, when, with what.
    pub machine: Machine,
    /// GFLOP/s of multiply-adds in registers, one thread in the browser.
    pub roofline: Roofline,
    /// The networks, in the order shown.
    pub networks: Vec<Network>,
    /// Forward passes.
    pub forward: Vec<Forward>,
    /// Whole jobs.
    pub jobs: Vec<Work>,
    /// How this engine's time grows.
    pub scaling: Vec<Point>,
    /// Convolutions of each network, layer by layer.
    #[serde(default)]
    pub layers: Vec<Layers>,
    /// What jobs must compute at least.
    #[serde(default)]
    pub least: Vec<Least>,
}

/// The convolutions of one network, alone, as `www/src/bench/layers.ts` finds them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Layers {
    /// Id of the network.
    pub network: String,
    /// GFLOP/s of multiply-adds in registers just before.
    pub peak: f64,
    /// GB/s of a long copy just before, read and written.
    pub copied: f64,
    /// Layers that differ.
    #[serde(rename = "layers")]
    pub convolutions: Vec<Layer>,
}

/// One convolution; milliseconds.
#[derive(Clone, Serialize, Deserialize)]
pub struct Layer {
    /// Side, kernel, stride, channels.
    #[serde(rename = "layer")]
    pub name: String,
    /// `pointwise`, `depthwise` or `others`.
    pub kind: String,
    /// How often the network has it.
    pub times: u64,
    /// Of the best run.
    pub ms: f64,
    /// Of its multiply-adds in registers alone.
    pub products: f64,
    /// Of moving its bytes once.
    pub memory: f64,
}

/// What a job must compute.
#[derive(Clone, Serialize, Deserialize)]
pub struct Least {
    /// Id of the network.
    pub network: String,
    /// Id of the job.
    pub job: String,
    /// Share of the multiply-adds of whole passes.
    pub share: f64,
}

/// The circumstances.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Logical processors.
    pub cores: usize,
    /// Day of the last measurement.
    pub date: String,
    /// Git's hash of the engine's sources, `src/`, at the last measurement.
    pub source: String,
    /// Profile that the native engine was compiled with.
    pub profile: String,
    /// Other processes that wanted a processor when the run began and when it ended.
    pub load: Vec<f64>,
}

/// Rates, one a round.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Roofline {
    /// Multiplication, then addition.
    pub simd: Vec<f64>,
    /// Fused, where the browser has relaxed SIMD.
    pub relaxed: Vec<f64>,
}

/// A network of `benches/networks/networks.json`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Multiplications and additions of one picture.
    pub operations: u64,
}

/// One engine on one network at one batch size.
#[derive(Clone, Serialize, Deserialize)]
pub struct Forward {
    /// Id of the network.
    pub network: String,
    /// Pictures a call.
    pub batch: u64,
    /// Id of the engine.
    pub engine: String,
    /// The engine with its version.
    pub title: String,
    /// Milliseconds a call, one a round.
    pub times: Vec<f64>,
    /// What one thread in the browser gave at most when the run began, GFLOP/s; none of rows that
    /// were measured before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roof: Option<f64>,
    /// Bytes of WebAssembly memory at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Largest difference from this engine's logits, over the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Why it could not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One engine at one job.
#[derive(Clone, Serialize, Deserialize)]
pub struct Work {
    /// Id of the network.
    pub network: String,
    /// Id of the job.
    pub job: String,
    /// Id of the engine.
    pub engine: String,
    /// The engine with its version.
    pub title: String,
    /// Seconds, one a round.
    pub seconds: Vec<f64>,
    /// Passes that it says it ran.
    #[serde(default)]
    pub passes: u64,
    /// Bytes of WebAssembly memory at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Largest difference from this engine's map or curve, over the largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Why it could not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// This engine in the browser at one setting.
#[derive(Clone, Serialize, Deserialize)]
pub struct Point {
    /// `masks`, `side` or `workers`.
    pub axis: String,
    /// Its value.
    pub at: u64,
    /// Id of the network.
    pub network: String,
    /// Masks of the job.
    pub masks: u64,
    /// Seconds, one a round.
    pub seconds: Vec<f64>,
    /// Bytes of the largest engine's memory.
    pub memory: u64,
}

/// `docs/benchmarks`.
pub fn folder() -> PathBuf {
    tools::root().join("docs/benchmarks")
}

impl Results {
    /// Reads `results.json`.
    pub fn read() -> Result<Self> {
        let file = folder().join("results.json");
        let text = std::fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not as expected", file.display()))
    }

    /// Writes `results.json`.
    pub fn write(&self) -> Result<()> {
        std::fs::create_dir_all(folder())?;
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(std::fs::write(folder().join("results.json"), text)?)
    }

    /// What one thread in the browser gives at most, GFLOP/s.
    pub fn peak(&self) -> f64 {
        median(&self.roofline.simd).max(median(&self.roofline.relaxed))
    }

    /// The name of a network.
    pub fn name<'a>(&'a self, network: &'a str) -> &'a str {
        self.networks
            .iter()
            .find(|n| n.id == network)
            .map_or(network, |n| &n.name)
    }
}

/// The value below which the share `q` lies, between two values where it falls between; 0 of none.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = last as f64 * q;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// How many times as long theirs took as ours, round by round.
pub fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(own, other)| other / own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-12
    }

    #[test]
    fn quantiles_fall_between_values() {
        assert!(near(median(&[9.0, 1.0, 5.0]), 5.0));
        assert!(near(quantile(&[0.0, 10.0], 0.25), 2.5));
        assert!(near(median(&[]), 0.0));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let found = ratios(&[10.0, 20.0, 40.0], &[20.0, 20.0]);
        assert!(found.len() == 2 && near(found[0], 2.0) && near(found[1], 1.0));
    }
}
