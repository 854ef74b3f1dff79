//! Backward passes by rules of their own: what is changed of the gradient's rules, for whole operators or for single
//! nodes that are recognised by their place in the graph. One file a family.
//!
//! [`scheme`] is asked once for each backward graph. It sees the network as imported ([`View`]) and answers with a table
//! of rules by operator, rules for single nodes, which go before the table, and what to start from. A rule for a single
//! node may send what arrives to any outlet further up, past the nodes between.

mod deeplift;
pub(in crate::graph) mod full_gradient;
mod lrp;
mod regions;
mod relu;
mod secant;

use std::collections::{BTreeMap, BTreeSet};

use super::vjp::prelude::*;
use super::vjp::{Adjoint, Cotangents, VjpTable};
use crate::program::Rules;

/// How one backward pass is made.
pub(in crate::graph) struct Scheme {
    /// By operator.
    pub table: VjpTable,
    /// By node of the network as imported.
    pub nodes: BTreeMap<usize, NodeRule>,
    /// From `(graph, cotangent, logits)` to what arrives at the logits.
    pub seed: fn(&mut TypedModel, OutletId, OutletId) -> TractResult<OutletId>,
}

impl Scheme {
    /// The gradient, of the cotangent as it is.
    pub fn gradient() -> Self {
        Self::by(VjpTable::standard())
    }

    /// By the rules of `table` alone.
    pub fn by(table: VjpTable) -> Self {
        Self {
            table,
            nodes: BTreeMap::new(),
            seed: |_, cotangent, _| Ok(cotangent),
        }
    }
}

/// The rule of one node.
pub(in crate::graph) struct NodeRule {
    /// Outlets of the network as imported that get something.
    pub to: TVec<OutletId>,
    /// What each of `to` gets, of its shape.
    pub send: Box<dyn Fn(&mut Adjoint<'_>) -> Cotangents>,
}

/// What is known before the walk back.
pub(in crate::graph) struct View<'a> {
    /// The network as imported.
    pub model: &'a TypedModel,
    /// Its nodes that the logits depend on, inputs before outputs.
    pub order: &'a [usize],
    /// What the result is taken by.
    pub wrt: &'a [OutletId],
    /// The outlets that depend on it; everything else counts as constant.
    pub active: &'a BTreeSet<OutletId>,
    /// The graph under construction, constants folded.
    pub graph: &'a TypedModel,
    /// Where each outlet of `model` is in `graph`.
    pub outlets: &'a BTreeMap<OutletId, OutletId>,
}

impl View<'_> {
    /// The fixed shape of an outlet; empty where it is not fixed.
    pub fn shape(&self, outlet: OutletId) -> &[usize] {
        let fact = self.model.outlet_fact(outlet).ok();
        fact.and_then(|fact| fact.shape.as_concrete()).unwrap_or_default()
    }

    /// The value of a constant.
    pub fn konst(&self, outlet: OutletId) -> Option<Arc<Tensor>> {
        self.graph.outlet_fact(*self.outlets.get(&outlet)?).ok()?.konst.clone()
    }

    /// The one value that fills a constant.
    pub fn uniform(&self, outlet: OutletId) -> Option<f32> {
        self.konst(outlet)?.as_uniform()?.cast_to_scalar().ok()
    }

    /// Which inputs of a node are not constant.
    pub fn active_inputs(&self, node: &TypedNode) -> Vec<usize> {
        (0..node.inputs.len())
            .filter(|&slot| self.active.contains(&node.inputs[slot]))
            .collect()
    }

    /// The nodes on the way to the logits that read an outlet.
    pub fn readers(&self, outlet: OutletId) -> Vec<usize> {
        let successors = &self.model.node(outlet.node).outputs[outlet.slot].successors;
        let mut readers: Vec<usize> = successors.iter().map(|inlet| inlet.node).collect();
        readers.sort_unstable();
        readers.dedup();
        readers.retain(|id| self.order.contains(id));
        readers
    }
}

/// How `rules` walk back through the network of `view`.
pub(in crate::graph) fn scheme(rules: &Rules, view: &View) -> Scheme {
    match rules {
        Rules::Gradient => Scheme::gradient(),
        Rules::DeepLift => Scheme::by(deeplift::table()),
        Rules::FullGradient => Scheme::by(full_gradient::table()),
        Rules::GuidedRelu => relu::scheme(view, relu::Variant::Guided),
        Rules::DeconvRelu => relu::scheme(view, relu::Variant::Deconv),
        Rules::Lrp(lrp) => lrp::scheme(view, lrp),
    }
}
