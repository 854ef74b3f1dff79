//! One run of all engines in turns: the browser's, the native one, Python's.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::results::{Forward, Machine, Network, OURS, Point, Results, Roofline, Work};
use super::server::Server;
use super::{layers, render};
use crate::{build, tools, wasm};

/// How much to measure.
#[derive(Args)]
pub struct Scope {
    /// Only these parts of the table; what was measured before of the others is kept
    #[arg(long, value_enum, requires = "table")]
    part: Vec<Part>,
    /// Only these networks, by id
    #[arg(long, value_name = "ID", requires = "table")]
    network: Vec<String>,
    /// Only these jobs, by id
    #[arg(long, value_name = "ID", requires = "table")]
    job: Vec<String>,
    /// How often all programs take their turn at each network's forward passes
    #[arg(long, default_value_t = 3, requires = "table")]
    turns: u64,
    /// Rounds of forward passes in a turn
    #[arg(long, default_value_t = 4, requires = "table")]
    rounds: u64,
    /// Rounds of each job and of each point of the plot
    #[arg(long, default_value_t = 3, requires = "table")]
    job_rounds: u64,
    /// Cargo profile of the native engine
    #[arg(long, default_value = "bench", requires = "table")]
    native_profile: String,
    /// Leave the native engine out
    #[arg(long, requires = "table")]
    no_native: bool,
    /// Measure the page as it was built before
    #[arg(long, requires = "table")]
    no_build: bool,
}

/// A part of the table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Forward,
    Jobs,
    Scaling,
    /// The roofline: layers, and what jobs must compute
    Layers,
}

const JOBS: [&str; 5] = [
    "deletion",
    "deletion-scattered",
    "integrated-gradients",
    "occlusion",
    "rise",
];
const BATCHES: [u64; 2] = [1, 16];
/// Of the plots: quick, and of any size.
const SCALED: &str = "mobilenet-v2";
const MASKS: [u64; 4] = [16, 32, 64, 128];
const SIDES: [u64; 5] = [96, 128, 160, 224, 320];
const WORKERS: [u64; 4] = [1, 2, 3, 4];

/// The programs, those that there are.
struct Engines {
    browser: Server,
    native: Option<Server>,
    python: Option<Server>,
}

/// Measures and writes `docs/benchmarks`.
pub fn run(scope: &Scope, torch: Option<&Path>) -> Result<()> {
    super::have_networks()?;
    if !scope.no_build {
        build::bench(wasm::Options::default())?;
    }
    let mut results = Results::read().unwrap_or_default();
    results.networks = networks()?;
    let mut engines = start(scope, torch)?;
    let began = load();
    let wants = |part| scope.part.is_empty() || scope.part.contains(&part);
    let roof = engines.browser.ask(&json!({ "kind": "roofline", "rounds": 9 }))?;
    results.roofline = Roofline {
        simd: numbers(&roof["simd"]),
        relaxed: numbers(&roof["relaxed"]),
    };
    let ids: Vec<String> = results.networks.iter().map(|n| n.id.clone()).collect();
    let chosen = |id: &&String| scope.network.is_empty() || scope.network.contains(id);
    if wants(Part::Forward) {
        for network in ids.iter().filter(chosen) {
            for batch in BATCHES {
                let rows = forward(&mut engines, scope, results.peak(), network, batch)?;
                results
                    .forward
                    .retain(|row| (&row.network, row.batch) != (network, batch));
                results.forward.extend(rows);
                keep(&mut results, scope, began)?;
            }
        }
    }
    if wants(Part::Jobs) {
        // Whole jobs of every network would take hours: unless others are named, the one that ships.
        let first = ids.iter().take(1);
        let networks: Vec<_> = if scope.network.is_empty() {
            first.collect()
        } else {
            ids.iter().filter(chosen).collect()
        };
        for network in networks {
            for job in JOBS
                .iter()
                .filter(|job| scope.job.is_empty() || scope.job.iter().any(|j| j == *job))
            {
                let rows = jobs(&mut engines, scope, network, job)?;
                results
                    .jobs
                    .retain(|row| (row.network.as_str(), row.job.as_str()) != (network, job));
                results.jobs.extend(rows);
                keep(&mut results, scope, began)?;
            }
        }
    }
    if wants(Part::Scaling) {
        results.scaling = scaling(&mut engines, scope)?;
    }
    if wants(Part::Layers) {
        results.layers = layers::measure(&mut engines.browser)?;
        results.least = layers::least(&scope.native_profile)?;
    }
    keep(&mut results, scope, began)
}

fn start(scope: &Scope, torch: Option<&Path>) -> Result<Engines> {
    let mut drive = tools::npm_run("bench:drive");
    drive.env("CHROMIUM", tools::chromium()?);
    let mut native = tools::cargo();
    native.args(["bench", "--quiet", "--package", "lucarne", "--bench", "jobs"]);
    native.args(["--profile", &scope.native_profile, "--", "--serve"]);
    let script = tools::root().join("benches/python/jobs.py");
    Ok(Engines {
        browser: Server::start("the browser", &mut drive)?,
        native: (!scope.no_native)
            .then(|| Server::start("the native engine", &mut native))
            .transpose()?,
        python: torch
            .map(|python| Server::start("Python", Command::new(python).arg(script).env("OMP_NUM_THREADS", "1")))
            .transpose()?,
    })
}

/// Puts the results in order and writes them, so that an interrupted run leaves what it found.
fn keep(results: &mut Results, scope: &Scope, began: f64) -> Result<()> {
    let place = |id: &str| results.networks.iter().position(|n| n.id == id);
    let job = |id: &str| JOBS.iter().position(|j| *j == id);
    results.forward.sort_by_key(|row| (row.batch, place(&row.network)));
    results.jobs.sort_by_key(|row| (place(&row.network), job(&row.job)));
    results.machine = Machine {
        processor: processor(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        date: tools::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?
            .trim()
            .to_owned(),
        source: tools::output(Command::new("git").current_dir(tools::root()).args([
            "rev-parse",
            "--short",
            "HEAD:src",
        ]))?
        .trim()
        .to_owned(),
        profile: scope.native_profile.clone(),
        load: vec![began, load()],
    };
    results.write()?;
    render::write(results)
}

fn networks() -> Result<Vec<Network>> {
    let text = std::fs::read_to_string(tools::root().join("benches/networks/networks.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn forward(engines: &mut Engines, scope: &Scope, roof: f64, network: &str, batch: u64) -> Result<Vec<Forward>> {
    let mut rows: Vec<Forward> = Vec::new();
    for turn in 0..scope.turns {
        eprintln!("{network}, {batch} at a time, turn {} of {}", turn + 1, scope.turns);
        let plan = json!({ "rounds": scope.rounds, "passes": 1 });
        let spec = json!({ "kind": "forward", "network": network, "batch": batch, "plan": plan });
        let found = engines.browser.ask(&spec)?;
        for cell in found["cells"].as_array().context("the browser found no cells")? {
            let text = |name: &str| cell[name].as_str().map(str::to_owned);
            let ran = cell.get("why").is_none();
            let row = Forward {
                network: network.to_owned(),
                batch,
                engine: text("engine").context("a cell without its engine")?,
                title: text("title").context("a cell without its title")?,
                times: numbers(&cell["times"]),
                roof: Some(roof),
                memory: cell["memory"].as_u64().filter(|_| ran),
                difference: cell["difference"].as_f64().filter(|_| ran),
                why: text("why"),
            };
            add_forward(&mut rows, row);
        }
        let spec = json!({ "kind": "forward", "network": network, "batch": batch, "rounds": scope.rounds });
        for (engine, server) in [
            ("lucarne-native", engines.native.as_mut()),
            ("pytorch", engines.python.as_mut()),
        ] {
            let Some(server) = server else { continue };
            let title = server.title.split(", ").next().unwrap_or_default().to_owned();
            let row = Forward {
                network: network.to_owned(),
                batch,
                engine: engine.to_owned(),
                title: if engine == "pytorch" {
                    title
                } else {
                    server.title.clone()
                },
                times: numbers(&server.ask(&spec)?["times"]),
                roof: Some(roof),
                memory: None,
                difference: None,
                why: None,
            };
            add_forward(&mut rows, row);
        }
    }
    Ok(rows)
}

/// Later turns add to the first.
fn add_forward(rows: &mut Vec<Forward>, row: Forward) {
    match rows.iter_mut().find(|r| r.engine == row.engine) {
        Some(known) => {
            known.times.extend(row.times);
            known.memory = known.memory.max(row.memory);
        }
        None => rows.push(row),
    }
}

fn jobs(engines: &mut Engines, scope: &Scope, network: &str, job: &str) -> Result<Vec<Work>> {
    let mut rows: Vec<Work> = Vec::new();
    let mut answers: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for round in 0..scope.job_rounds {
        for engine in [OURS, "lucarne-webgpu", "litert", "lucarne-native", "python"] {
            let spec = json!({ "kind": "job", "network": network, "job": job, "engine": engine });
            let (title, server) = match engine {
                "lucarne-native" => match engines.native.as_mut() {
                    Some(server) => (server.title.clone(), server),
                    None => continue,
                },
                "python" => match engines.python.as_mut() {
                    Some(server) => (server.title.clone(), server),
                    None => continue,
                },
                OURS | "lucarne-webgpu" => ("Lucarne".to_owned(), &mut engines.browser),
                _ => ("the same loop around LiteRT.js".to_owned(), &mut engines.browser),
            };
            if rows.iter().any(|row| row.engine == engine && row.why.is_some()) {
                continue;
            }
            eprintln!(
                "{network}, {job}, {engine}, round {} of {}",
                round + 1,
                scope.job_rounds
            );
            let found = server.ask(&spec)?;
            let row = Work {
                network: network.to_owned(),
                job: job.to_owned(),
                engine: engine.to_owned(),
                title,
                seconds: found["seconds"].as_f64().into_iter().collect(),
                passes: found["passes"].as_u64().unwrap_or(0),
                memory: found["memory"].as_u64(),
                difference: None,
                why: found["why"].as_str().map(str::to_owned),
            };
            answers.insert(engine.to_owned(), numbers(&found["answer"]));
            match rows.iter_mut().find(|r| r.engine == engine) {
                Some(known) => {
                    known.seconds.extend(row.seconds);
                    known.memory = known.memory.max(row.memory);
                }
                None => rows.push(row),
            }
        }
    }
    for row in &mut rows {
        row.difference = difference(&answers[OURS], &answers[&row.engine]);
    }
    Ok(rows)
}

/// The largest difference over the largest value. A curve may lack its start. Nothing to compare where chance enters.
fn difference(ours: &[f64], theirs: &[f64]) -> Option<f64> {
    let start = ours.len().checked_sub(theirs.len()).filter(|&more| more < 2)?;
    if theirs.is_empty() {
        return None;
    }
    let largest = ours.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let over = ours[start..].iter().zip(theirs).map(|(a, b)| (a - b).abs());
    Some(over.fold(0.0, f64::max) / largest)
}

fn scaling(engines: &mut Engines, scope: &Scope) -> Result<Vec<Point>> {
    let settings = MASKS
        .map(|at| ("masks", at))
        .into_iter()
        .chain(SIDES.map(|at| ("side", at)))
        .chain(WORKERS.map(|at| ("workers", at)));
    let mut points: Vec<Point> = settings
        .map(|(axis, at)| Point {
            axis: axis.to_owned(),
            at,
            network: SCALED.to_owned(),
            masks: if axis == "masks" { at } else { 64 },
            seconds: Vec::new(),
            memory: 0,
        })
        .collect();
    for round in 0..scope.job_rounds {
        for point in &mut points {
            eprintln!(
                "{} {}, round {} of {}",
                point.axis,
                point.at,
                round + 1,
                scope.job_rounds
            );
            let mut setting = json!({ "masks": point.masks });
            setting[&point.axis] = json!(point.at);
            let spec = json!({ "kind": "job", "network": point.network, "job": "rise", "engine": OURS,
                               "setting": setting });
            let found = engines.browser.ask(&spec)?;
            point.seconds.extend(found["seconds"].as_f64());
            point.memory = point.memory.max(found["memory"].as_u64().unwrap_or(0));
        }
    }
    Ok(points)
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|v| v.as_f64().unwrap_or(f64::NAN))
        .collect()
}

/// The processor's name where the system tells it in a file.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// Processes that wanted a processor in the last minute, where the system tells it; with the benchmark's own.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|v| v.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_may_lack_its_start() {
        assert_eq!(difference(&[4.0, 2.0, 1.0], &[2.0, 2.0]), Some(0.25));
        assert_eq!(difference(&[4.0, 2.0, 1.0], &[2.0]), None);
        assert_eq!(difference(&[], &[]), None);
    }

    #[test]
    fn later_turns_add_to_the_first() {
        let row = |times: &[f64], memory| Forward {
            network: "n".into(),
            batch: 1,
            engine: "e".into(),
            title: "E".into(),
            times: times.to_vec(),
            roof: Some(10.0),
            memory,
            difference: None,
            why: None,
        };
        let mut rows = vec![row(&[1.0], Some(5))];
        add_forward(&mut rows, row(&[2.0, 3.0], Some(7)));
        assert_eq!((rows.len(), rows[0].times.len(), rows[0].memory), (1, 3, Some(7)));
    }
}
