//! `study tables`.

use std::path::{Path, PathBuf};

use clap::Args;
use lucarne::study::criteria::WORDS;
use lucarne::study::removal::{CURVE_WORDS, MAP_WORDS, Study};
use lucarne::study::report::{self, Facts, Language, Section, Set, Wasm};
use lucarne::study::{Table, table};
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::output;
use super::{noted, packed, parts};

/// `study tables`.
#[derive(Args)]
pub struct Tables {
    /// Folder of the study, with its results in `removal`, `maps` and `criteria`
    pub folder: PathBuf,
}

/// File of milliseconds a picture in a browser.
const WASM: &str = "wasm.csv";

/// Reads the results, and writes the report with its tables and figures.
pub fn run(arguments: &Tables, as_json: bool) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let removal = tables(&folder.join("removal"), CURVE_WORDS)?;
    let maps = tables(&folder.join("maps"), MAP_WORDS)?;
    let criteria = tables(&folder.join("criteria"), WORDS)?;
    let mut names: Vec<&String> = removal.iter().chain(&criteria).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        let message = format!("{} holds no results of the study", folder.display());
        return Err(Failure::new(
            message,
            "`lucarne study removal` and `study criteria` with --out write them there.",
        ));
    }
    // The network whose objects are known comes first: what it shows is the firmest.
    let of = |all: &[(String, Table)], name: &str| all.iter().find(|(n, _)| n == name).map(|(_, t)| t.clone());
    let mut sets = Vec::new();
    for name in names {
        let wrong = |why: String| Failure::new(format!("{}, {name}: {why}", folder.display()), "");
        let study = match (of(&removal, name), of(&maps, name)) {
            (Some(curves), Some(maps)) => Some(Study::new(&curves, &maps).map_err(wrong)?),
            (Some(_), None) => return Err(wrong("there are curves without the file of their maps".into())),
            (None, _) => None,
        };
        sets.push(Set {
            network: name.clone(),
            removal: study,
            criteria: of(&criteria, name),
        });
    }
    sets.sort_by_key(|s| !s.removal.as_ref().is_some_and(Study::has_truth));
    let facts = facts(folder)?;
    for part in ["tables", "figures"] {
        let part = folder.join(part);
        if part.is_dir() {
            std::fs::remove_dir_all(&part).map_err(|e| Failure::file("replace", &part, &e))?;
        }
        std::fs::create_dir_all(&part).map_err(|e| Failure::file("make", &part, &e))?;
    }
    let (mut grids, mut figures) = (0, 0);
    for language in Language::ALL {
        let sections = report::report(&sets, &facts, language);
        // Tables are data: once, in English. Figures are pictures of text.
        let place = language.pick("figures", "figures/fr");
        std::fs::create_dir_all(folder.join(place)).map_err(|e| Failure::file("make", &folder.join(place), &e))?;
        for figure in sections.iter().flat_map(|s| &s.figures) {
            let path = folder.join(format!("{place}/{}.svg", figure.id));
            output::write(&path, figure.svg.as_bytes())?;
        }
        if language == Language::English {
            write_tables(folder, &sections)?;
            grids = sections.iter().map(|s| s.tables.len()).sum();
            figures = sections.iter().map(|s| s.figures.len()).sum();
        }
        let name = language.pick("report", "report.fr");
        let text = report::markdown(&sections, language, place);
        output::write(&folder.join(format!("{name}.md")), text.as_bytes())?;
        output::write_json(&folder.join(format!("{name}.json")), &whole(&sections, language))?;
    }
    if as_json {
        let languages = Language::ALL.map(Language::code);
        return output::print_json(&json!({ "tables": grids, "figures": figures, "languages": languages }));
    }
    output::print(&format!(
        "{}: {grids} tables, {figures} figures, report.md and report.json, in English and in French\n",
        folder.display()
    ));
    Ok(())
}

fn write_tables(folder: &Path, sections: &[Section]) -> Result<(), Failure> {
    for grid in sections.iter().flat_map(|s| &s.tables) {
        let line = |cells: &[String]| cells.iter().map(|c| table::cell(c)).collect::<Vec<_>>().join(",") + "\n";
        let text: String = [line(&grid.columns)]
            .into_iter()
            .chain(grid.rows.iter().map(|r| line(r)))
            .collect();
        output::write(&folder.join(format!("tables/{}.csv", grid.id)), text.as_bytes())?;
    }
    Ok(())
}

/// The files of a part, those of one network together.
fn tables(folder: &Path, words: usize) -> Result<Vec<(String, Table)>, Failure> {
    let mut found = Vec::new();
    for (name, paths) in parts(folder)? {
        let mut all: Option<Table> = None;
        for path in paths {
            let table = packed::table(&path, words)?;
            let joined = match &mut all {
                None => {
                    all = Some(table);
                    Ok(())
                }
                Some(all) => all.join(table),
            };
            let hint = "Files of one network are read together: move the odd one away.";
            joined.map_err(|why| Failure::new(format!("{}: {why}", path.display()), hint))?;
        }
        found.extend(all.map(|table| (name, table)));
    }
    Ok(found)
}

/// What is known beside the results: the networks that imputers ran, and what fillings cost in a browser.
fn facts(folder: &Path) -> Result<Facts, Failure> {
    let rows = noted(folder)?.into_iter();
    let bytes = rows
        .filter_map(|row| Some((row[0].clone(), row.get(2)?.parse().ok()?)))
        .collect();
    let path = folder.join(WASM);
    let wasm = if path.is_file() {
        let table = packed::table(&path, 1)?;
        let at = table
            .column("ms")
            .map_err(|why| Failure::new(format!("{}: {why}", path.display()), ""))?;
        let ms = table.rows.iter();
        let ms = ms.filter_map(|row| Some((row[0].clone(), row[at].parse().ok()?)));
        Some(Wasm {
            ms: ms.collect(),
            about: table.about,
        })
    } else {
        None
    };
    Ok(Facts { bytes, wasm })
}

/// As the page reads it.
fn whole(sections: &[Section], language: Language) -> Value {
    let section = |s: &Section| {
        let tables: Vec<Value> = s
            .tables
            .iter()
            .map(|t| json!({ "id": t.id, "caption": t.caption, "columns": t.columns, "rows": t.rows }))
            .collect();
        let figures: Vec<Value> = s
            .figures
            .iter()
            .map(|f| json!({ "id": f.id, "caption": f.caption, "svg": f.svg }))
            .collect();
        json!({ "id": s.id, "title": s.title, "text": s.text, "tables": tables, "figures": figures })
    };
    json!({ "title": report::title(language), "sections": sections.iter().map(section).collect::<Vec<_>>() })
}
