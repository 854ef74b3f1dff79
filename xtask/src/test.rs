//! Every test there is. Each suite ends in one plain line, and the whole in `N passed, N failed`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::fuzz::Budget;
use crate::{build, fuzz, tools, wasm};

/// What to test.
#[derive(Args)]
pub struct Options {
    /// Which suites; all where none is named
    #[arg(value_enum)]
    suites: Vec<Suite>,
}

/// A suite.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Everything native: unit, property, golden, command line, tidiness, documentation
    Rust,
    /// Only the parity goldens (a part of `rust`)
    Golden,
    /// Units of the page
    Web,
    /// The engine as WebAssembly, in headless Chromium
    Wasm,
    /// Both builds of the page in headless Chromium, with accessibility checks
    E2e,
    /// Random bytes, the same ones every time
    Fuzz,
}

/// What a suite found.
#[derive(Default)]
struct Outcome {
    suite: &'static str,
    passed: u64,
    failed: u64,
    skipped: u64,
    note: String,
}

impl Outcome {
    /// A suite that could not even run counts as one failure, and so does one that ran nothing.
    fn settled(mut self, succeeded: bool) -> Self {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
            "it could not run to its end".clone_into(&mut self.note);
        } else if self.passed + self.failed == 0 {
            self.failed = 1;
            "it ran no test".clone_into(&mut self.note);
        }
        self
    }

    fn broken(suite: &'static str, error: &anyhow::Error) -> Self {
        Self {
            suite,
            failed: 1,
            note: format!("{error:#}"),
            ..Self::default()
        }
    }
}

/// Runs the suites, all of them even if some fail. The sum is the last line that is printed.
pub fn run(options: &Options) -> ExitCode {
    let all = [Suite::Rust, Suite::Web, Suite::Wasm, Suite::E2e, Suite::Fuzz];
    let suites = if options.suites.is_empty() {
        &all[..]
    } else {
        &options.suites
    };
    let mut outcomes = Vec::new();
    let wants = |suite| suites.contains(&suite);
    if wants(Suite::Rust) {
        outcomes.push(or_broken(
            "rust",
            rust("rust", &[&["--package", "xtask"], &["--package", "lucarne"]]),
        ));
    }
    if wants(Suite::Golden) {
        outcomes.push(or_broken(
            "golden",
            rust("golden", &[&["--package", "lucarne", "--test", "golden"]]),
        ));
    }
    if wants(Suite::Web) {
        outcomes.push(or_broken("web", web()));
    }
    if wants(Suite::Wasm) || wants(Suite::E2e) {
        match browser(wants(Suite::Wasm), wants(Suite::E2e)) {
            Ok(found) => outcomes.extend(found),
            Err(error) => {
                eprintln!("xtask: {error:#}");
                outcomes.push(Outcome::broken("browser", &error));
            }
        }
    }
    if wants(Suite::Fuzz) {
        outcomes.push(or_broken("fuzz", fuzzing()));
    }
    report(&outcomes)
}

fn or_broken(suite: &'static str, outcome: Result<Outcome>) -> Outcome {
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        Outcome::broken(suite, &error)
    })
}

/// Prints a line a suite and the sum.
fn report(outcomes: &[Outcome]) -> ExitCode {
    println!();
    let (mut passed, mut failed) = (0, 0);
    for Outcome {
        suite,
        passed: p,
        failed: f,
        skipped,
        note,
    } in outcomes
    {
        let skipped = if *skipped > 0 {
            format!(", {skipped} skipped")
        } else {
            String::new()
        };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(" ({note})")
        };
        println!("{suite}: {p} passed, {f} failed{skipped}{note}");
        passed += p;
        failed += f;
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn rust(suite: &'static str, runs: &[&[&str]]) -> Result<Outcome> {
    let (mut succeeded, mut text) = (true, String::new());
    let vulkan = tools::vulkan()?;
    for what in runs {
        let mut command = tools::cargo();
        command.args(["test", "--no-fail-fast"]).args(*what);
        if let Some(driver) = &vulkan {
            command.env("VK_DRIVER_FILES", driver).env("LUCARNE_REQUIRE_GPU", "1");
        }
        let (well, lines) = tools::watched(&mut command)?;
        succeeded &= well;
        text += &lines;
    }
    let mut outcome = Outcome {
        suite,
        note: if vulkan.is_none() {
            "without the GPU's tests".into()
        } else {
            String::new()
        },
        ..Outcome::default()
    };
    for line in text.lines() {
        let Some(counts) = counts(line) else { continue };
        outcome.passed += counts[0];
        outcome.failed += counts[1];
        outcome.skipped += counts[2];
    }
    Ok(outcome.settled(succeeded))
}

/// Passed, failed and ignored of a line `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn counts(line: &str) -> Option<[u64; 3]> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let part = counts.split(';').find(|part| part.trim_end().ends_with(word))?;
        part.split_whitespace().next()?.parse().ok()
    };
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

/// A fresh path for a machine-readable report.
fn report_file(name: &str) -> Result<PathBuf> {
    let folder = tools::target().join("reports");
    std::fs::create_dir_all(&folder)?;
    let file = std::path::absolute(folder.join(name))?;
    if file.exists() {
        std::fs::remove_file(&file)?;
    }
    Ok(file)
}

fn read_report<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("no report at {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no report", file.display()))
}

fn web() -> Result<Outcome> {
    #[derive(Deserialize)]
    struct Report {
        #[serde(rename = "numPassedTests")]
        passed: u64,
        #[serde(rename = "numFailedTests")]
        failed: u64,
        #[serde(rename = "numPendingTests")]
        skipped: u64,
    }
    tools::npm_packages()?;
    let file = report_file("vitest.json")?;
    let mut command = tools::npm_run("test:unit");
    command
        .args(["--reporter=default", "--reporter=json"])
        .arg(format!("--outputFile.json={}", file.display()));
    let succeeded = tools::succeeds(&mut command)?;
    let report: Report = read_report(&file)?;
    let outcome = Outcome {
        suite: "web",
        passed: report.passed,
        failed: report.failed,
        skipped: report.skipped,
        ..Outcome::default()
    };
    Ok(outcome.settled(succeeded))
}

/// Playwright's report, of which only the tests' files and outcomes matter here.
#[derive(Deserialize)]
struct Playwright {
    suites: Vec<Group>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    suites: Vec<Group>,
    #[serde(default)]
    specs: Vec<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    file: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    status: String,
}

impl Group {
    /// Adds outcomes to `[wasm, e2e]`: the specs of the bare engine are the files whose names start with `wasm`.
    fn count(&self, into: &mut [Outcome; 2]) {
        for spec in &self.specs {
            let name = Path::new(&spec.file).file_name().and_then(|n| n.to_str()).unwrap_or("");
            let outcome = &mut into[usize::from(!name.starts_with("wasm"))];
            for test in &spec.tests {
                match test.status.as_str() {
                    "expected" => outcome.passed += 1,
                    "skipped" => outcome.skipped += 1,
                    // A test that passes only when it is run again is a failure too.
                    _ => outcome.failed += 1,
                }
            }
        }
        for group in &self.suites {
            group.count(into);
        }
    }
}

fn browser(wants_wasm: bool, wants_page: bool) -> Result<Vec<Outcome>> {
    let chromium = tools::chromium()?;
    let options = wasm::Options::default();
    build::site(options)?;
    build::single_file(options)?;
    let file = report_file("playwright.json")?;
    let mut command = tools::npm_run("test:e2e");
    command
        .arg("--reporter=list,json")
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &file)
        .env("CHROMIUM", chromium);
    match (wants_wasm, wants_page) {
        (true, false) => drop(command.arg("/wasm[^/]*$")),
        (false, true) => drop(command.arg("/(?!wasm)[^/]*$")),
        _ => {}
    }
    let succeeded = tools::succeeds(&mut command)?;
    let report: Playwright = read_report(&file)?;
    if !report.errors.is_empty() {
        bail!("Playwright could not run the tests: {}", report.errors[0]);
    }
    let suite = |suite| Outcome {
        suite,
        ..Outcome::default()
    };
    let mut found = [suite("wasm"), suite("e2e")];
    for group in &report.suites {
        group.count(&mut found);
    }
    let none_failed = found.iter().all(|o| o.failed == 0);
    let [wasm, page] = found;
    let mut outcomes = Vec::new();
    if wants_wasm {
        outcomes.push(wasm.settled(true));
    }
    if wants_page {
        outcomes.push(page.settled(succeeded || !none_failed));
    }
    Ok(outcomes)
}

fn fuzzing() -> Result<Outcome> {
    let mut outcome = Outcome {
        suite: "fuzz",
        ..Outcome::default()
    };
    for (target, held) in fuzz::all(Budget::Fixed)? {
        if held {
            outcome.passed += 1;
        } else {
            outcome.failed += 1;
            outcome.note = format!("{target} found an input that breaks it");
        }
    }
    Ok(outcome.settled(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_cargos_lines() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.01s";
        assert_eq!(counts(line), Some([12, 3, 1]));
        assert_eq!(counts("running 3 tests"), None);
    }

    #[test]
    fn a_suite_that_ran_nothing_or_died_has_failed() {
        let outcome = |passed, failed| Outcome {
            passed,
            failed,
            ..Outcome::default()
        };
        assert_eq!(outcome(0, 0).settled(true).failed, 1);
        assert_eq!(outcome(5, 0).settled(false).failed, 1);
        assert_eq!(outcome(5, 2).settled(false).failed, 2);
        assert_eq!(outcome(5, 0).settled(true).failed, 0);
    }

    #[test]
    fn browser_tests_are_counted_by_file() {
        let report = r#"{"suites": [{"suites": [{"specs": [{"file": "wasm.spec.ts", "tests": [{"status": "expected"}]}]}],
            "specs": [{"file": "page.spec.ts", "tests": [{"status": "unexpected"}, {"status": "flaky"}, {"status": "skipped"}]}]}]}"#;
        let report: Playwright = serde_json::from_str(report).expect("the report is JSON");
        let mut found = [Outcome::default(), Outcome::default()];
        report.suites[0].count(&mut found);
        assert_eq!((found[0].passed, found[0].failed), (1, 0));
        assert_eq!((found[1].passed, found[1].failed, found[1].skipped), (0, 2, 1));
    }
}
