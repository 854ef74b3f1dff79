//! The rules by which a layer with weights hands relevance on. Every one has the same form: outputs of the layer with
//! changed weights and inputs are what the relevance is divided by, the transposed layers bring the quotient back.

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{MaxPool, SumPool};
use tract_onnx::tract_core::ops::math::{self, Max};

use super::super::View;
use super::layer::Layer;
use super::way::{is_layout, is_simple};
use crate::graph::vjp::pointwise::Pointwise;
use crate::graph::vjp::prelude::*;
use crate::graph::vjp::{Adjoint, VjpTable};
use crate::program::LayerRule;

/// The operators between the picture and a first layer, to be repeated on the bounds of the picture's values.
pub(super) struct Path {
    /// The picture's shape.
    shape: TVec<usize>,
    /// In order: operator, its other inputs in the graph under construction, and the slot of the picture.
    steps: Vec<(Box<dyn TypedOp>, TVec<OutletId>, usize)>,
}

impl Path {
    /// The way to `outlet`, if it is one of single steps.
    pub fn to(view: &View, outlet: OutletId) -> Option<Self> {
        let mut at = outlet;
        let mut steps = vec![];
        while !view.model.inputs.contains(&at) {
            let node = view.model.node(at.node);
            let [slot] = view.active_inputs(node)[..] else {
                return None;
            };
            if !is_simple(node) || node.outputs.len() != 1 {
                return None;
            }
            let others = node.inputs.iter().map(|input| view.outlets[input]).collect();
            steps.push((node.op.clone(), others, slot));
            at = node.inputs[slot];
        }
        steps.reverse();
        let shape = view.shape(at).into();
        Some(Self { shape, steps })
    }

    fn repeat(&self, a: &mut Adjoint, by_channel: &[f32]) -> TractResult<OutletId> {
        let [_, channels, height, width] = *self.shape else {
            bail!("the picture has the shape {:?}", self.shape)
        };
        ensure!(
            by_channel.len() == channels,
            "there are bounds for {} channels, not {channels}",
            by_channel.len()
        );
        let value = |i: usize| by_channel[i / (height * width) % channels];
        let values: Vec<f32> = (0..self.shape.iter().product()).map(value).collect();
        let mut at = a.constant(Tensor::from_shape(&self.shape, &values)?)?;
        for (op, others, slot) in &self.steps {
            let mut inputs = others.clone();
            inputs[*slot] = at;
            at = a.wire(op.clone(), &inputs)?;
        }
        Ok(at)
    }
}

/// One layer on the way back.
pub(super) struct Spread<'s> {
    pub layer: &'s Layer,
    pub table: &'s VjpTable,
    pub path: Option<&'s Path>,
    pub stabiliser: f32,
    pub biases: bool,
}

/// An input, the weights that it meets, and the bias that is added.
struct Term {
    input: OutletId,
    weights: OutletId,
    bias: Option<Vec<f32>>,
}

fn positive(w: f32) -> f32 {
    w.max(0.0)
}

fn negative(w: f32) -> f32 {
    w.min(0.0)
}

impl Spread<'_> {
    /// The relevance of the layer's data.
    pub fn by(&self, a: &mut Adjoint, rule: &LayerRule) -> TractResult<OutletId> {
        let relevance = a.f32_cotangent()?;
        let x = a.inputs[self.layer.data];
        match rule {
            LayerRule::Epsilon(epsilon) => {
                let term = [self.term(a, x, |w| w, Some(&|b| b))?];
                let z = if self.biases {
                    self.value(a)?
                } else {
                    self.outputs(a, &term)?
                };
                let ratio = a.pointwise(Pointwise::Over(*epsilon), relevance, z)?;
                self.back(a, &term, ratio)
            }
            LayerRule::ZPlus => self.raising(a, x, relevance),
            LayerRule::AlphaBeta(alpha) => {
                let raised = self.raising(a, x, relevance)?;
                let beta = f64::from(*alpha) - 1.0;
                let raised = a.scale(raised, f64::from(*alpha))?;
                if beta == 0.0 {
                    return Ok(raised);
                }
                let terms = self.signed(a, x, [&negative, &positive], &negative)?;
                let lowered = self.in_proportion(a, &terms, relevance)?;
                let lowered = a.scale(lowered, beta)?;
                a.sub(raised, lowered)
            }
            LayerRule::Gamma(gamma) => {
                let z = self.value(a)?;
                let (up, down) = (|w: f32| w + gamma * positive(w), |w: f32| w + gamma * negative(w));
                let mut parts = vec![];
                for (weights, gate) in [
                    ([&up as &dyn Fn(f32) -> f32, &down], Pointwise::Above(0.0)),
                    ([&down, &up], Pointwise::Below(0.0)),
                ] {
                    let terms = self.signed(a, x, weights, weights[0])?;
                    let z_changed = self.outputs(a, &terms)?;
                    let ratio = a.pointwise(Pointwise::Over(self.stabiliser), relevance, z_changed)?;
                    let ratio = a.pointwise(gate, ratio, z)?;
                    parts.push(self.back(a, &terms, ratio)?);
                }
                a.add(parts[0], parts[1])
            }
            LayerRule::ZBox { low, high } => {
                let path = self
                    .path
                    .context("the way from the picture to it is not one of single steps, as the rule z-box needs")?;
                let (from, to) = (path.repeat(a, low)?, path.repeat(a, high)?);
                let low = a.wire(math::min(), &[from, to])?;
                let high = a.wire(math::max(), &[from, to])?;
                let whole = self.term(a, x, |w| w, None)?;
                let least = self.term(a, low, positive, None)?;
                let most = self.term(a, high, negative, None)?;
                let mut z = self.outputs(a, std::slice::from_ref(&whole))?;
                for term in [&least, &most] {
                    let part = self.outputs(a, std::slice::from_ref(term))?;
                    z = a.sub(z, part)?;
                }
                let ratio = a.pointwise(Pointwise::Over(self.stabiliser), relevance, z)?;
                let mut sent = self.back(a, &[whole], ratio)?;
                for term in [least, most] {
                    let part = self.back(a, &[term], ratio)?;
                    sent = a.sub(sent, part)?;
                }
                Ok(sent)
            }
            LayerRule::WSquare => {
                let ones = self.ones(a)?;
                let term = self.term(a, ones, |w| w * w, Some(&|b| b * b))?;
                self.in_proportion(a, &[term], relevance)
            }
            LayerRule::Flat => {
                let ones = self.ones(a)?;
                let term = self.term(a, ones, |_| 1.0, None)?;
                self.in_proportion(a, &[term], relevance)
            }
        }
    }

    fn raising(&self, a: &mut Adjoint, x: OutletId, relevance: OutletId) -> TractResult<OutletId> {
        let terms = self.signed(a, x, [&positive, &negative], &positive)?;
        self.in_proportion(a, &terms, relevance)
    }

    /// `weights[0]` with the positive inputs and `weights[1]` with the negative ones, if there can be any.
    fn signed(
        &self,
        a: &mut Adjoint,
        x: OutletId,
        weights: [&dyn Fn(f32) -> f32; 2],
        bias: &dyn Fn(f32) -> f32,
    ) -> TractResult<Vec<Term>> {
        if is_positive(a.model(), x, 0) {
            return Ok(vec![self.term(a, x, weights[0], Some(bias))?]);
        }
        let zero = a.scalar(0.0, x)?;
        let above = a.wire(math::max(), &[x, zero])?;
        let below = a.wire(math::min(), &[x, zero])?;
        Ok(vec![
            self.term(a, above, weights[0], Some(bias))?,
            self.term(a, below, weights[1], None)?,
        ])
    }

    fn term(
        &self,
        a: &mut Adjoint,
        input: OutletId,
        weights: impl Fn(f32) -> f32,
        bias: Option<&dyn Fn(f32) -> f32>,
    ) -> TractResult<Term> {
        let weights = a.constant(self.layer.map(weights)?)?;
        let bias = bias
            .filter(|_| self.biases && !self.layer.bias.is_empty())
            .map(|f| self.layer.bias.iter().map(|&b| f(b)).collect());
        Ok(Term { input, weights, bias })
    }

    fn ones(&self, a: &mut Adjoint) -> TractResult<OutletId> {
        let shape = a.shape(a.inputs[self.layer.data])?;
        let ones = vec![1f32; shape.iter().product()];
        a.constant(Tensor::from_shape(&shape, &ones)?)
    }

    /// `z` itself, biases included.
    fn value(&self, a: &mut Adjoint) -> TractResult<OutletId> {
        let mut z = a.outputs[0];
        if let Some((scale, shift)) = &self.layer.merged {
            let scale = self.by_channel(a, scale)?;
            let shift = self.by_channel(a, shift)?;
            z = a.mul(z, scale)?;
            z = a.add(z, shift)?;
        }
        Ok(z)
    }

    fn by_channel(&self, a: &mut Adjoint, values: &[f32]) -> TractResult<OutletId> {
        let mut shape: TVec<usize> = tvec![1; a.fact(a.outputs[0])?.rank()];
        shape[self.layer.channel] = values.len();
        a.constant(Tensor::from_shape(&shape, values)?)
    }

    fn outputs(&self, a: &mut Adjoint, terms: &[Term]) -> TractResult<OutletId> {
        let mut sum = None;
        for term in terms {
            let inputs = self.operands(a, term)?;
            let mut z = a.wire(self.layer.op.clone(), &inputs)?;
            if let Some(bias) = &term.bias {
                let bias = self.by_channel(a, bias)?;
                z = a.add(z, bias)?;
            }
            sum = Some(match sum {
                None => z,
                Some(sum) => a.add(sum, z)?,
            });
        }
        sum.context("a rule without terms")
    }

    /// The sum over the terms of `input * Wᵀ ratio`.
    fn back(&self, a: &mut Adjoint, terms: &[Term], ratio: OutletId) -> TractResult<OutletId> {
        let wanted: Vec<bool> = (0..a.inputs.len()).map(|slot| slot == self.layer.data).collect();
        let mut sum = None;
        for term in terms {
            let inputs = self.operands(a, term)?;
            let sent = a.by_table(self.table, &*self.layer.op, &inputs, ratio, &wanted)?;
            let sent = sent
                .get(self.layer.data)
                .copied()
                .flatten()
                .context("nothing comes back")?;
            let part = a.mul(term.input, sent)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => a.add(sum, part)?,
            });
        }
        sum.context("a rule without terms")
    }

    fn in_proportion(&self, a: &mut Adjoint, terms: &[Term], relevance: OutletId) -> TractResult<OutletId> {
        let z = self.outputs(a, terms)?;
        let ratio = a.pointwise(Pointwise::Over(self.stabiliser), relevance, z)?;
        self.back(a, terms, ratio)
    }

    fn operands(&self, a: &mut Adjoint, term: &Term) -> TractResult<TVec<OutletId>> {
        let mut inputs: TVec<OutletId> = a.inputs.into();
        inputs[self.layer.data] = term.input;
        inputs[self.layer.weights_at] = term.weights;
        if let Some(slot) = self.layer.bias_at {
            inputs[slot] = a.constant(tensor0(0f32))?;
        }
        Ok(inputs)
    }
}

/// Whether no value of an outlet can be negative, as far as can be told from where it comes from.
fn is_positive(graph: &TypedModel, outlet: OutletId, depth: usize) -> bool {
    let node = graph.node(outlet.node);
    let inside = |outlet: &OutletId| depth < 20 && is_positive(graph, *outlet, depth + 1);
    if node.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Max>()) {
        let bound = |outlet: &OutletId| {
            let konst = graph.outlet_fact(*outlet).ok().and_then(|fact| fact.konst.clone());
            let value = konst.and_then(|konst| konst.as_uniform()?.cast_to_scalar::<f32>().ok());
            value.is_some_and(|value| value >= 0.0)
        };
        return node.inputs.iter().any(bound);
    }
    if node.op_is::<MaxPool>() || node.op_is::<SumPool>() {
        return inside(&node.inputs[0]);
    }
    if node.op_is::<tract_onnx::tract_core::ops::array::TypedConcat>() {
        return node.inputs.iter().all(inside);
    }
    let moves = is_layout(node) && !node.op_is::<tract_onnx::tract_core::ops::array::Pad>();
    moves && node.inputs.first().is_some_and(inside)
}
