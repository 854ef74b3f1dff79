//! Networks by id or path.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lucarne::Model;
use lucarne::criteria::Features;
use lucarne::criteria::detectability::DETECTOR;
use lucarne::graph::inspect;
use lucarne::imputer::{self, Networks};
use lucarne::model::{Limits, ModelCard};
use lucarne::protocol::Inspected;

use super::arguments::Network;
use super::failure::Failure;
use super::pictures::read;

/// A bundled network.
pub struct Bundled {
    /// Its folder.
    pub folder: PathBuf,
    /// Its card.
    pub card: ModelCard,
}

/// The folder of the bundled networks: `$LUCARNE_MODELS`, else `models` beside the program, else the source's.
fn folder() -> Result<PathBuf, Failure> {
    let hint = "Set LUCARNE_MODELS to the folder that holds the networks, or give the path of an .onnx file.";
    if let Some(named) = std::env::var_os("LUCARNE_MODELS") {
        let folder = PathBuf::from(named);
        if folder.is_dir() {
            return Ok(folder);
        }
        return Err(Failure::new(
            format!("LUCARNE_MODELS names {}, which is no folder", folder.display()),
            hint,
        ));
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("models")));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let found = beside.into_iter().chain([source]).find(|folder| folder.is_dir());
    found.ok_or_else(|| Failure::new("the bundled networks are not there", hint))
}

/// Every bundled network, by id.
pub fn bundled() -> Result<Vec<Bundled>, Failure> {
    let folder = folder()?;
    let entries = std::fs::read_dir(&folder).map_err(|e| Failure::file("read", &folder, &e))?;
    let mut found = Vec::new();
    for entry in entries {
        let folder = entry.map_err(|e| Failure::file("read", &folder, &e))?.path();
        if folder.join("card.toml").is_file() {
            let card = card(&folder.join("card.toml"))?;
            found.push(Bundled { folder, card });
        }
    }
    found.sort_by(|a, b| a.card.id.cmp(&b.card.id));
    Ok(found)
}

/// The networks that imputers and criteria run: `<id>/<id>.onnx` in the folder of the bundled networks. One that is not
/// there is missed only by what asks for it.
pub fn networks() -> Result<Networks, Failure> {
    let networks = Networks::default();
    let Ok(folder) = folder() else {
        return Ok(networks);
    };
    let limits = Limits::default();
    let filling = imputer::IMPUTERS.iter().filter_map(|i| i.meta().network);
    for id in filling.chain([DETECTOR]) {
        let path = folder.join(id).join(id).with_extension("onnx");
        if !networks.has(id) && path.is_file() {
            let onnx = read(&path, limits.model_bytes)?;
            networks
                .load(id, &onnx, &limits)
                .map_err(|e| Failure::about(&path, e))?;
        }
    }
    Ok(networks)
}

/// The file of the network `id` that imputers or criteria run, where it is there.
pub fn network_file(id: &str) -> Option<PathBuf> {
    let path = folder().ok()?.join(id).join(id).with_extension("onnx");
    path.is_file().then_some(path)
}

/// What the features of `model` are like on ordinary pictures: `features.npy` beside its file, where that is there.
pub fn features(model: &Model) -> Result<Option<Features>, Failure> {
    let Some(own) = bundled()?.into_iter().find(|b| b.card.sha256 == model.sha256()) else {
        return Ok(None);
    };
    let path = own.folder.join(FEATURES);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read(&path, lucarne::criteria::features::BYTES as u64)?;
    Features::from_npy(&bytes)
        .map(Some)
        .map_err(|e| Failure::about(&path, e))
}

/// File beside a bundled network.
pub const FEATURES: &str = "features.npy";

/// Reads a card.
fn card(path: &Path) -> Result<ModelCard, Failure> {
    let text = String::from_utf8_lossy(&read(path, 1 << 20)?).into_owned();
    ModelCard::parse(&text).map_err(|e| Failure::about(path, e))
}

fn labels(path: &Path) -> Result<Vec<String>, Failure> {
    let bytes = read(path, 16 << 20)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{} is no text", path.display()), "One label a line, in UTF-8."))?;
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

/// What is there to load a network from.
struct Parts {
    onnx: PathBuf,
    card: Option<ModelCard>,
    /// The file that holds the labels, if any.
    labels: Option<PathBuf>,
}

fn parts(name: &str) -> Result<Parts, Failure> {
    let path = Path::new(name);
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx")) {
        return Ok(Parts {
            onnx: path.to_path_buf(),
            card: None,
            labels: None,
        });
    }
    let mut all = bundled()?;
    let Some(at) = all.iter().position(|b| b.card.id == name) else {
        let known: Vec<_> = all.iter().map(|b| b.card.id.as_str()).collect();
        return Err(Failure::usage(
            format!(
                "there is no bundled network called \"{name}\"; there are: {}",
                known.join(", ")
            ),
            "The path of a network of your own ends in .onnx.",
        ));
    };
    let Bundled { folder, card } = all.swap_remove(at);
    let labels = (!card.labels.is_empty()).then(|| folder.join(&card.labels));
    Ok(Parts {
        onnx: folder.join(&card.file),
        card: Some(card),
        labels,
    })
}

/// Loads the network called `name`.
pub fn load(name: &str, options: &Network) -> Result<Arc<Model>, Failure> {
    let limits = Limits::default();
    let Parts {
        onnx: path,
        card: mut known,
        labels: mut label_file,
    } = parts(name)?;
    if let Some(file) = &options.card {
        let card = card(file)?;
        let beside = file.parent().unwrap_or(Path::new(".")).join(&card.labels);
        label_file = (!card.labels.is_empty()).then_some(beside);
        known = Some(card);
    }
    if let Some(file) = &options.labels {
        label_file = Some(file.clone());
    }
    let onnx = read(&path, limits.model_bytes)?;
    let card = match known {
        Some(card) => card,
        None => inspected(&path, &onnx, &limits)?.card,
    };
    let labels = label_file
        .map(|file| labels(&file).map(|labels| (file, labels)))
        .transpose()?;
    let count = labels.as_ref().map(|(_, labels)| labels.len());
    let (file, labels) = labels.unwrap_or_default();
    let model = Model::load(&onnx, card, labels, &limits).map_err(|e| Failure::about(&path, e))?;
    match count {
        Some(count) if count != model.classes() => Err(Failure::new(
            format!(
                "{} has {count} labels, but the network has {} classes",
                file.display(),
                model.classes()
            ),
            "One label a line, in the order of the classes.",
        )),
        _ => Ok(model),
    }
}

/// What the file at `path` holds.
pub fn inspected(path: &Path, onnx: &[u8], limits: &Limits) -> Result<Inspected, Failure> {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let found = inspect::inspect(onnx, limits).map_err(|e| Failure::about(path, e))?;
    Ok(Inspected::new(&name, found))
}
