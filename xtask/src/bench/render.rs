//! `docs/benchmarks/README.md` and its plot, from the results alone.

use std::fmt::Write;

use anyhow::Result;

use super::plot;
use super::results::{Forward, OURS, Results, Work, folder, median, quantile, ratios};

/// Writes both files.
pub fn write(results: &Results) -> Result<()> {
    std::fs::write(folder().join("README.md"), readme(results))?;
    Ok(std::fs::write(folder().join("scaling.svg"), plot::scaling(results))?)
}

/// The page.
fn readme(results: &Results) -> String {
    let mut text = String::from(INTRODUCTION);
    text += &circumstances(results);
    text += &goals(results);
    for batch in batches(results) {
        text += &forward(results, batch);
    }
    text += &jobs(results);
    text += &super::layers::section(results);
    text += &scaling(results);
    text
}

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench --table` from `results.json`, which keeps every round; `cargo xtask bench --render` writes
this page and its plot again. All engines run the same networks with the same weights on one thread each, in turns, so
that a busy machine slows all of them alike. Every measurement in the browser has a frame of its own. The networks are
made by `benches/python/networks.py`: EfficientNet-Lite0 is the one that ships, the others are torchvision's with random
weights.

A time is the median, with the middle half of the rounds in brackets. A ratio is the time of an engine over the time of
Lucarne's processor path in the same browser, taken round by round: **above 1, Lucarne is faster**. GFLOP/s count two
operations for a multiply-add, and the share is of what one thread in this browser reached, when the run began, with
nothing but multiply-adds in registers. Memory is the engine's WebAssembly memory after its last call, which never shrinks.

";

fn circumstances(results: &Results) -> String {
    let machine = &results.machine;
    let native = if machine.profile == "bench" {
        String::new()
    } else {
        format!(
            " The native engine was compiled with the profile `{}`.",
            machine.profile
        )
    };
    let load = match machine.load[..] {
        [before, after] if before.max(after) > machine.cores as f64 => format!(
            " **The machine was busy with other work: {before:.0} to {after:.0} processes wanted its {} processors, so \
             that times are long; trust the ratios, and them no further than their spread.**",
            machine.cores
        ),
        _ => String::new(),
    };
    let roof = &results.roofline;
    let relaxed = if roof.relaxed.is_empty() {
        String::new()
    } else {
        format!("; fused, by relaxed SIMD, {}", spread(&roof.relaxed, 1))
    };
    format!(
        "{}, {} logical processors, no graphics processor unless a row says so; {}, sources `{}`\n\
         (`git rev-parse --short HEAD:src`).{native}{load}\n\n\
         Multiply-adds in registers, GFLOP/s: plain SIMD {}{relaxed}.\n\n",
        machine.processor,
        machine.cores,
        machine.date,
        machine.source,
        spread(&roof.simd, 1)
    )
}

/// `median (quarter – three quarters)`.
fn spread(values: &[f64], digits: usize) -> String {
    format!(
        "{:.digits$} ({:.digits$} – {:.digits$})",
        median(values),
        quantile(values, 0.25),
        quantile(values, 0.75)
    )
}

fn batches(results: &Results) -> Vec<u64> {
    let mut all: Vec<u64> = results.forward.iter().map(|row| row.batch).collect();
    all.dedup();
    all
}

/// This engine's row beside `row`.
fn own<'a>(results: &'a Results, row: &Forward) -> Option<&'a Forward> {
    results
        .forward
        .iter()
        .find(|r| r.engine == OURS && (&r.network, r.batch) == (&row.network, row.batch))
}

fn own_job<'a>(results: &'a Results, row: &Work) -> Option<&'a Work> {
    results
        .jobs
        .iter()
        .find(|r| r.engine == OURS && (&r.network, &r.job) == (&row.network, &row.job))
}

/// One goal: what is asked, what was found, and whether that is enough.
struct Goal {
    asked: String,
    found: Vec<f64>,
    least: f64,
}

fn goals(results: &Results) -> String {
    let mut goals = Vec::new();
    for row in results.forward.iter().filter(|r| r.batch == 16 && r.engine == "litert") {
        if let Some(own) = own(results, row) {
            goals.push(Goal {
                asked: format!(
                    "{}, 16 at a time: 1.2 times as fast as LiteRT.js",
                    results.name(&row.network)
                ),
                found: ratios(&own.times, &row.times),
                least: 1.2,
            });
        }
    }
    for row in results
        .forward
        .iter()
        .filter(|r| r.batch == 16 && r.engine == "lucarne-native")
    {
        let single = results
            .forward
            .iter()
            .find(|r| r.batch == 1 && r.engine == row.engine && r.network == row.network);
        if let Some(single) = single {
            goals.push(Goal {
                asked: format!(
                    "{}, natively: a picture in a batch of 16 no slower than alone",
                    results.name(&row.network)
                ),
                found: ratios(&row.times, &single.times).iter().map(|r| r * 16.0).collect(),
                least: 1.0,
            });
        }
    }
    let wanted = [
        ("litert", "the same loop on LiteRT.js", 4.0),
        ("python", "Captum or Quantus", 1.0),
    ];
    for row in &results.jobs {
        let asked = wanted.iter().find(|(engine, ..)| *engine == row.engine);
        let (Some((_, other, least)), Some(own)) = (asked, own_job(results, row)) else {
            continue;
        };
        if row.why.is_none() && ["occlusion", "deletion"].contains(&row.job.as_str()) {
            goals.push(Goal {
                asked: format!(
                    "{}, {}: {}as fast as {other}",
                    job_name(&row.job),
                    results.name(&row.network),
                    if *least > 1.0 {
                        format!("{least:.0} times ")
                    } else {
                        String::new()
                    }
                ),
                found: ratios(&own.seconds, &row.seconds),
                least: *least,
            });
        }
    }
    let mut text = String::from("## What was to be reached\n\n| Goal | Found | Reached |\n|---|---|---|\n");
    for Goal { asked, found, least } in goals {
        let reached = if median(&found) >= least { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {asked} | {} | {reached} |", spread(&found, 2));
    }
    text + "\n"
}

fn forward(results: &Results, batch: u64) -> String {
    let many = if batch == 1 {
        "one picture".to_owned()
    } else {
        format!("{batch} pictures a call")
    };
    let mut text = format!(
        "## Forward passes, {many}\n\n\
         | Network | Engine | ms a picture | Ratio | GFLOP/s | Memory, MiB | Difference |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for row in results.forward.iter().filter(|row| row.batch == batch) {
        let name = results.name(&row.network);
        let title = engine_name(&row.engine, &row.title);
        if let Some(why) = &row.why {
            let _ = writeln!(text, "| {name} | {title} | {why} | | | | |");
            continue;
        }
        let each: Vec<f64> = row.times.iter().map(|t| t / batch as f64).collect();
        let operations = results.networks.iter().find(|n| n.id == row.network);
        let rate = operations.map_or(0.0, |n| n.operations as f64 / (median(&each) * 1e6));
        // Only the browser's engines stand under its roof.
        let browsers = !["lucarne-native", "pytorch"].contains(&row.engine.as_str());
        let share = row
            .roof
            .filter(|_| browsers)
            .map(|roof| format!(" ({:.0} %)", 100.0 * rate / roof))
            .unwrap_or_default();
        let ratio = match own(results, row) {
            Some(own) if row.engine != OURS => spread(&ratios(&own.times, &row.times), 2),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| {name} | {title} | {} | {ratio} | {rate:.1}{share} | {} | {} |",
            spread(&each, 1),
            row.memory.map(mebibytes).unwrap_or_default(),
            row.difference
                .filter(|_| row.engine != OURS)
                .map(|d| format!("{d:.0e}"))
                .unwrap_or_default(),
        );
    }
    text + "\n"
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / f64::from(1 << 20))
}

fn engine_name(engine: &str, title: &str) -> String {
    let device = match engine.rsplit_once('-') {
        Some((_, "webgpu")) => ", WebGPU",
        Some((_, "native")) => "",
        _ if engine == "pytorch" => ", native",
        _ => ", WebAssembly",
    };
    format!("{title}{device}")
}

pub fn job_name(job: &str) -> &str {
    match job {
        "occlusion" => "Occlusion, 8 × 8 every 4 pixels",
        "rise" => "RISE, 1,000 masks",
        "deletion" => "Deletion, 48 steps, a growing disc",
        "deletion-scattered" => "Deletion, 48 steps, scattered pixels",
        "integrated-gradients" => "Integrated gradients, 50 steps",
        other => other,
    }
}

fn jobs(results: &Results) -> String {
    let mut text = String::from(
        "## Whole jobs\n\n\
         One engine, from the request to the map or curve; the network has been loaded before. In the browser the job is\n\
         asked for as the page asks. LiteRT.js gets sixteen pictures a call and a loop written in TypeScript\n\
         (`www/src/bench/jobs.ts`); Captum and Quantus run on PyTorch (`benches/python/jobs.py`). Deletion takes 48 steps,\n\
         the number nearest to 50 that Quantus can take; its steps end within a pixel, so that its curve differs a little.\n\
         The two orders are the extremes: one disc that grows, and pixels all over the picture.\n\n\
         | Network | Job | Engine | Seconds | Ratio | Passes | Memory, MiB | Difference |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in &results.jobs {
        let (name, job) = (results.name(&row.network), job_name(&row.job));
        let title = match row.engine.as_str() {
            OURS => "Lucarne, one worker",
            "lucarne-webgpu" => "Lucarne, one worker, WebGPU",
            "litert" => "LiteRT.js, a loop",
            _ => &row.title,
        };
        if let Some(why) = &row.why {
            let _ = writeln!(text, "| {name} | {job} | {title} | {why} | | | | |");
            continue;
        }
        let ratio = match own_job(results, row) {
            Some(own) if row.engine != OURS => spread(&ratios(&own.seconds, &row.seconds), 2),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| {name} | {job} | {title} | {} | {ratio} | {} | {} | {} |",
            spread(&row.seconds, 2),
            row.passes,
            row.memory.map(mebibytes).unwrap_or_default(),
            row.difference
                .filter(|_| row.engine != OURS)
                .map(|d| format!("{d:.0e}"))
                .unwrap_or_default(),
        );
    }
    text + "\n"
}

fn scaling(results: &Results) -> String {
    if results.scaling.is_empty() {
        return String::new();
    }
    let network = results.scaling.first().map_or("", |point| results.name(&point.network));
    let mut text = format!(
        "## How the time grows\n\n\
         RISE on {network} in the browser: over masks at 224 × 224 with one worker, over the side of the picture and over\n\
         workers with 64 masks.\n\n\
         ![Three plots: seconds over masks, milliseconds a mask over the side of the picture, masks a second over \
         workers](scaling.svg)\n\n\
         | Over | At | Masks | Seconds | Memory of a worker, MiB |\n|---|---|---|---|---|\n"
    );
    for point in &results.scaling {
        let over = match point.axis.as_str() {
            "side" => "side of the picture",
            other => other,
        };
        let _ = writeln!(
            text,
            "| {over} | {} | {} | {} | {} |",
            point.at,
            point.masks,
            spread(&point.seconds, 2),
            mebibytes(point.memory)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_and_plot_are_what_the_results_give() {
        let results = Results::read().expect("results.json is there");
        let read = |name: &str| std::fs::read_to_string(folder().join(name)).expect("it is there");
        assert!(
            readme(&results) == read("README.md"),
            "run `cargo xtask bench --render`"
        );
        assert!(
            plot::scaling(&results) == read("scaling.svg"),
            "run `cargo xtask bench --render`"
        );
    }

    #[test]
    fn a_goal_is_reached_by_the_median_ratio() {
        let row = |engine: &str, times: &[f64]| Forward {
            network: "n".into(),
            batch: 16,
            engine: engine.into(),
            title: engine.into(),
            times: times.to_vec(),
            roof: Some(10.0),
            memory: None,
            difference: None,
            why: None,
        };
        let mut results = Results {
            forward: vec![row(OURS, &[10.0, 10.0, 10.0]), row("litert", &[11.0, 12.0, 30.0])],
            ..Results::default()
        };
        assert!(goals(&results).contains("| 1.20 (1.15 – 2.10) | yes |"));
        results.forward[1].times[1] = 11.9;
        assert!(goals(&results).contains("**no**"));
    }
}
