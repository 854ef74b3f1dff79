//! The wire between the page and its workers, and the JSON of the command line. Bulk arrays never travel as lists of
//! numbers: on the wire they lie beside the message, as transferred typed arrays, in the order each item names.
//!
//! `www/src/protocol.gen.ts` is generated from these types by `cargo test` and committed.

mod answers;
mod catalogue;

use std::collections::BTreeMap;

pub use answers::{
    Attributed, ClassScore, Evaluated, Gauge, Gauged, Inspected, LayerInfo, ModelInfo, Provenance, Spread, Visualised,
    WireCurve, WireError, WireNote,
};
pub use catalogue::{Catalogue, CriterionEntry, ImputerEntry, MethodEntry, MetricEntry, WireParam};

use serde::{Deserialize, Serialize};

use crate::model::{ModelCard, TargetKind};
use crate::params::{ParamValue, ParamValues};

/// Chosen by the page; events of jobs it no longer knows are dropped.
pub type JobId = u32;

/// A parameter value: number, flag or text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(untagged)]
pub enum WireValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A choice or a layer's name.
    Text(String),
}

/// Parameter values by name; missing ones take their defaults.
pub type WireParams = BTreeMap<String, WireValue>;

/// A registry entry with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Choice {
    /// Id in its registry.
    pub id: String,
    /// Its parameters.
    #[serde(default)]
    pub params: WireParams,
}

/// Which function of the logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum WireTargetKind {
    /// Before a recognised final softmax, log-softmax or sigmoid.
    Logit,
    /// After it.
    Probability,
    /// The network's own last tensor as exported.
    Output,
}

/// The scalar that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireTarget {
    /// Class index.
    pub class: usize,
    /// Function of the logits.
    pub kind: WireTargetKind,
}

/// Where networks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum WireDevice {
    /// On a GPU where there is one.
    #[default]
    Auto,
    /// On the processor.
    Cpu,
    /// On a GPU; on the processor with a note where there is none.
    Gpu,
    /// The same with 16 bits where it has them; a note tells how far results are off.
    GpuF16,
}

/// The registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum WireRegistry {
    /// Attribution methods.
    Method,
    /// Metrics.
    Metric,
    /// Imputers.
    Imputer,
}

/// An entry of one of the registries, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireEntry {
    /// Its registry.
    pub registry: WireRegistry,
    /// The entry.
    pub entry: Choice,
}

/// What a run would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Estimate {
    /// Forward passes of a method; 0 for other entries, whose passes depend on the map.
    pub forward: u64,
    /// Backward passes of a method.
    pub backward: u64,
    /// Why it would be refused on this network.
    pub refusal: Option<WireError>,
}

/// Another picture, kept under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct WireExhibit {
    /// Picture key.
    pub picture: String,
    /// Its class.
    pub class: usize,
}

/// From the page to a worker. "Beside" names the typed arrays that travel with the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Request {
    /// The registries. Answered by [`Reply::Catalogue`].
    Catalogue {
        /// Job.
        job: JobId,
    },
    /// Looks into an ONNX file without loading it. Beside: `[Uint8Array]`. Answered by [`Reply::Inspected`].
    Inspect {
        /// Job.
        job: JobId,
        /// File name, for the suggested card.
        name: String,
    },
    /// Loads a network under `card.id`, replacing one of that id. Beside: `[Uint8Array]`. Answered by
    /// [`Reply::ModelLoaded`].
    LoadModel {
        /// Job.
        job: JobId,
        /// Its card.
        card: ModelCard,
        /// One label a class, or none.
        labels: Vec<String>,
    },
    /// Loads a picture-to-picture network that imputers and criteria run, replacing one of that id. Beside:
    /// `[Uint8Array]`. Answered by [`Reply::NetworkLoaded`].
    LoadNetwork {
        /// Job.
        job: JobId,
        /// Id that imputers know it by.
        id: String,
    },
    /// Keeps a decoded picture under `picture`. Beside: `[Uint8Array]` of RGBA, row-major. Answered by
    /// [`Reply::PictureLoaded`].
    LoadPicture {
        /// Job.
        job: JobId,
        /// Key.
        picture: String,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// What the network sees of a picture. Answered by [`Reply::Prepared`].
    Prepare {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Picture key.
        picture: String,
    },
    /// Answered by [`Reply::Predicted`].
    Predict {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Picture key.
        picture: String,
        /// How many classes, best first; 0 for all.
        top: usize,
    },
    /// What runs would cost, and what is refused before they start; runs nothing. Answered by [`Reply::Estimated`].
    Estimate {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// What would run, or be used.
        of: Vec<WireEntry>,
    },
    /// Answered by [`Reply::Attributed`], with [`Event::Partial`] on the way.
    Attribute {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Picture key.
        picture: String,
        /// Method and parameters.
        method: Choice,
        /// Imputer and parameters, for methods that remove pixels.
        removal: Choice,
        /// Target.
        target: WireTarget,
        /// Key of the picture that methods with `reference = picture` compare with.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        baseline: Option<String>,
        /// Seed.
        seed: u32,
    },
    /// Scores one map. Beside: `[Float32Array]` of it; then, where `truth`, `[Uint8Array]` of one byte a pixel of the
    /// prepared picture, not 0 = relevant; then, where `other` is a shape, `[Float32Array]` of a second map. Answered by
    /// [`Reply::Evaluated`].
    Evaluate {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Picture key.
        picture: String,
        /// Shape of the map: `[C, H, W]` or `[1, h, w]`.
        shape: Vec<usize>,
        /// The method that made the map, for metrics that explain again.
        #[serde(default)]
        method: Option<Choice>,
        /// Whether a mask of the relevant pixels lies beside.
        #[serde(default)]
        truth: bool,
        /// Shape of a second map.
        #[serde(default)]
        other: Option<Vec<usize>>,
        /// Other pictures, for metrics that compare among them.
        #[serde(default)]
        set: Vec<WireExhibit>,
        /// Metric and parameters.
        metric: Choice,
        /// Imputer and parameters.
        removal: Choice,
        /// How many fillings of a stochastic imputer the score is the mean over; 0 counts as 1.
        #[serde(default)]
        draws: u32,
        /// Target.
        target: WireTarget,
        /// Key of the picture that methods with `reference = picture` compare with, for metrics that explain again.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        baseline: Option<String>,
        /// Seed.
        seed: u32,
    },
    /// Cuts a prepared picture into superpixels (SLIC). Answered by [`Reply::Segmented`].
    Segment {
        /// Job.
        job: JobId,
        /// Model id: its input size.
        model: String,
        /// Picture key.
        picture: String,
        /// About how many segments.
        segments: usize,
    },
    /// Fills removed pixels, and asks the network about it. Beside: `[Uint8Array]`, one byte a pixel of the prepared
    /// picture, not 0 = removed. Answered by [`Reply::Imputed`].
    Impute {
        /// Job.
        job: JobId,
        /// Model id: its input size and value space.
        model: String,
        /// Picture key.
        picture: String,
        /// Imputer and parameters.
        removal: Choice,
        /// Whether the network is asked what it makes of the filling, which is one pass.
        #[serde(default)]
        answer: bool,
        /// Seed.
        seed: u32,
    },
    /// Keeps what the features of a loaded model are like on ordinary pictures, for criteria that ask; they go with the model.
    /// Beside: `[Uint8Array]` of its `features.npy`. Answered by [`Reply::FeaturesLoaded`].
    LoadFeatures {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
    },
    /// Removes pixels, fills them, and says what every criterion says of it. Beside: `[Uint8Array]`, one byte a pixel of the
    /// prepared picture, not 0 = removed. Answered by [`Reply::Gauged`].
    Gauge {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Picture key.
        picture: String,
        /// Imputer and parameters.
        removal: Choice,
        /// How many fillings of a stochastic imputer the values are means over, 1 to 64; 0 counts as 1.
        #[serde(default)]
        draws: u32,
        /// Seed.
        seed: u32,
    },
    /// Climbs to a picture that a class, a channel or a neuron answers to. Answered by [`Reply::Visualised`], with
    /// [`Event::Partial`] of pictures `[C, H, W]` in `[0, 1]` on the way.
    Visualise {
        /// Job.
        job: JobId,
        /// Model id.
        model: String,
        /// Class, for a logit.
        class: usize,
        /// See the catalogue's `visualisation`.
        params: WireParams,
        /// Seed.
        seed: u32,
    },
    /// Says where networks run from here on; without it they run on the processor. Sent again, it looks for a GPU anew.
    /// Answered by [`Reply::DeviceChosen`].
    ChooseDevice {
        /// Job.
        job: JobId,
        /// Where.
        prefer: WireDevice,
        /// Whether a GPU that is a program will do, which is slower than the processor: for tests alone.
        #[serde(default)]
        software: bool,
    },
    /// Ends a job at its next step; it then answers [`Event::Cancelled`].
    Cancel {
        /// The job to end.
        job: JobId,
    },
}

impl Request {
    /// The job that this is, or ends.
    pub fn job(&self) -> JobId {
        match *self {
            Self::Catalogue { job }
            | Self::Inspect { job, .. }
            | Self::LoadModel { job, .. }
            | Self::LoadNetwork { job, .. }
            | Self::LoadPicture { job, .. }
            | Self::Prepare { job, .. }
            | Self::Predict { job, .. }
            | Self::Estimate { job, .. }
            | Self::Attribute { job, .. }
            | Self::Evaluate { job, .. }
            | Self::Segment { job, .. }
            | Self::Impute { job, .. }
            | Self::LoadFeatures { job, .. }
            | Self::Gauge { job, .. }
            | Self::Visualise { job, .. }
            | Self::ChooseDevice { job, .. }
            | Self::Cancel { job } => job,
        }
    }
}

/// From a worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The engine is up.
    Ready {
        /// Version of the crate.
        version: String,
    },
    /// Passes done so far.
    Progress {
        /// Job.
        job: JobId,
        /// Passes finished.
        done: u64,
        /// Passes expected.
        total: u64,
    },
    /// A usable intermediate map. Beside: `[Float32Array]`.
    Partial {
        /// Job.
        job: JobId,
        /// Shape of the map.
        shape: Vec<usize>,
    },
    /// The job's answer.
    Done {
        /// Job.
        job: JobId,
        /// Answer.
        reply: Reply,
    },
    /// The job failed.
    Failed {
        /// Job.
        job: JobId,
        /// Why.
        error: WireError,
    },
    /// The job was cancelled.
    Cancelled {
        /// Job.
        job: JobId,
    },
}

/// Answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Reply {
    /// The registries.
    Catalogue(Catalogue),
    /// What an ONNX file holds, and a card to start from.
    Inspected(Inspected),
    /// A network is ready.
    ModelLoaded(ModelInfo),
    /// A network of imputers is ready.
    NetworkLoaded {},
    /// Where networks run from here on.
    DeviceChosen {
        /// The GPU's name; none for the processor.
        gpu: Option<String>,
        /// Why it is not a GPU, where one was asked for or would have done.
        why: Option<WireNote>,
    },
    /// A picture is kept.
    PictureLoaded {},
    /// Beside: `[Uint8Array]` of RGBA, `width * height * 4`.
    Prepared {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// The part of the original that the network sees, in its pixels: left, top, width, height.
        crop: [f64; 4],
    },
    /// Classes, best first.
    Predicted {
        /// Classes.
        classes: Vec<ClassScore>,
    },
    /// Estimates, in the order asked.
    Estimated {
        /// One an entry.
        of: Vec<Estimate>,
    },
    /// Beside: `[Float32Array]`, the raw map.
    Attributed(Attributed),
    /// A score.
    Evaluated(Evaluated),
    /// What is known of a model's features is kept.
    FeaturesLoaded {},
    /// Beside: `[Uint8Array]` of RGBA, the first filling.
    Gauged(Gauged),
    /// Beside: `[Float32Array]`, one label `0..count` a pixel of the prepared picture, row-major.
    Segmented {
        /// Number of segments.
        count: usize,
    },
    /// Beside: `[Uint8Array]` of RGBA.
    Visualised(Visualised),
    /// Beside: `[Uint8Array]` of RGBA.
    Imputed {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// The answer to the filling, all classes, best first; empty where it was not asked for.
        classes: Vec<ClassScore>,
    },
}

impl From<ParamValue> for WireValue {
    fn from(value: ParamValue) -> Self {
        match value {
            ParamValue::Number(n) => Self::Number(n),
            ParamValue::Text(t) => Self::Text(t),
            ParamValue::Flag(b) => Self::Flag(b),
        }
    }
}

impl From<WireValue> for ParamValue {
    fn from(value: WireValue) -> Self {
        match value {
            WireValue::Number(n) => Self::Number(n),
            WireValue::Text(t) => Self::Text(t),
            WireValue::Flag(b) => Self::Flag(b),
        }
    }
}

impl Choice {
    /// An entry with parameter values.
    pub fn new(id: &str, params: ParamValues) -> Self {
        Self {
            id: id.to_owned(),
            params: params.into_iter().map(|(k, v)| (k, v.into())).collect(),
        }
    }

    /// The parameter values.
    pub fn values(&self) -> ParamValues {
        self.params.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect()
    }
}

impl From<WireTargetKind> for TargetKind {
    fn from(kind: WireTargetKind) -> Self {
        match kind {
            WireTargetKind::Logit => Self::Logit,
            WireTargetKind::Probability => Self::Probability,
            WireTargetKind::Output => Self::Output,
        }
    }
}
