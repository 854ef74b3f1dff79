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
mod way;

use std::collections::BTreeSet;
use std::rc::Rc;

use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math::{self, Mul};

use super::regions::{Regions, applies};
use super::{NodeRule, Scheme, View};
use crate::graph::vjp::pointwise::Pointwise;
use crate::graph::vjp::prelude::*;
use crate::graph::vjp::{Adjoint, VjpTable};
use crate::program::{LayerRule, Lrp, Start};
use layer::{Kind, Layer};
use way::{Way, way};

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
fn shared(node: &TypedNode, slots: Vec<usize>, scale: Option<f32>, stabiliser: f32, table: Rc<VjpTable>) -> NodeRule {
    let op = node.op.clone();
    let product = slots.len() > 1 && (applies::<Mul>(node) || node.op_is::<EinSum>());
    let factor = match (scale, product.then_some(1.0 / slots.len() as f64)) {
        (Some(scale), share) => Some(f64::from(scale) * share.unwrap_or(1.0)),
        (None, share) => share,
    };
    let wanted: Vec<bool> = (0..node.inputs.len()).map(|slot| slots.contains(&slot)).collect();
    let to = slots.iter().map(|&slot| node.inputs[slot]).collect();
    let send = Box::new(move |a: &mut Adjoint<'_>| {
        a.rule = "lrp-norm";
        let mut value = a.outputs[0];
        if let Some(scale) = scale {
            value = a.scale(value, f64::from(scale))?;
        }
        let relevance = a.f32_cotangent()?;
        let mut ratio = a.pointwise(Pointwise::Over(stabiliser), relevance, value)?;
        if let Some(factor) = factor {
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
