//! What the engine's files say of themselves at their head, for the site's page of each method, metric and imputer.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::tools;

/// The registries: their folder, their macro, and their name on the page.
const REGISTRIES: [(&str, &str, &str); 4] = [
    ("attribution", "methods", "method"),
    ("metric", "metrics", "metric"),
    ("imputer", "imputers", "imputer"),
    ("criteria", "criteria", "criterion"),
];

/// The bold headings that each file has, and the names of their texts.
const SECTIONS: [(&str, &str); 7] = [
    ("What it computes", "what"),
    ("Formula", "formula"),
    ("Shapes and sign", "shapes"),
    ("Parameters", "parameters"),
    ("When it misleads", "misleads"),
    ("Reference", "reference"),
    ("Parity", "parity"),
];

/// The texts of one entry, by name; paragraphs are parted by an empty line.
type Sections = BTreeMap<&'static str, String>;

/// The file's content: sections by `registry/id`.
pub fn text() -> Result<String> {
    let mut all = BTreeMap::new();
    for (folder, name, registry) in REGISTRIES {
        let folder = tools::root().join("src").join(folder);
        let list = read(&folder.join("mod.rs"))?;
        for module in modules(&list, name)? {
            let path = folder.join(format!("{module}.rs"));
            let source = read(&path)?;
            let sections = sections(&source).with_context(|| format!("in {}", path.display()))?;
            let ids = ids(&source);
            ensure!(!ids.is_empty(), "{} declares no id", path.display());
            for id in ids {
                all.insert(format!("{registry}/{id}"), sections.clone());
            }
        }
    }
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
}

/// The modules that the registry macro `name` lists.
fn modules(source: &str, name: &str) -> Result<Vec<String>> {
    let start = format!("\n{name}! {{");
    let (_, rest) = source
        .split_once(&start)
        .with_context(|| format!("no registry {name}!"))?;
    let (list, _) = rest
        .split_once("\n}")
        .with_context(|| format!("{name}! does not end"))?;
    let entries = list.lines().filter_map(|line| line.trim().split_once("::"));
    let mut modules: Vec<_> = entries.map(|(module, _)| module.to_owned()).collect();
    modules.dedup();
    Ok(modules)
}

/// The ids that a file declares.
fn ids(source: &str) -> Vec<&str> {
    let values = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("id: \"")?.strip_suffix("\","));
    values.collect()
}

/// The sections of a file's `//!` text; each heading once, in order, none empty.
fn sections(source: &str) -> Result<Sections> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for line in lines.filter(|line| !line.starts_with("# ")) {
        let opened = SECTIONS.iter().find_map(|(heading, name)| {
            let rest = line.strip_prefix("**")?.strip_prefix(heading)?.strip_prefix(".**")?;
            Some((*name, rest.trim()))
        });
        match (opened, found.last_mut()) {
            (Some((name, rest)), _) => found.push((name, rest.to_owned())),
            (None, Some((_, text))) => {
                text.push('\n');
                text.push_str(line.trim_end());
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => bail!("\"{line}\" stands before the first heading"),
        }
    }
    let order: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    let wanted = SECTIONS.map(|(_, name)| name);
    ensure!(order == wanted, "the headings are {order:?}, and should be {wanted:?}");
    let mut sections = Sections::new();
    for (name, text) in found {
        let text = text.trim().to_owned();
        ensure!(!text.is_empty(), "\"{name}\" says nothing");
        sections.insert(name, text);
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! # Sum\n//!\n//! **What it computes.** The sum\n//! of all.\n//!\n//! **Formula.** `s = a + b`\n//!\n\
        //! **Shapes and sign.** One.\n//!\n//! Two.\n//!\n//! **Parameters.** None.\n//!\n//! **When it misleads.** Never.\n\
        //!\n//! **Reference.** Euclid.\n//!\n//! **Parity.** Exact.\n\nconst A: &str = \"**Formula.**\";\n    id: \"sum\",\n";

    #[test]
    fn sections_are_read_with_their_paragraphs() {
        let read = sections(FILE).expect("the file is well formed");
        assert_eq!(read["what"], "The sum\nof all.");
        assert_eq!(read["shapes"], "One.\n\nTwo.");
        assert_eq!(read["parity"], "Exact.");
        assert_eq!(ids(FILE), ["sum"]);
    }

    #[test]
    fn a_missing_empty_or_misplaced_heading_is_told() {
        let without = FILE.replace("//! **Parity.** Exact.\n", "");
        assert!(sections(&without).is_err_and(|e| e.to_string().contains("parity")));
        let empty = FILE.replace("Euclid.", "");
        assert!(sections(&empty).is_err_and(|e| e.to_string().contains("reference")));
        let early = FILE.replace("//! # Sum\n", "//! # Sum\n//! Hello.\n");
        assert!(sections(&early).is_err_and(|e| e.to_string().contains("Hello")));
    }

    #[test]
    fn a_registry_is_read_from_its_macro() {
        let source = "macro_rules! sums {\n    x\n}\n\nsums! {\n    a::A,\n    b::B,\n    b::C,\n}\n";
        assert_eq!(modules(source, "sums").expect("a list"), ["a", "b"]);
        assert!(modules(source, "products").is_err());
    }
}
