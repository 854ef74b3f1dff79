//! The bundled models, checked before they are built into the page.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::tools;

/// Largest model file, bytes.
const ONE: u64 = 10_000_000;
/// Largest sum of all model files, bytes.
const ALL: u64 = 60_000_000;

/// What is needed here of an entry of `models/models.json`.
#[derive(Deserialize)]
struct Entry {
    card: Card,
    labels: Vec<String>,
    path: String,
}

#[derive(Deserialize)]
struct Card {
    id: String,
    file: String,
    sha256: String,
    bytes: u64,
    sample: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    file: String,
    mask: Option<String>,
}

/// Checks every model against its entry in the index.
pub fn run() -> Result<()> {
    let models = tools::root().join("models");
    let index = std::fs::read_to_string(models.join("models.json"))
        .context("models/models.json is missing; `cargo xtask gen models` writes it")?;
    let entries: Vec<Entry> = serde_json::from_str(&index).context("models/models.json")?;
    let mut cards = 0;
    for entry in std::fs::read_dir(&models)? {
        cards += usize::from(entry?.path().join("card.toml").is_file());
    }
    ensure!(
        cards == entries.len(),
        "models/models.json lists {} models, but there are {cards}; `cargo xtask gen models` corrects it",
        entries.len()
    );
    let all: u64 = entries.iter().map(|e| e.card.bytes).sum();
    ensure!(
        all <= ALL,
        "the models are {} together, over {}",
        tools::megabytes(all),
        tools::megabytes(ALL)
    );
    for Entry { card, labels, path } in &entries {
        let from = tools::root().join(path);
        let bytes = std::fs::read(from.join(&card.file)).with_context(|| format!("{path}/{}", card.file))?;
        let (found, said) = (bytes.len() as u64, card.bytes);
        ensure!(
            found == said,
            "{path}/{} has {found} bytes, but its card says {said}",
            card.file
        );
        ensure!(
            found <= ONE,
            "{path}/{} is {}, over {}",
            card.file,
            tools::megabytes(found),
            tools::megabytes(ONE)
        );
        ensure!(
            tools::sha256(&bytes) == card.sha256,
            "{path}/{} is not the file of its card's sha256",
            card.file
        );
        ensure!(!labels.is_empty(), "{} has no labels", card.id);
        for file in card.sample.iter().flat_map(|s| std::iter::once(&s.file).chain(&s.mask)) {
            ensure!(from.join(file).is_file(), "{path}/{file} is missing");
        }
    }
    eprintln!("models: {}, {}", entries.len(), tools::megabytes(all));
    Ok(())
}
