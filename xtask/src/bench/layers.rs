//! The roofline: convolutions layer by layer in the browser, and what whole jobs must compute at least.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::json;

use super::results::{Layer, Layers, Least, OURS, Results, Work, median};
use super::server::Server;
use crate::tools;

/// Layers that are named, of each network: those with most time above their limit.
const NAMED: usize = 4;

/// Asks the browser for each network in turn.
pub fn measure(browser: &mut Server) -> Result<Vec<Layers>> {
    let mut all = Vec::new();
    loop {
        eprintln!("convolutions of network {}", all.len() + 1);
        let found = browser.ask(&json!({ "kind": "layers", "index": all.len() }))?;
        match &found["of"] {
            of if of.is_null() => return Ok(all),
            of => all.push(serde_json::from_value(of.clone()).context("unexpected layers")?),
        }
    }
}

/// What `benches/incremental.rs --least` says.
pub fn least(profile: &str) -> Result<Vec<Least>> {
    let mut command = tools::cargo();
    command.args(["bench", "--quiet", "--package", "lucarne", "--bench", "incremental"]);
    command.args(["--profile", profile, "--", "--least"]);
    let said = tools::output(&mut command)?;
    let line = |line: &str| serde_json::from_str(line).with_context(|| format!("unexpected line: {line}"));
    said.lines().map(line).collect()
}

/// The section of the page.
pub fn section(results: &Results) -> String {
    let mut text = String::new();
    if !results.layers.is_empty() {
        text += &layers(results);
    }
    if !results.least.is_empty() {
        text += &bounds(results);
    }
    text
}

fn layers(results: &Results) -> String {
    let mut text = String::from(
        "## Why not more: the roofline of the convolutions\n\n\
         Each layer's best run in the browser (`benches/kernels.rs` as a module of its own), and the two times that it can't\n\
         be shorter than: its multiply-adds in registers alone, and its input, weights and output moved once, as fast as a\n\
         long copy does. A layer's arrays mostly lie in the caches, so that its bytes can move faster than that. The share is\n\
         the longer limit's. Below the sums of each kind the layers that spend most time above their limit.\n\n\
         | Network | Layers | Times | ms | Multiply-adds, ms | Memory, ms | Share |\n|---|---|---|---|---|---|---|\n",
    );
    for of in &results.layers {
        let name = results.name(&of.network);
        let mut kinds: Vec<&str> = Vec::new();
        for layer in &of.convolutions {
            if !kinds.contains(&layer.kind.as_str()) {
                kinds.push(&layer.kind);
            }
        }
        row(&mut text, name, "all", of.convolutions.iter());
        for kind in kinds {
            row(&mut text, name, kind, of.convolutions.iter().filter(|l| l.kind == kind));
        }
        let above = |l: &Layer| l.times as f64 * (l.ms - l.products.max(l.memory));
        let mut worst: Vec<&Layer> = of.convolutions.iter().collect();
        worst.sort_by(|a, b| above(b).total_cmp(&above(a)));
        for layer in worst.into_iter().take(NAMED) {
            row(&mut text, name, &layer.name, std::iter::once(layer));
        }
    }
    text + "\n"
}

fn row<'a>(text: &mut String, network: &str, name: &str, layers: impl Iterator<Item = &'a Layer>) {
    let mut sums = [0.0; 4];
    let mut count = 0;
    for l in layers {
        count += l.times;
        let limit = l.products.max(l.memory);
        for (sum, value) in sums.iter_mut().zip([l.ms, l.products, l.memory, limit]) {
            *sum += l.times as f64 * value;
        }
    }
    let [ms, products, memory, limit] = sums;
    let share = 100.0 * limit / ms;
    let _ = writeln!(
        text,
        "| {network} | {name} | {count} | {ms:.2} | {products:.2} | {memory:.2} | {share:.0} % |"
    );
}

/// What keeps a job from being faster.
struct Bound {
    /// Share of the multiply-adds.
    share: f64,
    found: f64,
    /// Times as fast as LiteRT.js' loop if nothing but that share took time, at the rate of this engine's passes.
    at_ours: f64,
    /// The same at the rate of multiply-adds in registers.
    at_peak: f64,
}

fn bound(results: &Results, least: &Least) -> Option<Bound> {
    let row = |engine: &str| -> Option<&Work> {
        let fits = |r: &&Work| r.engine == engine && (&r.network, &r.job) == (&least.network, &least.job);
        results.jobs.iter().find(fits).filter(|r| !r.seconds.is_empty())
    };
    let (own, other) = (row(OURS)?, row("litert")?);
    let network = results.networks.iter().find(|n| n.id == least.network)?;
    let pass = results
        .forward
        .iter()
        .find(|r| (r.engine.as_str(), r.batch) == (OURS, 1) && r.network == least.network)?;
    let theirs = median(&other.seconds) / other.passes.max(1) as f64;
    let peak = network.operations as f64 / (results.peak() * 1e9);
    Some(Bound {
        share: least.share,
        found: median(&other.seconds) / median(&own.seconds),
        at_ours: theirs / (median(&pass.times) / 1e3 * least.share),
        at_peak: theirs / (peak * least.share),
    })
}

fn bounds(results: &Results) -> String {
    let mut text = String::from(
        "## Why not more: what a job must compute\n\n\
         Pictures of a job differ from one that was run before in some pixels. The share is that of the multiply-adds of\n\
         whole passes which is left if each place in reach of those is computed and no other: less can't give the same\n\
         numbers. The last two columns say how many times as fast as the loop around LiteRT.js the job could be if nothing\n\
         else took any time: at the rate of this engine's forward passes, and at the rate of multiply-adds in registers,\n\
         beside which nothing is left for reading and writing. No layer of this network needs fewer by Winograd's method.\n\n\
         | Network | Job | Share | Found | At the rate of its passes | At the rate of multiply-adds |\n|---|---|---|---|---|---|\n",
    );
    for least in &results.least {
        let Some(bound) = bound(results, least) else { continue };
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} % | {:.2} | {:.2} | {:.2} |",
            results.name(&least.network),
            super::render::job_name(&least.job),
            100.0 * bound.share,
            bound.found,
            bound.at_ours,
            bound.at_peak
        );
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{Forward, Network, Roofline};

    #[test]
    fn a_jobs_bound_is_its_share_at_both_rates() {
        let work = |engine: &str, seconds: f64| Work {
            network: "n".into(),
            job: "occlusion".into(),
            engine: engine.into(),
            title: engine.into(),
            seconds: vec![seconds],
            passes: 100,
            memory: None,
            difference: None,
            why: None,
        };
        let results = Results {
            roofline: Roofline {
                simd: vec![25.0],
                relaxed: vec![50.0],
            },
            networks: vec![Network {
                id: "n".into(),
                name: "N".into(),
                operations: 500_000_000,
            }],
            forward: vec![Forward {
                network: "n".into(),
                batch: 1,
                engine: OURS.into(),
                title: "L".into(),
                times: vec![20.0],
                roof: None,
                memory: None,
                difference: None,
                why: None,
            }],
            jobs: vec![work(OURS, 1.5), work("litert", 3.0)],
            least: vec![Least {
                network: "n".into(),
                job: "occlusion".into(),
                share: 0.5,
            }],
            ..Results::default()
        };
        // 30 ms a pass of theirs, over half of 20 ms, and half of 10 ms.
        let text = section(&results);
        assert!(text.contains("| 50 % | 2.00 | 3.00 | 6.00 |"), "{text}");
    }

    #[test]
    fn kinds_are_summed_and_the_layers_furthest_from_their_limit_named() {
        let layer = |name: &str, times: u64, ms: f64| Layer {
            name: name.into(),
            kind: "pointwise".into(),
            times,
            ms,
            products: 1.0,
            memory: 0.5,
        };
        let layers = (0..6).map(|k| layer(&format!("layer {k}"), 1, 1.0 + f64::from(k)));
        let results = Results {
            layers: vec![Layers {
                network: "n".into(),
                peak: 50.0,
                copied: 10.0,
                convolutions: layers.chain([layer("often", 10, 2.0)]).collect(),
            }],
            ..Results::default()
        };
        let text = section(&results);
        assert!(
            text.contains("| n | all | 16 | 41.00 | 16.00 | 8.00 | 39 % |"),
            "{text}"
        );
        assert!(
            text.contains("| often | 10 | 20.00 |") && !text.contains("layer 1"),
            "{text}"
        );
    }
}
