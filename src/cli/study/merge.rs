//! `study merge`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use lucarne::imputer::{self, IMPUTERS};
use lucarne::study::criteria::WORDS;
use lucarne::study::removal::{CURVE_WORDS, MAP_WORDS};
use lucarne::study::{Table, table};
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::{appending, output};
use super::{note, noted, packed, parts};

/// `study merge`.
#[derive(Args)]
pub struct Merge {
    /// Folder of the study, in which the packed files are left
    pub folder: PathBuf,
    /// Other folders of the same study, whose results are added; they stay as they are
    pub from: Vec<PathBuf>,
    /// Imputers whose lines are left out, to be measured again
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub without: Vec<String>,
}

/// A part of the study: its folder, how many columns hold words, how many say what a line is of, and which name method and imputer.
struct Part {
    folder: &'static str,
    words: usize,
    of: usize,
    method: Option<usize>,
    imputer: Option<usize>,
}

const PARTS: [Part; 3] = [
    Part {
        folder: "removal",
        words: CURVE_WORDS,
        of: CURVE_WORDS,
        method: Some(1),
        imputer: Some(2),
    },
    Part {
        folder: "maps",
        words: MAP_WORDS,
        of: MAP_WORDS,
        method: Some(1),
        imputer: None,
    },
    Part {
        folder: "criteria",
        words: WORDS,
        of: WORDS + 1,
        method: None,
        imputer: Some(1),
    },
];

/// The results of a network, put together.
struct Merged {
    part: &'static Part,
    network: String,
    table: Table,
    /// The files that they come from, and how many results were in two of them.
    files: Vec<PathBuf>,
    twice: usize,
    /// Held until the packed file is there: a run that still writes to one of them is not robbed of it.
    locks: Vec<File>,
}

/// Reads everything, and only then writes.
pub fn run(arguments: &Merge, as_json: bool) -> Result<(), Failure> {
    let folders: Vec<&Path> = [&arguments.folder]
        .into_iter()
        .chain(&arguments.from)
        .map(PathBuf::as_path)
        .collect();
    for id in &arguments.without {
        imputer::find(id)?;
    }
    let mut all: Vec<Merged> = Vec::new();
    for part in &PARTS {
        for folder in &folders {
            for (network, files) in parts(&folder.join(part.folder))? {
                for file in files {
                    add(&mut all, part, &network, file)?;
                }
            }
        }
    }
    if all.is_empty() {
        let message = format!("{} holds no results of the study", arguments.folder.display());
        let hint = "`lucarne study removal` and `study criteria` with --out write them there.";
        return Err(Failure::new(message, hint));
    }
    let networks = networks(&folders, &arguments.without)?;
    let mut told = Vec::new();
    for mut merged in all {
        if let Some(at) = merged.part.imputer {
            merged.table.rows.retain(|row| !arguments.without.contains(&row[at]));
        }
        sort(merged.part, &mut merged.table);
        told.push(write(&arguments.folder, merged)?);
    }
    note(&arguments.folder, networks)?;
    if as_json {
        return output::print_json(&told);
    }
    let text = |v: &Value| {
        let number = |key: &str| v[key].as_u64().unwrap_or(0);
        let name = v["file"].as_str().unwrap_or_default();
        let (lines, files, twice, bytes) = (number("lines"), number("files"), number("twice"), number("bytes"));
        format!("{name}: {lines} lines of {files} files, {twice} of them twice; {bytes} bytes\n")
    };
    output::print(&told.iter().map(text).collect::<String>());
    Ok(())
}

/// By picture, method and imputer, so that the file is the same however the work was parted: methods as they first occur, imputers as
/// they are registered.
fn sort(part: &Part, table: &mut Table) {
    let mut methods: Vec<String> = Vec::new();
    for row in &table.rows {
        if let Some(at) = part.method
            && !methods.contains(&row[at])
        {
            methods.push(row[at].clone());
        }
    }
    let method = |row: &[String]| methods.iter().position(|m| Some(m) == part.method.map(|at| &row[at]));
    let imputer = |row: &[String]| {
        let mut all = IMPUTERS.iter().map(|i| i.meta().id);
        all.position(|id| part.imputer.is_some_and(|at| row[at] == id))
    };
    table
        .rows
        .sort_by_cached_key(|row| (row[0].clone(), method(row), imputer(row)));
}

fn add(all: &mut Vec<Merged>, part: &'static Part, network: &str, file: PathBuf) -> Result<(), Failure> {
    let lock = if packed::is(&file) {
        None
    } else {
        Some(appending::open(&file, "Wait for it.")?.0)
    };
    let table = packed::table(&file, part.words)?;
    let known = all
        .iter()
        .position(|m| m.part.folder == part.folder && m.network == network);
    let at = known.unwrap_or_else(|| {
        all.push(Merged {
            part,
            network: network.to_owned(),
            table: Table {
                rows: Vec::new(),
                ..table.clone()
            },
            files: Vec::new(),
            twice: 0,
            locks: Vec::new(),
        });
        all.len() - 1
    });
    let merged = &mut all[at];
    let hint =
        "Nothing was changed. Files of one network are put together only where they were asked the same and agree.";
    merged.twice += merged
        .table
        .merge(table, part.of)
        .map_err(|why| Failure::new(format!("{}: {why}", file.display()), hint))?;
    merged.files.push(file);
    merged.locks.extend(lock);
    Ok(())
}

/// The networks that imputers ran in any of the folders, which must be the same; those of imputers that are left out are forgotten.
fn networks(folders: &[&Path], without: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    let mut forgotten = Vec::new();
    for id in without {
        forgotten.extend(imputer::find(id)?.meta().network);
    }
    let mut all: Vec<Vec<String>> = Vec::new();
    for folder in folders {
        for row in noted(folder)? {
            match all.iter().find(|known| known[0] == row[0]) {
                _ if forgotten.contains(&row[0].as_str()) => {}
                Some(known) if *known == row => {}
                Some(_) => {
                    let message = format!("{} holds results of another {}", folder.display(), row[0]);
                    return Err(Failure::new(
                        message,
                        "Nothing was changed. Merge it with --without its imputer.",
                    ));
                }
                None => all.push(row),
            }
        }
    }
    Ok(all)
}

/// Writes the packed file, then takes away the files of the folder that went into it.
fn write(folder: &Path, merged: Merged) -> Result<Value, Failure> {
    let inside = folder.join(merged.part.folder);
    std::fs::create_dir_all(&inside).map_err(|e| Failure::file("make", &inside, &e))?;
    let name = format!("{}.csv.gz", merged.network);
    let path = inside.join(&name);
    let bytes = packed::write(&path, &merged.table)?;
    for file in merged.files.iter().filter(|f| f.starts_with(&inside) && **f != path) {
        std::fs::remove_file(file).map_err(|e| Failure::file("remove", file, &e))?;
    }
    drop(merged.locks);
    Ok(json!({
        "file": table::cell(&format!("{}/{name}", merged.part.folder)), "lines": merged.table.rows.len(),
        "files": merged.files.len(), "twice": merged.twice, "bytes": bytes,
    }))
}
