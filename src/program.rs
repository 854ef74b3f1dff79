//! What to run of a network: plain data that says which weights, which value is replaced, which layers are handed
//! back, and which backward pass. Executors compile a program once and keep it; sibling engines are sent it.

use serde::{Deserialize, Serialize};

/// What a gradient is taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrt {
    /// The input `[N, C, H, W]`.
    Input,
    /// The output of layer `i` of [`Network::layers`](crate::graph::Network::layers).
    Layer(usize),
}

/// Which weights the network has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// The file's.
    #[default]
    Trained,
    /// The file's, but those of the weight groups `from..to` (in order of computation) are drawn anew from `seed`.
    Randomised {
        /// First group.
        from: usize,
        /// One beyond the last group.
        to: usize,
        /// Seed of the draw.
        seed: u32,
    },
}

/// Which rules carry the cotangent back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// The gradient.
    #[default]
    Gradient,
    /// The gradient, of which only the positive part passes back through each ReLU (guided backpropagation).
    GuidedRelu,
    /// The gradient, but each ReLU passes the positive part of what arrives, whatever its own input (deconvolution).
    DeconvRelu,
    /// Layer-wise relevance propagation: what arrives is relevance, which layers hand on by their contributions.
    Lrp(Lrp),
    /// DeepLIFT's rescale rule: multipliers of the differences from a baseline. A baseline for each picture
    /// `[N, C, H, W]` follows the pictures as an input, and what the baselines get where the pass starts (`[N, K]`) is
    /// the last output. A layer can't be replaced.
    DeepLift,
    /// The gradient; and, as further outputs, each additive constant times the gradient where it is added: for each
    /// constant by channel of a feature map the product `[N, C, h, w]`, in order of computation, then the sum of all
    /// others `[N]`.
    FullGradient,
}

/// How relevance passes a layer with weights, from its outputs `z = W x + b` to its inputs. `p+` and `p-` are the
/// positive and the negative part of `p`, element by element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerRule {
    /// In proportion to `W x`, over `z` pushed away from 0 by this much. With 0: the rule LRP-0.
    Epsilon(f32),
    /// In proportion to `(W + gamma W+) x` where `z` is positive, its mirror image where `z` is negative, for inputs of
    /// both signs.
    Gamma(f32),
    /// In proportion to what raises `z`: `W+ x+ + W- x-`.
    ZPlus,
    /// Alpha times what raises `z` in proportion, less alpha - 1 times what lowers it.
    AlphaBeta(f32),
    /// In proportion to `W x - W+ low - W- high`, for a picture between these values of each channel.
    ZBox {
        /// Lowest network value of each channel.
        low: Vec<f32>,
        /// Highest network value of each channel.
        high: Vec<f32>,
    },
    /// In proportion to the squared weights, whatever the input.
    WSquare,
    /// The same to every input that the output sees.
    Flat,
}

/// What relevance the logits start with, from the cotangent of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The cotangent times the logits: for one logit, its value.
    Answer,
    /// The positive part of the cotangent: for one logit, 1.
    One,
}

/// Relevance propagation: a rule for each class of layers with weights. Sums and averages hand on in proportion to what
/// they add, activations and normalisations pass everything, maxima and shapes route it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lrp {
    /// Convolutions.
    pub conv: LayerRule,
    /// Matrix products.
    pub dense: LayerRule,
    /// Convolutions that no other layer with weights comes before; `None`: as the others.
    pub first_conv: Option<LayerRule>,
    /// Matrix products that no other layer with weights comes before; `None`: as the others.
    pub first_dense: Option<LayerRule>,
    /// What denominators are pushed away from 0 by, the rule epsilon excepted.
    pub stabiliser: f32,
    /// Whether biases take their share of the relevance, which then is lost to the map.
    pub biases: bool,
    /// What the logits start with.
    pub start: Start,
}

/// A backward pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Backward {
    /// By which rules.
    pub rules: Rules,
    /// The layer that it starts from; the logits if none.
    pub of: Option<usize>,
    /// What arrives where.
    pub wrt: Vec<Wrt>,
}

/// What to run. Inputs are, each batch first: the pictures `[N, C, H, W]`; where `replaced` is set, the value that layer
/// has instead of its own; where there is a backward pass, the cotangent of what it starts from (the logits `[N, K]`
/// or a layer's value). Outputs are: the logits `[N, K]`, or the value of the layer that a backward pass starts from; the
/// value of each of `layers`; what the backward pass brings to each of its `wrt`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The weights.
    pub weights: Weights,
    /// A layer whose value is given instead of computed.
    pub replaced: Option<usize>,
    /// Layers whose values are handed back.
    pub layers: Vec<usize>,
    /// The backward pass.
    pub backward: Option<Backward>,
    /// Whether values of the pictures may be NaN, which then means missing: which places are missing is carried through
    /// the network, forward only (see [`layer_masking`](crate::imputer::layer_masking)). A picture without any runs as
    /// ever.
    #[serde(default)]
    pub missing: bool,
}

impl Program {
    /// The logits and the values of `layers`.
    pub fn forward(layers: &[usize]) -> Self {
        Self {
            layers: layers.to_vec(),
            ..Self::default()
        }
    }

    /// The logits and the gradients by each of `wrt`.
    pub fn gradient(wrt: &[Wrt]) -> Self {
        Self::backward(Rules::Gradient, wrt)
    }

    /// The logits and what `rules` bring to each of `wrt`.
    pub fn backward(rules: Rules, wrt: &[Wrt]) -> Self {
        Self {
            backward: Some(Backward {
                rules,
                of: None,
                wrt: wrt.to_vec(),
            }),
            ..Self::default()
        }
    }
}
