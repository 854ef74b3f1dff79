//! `study`: removal measured on whole sets of pictures, a line a result; and what is computed from those lines.

mod criteria;
mod features;
mod lines;
mod merge;
mod packed;
mod removal;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use lucarne::exec::Executor;
use lucarne::imputer::{self, Networks};
use lucarne::job::Silent;
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::study::table::{self, cell};
use lucarne::{Context, Job, Mask, Model, Removal, Target, TargetKind, Weights};

use super::arguments::Network;
use super::failure::Failure;
use super::folder::{ENDINGS, named, walk};
use super::pictures::{self, Source};

/// `study`.
#[derive(Args)]
pub struct Study {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The parts of the study.
#[derive(Subcommand)]
pub enum Command {
    /// Removes pixels by every method, imputer and order, and writes the network's answers
    Removal(removal::Removal),
    /// Measures every criterion of every imputer on masks that no explanation made
    Criteria(criteria::Criteria),
    /// Learns what a network's features are like on ordinary pictures, for the criterion mahalanobis-shift
    Features(features::Features),
    /// Puts the files of a network together, from several folders too, into one packed file of each part
    Merge(merge::Merge),
    /// Computes the tables, figures and the report from the files of a folder, which may be stopped and begun again
    Tables(tables::Tables),
}

/// Does it.
pub fn run(arguments: &Study, json: bool) -> Result<(), Failure> {
    match &arguments.command {
        Command::Removal(a) => removal::run(a, json),
        Command::Criteria(a) => criteria::run(a, json),
        Command::Features(a) => features::run(a, json),
        Command::Merge(a) => merge::run(a, json),
        Command::Tables(a) => tables::run(a, json),
    }
}

/// Pictures, and where results go.
#[derive(Args)]
pub struct Set {
    /// Id of a bundled network, or path of an .onnx file
    pub model: String,
    #[command(flatten)]
    pub network: Network,
    /// Every picture of this folder and of its subfolders
    #[arg(long, value_name = "DIR")]
    pub photographs: PathBuf,
    /// Folder of masks of the known objects, with the pictures' paths but for the ending
    #[arg(long, value_name = "DIR")]
    pub masks: Option<PathBuf>,
    /// At most so many pictures, spread over the folder
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// Imputers [default: all whose network is there]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub imputers: Vec<String>,
    /// Part I of N of the pictures, from 1: each part writes a file of its own, and `tables` reads them together
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: Shard,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// Folder of the results, named after the network. A run that was stopped goes on where it was
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    at: usize,
    of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let pair = text
            .split_once('/')
            .and_then(|(at, of)| Some((at.parse().ok()?, of.parse().ok()?)));
        match pair {
            Some((at, of)) if (1..=of).contains(&at) && of <= 10_000 => Ok(Self { at, of }),
            Some((at, of)) => Err(format!(
                "there is no part {at} of {of}; the first of four is 1/4, the last 4/4"
            )),
            None => Err("a part is written I/N, as 1/4".to_owned()),
        }
    }
}

impl Shard {
    /// `name.csv`, or `name.I-of-N.csv` where there are several parts.
    fn file(self, name: &str) -> String {
        if self.of == 1 {
            format!("{name}.csv")
        } else {
            format!("{name}.{}-of-{}.csv", self.at, self.of)
        }
    }
}

/// A picture of the set.
struct Item {
    path: PathBuf,
    /// Path below the folder, as a cell.
    name: String,
    /// The first folder of that path.
    label: String,
}

impl Set {
    /// The pictures of this part.
    fn items(&self) -> Result<Vec<Item>, Failure> {
        let mut found = Vec::new();
        walk(&self.photographs, self.masks.as_deref(), 0, &mut found)?;
        found.sort();
        if found.is_empty() {
            let message = format!("there is no picture in {}", self.photographs.display());
            return Err(Failure::new(
                message,
                format!("Pictures end in {}.", ENDINGS.join(", ")),
            ));
        }
        let all = found.len();
        let count = self.count.unwrap_or(all).clamp(1, all);
        let mine = |k: &usize| k % self.shard.of == self.shard.at - 1;
        let chosen: Vec<PathBuf> = (0..count)
            .filter(mine)
            .map(|k| found[k * all / count].clone())
            .collect();
        Ok(spread(chosen.len())
            .map(|k| chosen[k].clone())
            .map(|path| {
                let below = path.strip_prefix(&self.photographs).unwrap_or(&path);
                let parts: Vec<String> = below.iter().map(|p| p.to_string_lossy().into_owned()).collect();
                Item {
                    name: cell(&parts.join("/")),
                    label: if parts.len() > 1 {
                        cell(&parts[0])
                    } else {
                        String::new()
                    },
                    path,
                }
            })
            .collect())
    }

    /// The imputers that are asked for, or all that can run.
    fn imputers(&self, networks: &Networks) -> Result<Vec<String>, Failure> {
        if !self.imputers.is_empty() {
            for id in &self.imputers {
                imputer::find(id)?;
            }
            return Ok(self.imputers.clone());
        }
        let mut all = Vec::new();
        for meta in imputer::IMPUTERS.iter().map(|i| i.meta()) {
            match meta.network.filter(|id| !networks.has(id)) {
                None => all.push(meta.id.to_owned()),
                Some(network) => eprintln!("lucarne: {} is left out: its network {network} is not there.", meta.id),
            }
        }
        Ok(all)
    }

    /// The known object of a picture.
    fn truth(&self, item: &Item, source: &Source, model: &Model) -> Result<Option<Mask>, Failure> {
        let Some(masks) = &self.masks else {
            return Ok(None);
        };
        let below = item.path.strip_prefix(&self.photographs).unwrap_or(&item.path);
        let stem = masks.join(below.with_extension(""));
        let file = ENDINGS
            .iter()
            .map(|ending| named(&stem, ending))
            .find(|file| file.is_file());
        file.map(|file| pictures::truth(&file, source, model.card()))
            .transpose()
    }

    fn file(&self, part: &str, model: &Model) -> Result<PathBuf, Failure> {
        let folder = self.out.join(part);
        std::fs::create_dir_all(&folder).map_err(|e| Failure::file("make", &folder, &e))?;
        Ok(folder.join(self.shard.file(&model.card().id)))
    }

    /// What was asked, as the first line of a file.
    fn about(&self, part: &str, model: &Model) -> String {
        let Self { seed, .. } = self;
        let sha256 = &model.sha256()[..16];
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "lucarne {version} study {part}; network {} {sha256}; seed {seed}",
            model.card().id
        )
    }
}

/// File of the networks that imputers ran.
const NETWORKS: &str = "networks.csv";
/// Its columns, of which the first hold words.
const NETWORK_COLUMNS: &str = "network,sha256,bytes";
const NETWORK_WORDS: usize = 2;

impl Set {
    /// Notes beside the results which networks `imputers` run. Results of another file of the same network are refused: they would
    /// be told as this one's.
    fn note_networks(&self, networks: &Networks, imputers: &[String]) -> Result<(), Failure> {
        let mut rows = noted(&self.out)?;
        for id in imputers {
            let Some(network) = imputer::find(id)?.meta().network else {
                continue;
            };
            let Some(sha256) = networks.sha256(network) else {
                continue;
            };
            match rows.iter().find(|row| row[0] == network) {
                Some(row) if row[1] == sha256 => {}
                Some(_) => {
                    let message = format!("{} holds results of another {network}", self.out.display());
                    let hint = format!(
                        "`lucarne study merge {} --without {id}` takes the lines of {id} out of them.",
                        self.out.display()
                    );
                    return Err(Failure::new(message, hint));
                }
                None => {
                    let file = super::models::network_file(network).and_then(|path| std::fs::metadata(path).ok());
                    let bytes = file.map_or_else(String::new, |f| f.len().to_string());
                    rows.push(vec![network.to_owned(), sha256, bytes]);
                }
            }
        }
        note(&self.out, rows)
    }
}

/// The networks that are noted in a folder.
fn noted(folder: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let path = folder.join(NETWORKS);
    if path.is_file() {
        Ok(packed::table(&path, NETWORK_WORDS)?.rows)
    } else {
        Ok(Vec::new())
    }
}

/// Writes them.
fn note(folder: &Path, mut rows: Vec<Vec<String>>) -> Result<(), Failure> {
    rows.sort();
    let lines = rows.iter().map(|row| row.join(",") + "\n");
    let text = [table::head("networks that imputers run", NETWORK_COLUMNS)]
        .into_iter()
        .chain(lines);
    std::fs::create_dir_all(folder).map_err(|e| Failure::file("make", folder, &e))?;
    super::output::write(&folder.join(NETWORKS), text.collect::<String>().as_bytes())
}

/// `0..count` in an order whose beginning, wherever it is cut, lies evenly over the whole: by the bits of each number, the lowest first.
/// A run that is stopped has then measured complete pictures from all of the folder.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let bits = count.next_power_of_two().trailing_zeros();
    let turned = move |k: usize| k.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
    (0..1usize << bits).map(turned).filter(move |&k| k < count)
}

/// What every context of a study shares.
struct Bench<'a> {
    exec: &'a dyn Executor,
    networks: &'a Networks,
    job: &'a Job<'a>,
}

impl<'a> Bench<'a> {
    fn context(&self, random: &'a SeedStream, class: usize, id: &str) -> Result<Context<'a>, Failure> {
        Ok(Context {
            exec: self.exec,
            job: self.job,
            random,
            target: Target {
                class,
                kind: TargetKind::Logit,
            },
            removal: Removal {
                imputer: imputer::find(id)?,
                params: ParamValues::new(),
                networks: self.networks.clone(),
            },
            weights: Weights::Trained,
        })
    }
}

/// A job that nobody watches: progress of a study is told a picture.
static UNWATCHED: Silent = Silent;

/// The network, loaded.
fn load(set: &Set) -> Result<Arc<Model>, Failure> {
    super::models::load(&set.model, &set.network)
}

/// Files of a part of the study, by network: every `.csv` and `.csv.gz` of the folder, its name up to the first dot.
fn parts(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, Failure> {
    let mut found: Vec<(String, Vec<PathBuf>)> = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    let fail = |e: std::io::Error| Failure::file("read", folder, &e);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|e| e == "csv") || packed::is(&path) {
            files.push(path);
        }
    }
    files.sort();
    for path in files {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let set = name.split('.').next().unwrap_or_default().to_owned();
        match found.iter_mut().find(|(known, _)| *known == set) {
            Some((_, files)) => files.push(path),
            None => found.push((set, vec![path])),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_is_spread_over_the_whole() {
        for count in [0, 1, 2, 3, 7, 8, 200] {
            let order: Vec<usize> = spread(count).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }
        let begun: Vec<usize> = spread(200).take(25).collect();
        for eighth in 0..8 {
            let inside = begun.iter().filter(|&&k| k * 8 / 200 == eighth).count();
            assert!((2..=4).contains(&inside), "{eighth}: {inside}");
        }
    }

    #[test]
    fn parts_are_counted_from_one() {
        let shard = |text: &str| text.parse::<Shard>();
        assert_eq!(shard("2/3"), Ok(Shard { at: 2, of: 3 }));
        for wrong in ["3/2", "0/2", "1/0", "1", "a/b", "-1/2", ""] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
        assert_eq!(shard("1/1").map(|s| s.file("x")), Ok("x.csv".to_owned()));
        assert_eq!(shard("2/3").map(|s| s.file("x")), Ok("x.2-of-3.csv".to_owned()));
    }
}
