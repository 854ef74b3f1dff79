//! Puts the kernels of [`crate::kernel`] into a graph, as operators that do in one walk over memory what the network
//! says in several: a convolution, or the adjoint of one, with its bias, the normalisation folded into its weights, what
//! is added to it, and the clamp behind it. Pools and fully connected layers have kernels too.
//!
//! [`rewrite`] takes the typed graph as it is differentiated (not decluttered: convolutions are still `NCHW` and
//! `OIHW`), forward or gradient, and leaves the rest to the engine. A value that something else reads, or that is handed
//! back, stays as it is: a chain of operators ends there.

mod chain;
mod fused;
mod linear;
mod memory;
mod pool;
mod store;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tract_onnx::tract_core::ops::source::TypedSource;

use super::vjp::prelude::*;
use crate::kernel::Scratch;
use chain::Chain;
use linear::Linear;

pub(in crate::graph) use fused::{Conv, Deconv};
pub(in crate::graph) use pool::Pool;
pub(in crate::graph) use store::Store;

/// The same graph with kernels in it. Inputs and outputs keep their order; kernels with equal weights are taken from
/// `store`, so that the plans of one network share them.
pub(in crate::graph) fn rewrite(model: &TypedModel, store: &Store) -> TractResult<TypedModel> {
    let order = model.eval_order()?;
    let known = Known::of(model, &order);
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut chains: BTreeMap<usize, Chain> = BTreeMap::new();
    for &id in &order {
        if let Some(chain) = Chain::starting_at(&known, id, &taken)? {
            taken.extend(&chain.nodes);
            chains.insert(chain.end(), chain);
        }
    }
    let mut linears: BTreeMap<usize, Linear> = BTreeMap::new();
    for &id in &order {
        if let Some(linear) = Linear::of(&known, model.node(id), store)? {
            linears.insert(id, linear);
        }
    }
    let inputs = |id: usize| match (chains.get(&id), linears.get(&id)) {
        (Some(chain), _) => &*chain.inputs,
        (_, Some(linear)) => &model.node(id).inputs[linear.slot..=linear.slot],
        _ if known.computed(id) => &[],
        _ => &*model.node(id).inputs,
    };
    let mut needed: BTreeSet<usize> = model.outputs.iter().map(|outlet| outlet.node).collect();
    for &id in order.iter().rev() {
        if needed.contains(&id) {
            needed.extend(inputs(id).iter().map(|outlet| outlet.node));
        }
    }
    let mut result = TypedModel {
        symbols: model.symbols.clone(),
        ..TypedModel::default()
    };
    let mut outlets: HashMap<OutletId, OutletId> = HashMap::new();
    for &input in &model.inputs {
        let node = model.node(input.node);
        let outlet = result.add_source(node.name.clone(), model.outlet_fact(input)?.clone())?;
        outlets.insert(input, outlet);
    }
    for &id in order.iter().filter(|id| needed.contains(id)) {
        let node = model.node(id);
        if node.op_is::<TypedSource>() {
            continue;
        }
        if known.computed(id) {
            for slot in 0..node.outputs.len() {
                let value = known.computed[&OutletId::new(id, slot)].clone();
                let outlet = result.add_const(format!("{}.{slot}", node.name), value)?;
                outlets.insert(OutletId::new(id, slot), outlet);
            }
            continue;
        }
        let facts: TVec<TypedFact> = node.outputs.iter().map(|output| output.fact.clone()).collect();
        let op: Box<dyn TypedOp> = if let Some(chain) = chains.get(&id) {
            chain.operator(store)?
        } else if let Some(linear) = linears.get(&id) {
            Box::new(linear.clone())
        } else if let Some(pool) = Pool::of(model, node)? {
            Box::new(pool)
        } else {
            node.op.clone()
        };
        let new = result.add_node(node.name.clone(), op, facts)?;
        for (slot, input) in inputs(id).iter().enumerate() {
            result.add_edge(outlets[input], InletId::new(new, slot))?;
        }
        outlets.extend((0..node.outputs.len()).map(|slot| (OutletId::new(id, slot), OutletId::new(new, slot))));
    }
    let outputs: Vec<OutletId> = model.outputs.iter().map(|outlet| outlets[outlet]).collect();
    result.select_output_outlets(&outputs)?;
    Ok(result)
}

/// A graph and the values in it that do not depend on its inputs: weights that a file stores as half floats or whole
/// numbers with a scale are such values.
struct Known<'a> {
    model: &'a TypedModel,
    /// Those that are not constants of the graph.
    computed: HashMap<OutletId, Arc<Tensor>>,
}

impl<'a> Known<'a> {
    fn of(model: &'a TypedModel, order: &[usize]) -> Self {
        let mut known = Self {
            model,
            computed: HashMap::new(),
        };
        for &id in order {
            let node = model.node(id);
            if node.inputs.is_empty() || node.outputs.iter().all(|output| output.fact.konst.is_some()) {
                continue;
            }
            let values: Option<TVec<TValue>> = node
                .inputs
                .iter()
                .map(|&input| Some(known.value(input)?.clone().into_tvalue()))
                .collect();
            let Some(values) = values else { continue };
            // What can't be computed here fails, or not, where it is run.
            if let Ok(Some(outputs)) = node.op.eval_out_of_plan(values)
                && outputs.len() == node.outputs.len()
            {
                let outlets = (0..outputs.len()).map(|slot| OutletId::new(id, slot));
                let outputs = outputs.into_iter().map(IntoArcTensor::into_arc_tensor);
                known.computed.extend(outlets.zip(outputs));
            }
        }
        known
    }

    /// The value of an outlet, if it is the same for all inputs.
    fn value(&self, outlet: OutletId) -> Option<&Arc<Tensor>> {
        let konst = || self.model.outlet_fact(outlet).ok()?.konst.as_ref();
        self.computed.get(&outlet).or_else(konst)
    }

    /// Whether the outputs of a node are known and no constants of the graph.
    fn computed(&self, id: usize) -> bool {
        self.computed.contains_key(&OutletId::new(id, 0))
    }
}

/// Runs `f` with the memory that all operators of this thread work in.
pub(in crate::graph) fn with_scratch<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with_borrow_mut(f)
}

/// Runs `one` for each of as many `pictures` of the inputs, into an array of this `shape`, all values of which it writes.
fn evaluate(
    inputs: TVec<TValue>,
    pictures: usize,
    shape: &[usize],
    one: impl Fn(&[&[f32]], &mut [f32]),
) -> TractResult<TVec<TValue>> {
    let mut result = memory::taken(shape)?;
    {
        let plains = inputs
            .iter()
            .map(|input| input.try_as_plain_ram())
            .collect::<TractResult<TVec<_>>>()?;
        let slices = plains
            .iter()
            .map(PlainView::as_slice::<f32>)
            .collect::<TractResult<TVec<_>>>()?;
        let mut plain = result.try_as_plain_ram_mut()?;
        let output = plain.as_slice_mut::<f32>()?;
        let each = (output.len() / pictures.max(1)).max(1);
        for (n, output) in output.chunks_exact_mut(each).enumerate() {
            let of_picture = |all: &[f32]| {
                let length = all.len() / pictures;
                n * length..(n + 1) * length
            };
            let inputs: TVec<&[f32]> = slices.iter().map(|&all| &all[of_picture(all)]).collect();
            one(&inputs, output);
        }
    }
    memory::left(inputs);
    Ok(tvec!(result.into_tvalue()))
}
