//! The model card: everything about a network that its ONNX file does not say.

use serde::{Deserialize, Serialize};

use crate::Normalisation;
use crate::error::LoadError;
use crate::model::target::Head;

/// Order of an input's axes after the batch axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Channels, height, width.
    #[default]
    Nchw,
    /// Height, width, channels.
    Nhwc,
}

/// How a picture is brought to the input's size before the centre crop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum ResizeMode {
    /// The shorter side becomes `size`, aspect kept, centre crop of `crop`.
    #[default]
    ShorterSide,
    /// Both sides become the input's, aspect lost.
    Stretch,
    /// The longer side becomes the input's, the rest padded with mid-grey.
    Letterbox,
}

/// Resampling filter, antialiased when shrinking as Pillow does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Triangle filter.
    #[default]
    Bilinear,
    /// Catmull–Rom cubic.
    Bicubic,
    /// Nearest neighbour.
    Nearest,
}

/// The network's input tensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct InputCard {
    /// Name in the ONNX file.
    pub name: String,
    /// Shape in the order of `layout`, batch first.
    pub shape: Vec<usize>,
    /// Axis order.
    #[serde(default)]
    pub layout: Layout,
}

/// From a picture to network values: resize, crop, then `x = (v - mean) / std` per channel with `v` in `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Preprocessing {
    /// How the size is reached.
    #[serde(default)]
    pub resize: ResizeMode,
    /// Shorter side before the crop, pixels; the crop's size when 0.
    #[serde(default)]
    pub size: usize,
    /// Side of the centre crop, pixels; the input's size when 0.
    #[serde(default)]
    pub crop: usize,
    /// Filter.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// Mean per channel, in pixel values `[0, 1]`.
    pub mean: Vec<f32>,
    /// Standard deviation per channel, in pixel values.
    pub std: Vec<f32>,
}

impl Preprocessing {
    /// The value map of this preprocessing.
    pub fn normalisation(&self) -> Normalisation {
        Normalisation {
            mean: self.mean.clone(),
            std: self.std.clone(),
        }
    }
}

/// The network's output tensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct OutputCard {
    /// Name in the ONNX file; empty for its first output.
    #[serde(default)]
    pub name: String,
    /// What is applied to the logits at the end of the file: `logits` (nothing), `softmax`, `log-softmax`, `sigmoid`,
    /// or `auto` to recognise it.
    #[serde(default = "auto")]
    pub head: String,
}

fn auto() -> String {
    "auto".to_owned()
}

/// Layers by ONNX node name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct LayersCard {
    /// Default of the methods that look at a layer.
    #[serde(default)]
    pub default: Option<String>,
    /// Layers worth explaining, shallow to deep.
    #[serde(default)]
    pub explain: Vec<String>,
}

/// Where the network comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct SourceCard {
    /// Package or script.
    #[serde(default)]
    pub package: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// SPDX licence expression of the weights.
    #[serde(default)]
    pub licence: String,
    /// Project page.
    #[serde(default)]
    pub url: String,
    /// Training data.
    #[serde(default)]
    pub data: String,
}

/// A picture that ships with the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct SampleCard {
    /// File beside the card.
    pub file: String,
    /// Ground-truth mask beside the card, white where the object is.
    #[serde(default)]
    pub mask: Option<String>,
    /// What it shows.
    #[serde(default)]
    pub label: String,
    /// SPDX licence or "public domain".
    #[serde(default)]
    pub licence: String,
    /// Author and source.
    #[serde(default)]
    pub credit: String,
}

/// A model card; `models/<id>/card.toml` is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct ModelCard {
    /// Kebab-case id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// ONNX file beside the card.
    #[serde(default)]
    pub file: String,
    /// SHA-256 of that file.
    #[serde(default)]
    pub sha256: String,
    /// Bytes of that file.
    #[serde(default)]
    pub bytes: u64,
    /// Label file beside the card, one label a line; empty for none.
    #[serde(default)]
    pub labels: String,
    /// Input tensor.
    pub input: InputCard,
    /// Picture to input.
    pub preprocessing: Preprocessing,
    /// Output tensor.
    #[serde(default)]
    pub output: OutputCard,
    /// Layers.
    #[serde(default)]
    pub layers: LayersCard,
    /// Provenance.
    #[serde(default)]
    pub source: SourceCard,
    /// Sample pictures.
    #[serde(default)]
    pub sample: Vec<SampleCard>,
}

impl ModelCard {
    /// Reads a card and checks it.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let card: Self = toml::from_str(text).map_err(|e| LoadError::Card {
            field: "card".into(),
            why: e.message().to_owned(),
        })?;
        card.check()?;
        Ok(card)
    }

    /// Checks that fields agree with one another.
    pub fn check(&self) -> Result<(), LoadError> {
        let fail = |field: &str, why: String| {
            Err(LoadError::Card {
                field: field.into(),
                why,
            })
        };
        if self.input.shape.len() != 4 {
            return fail(
                "input.shape",
                format!(
                    "four sizes are needed, batch first, but {:?} was given",
                    self.input.shape
                ),
            );
        }
        let [channels, height, width] = self.dims();
        if height == 0 || width == 0 || !(1..=4).contains(&channels) {
            return fail(
                "input.shape",
                format!(
                    "{:?} is no picture in the layout {:?}",
                    self.input.shape, self.input.layout
                ),
            );
        }
        for (field, values) in [
            ("preprocessing.mean", &self.preprocessing.mean),
            ("preprocessing.std", &self.preprocessing.std),
        ] {
            if values.len() != channels {
                return fail(
                    field,
                    format!(
                        "{channels} values are needed, one a channel, but {} were given",
                        values.len()
                    ),
                );
            }
            if values.iter().any(|v| !v.is_finite()) {
                return fail(field, "every value must be a finite number".into());
            }
        }
        if self.preprocessing.std.iter().any(|&v| v <= 0.0) {
            return fail("preprocessing.std", "every value must be above 0".into());
        }
        self.head().map(|_| ())
    }

    /// Channels, height and width of the input.
    pub fn dims(&self) -> [usize; 3] {
        let s = &self.input.shape;
        match self.input.layout {
            Layout::Nchw => [s[1], s[2], s[3]],
            Layout::Nhwc => [s[3], s[1], s[2]],
        }
    }

    /// The declared head, or `None` to recognise it.
    pub fn head(&self) -> Result<Option<Head>, LoadError> {
        Ok(Some(match self.output.head.as_str() {
            "auto" | "" => return Ok(None),
            "logits" => Head::Logits,
            "softmax" => Head::Softmax,
            "log-softmax" => Head::LogSoftmax,
            "sigmoid" => Head::Sigmoid,
            other => {
                let why = format!("\"{other}\" is none of auto, logits, softmax, log-softmax, sigmoid");
                return Err(LoadError::Card {
                    field: "output.head".into(),
                    why,
                });
            }
        }))
    }
}
