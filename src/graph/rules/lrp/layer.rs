//! Layers with weights, with the factors and shifts by channel that follow them merged into their weights: batch
//! normalisations, biases of matrix products, layer scales.

use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math::{Add, Div, Mul, Sub};

use super::super::View;
use super::super::regions::applies;
use crate::graph::vjp::prelude::*;

/// The classes of layers that composites tell apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Conv,
    Dense,
}

/// `z = W x + b`, by the operator of a node, of which one operand is the data.
pub(super) struct Layer {
    pub kind: Kind,
    pub op: Box<dyn TypedOp>,
    /// Input slots.
    pub data: usize,
    pub weights_at: usize,
    pub bias_at: Option<usize>,
    /// `W`, with everything merged.
    pub weights: Tensor,
    /// `b` by channel of the output, with everything merged; empty where there is none.
    pub bias: Vec<f32>,
    /// The axis of the channels in the output.
    pub channel: usize,
    /// What `z` is of the node's own output, by channel: its factor and shift; `None` where they are the same.
    pub merged: Option<(Vec<f32>, Vec<f32>)>,
}

impl Layer {
    /// The layer of a node, if its weights are constant and its data is not.
    pub fn of(view: &View, node: &TypedNode) -> Option<Self> {
        let [data] = view.active_inputs(node)[..] else {
            return None;
        };
        let conv = node.op_as::<Conv>().is_some_and(|op| op.q_params.is_none());
        let (kind, weights_at, bias_at) = if conv || node.op_is::<Deconv>() {
            (Kind::Conv, 1, Some(2))
        } else if node.op_as::<EinSum>().is_some_and(|op| op.q_params.is_none()) && node.inputs.len() == 2 {
            (Kind::Dense, 1 - data, None)
        } else {
            return None;
        };
        if kind == Kind::Conv && data != 0 {
            return None;
        }
        let mut weights = view.konst(node.inputs[weights_at])?.cast_to::<f32>().ok()?.into_owned();
        let (channel, by) = channels(node, kind, data, weights_at)?;
        let count = *view.shape(node.id.into()).get(channel)?;
        let own = match bias_at {
            Some(slot) => vector(&*view.konst(node.inputs[slot])?, count)?,
            None => vec![0.0; count],
        };
        let merged = following(view, node, channel, count);
        let mut bias = own;
        if let Some((scale, shift)) = &merged {
            scale_along(&mut weights, by, scale)?;
            for ((bias, scale), shift) in bias.iter_mut().zip(scale).zip(shift) {
                *bias = *bias * scale + shift;
            }
        }
        Some(Self {
            kind,
            op: node.op.clone(),
            data,
            weights_at,
            bias_at,
            weights,
            bias: if bias.iter().all(|&b| b == 0.0) { vec![] } else { bias },
            channel,
            merged,
        })
    }

    /// The weights, each mapped.
    pub fn map(&self, f: impl Fn(f32) -> f32) -> TractResult<Tensor> {
        let plain = self.weights.try_as_plain_ram()?;
        let mapped: Vec<f32> = plain.as_slice::<f32>()?.iter().map(|&w| f(w)).collect();
        Tensor::from_shape(self.weights.shape(), &mapped)
    }
}

/// The axis of the channels in the output, and in the weights.
fn channels(node: &TypedNode, kind: Kind, data: usize, weights: usize) -> Option<(usize, usize)> {
    if kind == Kind::Conv {
        return Some((1, 0));
    }
    let op = node.op_as::<EinSum>()?;
    let own: Vec<(usize, usize)> = op
        .axes
        .iter_all_axes()
        .filter(|axis| axis.inputs[data].is_empty())
        .filter_map(|axis| Some((*axis.outputs[0].first()?, *axis.inputs[weights].first()?)))
        .collect();
    match own[..] {
        [own] => Some(own),
        _ => None,
    }
}

/// A constant of one value, or one for each of `count` channels.
fn vector(tensor: &Tensor, count: usize) -> Option<Vec<f32>> {
    let tensor = tensor.cast_to::<f32>().ok()?;
    let plain = tensor.try_as_plain_ram().ok()?;
    match *plain.as_slice::<f32>().ok()? {
        [value] => Some(vec![value; count]),
        ref values if values.len() == count => Some(values.to_vec()),
        _ => None,
    }
}

/// The factor and shift that the operators after a layer apply to each channel, if any, as far as nothing else reads what
/// is between. Single numbers belong to activations, unless there is one channel only.
fn following(view: &View, node: &TypedNode, channel: usize, count: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    let (mut scale, mut shift) = (vec![1.0f32; count], vec![0.0f32; count]);
    let mut at: OutletId = node.id.into();
    let mut any = false;
    while !view.wrt.contains(&at) {
        let [reader] = view.readers(at)[..] else { break };
        let next = view.model.node(reader);
        let &[slot] = &view.active_inputs(next)[..] else { break };
        let known = applies::<Add>(next) || applies::<Sub>(next) || applies::<Mul>(next);
        if !(known || (applies::<Div>(next) && slot == 0)) {
            break;
        }
        let other = next.inputs[1 - slot];
        let rank = view.shape(at).len();
        let by_channel = |shape: &[usize]| {
            shape.len() == rank && (0..rank).all(|axis| shape[axis] == if axis == channel { count } else { 1 })
        };
        if view.shape(at) != view.shape(next.id.into()) || !by_channel(view.shape(other)) {
            break;
        }
        let Some(by) = view.konst(other).and_then(|konst| vector(&konst, count)) else {
            break;
        };
        for c in 0..count {
            let by = by[c];
            let (factor, term) = if applies::<Add>(next) {
                (1.0, by)
            } else if applies::<Sub>(next) {
                if slot == 0 { (1.0, -by) } else { (-1.0, by) }
            } else if applies::<Mul>(next) {
                (by, 0.0)
            } else {
                (1.0 / by, 0.0)
            };
            scale[c] *= factor;
            shift[c] = shift[c] * factor + term;
        }
        any = true;
        at = next.id.into();
    }
    any.then_some((scale, shift))
}

fn scale_along(tensor: &mut Tensor, axis: usize, by: &[f32]) -> Option<()> {
    let shape: Vec<usize> = tensor.shape().to_vec();
    let inside: usize = shape[axis + 1..].iter().product();
    if shape[axis] != by.len() {
        return None;
    }
    let mut plain = tensor.try_as_plain_ram_mut().ok()?;
    for (i, value) in plain.as_slice_mut::<f32>().ok()?.iter_mut().enumerate() {
        *value *= by[i / inside % by.len()];
    }
    Some(())
}
