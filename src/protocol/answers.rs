//! What answers hold.

use serde::{Deserialize, Serialize};

use super::{Choice, WireTarget};
use crate::error::Error;
use crate::exec::Note;
use crate::graph::inspect::Inspection;
use crate::job::Passes;
use crate::model::ModelCard;

/// One class of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct ClassScore {
    /// Class index.
    pub class: usize,
    /// Label.
    pub label: String,
    /// Logit.
    pub logit: f32,
    /// Probability: softmax over classes, or the logistic function where the network ends in one.
    pub probability: f32,
}

/// A layer of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct LayerInfo {
    /// ONNX node name.
    pub name: String,
    /// Operator.
    pub op: String,
    /// Shape without the batch axis.
    pub shape: Vec<usize>,
    /// Indices of the layers that it reads; none: it reads the picture.
    pub reads: Vec<usize>,
    /// Steps from the picture: one more than the deepest layer that it reads.
    pub depth: usize,
    /// Locations down and across the picture: the maps of the methods that weigh a layer's channels get this size. None:
    /// those methods can't use it.
    pub grid: Option<[usize; 2]>,
    /// Whether it is an attention matrix.
    pub attention: bool,
}

/// A loaded network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct ModelInfo {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Channels, height, width of the input.
    pub dims: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Labels, one a class.
    pub labels: Vec<String>,
    /// What the file ends in: `logits`, `softmax`, `log-softmax`, `sigmoid`.
    pub head: String,
    /// Layers in order.
    pub layers: Vec<LayerInfo>,
    /// Index of the default layer.
    pub default_layer: Option<usize>,
    /// Why gradients can't be had, if so; perturbation methods still work.
    pub gradient_error: Option<WireError>,
}

/// What an ONNX file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Inspected {
    /// A card to start from; every field can be edited before loading.
    pub card: ModelCard,
    /// Why the card says what it says, one sentence each.
    pub reasons: Vec<String>,
    /// Names of the inputs with their shapes in words.
    pub inputs: Vec<String>,
    /// Names of the outputs, of which one is chosen in `card.output.name`.
    pub outputs: Vec<String>,
    /// Version of the standard operator set.
    pub opset: i64,
    /// Number of nodes.
    pub nodes: usize,
}

impl Inspected {
    /// What was found in the file `name`; the suggested card takes its id and name from the file's.
    pub fn new(name: &str, found: Inspection) -> Self {
        let stem = name.trim_end_matches(".onnx");
        let id: String = stem
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
        let mut card = found.card;
        card.id = format!("own-{}", id.trim_matches('-'));
        stem.clone_into(&mut card.name);
        name.clone_into(&mut card.file);
        let Inspection {
            reasons,
            inputs,
            outputs,
            opset,
            nodes,
            ..
        } = found;
        Self {
            card,
            reasons,
            inputs,
            outputs,
            opset,
            nodes,
        }
    }
}

/// How a result came about: enough to repeat it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// Version of Lucarne.
    pub lucarne: String,
    /// Model id.
    pub model: String,
    /// SHA-256 of the ONNX file.
    pub model_sha256: String,
    /// SHA-256 of the preprocessed input's little-endian f32 bytes; empty where no picture went in.
    pub input_sha256: String,
    /// SHA-256 of the preprocessed pictures that were given to compare with, where there were any, as of the input's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub baseline_sha256: Option<String>,
    /// What the network ran on.
    pub device: String,
    /// Why it was not, or not only, the device that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub notes: Option<Vec<WireNote>>,
    /// Method or metric, with every parameter.
    pub of: Choice,
    /// Imputer with every parameter, where one was used.
    pub removal: Option<Choice>,
    /// SHA-256 of the file of the network that the imputer runs, where it runs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub removal_sha256: Option<String>,
    /// Target.
    pub target: WireTarget,
    /// Label of the target class.
    pub label: String,
    /// Seed.
    pub seed: u32,
    /// Forward passes run.
    pub forward: u64,
    /// Backward passes run.
    pub backward: u64,
}

/// A computed attribution, without its map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct Attributed {
    /// Shape of the map: `[C, H, W]` or `[1, h, w]`.
    pub shape: Vec<usize>,
    /// Whether negative values lower the target.
    pub signed: bool,
    /// Layer it lives on, or none for the input.
    pub layer: Option<String>,
    /// For complete methods: sum of the map minus the change of the target from the baseline.
    pub completeness_gap: Option<f64>,
    /// How it came about.
    pub provenance: Provenance,
}

/// A curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireCurve {
    /// Legend.
    pub label: String,
    /// Share of pixels.
    pub x: Vec<f64>,
    /// Target.
    pub y: Vec<f64>,
}

/// A score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Evaluated {
    /// The score, or none where it is undefined.
    pub score: Option<f64>,
    /// Why it is undefined.
    pub undefined: Option<String>,
    /// How far several fillings of a stochastic imputer lie apart, where more than one was asked for; the score is
    /// their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub spread: Option<Spread>,
    /// Curves behind it.
    pub curves: Vec<WireCurve>,
    /// How it came about.
    pub provenance: Provenance,
}

/// Scores of several fillings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Spread {
    /// How many.
    pub draws: u32,
    /// Their standard deviation, by `draws - 1`.
    pub deviation: f64,
    /// The smallest.
    pub lowest: f64,
    /// The largest.
    pub highest: f64,
}

/// A picture that something in the network answers to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Visualised {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// The objective before each step, in the unit of the logit or layer.
    pub objective: Vec<f64>,
    /// How it came about. No picture went in.
    pub provenance: Provenance,
}

/// What a criterion says of a removal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Gauge {
    /// Id of the criterion.
    pub id: String,
    /// Its value, or none where it is undefined.
    pub value: Option<f64>,
    /// Why it is undefined.
    pub undefined: Option<String>,
}

/// A removal, its filling, and what every criterion says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Gauged {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// The network's answer to the first filling: all classes, best first.
    pub answers: Vec<ClassScore>,
    /// Its answer to the picture: five classes at most.
    pub original: Vec<ClassScore>,
    /// One a criterion, in the order of the catalogue.
    pub gauges: Vec<Gauge>,
    /// How it came about; the target is the probability of the class that the network gives the picture.
    pub provenance: Provenance,
}

/// Something to know that is no error, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireNote {
    /// Stable kebab-case code.
    pub code: String,
    /// What is known, a clause.
    pub message: String,
}

impl From<&Note> for WireNote {
    fn from(note: &Note) -> Self {
        Self {
            code: note.kind.code().to_owned(),
            message: note.text.clone(),
        }
    }
}

/// An error for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireError {
    /// Stable kebab-case code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Node, field or layer at fault.
    pub place: Option<String>,
    /// The cure, or empty.
    pub hint: String,
}

impl From<&Error> for WireError {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            place: error.place().map(str::to_owned),
            hint: error.hint().to_owned(),
        }
    }
}

/// Passes as provenance states them.
impl Provenance {
    /// Sets the passes run.
    #[must_use]
    pub fn with_passes(mut self, passes: Passes) -> Self {
        self.forward = passes.forward;
        self.backward = passes.backward;
        self
    }
}
