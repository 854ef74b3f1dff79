//! What becomes of relevance at nodes without weights, by what they do and where they stand.

use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{
    CumSum, FiniteReshape, Gather, GatherElements, GatherNd, MultiBroadcastTo, Pad, ScatterElements, Slice,
    StridedSlice, Tile, Topk, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::cnn::{MaxPool, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::math::{Add, Div, Max, Min, Mul, Pow, Sub, Tanh};
use tract_onnx::tract_core::ops::nn::resize::{NearestUpsample, Resize};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Sigmoid, Softmax};
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize::Resize as OnnxResize;

use super::super::View;
use super::super::regions::{Regions, applies, binary};
use crate::graph::vjp::inner;
use crate::graph::vjp::prelude::*;

/// How relevance passes a node that has no weights.
pub(super) enum Way {
    /// As its gradient would: each value goes where it came from.
    Route,
    /// All of it to one input, of the shape of the output.
    Pass(usize),
    /// To these inputs, in proportion to what each adds to `scale` times the output.
    Share { slots: Vec<usize>, scale: Option<f32> },
    /// Not at all.
    Unknown,
}

/// The way past a node, of which `active` inputs are not constant.
pub(super) fn way(view: &View, regions: &Regions, node: &TypedNode, active: &[usize]) -> Way {
    let sum = |slots: &[usize]| Way::Share {
        slots: slots.to_vec(),
        scale: None,
    };
    let full = |slot: usize| view.shape(node.inputs[slot]) == view.shape(node.id.into());
    if let Some(op) = binary(node) {
        let &[a, b] = active else { return sum(active) };
        return if op.is::<Max>() || op.is::<Min>() {
            Way::Route
        } else if op.is::<Sub>() && full(a) && is_centring(view, regions, node.inputs[a], node.inputs[b]) {
            Way::Pass(a)
        } else if op.is::<Add>() || op.is::<Sub>() {
            sum(active)
        } else if op.is::<Mul>() {
            signal(view, node).map_or_else(|| sum(active), Way::Pass)
        } else if (op.is::<Div>() || op.is::<Pow>()) && full(0) {
            Way::Pass(0)
        } else {
            Way::Unknown
        };
    }
    if node.op_is::<EinSum>() {
        let weights = |slot: &usize| comes_from_softmax(view, node.inputs[*slot]);
        let values: Vec<usize> = active.iter().copied().filter(|slot| !weights(slot)).collect();
        return sum(if values.is_empty() { active } else { &values });
    }
    if let Some(reduce) = node.op_as::<Reduce>() {
        return match reduce.reducer {
            Reducer::Sum => Way::Share {
                slots: vec![0],
                scale: divisor(view, node),
            },
            Reducer::Max | Reducer::Min => Way::Route,
            _ => Way::Unknown,
        };
    }
    let op = inner(&*node.op);
    if op.is::<SumPool>() || op.is::<CumSum>() || op.is::<Resize>() || op.is::<NearestUpsample>() {
        return sum(&[0]);
    }
    if op.is::<OnnxResize>() {
        return sum(&[0]);
    }
    if op.is::<Softmax>() || op.is::<Lrn>() {
        return Way::Pass(0);
    }
    let routes = is_layout(node)
        || op.is::<MaxPool>()
        || op.is::<TypedConcat>()
        || op.is::<Iff>()
        || op.is::<ScatterElements>()
        || op.is::<Topk>();
    if routes { Way::Route } else { Way::Unknown }
}

/// Moves, repeats or selects the values of one tensor.
pub(super) fn is_layout(node: &TypedNode) -> bool {
    let op = inner(&*node.op);
    op.is::<AxisOp>()
        || op.is::<FiniteReshape>()
        || op.is::<MultiBroadcastTo>()
        || op.is::<Tile>()
        || op.is::<Slice>()
        || op.is::<StridedSlice>()
        || op.is::<Downsample>()
        || op.is::<Pad>()
        || op.is::<Trilu>()
        || op.is::<Gather>()
        || op.is::<GatherElements>()
        || op.is::<GatherNd>()
        || op.is::<Cast>()
        || op.is::<Identity>()
}

/// Works on the values of one tensor without mixing them.
pub(super) fn is_simple(node: &TypedNode) -> bool {
    is_layout(node) || node.op_is::<ElementWiseOp>() || node.op_is::<TypedBinOp>()
}

/// Which factor of a product carries the signal; the other is a gate.
fn signal(view: &View, node: &TypedNode) -> Option<usize> {
    let full = |slot: usize| view.shape(node.inputs[slot]) == view.shape(node.id.into());
    match (full(0), full(1)) {
        (true, false) => return Some(0),
        (false, true) => return Some(1),
        (false, false) => return None,
        (true, true) => {}
    }
    let bounded = |slot: usize| comes_from(view, node.inputs[slot], is_bounded);
    match (bounded(0), bounded(1)) {
        (false, true) => Some(0),
        (true, false) => Some(1),
        _ => None,
    }
}

/// A sigmoid, softmax, or a clip from both sides.
fn is_bounded(view: &View, node: &TypedNode) -> bool {
    let op = inner(&*node.op);
    let before = view.active_inputs(node).first().map(|&slot| node.inputs[slot].node);
    let before = |is: fn(&TypedNode) -> bool| before.is_some_and(|id| is(view.model.node(id)));
    op.is::<Sigmoid>()
        || op.is::<Tanh>()
        || is_softmax(view, node)
        || (op.is::<Max>() && before(applies::<Min>))
        || (op.is::<Min>() && before(applies::<Max>))
}

/// A softmax, or the quotient that one was taken apart into.
fn is_softmax(view: &View, node: &TypedNode) -> bool {
    let summed = |id: usize| {
        view.model
            .node(id)
            .op_as::<Reduce>()
            .is_some_and(|r| r.reducer == Reducer::Sum)
    };
    inner(&*node.op).is::<Softmax>()
        || (applies::<Div>(node)
            && summed(node.inputs[1].node)
            && view.model.node(node.inputs[1].node).inputs[0] == node.inputs[0])
}

fn comes_from_softmax(view: &View, outlet: OutletId) -> bool {
    comes_from(view, outlet, is_softmax)
}

/// Whether a node that is `found` is on the way to `outlet`, with only simple nodes of one operand after it.
fn comes_from(view: &View, mut outlet: OutletId, found: impl Fn(&View, &TypedNode) -> bool) -> bool {
    loop {
        let node = view.model.node(outlet.node);
        if found(view, node) {
            return true;
        }
        match view.active_inputs(node)[..] {
            [slot] if is_simple(node) => outlet = node.inputs[slot],
            _ => return false,
        }
    }
}

/// Whether `mean` is a reduction of `x`, or of what `x` is a function of.
fn is_centring(view: &View, regions: &Regions, x: OutletId, mean: OutletId) -> bool {
    let origin = regions.origin(view, x);
    let mut at = mean;
    let mut reduced = false;
    loop {
        if regions.origin(view, at) == origin {
            return reduced;
        }
        let node = view.model.node(at.node);
        let reduces = node.op_is::<Reduce>();
        reduced |= reduces;
        match view.active_inputs(node)[..] {
            [slot] if reduces || is_simple(node) => at = node.inputs[slot],
            _ => return false,
        }
    }
}

/// The factor that makes a sum the mean, where one follows.
fn divisor(view: &View, node: &TypedNode) -> Option<f32> {
    let [reader] = view.readers(node.id.into())[..] else {
        return None;
    };
    let next = view.model.node(reader);
    let [slot] = view.active_inputs(next)[..] else {
        return None;
    };
    let by = |slot: usize| view.uniform(*next.inputs.get(slot)?);
    if applies::<Mul>(next) {
        by(1 - slot)
    } else if applies::<Div>(next) && slot == 0 {
        by(1).map(f32::recip).filter(|by| by.is_finite())
    } else {
        None
    }
}
