//! Holds the engine's gradients against a zoo of exports that `tests/zoo/make.py` made, and writes the table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;

use crate::tools;

/// Where the zoo is.
#[derive(Args)]
pub struct Options {
    /// The folder that `tests/zoo/make.py` wrote
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Animal {
    name: String,
    source: String,
    exporter: String,
    class: usize,
    /// How far the framework's own single precision is from the reference, relative.
    single: f64,
}

/// What the engine did with one export.
struct Outcome {
    /// Largest error of the gradient over its largest magnitude, and one minus the cosine.
    gradient: Result<(f64, f64), String>,
}

/// A gradient counts as equal within this relative error, or where a kink lies within rounding of the input, within twice
/// that of the framework's own single precision.
const RELATIVE: f64 = 1e-3;

/// Runs `lucarne explain --method gradient` on every export and writes docs/gradient-coverage.md.
pub fn run(options: &Options) -> Result<()> {
    let index = options.folder.join("zoo.jsonl");
    let text = std::fs::read_to_string(&index).with_context(|| format!("can't read {}", index.display()))?;
    let zoo = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Animal>, _>>()?;
    tools::run(tools::cargo().args(["build", "--quiet", "--package", "lucarne", "--bin", "lucarne"]))?;
    let program = tools::target().join("debug/lucarne");
    let mut rows = Vec::new();
    for animal in &zoo {
        let outcome = try_one(&program, &options.folder, animal)?;
        eprintln!(
            "{}: {}",
            animal.name,
            match &outcome.gradient {
                Ok((relative, turned)) => format!("relative {relative:.1e}, 1 - cosine {turned:.1e}"),
                Err(why) => why.clone(),
            }
        );
        rows.push((animal, outcome));
    }
    let file = tools::root().join("docs/gradient-coverage.md");
    std::fs::write(&file, report(&rows))?;
    Ok(())
}

fn try_one(program: &Path, folder: &Path, animal: &Animal) -> Result<Outcome> {
    let name = &animal.name;
    let found = folder.join(format!("{name}.ours.npy"));
    // Relative names keep this machine's folders out of the report.
    let done = Command::new(program)
        .current_dir(folder)
        .args(["explain", "--method", "gradient", "--target"])
        .arg(animal.class.to_string())
        .arg("--output")
        .arg(format!("{name}.ours.npy"))
        .arg(format!("{name}.onnx"))
        .arg(format!("{name}.input.npy"))
        .output()?;
    if !done.status.success() {
        let words = String::from_utf8_lossy(&done.stderr);
        let gradient = Err(words.lines().next_back().unwrap_or("no word").to_owned());
        return Ok(Outcome { gradient });
    }
    let ours = values(&found)?;
    let theirs = values(&folder.join(format!("{name}.gradient.npy")))?;
    ensure!(
        ours.len() == theirs.len(),
        "{name}: {} values, not {}",
        ours.len(),
        theirs.len()
    );
    let (mut worst, mut top, mut dot, mut oo, mut tt) = (0f64, 0f64, 0f64, 0f64, 0f64);
    for (o, t) in ours.into_iter().zip(theirs) {
        worst = worst.max((o - t).abs());
        top = top.max(t.abs());
        dot += o * t;
        oo += o * o;
        tt += t * t;
    }
    Ok(Outcome {
        gradient: Ok((worst / top, 1.0 - dot / (oo * tt).sqrt())),
    })
}

/// The values of a little-endian float32 array in C order.
fn values(file: &Path) -> Result<Vec<f64>> {
    let bytes = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    ensure!(
        bytes.len() > 10 && bytes.starts_with(b"\x93NUMPY\x01"),
        "{} is not a .npy of version 1",
        file.display()
    );
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let words = String::from_utf8_lossy(&bytes[10..10 + header]);
    ensure!(
        words.contains("'<f4'") && words.contains("False"),
        "{}: {words}",
        file.display()
    );
    let value = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Ok(bytes[10 + header..].chunks_exact(4).map(value).collect())
}

fn report(rows: &[(&Animal, Outcome)]) -> String {
    let equal =
        |a: &Animal, o: &Outcome| matches!(o.gradient, Ok((relative, _)) if relative <= RELATIVE.max(2.0 * a.single));
    let good = rows.iter().filter(|(a, o)| equal(a, o)).count();
    let mut text = format!(
        "# Gradients of networks as their users export them\n\n\
         Written by `cargo xtask zoo`, from exports made by `tests/zoo/make.py` (random weights, fixed seeds). Each row \
         compares the gradient of the largest logit by the input with that of the framework that the network comes from, \
         in float64. Equal means a largest error of {RELATIVE:e} of the largest magnitude, or, where a kink of a ReLU or a \
         tie of a max pool lies within rounding of the input, of twice what that framework's own float32 is off (the last \
         figure); else the engine refuses by a typed error \
         that names the operator.\n\n**{good} of {} exports give the gradient ({:.0} %).**\n\n\
         | export | from | by | relative error | 1 - cosine | | its own float32 |\n|---|---|---|---|---|---|---|\n",
        rows.len(),
        100.0 * good as f64 / rows.len() as f64
    );
    for (animal, outcome) in rows {
        let Animal {
            name,
            source,
            exporter,
            single,
            ..
        } = animal;
        let line = match &outcome.gradient {
            Ok((relative, turned)) => {
                let verdict = if equal(animal, outcome) { "equal" } else { "**differs**" };
                format!(
                    "| {name} | {source} | {exporter} | {relative:.1e} | {:.1e} | {verdict} | {single:.1e} |",
                    turned.max(0.0)
                )
            }
            Err(why) => format!(
                "| {name} | {source} | {exporter} | | | refused: {} | |",
                why.replace('|', "\\|")
            ),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}
