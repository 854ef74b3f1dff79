//! The computation graph: import, canonisation, forward plans and reverse-mode gradients. The only folder that names
//! tract; everything that leaves it is a [`Tensor`] or a plain description.

mod backward;
pub mod inspect;
mod vjp;

use crate::Tensor;
use crate::error::{GradientError, LoadError, RunError};
use crate::model::target::Head;
use crate::model::{Limits, ModelCard};

/// A place inside the network that can be looked at or differentiated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// ONNX node name.
    pub name: String,
    /// Operator type in the engine's vocabulary.
    pub op: String,
    /// Shape of its output for one picture, without the batch axis: `[C, h, w]`, `[T, D]` or `[D]`.
    pub shape: Vec<usize>,
}

/// What a gradient is taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wrt {
    /// The input `[N, C, H, W]`.
    Input,
    /// The output of layer `i` of [`Network::layers`].
    Layer(usize),
}

/// An imported network: typed graph, batch-norm folded, input transposed to `[N, C, H, W]` where it was not.
#[derive(Debug)]
pub struct Network {}

impl Network {
    /// Imports an ONNX file as the card describes it. Bytes, nodes, dimensions and estimated memory are checked
    /// against `limits` before they are taken.
    pub fn import(_onnx: &[u8], _card: &ModelCard, _limits: &Limits) -> Result<Self, LoadError> {
        todo!()
    }

    /// Channels, height and width of one input.
    pub fn input_dims(&self) -> [usize; 3] {
        todo!()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        todo!()
    }

    /// What the file applies to its logits at the end.
    pub fn head(&self) -> Head {
        todo!()
    }

    /// Layers in order of computation.
    pub fn layers(&self) -> &[Layer] {
        todo!()
    }

    /// The last spatial feature map `[C, h, w]` with `h * w > 1`: the default of the methods that look at a layer.
    pub fn default_layer(&self) -> Option<usize> {
        todo!()
    }

    /// A plan that maps `[N, C, H, W]` to the logits `[N, K]` and then the output of each of `layers`, `N` fixed.
    pub fn forward_plan(&self, _n: usize, _layers: &[usize]) -> Result<Plan, RunError> {
        todo!()
    }

    /// A plan that maps `[N, C, H, W]` and a cotangent `[N, K]` of the logits to the logits and then, for each of
    /// `wrt`, the gradient of `sum(cotangent * logits)` by it.
    pub fn gradient_plan(&self, _n: usize, _wrt: &[Wrt]) -> Result<Plan, GradientError> {
        todo!()
    }
}

/// An optimised, immutable graph, ready to run.
#[derive(Debug)]
pub struct Plan {}

impl Plan {
    /// Runs the plan.
    pub fn run(&self, _inputs: &[&Tensor]) -> Result<Vec<Tensor>, RunError> {
        todo!()
    }
}
