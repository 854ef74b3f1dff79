//! The credits: every model, picture, font, crate and npm package that ships, with its licence and its text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{licences, tools};

/// A work of others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Work {
    name: String,
    version: String,
    licences: Vec<String>,
    url: String,
    folder: PathBuf,
}

/// The platform whose command line is credited; others need a few crates of their own.
const NATIVE: &str = "x86_64-unknown-linux-gnu";
const WASM: &str = "wasm32-unknown-unknown";

/// The whole of `NOTICES.md`.
pub fn text() -> Result<String> {
    let site = crates(&["--no-default-features", "--target", WASM])?;
    let command_line = crates(&["--target", NATIVE])?;
    let all: BTreeSet<_> = site.union(&command_line).cloned().collect();
    let crates = details(&all)?;
    let npm = npm()?;
    no_fonts()?;
    let mut out = String::from(
        "# Notices\n\n\
         Lucarne is licensed MIT OR Apache-2.0 (`LICENSE-MIT`, `LICENSE-APACHE`). What others made and Lucarne ships is \
         listed here with the licence under which it is used. Written by `cargo xtask gen notices`.\n",
    );
    models(&mut out)?;
    fillers(&mut out)?;
    out.push_str("\n## Fonts\n\nNone: the page uses the fonts of the system.\n");
    section(&mut out, "Packages in the page", &npm);
    let (shipped, native): (Vec<_>, Vec<_>) = crates
        .into_iter()
        .partition(|c| site.contains(&(c.name.clone(), c.version.clone())));
    section(&mut out, "Crates in the engine and the command line", &shipped);
    section(&mut out, "Crates in the command line only", &native);
    texts(&mut out, shipped.iter().chain(&native).chain(&npm))?;
    Ok(out)
}

fn section(out: &mut String, title: &str, works: &[Work]) {
    let _ = write!(out, "\n## {title}\n\n| | version | licence |\n|---|---|---|\n");
    for Work {
        name,
        version,
        licences,
        url,
        ..
    } in works
    {
        let name = if url.is_empty() {
            name.clone()
        } else {
            format!("[{name}]({url})")
        };
        let _ = writeln!(out, "| {name} | {version} | {} |", licences.join(", "));
    }
}

fn models(out: &mut String) -> Result<()> {
    let index = std::fs::read_to_string(tools::root().join("models/models.json"))?;
    let index: Vec<Value> = serde_json::from_str(&index)?;
    out.push_str("\n## Models and pictures\n");
    for entry in &index {
        let card = &entry["card"];
        let source = &card["source"];
        let _ = write!(
            out,
            "\n### {}\n\nWeights: {} {} ({}), licence {}. Trained on: {}.\n",
            string(&card["name"])?,
            string(&source["package"])?,
            string(&source["version"])?,
            string(&source["url"])?,
            required(&source["licence"], "a model's source.licence")?,
            string(&source["data"])?.trim_end_matches('.'),
        );
        let samples = card["sample"].as_array().context("a card's samples are a list")?;
        if !samples.is_empty() {
            out.push_str("\n| picture | licence | credit |\n|---|---|---|\n");
        }
        for sample in samples {
            let file = string(&sample["file"])?;
            let licence = required(&sample["licence"], &format!("the licence of {file}"))?;
            let credit = required(&sample["credit"], &format!("the credit of {file}"))?;
            let _ = writeln!(out, "| {file} | {licence} | {credit} |");
        }
    }
    Ok(())
}

/// The networks that fill and judge, and whose photographs they learned from.
fn fillers(out: &mut String) -> Result<()> {
    let split = std::fs::read_to_string(tools::root().join("models/photographs/split.tsv"))?;
    let mut authors = BTreeMap::<String, BTreeSet<String>>::new();
    let mut photographs = 0;
    for line in split.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let ["training", _, _, _, licence, author, _] = fields[..] else {
            continue;
        };
        photographs += 1;
        authors
            .entry(licence.to_uppercase())
            .or_default()
            .insert(author.to_owned());
    }
    ensure!(
        photographs > 0,
        "models/photographs/split.tsv names no photograph of training"
    );
    let _ = write!(
        out,
        "\n### Inpainter, sampler, detector\n\nWeights: trained here by `train.py` in `models/inpainter`, `models/sampler` and \
         `models/detector`, licence MIT OR Apache-2.0. Trained on: {photographs} photographs, which are not redistributed \
         (`models/photographs/split.tsv`), by:\n\n| licence | authors |\n|---|---|\n",
    );
    for (licence, authors) in authors {
        let authors: Vec<_> = authors.into_iter().collect();
        let _ = writeln!(out, "| {licence} | {} |", authors.join("; "));
    }
    Ok(())
}

fn string(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

fn required<'a>(value: &'a Value, what: &str) -> Result<&'a str> {
    let text = string(value)?;
    ensure!(!text.is_empty(), "{what} is missing in its card");
    Ok(text)
}

/// Names and versions of the crates that the library or program is made of.
fn crates(options: &[&str]) -> Result<BTreeSet<(String, String)>> {
    let tree = [
        "tree",
        "--package",
        "lucarne",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let text = tools::output(tools::cargo().args(tree).args(options))?;
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        (name != "lucarne").then(|| (name.to_owned(), version.to_owned()))
    };
    Ok(text.lines().filter_map(package).collect())
}

fn details(wanted: &BTreeSet<(String, String)>) -> Result<Vec<Work>> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        WASM,
        "--filter-platform",
        NATIVE,
    ];
    let metadata: Value = serde_json::from_str(&tools::output(tools::cargo().args(arguments))?)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let mut works = Vec::new();
    for package in packages {
        let (name, version) = (
            string(&package["name"])?.to_owned(),
            string(&package["version"])?.to_owned(),
        );
        if !wanted.contains(&(name.clone(), version.clone())) {
            continue;
        }
        let Some(expression) = package["license"].as_str() else {
            bail!("the crate {name} states no licence")
        };
        let licences = licences::chosen(expression).with_context(|| format!("the crate {name}"))?;
        let url = package["repository"].as_str().unwrap_or("").to_owned();
        let folder = Path::new(string(&package["manifest_path"])?)
            .parent()
            .context("a manifest has a folder")?;
        works.push(Work {
            name,
            version,
            licences,
            url,
            folder: folder.to_path_buf(),
        });
    }
    ensure!(
        works.len() == wanted.len(),
        "cargo metadata knows {} crates of {}",
        works.len(),
        wanted.len()
    );
    works.sort();
    Ok(works)
}

/// The npm packages that the page is made of: all but those for development.
fn npm() -> Result<Vec<Work>> {
    tools::npm_packages()?;
    let lock: Value = serde_json::from_str(&std::fs::read_to_string(tools::www().join("package-lock.json"))?)?;
    let packages = lock["packages"]
        .as_object()
        .context("package-lock.json lists packages")?;
    let mut works = Vec::new();
    for (path, package) in packages {
        let Some((_, name)) = path.rsplit_once("node_modules/") else {
            continue;
        };
        if package["dev"] == true || package["devOptional"] == true {
            continue;
        }
        let licence = string(&package["license"]).with_context(|| format!("the package {name} states no licence"))?;
        works.push(Work {
            name: name.to_owned(),
            version: string(&package["version"])?.to_owned(),
            licences: licences::chosen(licence).with_context(|| format!("the package {name}"))?,
            url: repository(&tools::www().join(path))?,
            folder: tools::www().join(path),
        });
    }
    works.sort();
    Ok(works)
}

/// The address of an npm package's source, or none.
fn repository(package: &Path) -> Result<String> {
    let manifest: Value = serde_json::from_str(&std::fs::read_to_string(package.join("package.json"))?)?;
    let url = manifest["repository"]["url"]
        .as_str()
        .or_else(|| manifest["repository"].as_str())
        .unwrap_or("");
    let url = url.trim_start_matches("git+").trim_end_matches(".git");
    Ok(if url.starts_with("https://") {
        url.to_owned()
    } else {
        String::new()
    })
}

/// A font in the site would need its credit here.
fn no_fonts() -> Result<()> {
    let folders = [tools::www().join("src"), tools::www().join("public")];
    for folder in folders.iter().filter(|f| f.is_dir()) {
        for file in tools::files(folder)? {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
            let font = ["woff", "woff2", "ttf", "otf"].contains(&extension);
            ensure!(
                !font,
                "{} is a font, and xtask/src/notices.rs credits none",
                file.display()
            );
        }
    }
    Ok(())
}

/// Each licence text once, with the works that it covers. Apache-2.0 is the project's own file.
fn texts<'a>(out: &mut String, works: impl Iterator<Item = &'a Work>) -> Result<()> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for work in works {
        for licence in work.licences.iter().filter(|l| *l != "Apache-2.0") {
            if let Some(text) = text_of(work, licence)? {
                groups.entry(text).or_default().insert(work.name.clone());
            }
        }
        for notice in named(&work.folder, &["NOTICE"])? {
            groups.entry(read(&notice)?).or_default().insert(work.name.clone());
        }
    }
    for entry in std::fs::read_dir(tools::root().join("models"))? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        for file in if folder.is_dir() {
            named(&folder, &["LICENSE"])?
        } else {
            Vec::new()
        } {
            let text = read(&file)?;
            if !text.contains("Apache License") {
                groups.entry(text).or_default().insert(format!("the model {name}"));
            }
        }
    }
    out.push_str("\n## Texts of the licences\n\nThe text of Apache-2.0 is in `LICENSE-APACHE`.\n");
    let mut groups: Vec<_> = groups.into_iter().map(|(text, names)| (names, text)).collect();
    groups.sort();
    for (names, text) in groups {
        let names: Vec<_> = names.into_iter().collect();
        let _ = write!(out, "\n### {}\n\n```text\n{text}\n```\n", names.join(", "));
    }
    Ok(())
}

/// The text of a licence as a package carries it; none where it carries none.
fn text_of(work: &Work, licence: &str) -> Result<Option<String>> {
    let word = licence.split('-').next().unwrap_or(licence).to_uppercase();
    let files = named(&work.folder, &["LICENSE", "LICENCE", "COPYING", "UNLICENSE"])?;
    let of_this = |p: &&PathBuf| {
        let name = p.file_name().and_then(|n| n.to_str()).unwrap_or("").to_uppercase();
        name.contains(&word)
    };
    let plain = |p: &&PathBuf| {
        let stem = p.file_stem().and_then(|n| n.to_str()).unwrap_or("").to_uppercase();
        ["LICENSE", "LICENCE", "COPYING"].contains(&stem.as_str())
    };
    files
        .iter()
        .find(of_this)
        .or_else(|| files.iter().find(plain))
        .map(|file| read(file))
        .transpose()
}

fn named(folder: &Path, prefixes: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_uppercase();
        if path.is_file() && prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A text with its line ends and outer blank lines made alike.
fn read(file: &Path) -> Result<String> {
    let text = String::from_utf8_lossy(&std::fs::read(file)?).replace("\r\n", "\n");
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim_matches('\n').replace("```", "'''"))
}
