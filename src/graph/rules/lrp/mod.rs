//! Layer-wise relevance propagation. The definitions are Zennit's: each layer with weights by one rule, with a batch
//! normalisation or factor by channel that follows it merged into it first (`layer`), sums and averages in proportion to
//! their terms, activations passed.
//!
//! What the papers leave open, or a module in PyTorch hides, is decided here:
//! - **activations and what else works element by element** on one tensor ([`Regions`]), scalings and shifts by
//!   constants included (a batch normalisation that no layer comes before): everything passes to where the region starts;
//! - **gates** (squeeze-and-excite, attention over channels): the signal takes all, the gate is a constant
//!   (Arras et al. 2017). The gate is the smaller factor, else the bounded one; two equal factors take half each;
//! - **normalisation by the data** (layer, group and instance norm): the statistics are constants and centring passes
//!   everything, which is the identity rule of Achtibat et al. 2024;
//! - **attention**: the weights are constants (Ali et al. 2022), the values get relevance in proportion to what they
//!   add; other products of two tensors share in halves;
//! - **max pools** route to the maximum.

mod layer;
mod spread;

use std::collections::BTreeSet;
use std::rc::Rc;

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
use tract_onnx::tract_core::ops::math::{self, Add, Div, Max, Min, Mul, Pow, Sub, Tanh};
use tract_onnx::tract_core::ops::nn::resize::{NearestUpsample, Resize};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Sigmoid, Softmax};
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize::Resize as OnnxResize;

use super::regions::{Regions, binary};
use super::{NodeRule, Scheme, View};
use crate::graph::vjp::pointwise::Pointwise;
use crate::graph::vjp::prelude::*;
use crate::graph::vjp::{Adjoint, VjpTable, inner};
use crate::program::{LayerRule, Lrp, Start};
use layer::{Kind, Layer};

/// How relevance passes a node that has no weights.
enum Way {
    /// As its gradient would: each value goes where it came from.
    Route,
    /// All of it to one input, of the shape of the output.
    Pass(usize),
    /// To these inputs, in proportion to what each adds to `scale` times the output.
    Share { slots: Vec<usize>, scale: f32 },
    /// Not at all.
    Unknown,
}

pub(super) fn scheme(view: &View, lrp: &Lrp) -> Scheme {
    let regions = Regions::of(view);
    let table = Rc::new(VjpTable::standard());
    let mut scheme = Scheme::gradient();
    scheme.seed = match lrp.start {
        Start::Answer => |graph, cotangent, logits| {
            let inputs = [cotangent, logits];
            Ok(graph.wire_node("lucarne.relevance", math::mul(), &inputs)?[0])
        },
        Start::One => |graph, cotangent, _| {
            let zero = tensor0(0f32).broadcast_into_rank(graph.outlet_fact(cotangent)?.rank())?;
            let zero = graph.add_const("lucarne.relevance.zero", zero)?;
            Ok(graph.wire_node("lucarne.relevance", math::max(), &[cotangent, zero])?[0])
        },
    };
    // Nodes that depend on a layer with weights.
    let mut later: BTreeSet<usize> = BTreeSet::new();
    for &id in view.order {
        let node = view.model.node(id);
        let active = view.active_inputs(node);
        if active.is_empty() {
            continue;
        }
        let first = !node.inputs.iter().any(|input| later.contains(&input.node));
        let layer = Layer::of(view, node);
        if layer.is_some() || !first {
            later.insert(id);
        }
        if let Some(layer) = layer {
            let special = match layer.kind {
                Kind::Conv => lrp.first_conv.as_ref(),
                Kind::Dense => lrp.first_dense.as_ref(),
            };
            let rule = special.filter(|_| first).unwrap_or(match layer.kind {
                Kind::Conv => &lrp.conv,
                Kind::Dense => &lrp.dense,
            });
            let own = weighted(view, node, layer, rule.clone(), lrp, table.clone());
            scheme.nodes.insert(id, own);
        } else if let Some(start) = regions.start(id) {
            scheme.nodes.insert(id, pass(start));
        } else {
            match way(view, &regions, node, &active) {
                Way::Route => {}
                Way::Pass(slot) => {
                    scheme.nodes.insert(id, pass(node.inputs[slot]));
                }
                Way::Share { slots, scale } => {
                    let own = shared(node, slots, scale, lrp.stabiliser, table.clone());
                    scheme.nodes.insert(id, own);
                }
                Way::Unknown => {
                    let send = Box::new(|_: &mut Adjoint<'_>| bail!("relevance propagation has no rule for it"));
                    scheme.nodes.insert(id, NodeRule { to: tvec![], send });
                }
            }
        }
    }
    scheme
}

fn pass(to: OutletId) -> NodeRule {
    NodeRule {
        to: tvec![to],
        send: Box::new(|a| Ok(tvec![Some(a.cotangent()?)])),
    }
}

fn weighted(view: &View, node: &TypedNode, layer: Layer, rule: LayerRule, lrp: &Lrp, table: Rc<VjpTable>) -> NodeRule {
    let data = node.inputs[layer.data];
    let path = spread::Path::to(view, data);
    let (stabiliser, biases) = (lrp.stabiliser, lrp.biases);
    let send = Box::new(move |a: &mut Adjoint<'_>| {
        a.rule = "lrp";
        let spread = spread::Spread {
            layer: &layer,
            table: &table,
            path: path.as_ref(),
            stabiliser,
            biases,
        };
        Ok(tvec![Some(spread.by(a, &rule)?)])
    });
    NodeRule { to: tvec![data], send }
}

/// The rule Norm: each input gets `x * (dy/dx)ᵀ (R / y)`, in halves where the output is a product of two.
fn shared(node: &TypedNode, slots: Vec<usize>, scale: f32, stabiliser: f32, table: Rc<VjpTable>) -> NodeRule {
    let op = node.op.clone();
    let product = slots.len() > 1 && (binary(node).is_some_and(|op| op.is::<Mul>()) || node.op_is::<EinSum>());
    let share = if product { 1.0 / slots.len() as f64 } else { 1.0 };
    let wanted: Vec<bool> = (0..node.inputs.len()).map(|slot| slots.contains(&slot)).collect();
    let to = slots.iter().map(|&slot| node.inputs[slot]).collect();
    let send = Box::new(move |a: &mut Adjoint<'_>| {
        a.rule = "lrp-norm";
        let mut value = a.outputs[0];
        if scale != 1.0 {
            value = a.scale(value, f64::from(scale))?;
        }
        let relevance = a.f32_cotangent()?;
        let mut ratio = a.pointwise(Pointwise::Over(stabiliser), relevance, value)?;
        let factor = f64::from(scale) * share;
        if factor != 1.0 {
            ratio = a.scale(ratio, factor)?;
        }
        let inputs: TVec<OutletId> = a.inputs.into();
        let back = a.by_table(&table, &*op, &inputs, ratio, &wanted)?;
        let mut sent = tvec![];
        for &slot in &slots {
            let back = back.get(slot).copied().flatten();
            sent.push(back.map(|back| a.mul(inputs[slot], back)).transpose()?);
        }
        Ok(sent)
    });
    NodeRule { to, send }
}

fn way(view: &View, regions: &Regions, node: &TypedNode, active: &[usize]) -> Way {
    let sum = |slots: &[usize]| Way::Share {
        slots: slots.to_vec(),
        scale: 1.0,
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
fn is_layout(node: &TypedNode) -> bool {
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
fn is_simple(node: &TypedNode) -> bool {
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
    let other_side = |of: &TypedNode| {
        let before = view.active_inputs(of).first().map(|&slot| of.inputs[slot].node);
        before.and_then(|id| binary(view.model.node(id)))
    };
    op.is::<Sigmoid>()
        || op.is::<Tanh>()
        || is_softmax(view, node)
        || (op.is::<Max>() && other_side(node).is_some_and(|op| op.is::<Min>()))
        || (op.is::<Min>() && other_side(node).is_some_and(|op| op.is::<Max>()))
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
        || (binary(node).is_some_and(|op| op.is::<Div>())
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
fn divisor(view: &View, node: &TypedNode) -> f32 {
    let [reader] = view.readers(node.id.into())[..] else {
        return 1.0;
    };
    let next = view.model.node(reader);
    let [slot] = view.active_inputs(next)[..] else {
        return 1.0;
    };
    let Some((op, by)) = binary(next).zip(next.inputs.get(1 - slot.min(1)).and_then(|&other| view.uniform(other)))
    else {
        return 1.0;
    };
    if op.is::<Mul>() {
        by
    } else if op.is::<Div>() && slot == 0 && by != 0.0 {
        1.0 / by
    } else {
        1.0
    }
}
