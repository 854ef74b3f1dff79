//! The table of parity: every method, metric and imputer against its reference, as the goldens measure it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};

use crate::tools;

/// The worst agreement of the cases of one entry on one network.
#[derive(Clone, Copy, Default)]
struct Worst {
    relative: f64,
    turned: f64,
    /// Whether some case is compared by cosine: pictures that cannot promise to sit off all kinks.
    by_cosine: bool,
    cases: usize,
}

/// Runs the goldens and writes docs/parity.md.
pub fn run() -> Result<()> {
    let text = tools::output(tools::cargo().args(["test", "--quiet", "--package", "lucarne", "--test", "golden"]))?;
    let folder = tools::root().join("tests/golden");
    let mut tables: BTreeMap<String, BTreeMap<(String, String), Worst>> = BTreeMap::new();
    let mut references: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut cases = 0;
    for line in text.lines() {
        let Some((name, figures)) = line.split_once(": ") else {
            continue;
        };
        let file = folder.join(name).join("case.toml");
        if !file.is_file() {
            continue;
        }
        let case: toml::Table = std::fs::read_to_string(&file)?.parse()?;
        let word = |key: &str| {
            case.get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let kind = word("kind");
        let id = if word("id").is_empty() {
            kind.clone()
        } else {
            word("id")
        };
        let tool = case
            .get("reference")
            .and_then(|r| r.get("tool"))
            .and_then(toml::Value::as_str)
            .with_context(|| format!("{name} names no reference"))?;
        let tolerance = case.get("tolerance").and_then(toml::Value::as_table);
        let by_cosine = tolerance.is_some_and(|t| t.contains_key("cosine") && !t.contains_key("relative"));
        let worst = tables
            .entry(kind.clone())
            .or_default()
            .entry((id.clone(), word("model")))
            .or_default();
        worst.by_cosine |= by_cosine;
        worst.cases += 1;
        for part in figures.split("; ") {
            worst.relative = worst.relative.max(figure(part, "relative ")?);
            worst.turned = worst.turned.max(figure(part, "1 - cosine ")?);
        }
        references.entry((kind, id)).or_default().insert(tool.to_owned());
        cases += 1;
    }
    ensure!(cases > 0, "the goldens printed no figures");
    std::fs::write(
        tools::root().join("docs/parity.md"),
        report(cases, &tables, &references),
    )?;
    Ok(())
}

fn figure(part: &str, label: &str) -> Result<f64> {
    let from = part.find(label).with_context(|| format!("\"{part}\" has no {label}"))? + label.len();
    let text = part[from..].split([',', ';']).next().unwrap_or_default();
    text.trim().parse().with_context(|| format!("\"{text}\" is no number"))
}

fn report(
    cases: usize,
    tables: &BTreeMap<String, BTreeMap<(String, String), Worst>>,
    references: &BTreeMap<(String, String), BTreeSet<String>>,
) -> String {
    let mut text = format!(
        "# Parity\n\nWritten by `cargo xtask gen parity` from the {cases} goldens of `tests/golden`, which CI runs. Each figure \
         is the largest error of any value, over the largest magnitude of the reference's, in the worst case of that entry on \
         that network; *cos* is one minus the cosine, for photographs that cannot promise to sit off all kinks. The \
         references' own precision is float64 wherever it can be had. Last digits vary with the processor.\n"
    );
    let titles = [
        ("logits", "Answers"),
        ("gradient", "Gradients"),
        ("attribution", "Methods"),
        ("metric", "Metrics"),
        ("imputer", "Imputers"),
        ("segments", "Superpixels"),
        ("visualisation", "Feature visualisation"),
    ];
    let known: Vec<&str> = titles.iter().map(|(kind, _)| *kind).collect();
    let others = tables
        .keys()
        .filter(|k| !known.contains(&k.as_str()))
        .map(|k| (k.as_str(), k.as_str()));
    for (kind, title) in titles.iter().copied().chain(others) {
        let Some(table) = tables.get(kind) else { continue };
        let _ = write!(
            text,
            "\n## {title}\n\n| | network | cases | largest error | reference |\n|---|---|---|---|---|\n"
        );
        for ((id, model), worst) in table {
            let error = if worst.by_cosine {
                format!("cos {:.0e}", worst.turned)
            } else {
                format!("{:.0e}", worst.relative)
            };
            let tools: Vec<&str> = references[&(kind.to_owned(), id.clone())]
                .iter()
                .map(String::as_str)
                .collect();
            let _ = writeln!(
                text,
                "| {id} | {model} | {} | {error} | {} |",
                worst.cases,
                tools.join("; ")
            );
        }
    }
    text
}
