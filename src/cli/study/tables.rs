//! `study tables`.

use std::path::{Path, PathBuf};

use clap::Args;
use lucarne::study::criteria::WORDS;
use lucarne::study::removal::{CURVE_WORDS, MAP_WORDS, Study};
use lucarne::study::report::{self, Section, Set};
use lucarne::study::{Table, table};
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::{output, pictures};
use super::{NETWORK_WORDS, NETWORKS, parts};

/// `study tables`.
#[derive(Args)]
pub struct Tables {
    /// Folder of the study, with its results in `removal`, `maps` and `criteria`
    pub folder: PathBuf,
}

/// Largest file of results, bytes.
const BYTES: u64 = 1 << 30;

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
    let sections = report::report(&sets, &networks(&folder.join(NETWORKS))?);
    for part in ["tables", "figures"] {
        let part = folder.join(part);
        if part.is_dir() {
            std::fs::remove_dir_all(&part).map_err(|e| Failure::file("replace", &part, &e))?;
        }
        std::fs::create_dir_all(&part).map_err(|e| Failure::file("make", &part, &e))?;
    }
    for section in &sections {
        for grid in &section.tables {
            let line = |cells: &[String]| cells.iter().map(|c| table::cell(c)).collect::<Vec<_>>().join(",") + "\n";
            let text: String = [line(&grid.columns)]
                .into_iter()
                .chain(grid.rows.iter().map(|r| line(r)))
                .collect();
            output::write(&folder.join(format!("tables/{}.csv", grid.id)), text.as_bytes())?;
        }
        for figure in &section.figures {
            output::write(
                &folder.join(format!("figures/{}.svg", figure.id)),
                figure.svg.as_bytes(),
            )?;
        }
    }
    output::write(&folder.join("report.md"), report::markdown(&sections).as_bytes())?;
    output::write_json(&folder.join("report.json"), &whole(&sections))?;
    let (grids, figures) = sections
        .iter()
        .fold((0, 0), |(g, f), s| (g + s.tables.len(), f + s.figures.len()));
    if as_json {
        return output::print_json(&json!({ "sections": sections.len(), "tables": grids, "figures": figures }));
    }
    output::print(&format!(
        "{}: {grids} tables, {figures} figures, report.md and report.json\n",
        folder.display()
    ));
    Ok(())
}

/// The files of a part, those of one network together.
fn tables(folder: &Path, words: usize) -> Result<Vec<(String, Table)>, Failure> {
    let mut found = Vec::new();
    for (name, paths) in parts(folder)? {
        let mut all: Option<Table> = None;
        for path in paths {
            let table = read(&path, words)?;
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

pub fn read(path: &Path, words: usize) -> Result<Table, Failure> {
    let text = String::from_utf8(pictures::read(path, BYTES)?);
    let text = text.map_err(|_| Failure::new(format!("{} is no text", path.display()), ""))?;
    let hint = "Take that line out, and run the study again: it computes what is missing.";
    Table::parse(&text, words).map_err(|why| Failure::new(format!("{} is damaged: {why}", path.display()), hint))
}

fn networks(path: &Path) -> Result<Vec<(String, u64)>, Failure> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let rows = read(path, NETWORK_WORDS)?.rows;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row[0].clone(), row.get(2)?.parse().ok()?)))
        .collect())
}

/// As the page reads it.
fn whole(sections: &[Section]) -> Value {
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
    json!({ "title": report::TITLE, "sections": sections.iter().map(section).collect::<Vec<_>>() })
}
