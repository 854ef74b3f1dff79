//! Builds the gradient graph of a network: the walk back from the logits. The rules are in [`vjp`](super::vjp).

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::math;

use super::rules::full_gradient::{self, Part};
use super::rules::{Scheme, View};
use super::vjp::Adjoint;
use super::vjp::prelude::*;
use crate::error::GradientError;

/// Name of the source that takes the cotangent of the logits.
pub(in crate::graph) const COTANGENT: &str = "lucarne.cotangent";

/// Name of the source that takes the baseline.
const BASELINE: &str = "lucarne.baseline";

/// [`differentiate_by`] the gradient.
#[cfg(test)]
pub(in crate::graph) fn differentiate(
    model: &TypedModel,
    of: OutletId,
    wrt: &[OutletId],
) -> Result<TypedModel, GradientError> {
    differentiate_by(|_| Scheme::gradient(), model, of, &[], wrt)
}

/// The graph `(inputs, cotangent) -> (of, also, gradients)`: the gradients of `sum(cotangent * of)` by each outlet of
/// `wrt`, in order, each of the shape of its outlet, or what the rules of another `scheme` carry there; the
/// cotangent has the shape of `of`.
///
/// Where the table compares, the graph is `(inputs, baseline, cotangent) -> (of, also, gradients, of the baseline)`. Where
/// it asks for biases, what each brings follows: a product `[1, C, h, w]` for each constant of a feature map, in order of
/// computation, and the sum of all others `[1]`.
///
/// `model` is typed and not decluttered (declutter changes the layout of weights), every shape in it fixed. The result
/// shares forward values with the adjoint, and is left for the caller to declutter and optimise as one.
///
/// # Errors
/// [`GradientError::NoRule`] if a gradient flows into an operator without a rule, or in a form that its rule does not
/// cover; [`GradientError::Unreached`] if `of` does not depend on one of `wrt` by a differentiable path.
pub(in crate::graph) fn differentiate_by(
    scheme: impl FnOnce(&View<'_>) -> Scheme,
    model: &TypedModel,
    of: OutletId,
    also: &[OutletId],
    wrt: &[OutletId],
) -> Result<TypedModel, GradientError> {
    let targets: Vec<usize> = std::iter::once(&of).chain(also).map(|outlet| outlet.node).collect();
    let order = ancestors(model, &targets).map_err(|error| engine("graph", "order", &error))?;
    let mut forward = Forward::default();
    for &id in &order {
        let node = model.node(id);
        forward
            .copy(model, node)
            .map_err(|error| engine(&node.op.name(), &node.name, &error))?;
    }
    for source in model
        .input_outlets()
        .map_err(|error| engine("graph", "inputs", &error))?
    {
        if !forward.outlets.contains_key(source) {
            let node = model.node(source.node);
            forward
                .copy(model, node)
                .map_err(|error| engine("Source", &node.name, &error))?;
        }
    }
    let Forward { mut graph, outlets } = forward;
    let unreached = |outlet: &OutletId, ends: Vec<usize>| GradientError::Unreached {
        what: place(model, *outlet),
        ends: ends.into_iter().map(|id| named(model.node(id))).collect(),
    };
    for outlet in wrt {
        if !outlets.contains_key(outlet) {
            return Err(unreached(outlet, vec![]));
        }
    }
    let active = active(model, &order, wrt);
    let mut cotangents: BTreeMap<OutletId, Vec<OutletId>> = BTreeMap::new();
    let seed = (|| {
        let fact = graph.outlet_fact(outlets[&of])?.without_value();
        graph.add_source(COTANGENT, fact)
    })()
    .map_err(|error| engine("Source", COTANGENT, &error))?;
    let view = View {
        model,
        order: &order,
        wrt,
        active: &active,
        graph: &graph,
        outlets: &outlets,
    };
    let scheme = scheme(&view);
    let start = (scheme.seed)(&mut graph, seed, outlets[&of]).map_err(|error| engine("Source", COTANGENT, &error))?;
    cotangents.insert(of, vec![start]);
    let baseline = if scheme.table.compares {
        let again = again(&mut graph, &outlets, model, &order);
        Some(again.map_err(|error| engine("Source", BASELINE, &error))?)
    } else {
        None
    };
    let mut gradients: BTreeMap<OutletId, OutletId> = BTreeMap::new();
    let mut flat: Vec<usize> = vec![];
    let (mut maps, mut sums): (Vec<OutletId>, Vec<OutletId>) = (vec![], vec![]);

    for &id in order.iter().rev() {
        let node = model.node(id);
        let fail = |error: &TractError| engine(&node.op.name(), &node.name, error);
        let arrived: TVec<Option<OutletId>> = (0..node.outputs.len())
            .map(|slot| total(&mut graph, &node.name, cotangents.remove(&OutletId::new(id, slot))))
            .collect::<TractResult<_>>()
            .map_err(|error| fail(&error))?;
        for (slot, cotangent) in arrived.iter().enumerate() {
            let outlet = OutletId::new(id, slot);
            if let Some(cotangent) = cotangent
                && wrt.contains(&outlet)
            {
                gradients.insert(outlet, *cotangent);
            }
        }
        let wanted: Vec<bool> = node.inputs.iter().map(|input| active.contains(input)).collect();
        if arrived.iter().all(Option::is_none) || !wanted.contains(&true) {
            continue;
        }
        let inputs: Vec<OutletId> = node.inputs.iter().map(|input| outlets[input]).collect();
        let outputs: Vec<OutletId> = (0..node.outputs.len())
            .map(|slot| outlets[&OutletId::new(id, slot)])
            .collect();
        let compared: Option<(TVec<OutletId>, TVec<OutletId>)> = baseline.as_ref().map(|baseline| {
            let inputs = node.inputs.iter().map(|input| baseline[input]).collect();
            let outputs = (0..outputs.len()).map(|slot| baseline[&OutletId::new(id, slot)]);
            (inputs, outputs.collect())
        });
        let mut adjoint = Adjoint::new(&mut graph, &node.name, &inputs, &outputs, &arrived, &wanted);
        if let Some((inputs, outputs)) = &compared {
            adjoint = adjoint.against(inputs, outputs);
        }
        if scheme.table.biases {
            match full_gradient::part(&mut adjoint, &*node.op).map_err(|error| fail(&error))? {
                Some(Part::Map(outlet)) => maps.push(outlet),
                Some(Part::Sum(outlet)) => sums.push(outlet),
                None => {}
            }
        }
        let own = scheme.nodes.get(&id);
        let sent = match own {
            Some(own) => Some((own.send)(&mut adjoint)),
            None => scheme.table.apply(&*node.op, &mut adjoint),
        };
        let sent = sent
            .ok_or_else(|| GradientError::NoRule {
                op: node.op.name().into_owned(),
                node: node.name.clone(),
                why: String::new(),
            })?
            .map_err(|error| fail(&error))?;
        let receivers: &[OutletId] = own.map_or(&node.inputs, |own| &own.to);
        if sent.iter().all(Option::is_none) {
            flat.push(id);
        }
        for (input, cotangent) in receivers.iter().zip(sent).filter(|(to, _)| active.contains(to)) {
            let Some(cotangent) = cotangent else { continue };
            same_fact(&graph, outlets[input], cotangent).map_err(|error| fail(&error))?;
            cotangents.entry(*input).or_default().push(cotangent);
        }
    }

    let mut results = vec![outlets[&of]];
    results.extend(also.iter().map(|outlet| outlets[outlet]));
    for outlet in wrt {
        let found = gradients.get(outlet).copied();
        results.push(found.ok_or_else(|| unreached(outlet, [whole(model, &order, &active), flat.clone()].concat()))?);
    }
    if scheme.table.biases {
        results.extend(maps.iter().rev());
        let rest = if sums.is_empty() {
            graph.add_const("lucarne.biases", tensor1(&[0f32])).map(Some)
        } else {
            total(&mut graph, "lucarne.biases", Some(sums))
        };
        results.extend(rest.map_err(|error| engine("Add", "lucarne.biases", &error))?);
    }
    results.extend(baseline.as_ref().map(|baseline| baseline[&of]));
    let sources = model
        .inputs
        .iter()
        .map(|input| outlets[input])
        .chain(baseline.as_ref().map(|baseline| baseline[&model.inputs[0]]))
        .chain([seed])
        .collect::<Vec<_>>();
    graph
        .set_input_outlets(&sources)
        .and_then(|()| graph.select_output_outlets(&results))
        .and_then(|()| graph.compact())
        .map_err(|error| engine("graph", "outputs", &error))?;
    Ok(graph)
}

/// An operator and its node.
fn named(node: &TypedNode) -> String {
    format!("{} \"{}\"", node.op.name(), node.name)
}

/// The nodes that turn what carries a gradient into whole numbers or truth values.
fn whole(model: &TypedModel, order: &[usize], active: &BTreeSet<OutletId>) -> Vec<usize> {
    let ends = |&&id: &&usize| {
        let node = model.node(id);
        let mut read = (0..node.outputs.len()).filter(|&slot| !node.outputs[slot].successors.is_empty());
        node.inputs.iter().any(|input| active.contains(input))
            && read.any(|slot| !active.contains(&OutletId::new(id, slot)))
    };
    order.iter().filter(ends).copied().collect()
}

/// A failure of the engine while wiring the adjoint of a node is a form that its rule does not cover.
fn engine(op: &str, node: &str, error: &TractError) -> GradientError {
    GradientError::NoRule {
        op: op.to_owned(),
        node: node.to_owned(),
        why: format!("{error:#}"),
    }
}

fn place(model: &TypedModel, outlet: OutletId) -> String {
    let name = &model.node(outlet.node).name;
    if model.input_outlets().is_ok_and(|inputs| inputs.contains(&outlet)) {
        format!("the input \"{name}\"")
    } else {
        format!("the layer \"{name}\"")
    }
}

/// The nodes that `of` are computed from, inputs before outputs.
fn ancestors(model: &TypedModel, of: &[usize]) -> TractResult<Vec<usize>> {
    let sources: Vec<usize> = model.input_outlets()?.iter().map(|outlet| outlet.node).collect();
    tract_onnx::tract_core::model::order::eval_order_for_nodes(model.nodes(), &sources, of, &[])
}

/// The outlets that carry a gradient by one of `wrt`: floating-point values that depend on it.
fn active(model: &TypedModel, order: &[usize], wrt: &[OutletId]) -> BTreeSet<OutletId> {
    let mut active: BTreeSet<OutletId> = wrt.iter().copied().collect();
    for &id in order {
        let node = model.node(id);
        if node.inputs.iter().any(|input| active.contains(input)) {
            for (slot, output) in node.outputs.iter().enumerate() {
                if output.fact.datum_type.is_float() {
                    active.insert(OutletId::new(id, slot));
                }
            }
        }
    }
    active
}

/// The forward graph, copied with everything constant folded, and where each outlet went.
#[derive(Default)]
struct Forward {
    graph: TypedModel,
    outlets: BTreeMap<OutletId, OutletId>,
}

impl Forward {
    fn copy(&mut self, model: &TypedModel, node: &TypedNode) -> TractResult<()> {
        let inputs: TVec<OutletId> = node.inputs.iter().map(|input| self.outlets[input]).collect();
        let wires = if model.input_outlets()?.iter().any(|source| source.node == node.id) {
            tvec![
                self.graph
                    .add_source(&*node.name, node.outputs[0].fact.without_value())?
            ]
        } else if let Some(values) = self.folded(node, &inputs)? {
            let add = |(slot, value): (usize, TValue)| {
                self.graph
                    .add_const(format!("{}.{slot}", node.name), value.into_arc_tensor())
            };
            values.into_iter().enumerate().map(add).collect::<TractResult<_>>()?
        } else {
            self.graph.wire_node(&*node.name, node.op.clone(), &inputs)?
        };
        for (slot, wire) in wires.into_iter().enumerate() {
            self.outlets.insert(OutletId::new(node.id, slot), wire);
        }
        Ok(())
    }

    /// The outputs of a node with constant inputs only. Weights stored packed (half floats, integers with a scale) become
    /// plain ones here, once.
    fn folded(&self, node: &TypedNode, inputs: &[OutletId]) -> TractResult<Option<TVec<TValue>>> {
        if node.op_is::<Const>() {
            let konst = node.outputs[0].fact.konst.clone();
            return Ok(konst.map(|konst| tvec![konst.into_tvalue()]));
        }
        let values = inputs
            .iter()
            .map(|input| {
                Ok(self
                    .graph
                    .outlet_fact(*input)?
                    .konst
                    .clone()
                    .map(IntoTValue::into_tvalue))
            })
            .collect::<TractResult<Option<TVec<TValue>>>>()?;
        match values {
            Some(values) if !values.is_empty() => Ok(node.op.eval_out_of_plan(values).unwrap_or(None)),
            _ => Ok(None),
        }
    }
}

/// Copies the graph once more for a baseline, which is a source of its own; constants are shared. Gives where each
/// outlet went.
fn again(
    graph: &mut TypedModel,
    outlets: &BTreeMap<OutletId, OutletId>,
    model: &TypedModel,
    order: &[usize],
) -> TractResult<BTreeMap<OutletId, OutletId>> {
    let &[picture] = model.input_outlets()? else {
        bail!("a layer whose value is given can't be compared with a baseline")
    };
    let mut again: BTreeMap<OutletId, OutletId> = BTreeMap::new();
    let fact = graph.outlet_fact(outlets[&picture])?.without_value();
    again.insert(picture, graph.add_source(BASELINE, fact)?);
    for &id in order.iter().filter(|&&id| id != picture.node) {
        let node = model.node(id);
        let own: TVec<OutletId> = (0..node.outputs.len()).map(|slot| OutletId::new(id, slot)).collect();
        let first: TVec<OutletId> = own.iter().map(|outlet| outlets[outlet]).collect();
        let constant = first
            .iter()
            .map(|&outlet| Ok(graph.outlet_fact(outlet)?.konst.is_some()))
            .collect::<TractResult<Vec<_>>>()?;
        let wires = if constant.iter().all(|&constant| constant) {
            first
        } else {
            let inputs: TVec<OutletId> = node.inputs.iter().map(|input| again[input]).collect();
            graph.wire_node(format!("{}.baseline", node.name), node.op.clone(), &inputs)?
        };
        again.extend(own.into_iter().zip(wires));
    }
    Ok(again)
}

/// The sum of the cotangents that arrived at an outlet.
fn total(graph: &mut TypedModel, node: &str, arrived: Option<Vec<OutletId>>) -> TractResult<Option<OutletId>> {
    let mut arrived = arrived.unwrap_or_default().into_iter();
    let Some(mut sum) = arrived.next() else { return Ok(None) };
    for next in arrived {
        let name = format!("{node}.vjp-sum.{}", graph.nodes().len());
        sum = graph.wire_node(name, math::add(), &[sum, next])?[0];
    }
    Ok(Some(sum))
}

fn same_fact(graph: &TypedModel, value: OutletId, cotangent: OutletId) -> TractResult<()> {
    let (value, cotangent) = (graph.outlet_fact(value)?, graph.outlet_fact(cotangent)?);
    ensure!(
        value.shape == cotangent.shape && value.datum_type == cotangent.datum_type,
        "its rule gives {cotangent:?} for an input of {value:?}"
    );
    Ok(())
}
