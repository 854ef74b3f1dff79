//! The invariants of ARCHITECTURE.md that can be read off the source, and the generated files.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use lucarne::model::{ModelCard, sha256_hex};

/// Longest source file, lines.
const LINES: usize = 600;

/// What each method, metric and imputer says of itself, in this order.
const HEADINGS: [&str; 7] = [
    "What it computes",
    "Formula",
    "Shapes and sign",
    "Parameters",
    "When it misleads",
    "Reference",
    "Parity",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that git does not ignore, relative to the root, with forward slashes.
fn files() -> Vec<String> {
    let ignore = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: Vec<&str> = ignore
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .chain(["/.git"])
        .collect();
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            let name = path.file_name().unwrap().to_str().unwrap();
            if ignored
                .iter()
                .any(|p| p.strip_prefix('/').map_or(*p == name, |rooted| rooted == relative))
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(relative);
            }
        }
    }
    found.sort();
    found
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn has_extension(file: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(file).extension().and_then(|e| e.to_str()).unwrap_or("");
    extensions.contains(&extension)
}

/// The Rust files of the crate, with their code: no comments, no unit tests.
fn sources() -> Vec<(String, String)> {
    let is_test = |f: &String| f.ends_with("/tests.rs") || f.contains("/tests/");
    let is_source = |f: &String| f.starts_with("src/") && has_extension(f, &["rs"]) && !is_test(f);
    files()
        .into_iter()
        .filter(is_source)
        .map(|file| {
            let whole = text(&file);
            let shipped = whole.split("#[cfg(test)]\nmod ").next().unwrap();
            let code = shipped
                .lines()
                .map(|line| line.split("//").next().unwrap())
                .collect::<Vec<_>>()
                .join("\n");
            (file, code)
        })
        .collect()
}

/// Whether `code` holds `word` as the beginning of an identifier or path.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && !after.is_some_and(char::is_alphanumeric)
    })
}

fn nothing(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn words_are_found_as_identifiers_only() {
    assert!(names("use tract_onnx::prelude;", "tract") && names("tract::x", "tract"));
    assert!(!names("extract(x); subtract; tractor", "tract"));
}

#[test]
fn each_library_stays_behind_its_border() {
    let rules: [(&[&str], &[&str]); 4] = [
        (&["tract"], &["src/graph/"]),
        (
            &["wasm_bindgen", "js_sys", "web_sys", "wasm_bindgen_futures"],
            &["src/wasm.rs"],
        ),
        (
            &["serde", "serde_json"],
            &[
                "src/protocol/",
                "src/program.rs",
                "src/model/card.rs",
                "src/cli/",
                "src/wasm.rs",
            ],
        ),
        (&["clap", "pollster"], &["src/cli/", "src/main.rs"]),
    ];
    let mut problems = Vec::new();
    for (file, code) in sources() {
        for (words, homes) in rules {
            for word in words.iter().filter(|w| names(&code, w)) {
                if !homes.iter().any(|home| file.starts_with(home)) {
                    problems.push(format!("{file} names {word}, which belongs in {}", homes.join(", ")));
                }
            }
        }
    }
    nothing(&problems);
}

#[test]
fn the_engine_has_no_clock_no_files_and_no_output() {
    let words = [
        "std::time",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "std::net",
    ];
    let macros = [
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "dbg!",
        "todo!",
        "unimplemented!",
    ];
    let may = ["src/cli/", "src/main.rs", "src/wasm.rs"];
    let mut problems = Vec::new();
    for (file, code) in sources() {
        if may.iter().any(|m| file.starts_with(m)) {
            continue;
        }
        for word in words.iter().chain(&macros).filter(|w| names(&code, w)) {
            problems.push(format!("{file} uses {word}"));
        }
    }
    nothing(&problems);
}

#[test]
fn no_file_is_too_long() {
    let mut problems = Vec::new();
    for file in files() {
        if has_extension(&file, &["rs", "ts", "js", "py", "css"]) && !file.ends_with(".gen.ts") {
            let lines = text(&file).lines().count();
            if lines > LINES {
                problems.push(format!("{file} has {lines} lines, over {LINES}"));
            }
        }
    }
    nothing(&problems);
}

/// Modules that a registry macro lists.
fn registered(folder: &str, registry: &str) -> BTreeSet<String> {
    let whole = text(&format!("src/{folder}/mod.rs"));
    let (_, list) = whole
        .split_once(&format!("\n{registry}! {{\n"))
        .unwrap_or_else(|| panic!("no {registry}! list"));
    let list = list.split_once('}').unwrap().0;
    list.lines()
        .filter_map(|line| line.trim().split_once("::"))
        .map(|(module, _)| module.to_owned())
        .collect()
}

const REGISTRIES: [(&str, &str, &str); 4] = [
    ("attribution", "methods", "Method"),
    ("imputer", "imputers", "Imputer"),
    ("criteria", "criteria", "Criterion"),
    ("metric", "metrics", "Metric"),
];

#[test]
fn every_entry_is_registered_and_says_what_it_is() {
    let mut problems = Vec::new();
    for (folder, registry, noun) in REGISTRIES {
        let listed = registered(folder, registry);
        for file in files()
            .iter()
            .filter(|f| f.starts_with(&format!("src/{folder}/")) && has_extension(f, &["rs"]))
        {
            let whole = text(file);
            let module = Path::new(file).file_stem().unwrap().to_str().unwrap();
            let entry = whole.contains(&format!("\nimpl {noun} for "));
            if entry && !listed.contains(module) {
                problems.push(format!("{file} is no line of {registry}! in src/{folder}/mod.rs"));
            }
            if !listed.contains(module) {
                continue;
            }
            let doc: String =
                whole
                    .lines()
                    .take_while(|l| l.starts_with("//!"))
                    .fold(String::new(), |mut doc, line| {
                        let _ = writeln!(doc, "{}", line.trim_start_matches("//!").trim());
                        doc
                    });
            let mut from = 0;
            for heading in HEADINGS {
                match doc[from..].find(&format!("\n**{heading}.** ")) {
                    Some(at) => from += at + 1,
                    None => problems.push(format!("{file}: \"**{heading}.**\" is missing or out of order")),
                }
            }
        }
    }
    nothing(&problems);
}

#[test]
fn every_entry_has_a_golden_or_a_reason() {
    let golden = root().join("tests/golden");
    let mut held = BTreeSet::new();
    for entry in std::fs::read_dir(&golden).unwrap() {
        let Ok(case) = std::fs::read_to_string(entry.unwrap().path().join("case.toml")) else {
            continue;
        };
        let case: toml::Table = case.parse().unwrap();
        let field = |name: &str| case.get(name).and_then(toml::Value::as_str).unwrap_or("").to_owned();
        match field("kind").as_str() {
            "attribution" => held.insert(("method", field("id"))),
            "gradient" => held.insert(("method", "gradient".to_owned())),
            "imputer" => held.insert(("imputer", field("id"))),
            "metric" => held.insert(("metric", field("id"))),
            // An imputer that fills nothing is held by what the network makes of its pictures.
            "logits" if case.contains_key("mask") => {
                let imputer = case.get("imputer").and_then(|i| i.get("id"));
                held.insert((
                    "imputer",
                    imputer.and_then(toml::Value::as_str).unwrap_or("").to_owned(),
                ))
            }
            _ => false,
        };
    }
    let reasons: toml::Table = text("tests/golden/REASONS.toml").parse().unwrap();
    let reason = |kind: &str, id: &str| reasons.get(kind).and_then(|t| t.get(id)).and_then(toml::Value::as_str);
    let methods = lucarne::attribution::METHODS.iter().map(|m| ("method", m.meta().id));
    let imputers = lucarne::imputer::IMPUTERS.iter().map(|m| ("imputer", m.meta().id));
    let metrics = lucarne::metric::METRICS.iter().map(|m| ("metric", m.meta().id));
    let all: BTreeSet<(&str, &str)> = methods.chain(imputers).chain(metrics).collect();
    let mut problems = Vec::new();
    for &(kind, id) in &all {
        match (held.contains(&(kind, id.to_owned())), reason(kind, id)) {
            (false, None) => problems.push(format!(
                "the {kind} {id} has neither a golden nor a reason in REASONS.toml"
            )),
            (true, Some(_)) => problems.push(format!(
                "the {kind} {id} has a golden; its reason in REASONS.toml is stale"
            )),
            _ => {}
        }
    }
    for (kind, table) in &reasons {
        for id in table.as_table().unwrap().keys() {
            if !all.contains(&(kind.as_str(), id.as_str())) {
                problems.push(format!("REASONS.toml knows a {kind} {id}, which there is not"));
            }
        }
    }
    nothing(&problems);
}

#[test]
fn committed_files_name_no_machine_and_no_mirror() {
    // Spelled in parts, so that this file does not name them.
    let places = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"]].map(|parts| parts.concat());
    let mut problems = Vec::new();
    for file in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for place in &places {
            // A URL may have such a part in its path; a path on a machine begins with it.
            let begins = |at: usize| {
                !text[..at]
                    .chars()
                    .next_back()
                    .is_some_and(|c| c.is_alphanumeric() || "-_.}/~".contains(c))
            };
            if text.match_indices(place.as_str()).any(|(at, _)| begins(at)) {
                problems.push(format!("{file} names a path under {place}"));
            }
        }
        let foreign = |line: &&str| match Path::new(&file).file_name().unwrap().to_str().unwrap() {
            "Cargo.lock" => line.starts_with("source = ") && !line.contains("github.com/rust-lang/crates.io-index"),
            "package-lock.json" => line.contains("\"resolved\": \"http"),
            _ => false,
        };
        problems.extend(
            text.lines()
                .find(foreign)
                .map(|line| format!("{file}: {}", line.trim())),
        );
    }
    nothing(&problems);
}

fn bundled() -> Vec<(String, ModelCard)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("models")).unwrap() {
        let id = entry.unwrap().file_name().into_string().unwrap();
        if let Ok(card) = std::fs::read_to_string(root().join("models").join(&id).join("card.toml")) {
            found.push((id, ModelCard::parse(&card).unwrap()));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn models_are_what_their_cards_say() {
    let mut problems = Vec::new();
    for (id, card) in bundled() {
        let folder = root().join("models").join(&id);
        let onnx = std::fs::read(folder.join(&card.file)).unwrap();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("models/{id}: {what}"));
            }
        };
        check(card.id == id, "the card has another id");
        check(card.bytes == onnx.len() as u64, "the card's bytes are not the file's");
        check(card.sha256 == sha256_hex(&onnx), "the card's sha256 is not the file's");
        check(onnx.len() <= 10_000_000, "the file is over 10 MB");
        check(!card.source.licence.is_empty(), "the card states no licence");
        check(folder.join("README.md").is_file(), "there is no README.md");
        for sample in &card.sample {
            check(
                folder.join(&sample.file).is_file(),
                &format!("{} is missing", sample.file),
            );
            check(
                sample.mask.as_ref().is_none_or(|m| folder.join(m).is_file()),
                &format!("{:?} is missing", sample.mask),
            );
            check(
                !sample.licence.is_empty() && !sample.credit.is_empty(),
                &format!("{} has no credit", sample.file),
            );
        }
    }
    nothing(&problems);
}

/// Writes `models/models.json` where `LUCARNE_WRITE_GENERATED` is `1` (`cargo xtask gen models`), else compares.
#[test]
fn the_index_of_models_is_current() {
    let mut entries = Vec::new();
    for (id, card) in bundled() {
        let path = format!("models/{id}");
        let labels = if card.labels.is_empty() {
            String::new()
        } else {
            text(&format!("{path}/{}", card.labels))
        };
        let labels: Vec<&str> = labels.lines().collect();
        entries.push(serde_json::json!({ "card": card, "labels": labels, "path": path }));
    }
    let expected = format!("{}\n", serde_json::to_string_pretty(&entries).unwrap());
    let file = root().join("models/models.json");
    if std::env::var("LUCARNE_WRITE_GENERATED").is_ok_and(|v| v == "1") {
        std::fs::write(file, expected).unwrap();
    } else {
        let same = std::fs::read_to_string(file).is_ok_and(|found| found == expected);
        assert!(
            same,
            "models/models.json is not current; `cargo xtask gen models` writes it"
        );
    }
}
