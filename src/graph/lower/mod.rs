//! From a typed graph to what a GPU runs ([`gpu::ir`](crate::gpu::ir)): one operator after the other, constants folded.
//! Forward and gradient graphs alike, before tract's own rewrites, which are for processors.
//!
//! What has no counterpart is refused whole, by operator and node: values that are neither `f32` nor truth values where
//! they depend on the picture, indices that do, and [`Secant`](super::rules::secant), which is `f64` by purpose.

mod contract;
mod pointwise;
mod shape;
#[cfg(test)]
pub(in crate::graph) mod tests;
mod windows;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use tract_onnx::tract_core::internal::{
    Datum, IntoArcTensor, IntoTValue, OutletId, TValue, TVec, Tensor, TractErrorContext, TractResult, TypedModel,
    TypedNode, TypedOp, bail, format_err,
};
use tract_onnx::tract_core::ops::konst::Const;

use super::Network;
use super::build::cause;
use super::vjp::inner;
use crate::gpu::ir::{Binary, Graph, Op, Taps, Unary, ValueId};
use crate::guard::attempt;
use crate::program::{Program, Rules};

/// Why a program can't be run on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLowered {
    /// Pictures with missing values: which places are missing is carried by the processor only.
    #[error("pictures with missing values run on the processor")]
    Missing,
    /// An operator, or a form of one, that it has no kernel for.
    #[error("the operator {op} (node \"{node}\") has no GPU form: {why}")]
    Uncovered {
        /// Operator type in the engine's typed vocabulary.
        op: String,
        /// Node name.
        node: String,
        /// Which form.
        why: String,
    },
    /// The program itself does not hold for this network, or not for so many pictures at a time.
    #[error("{why}")]
    Invalid {
        /// What is wrong.
        why: String,
    },
}

impl Network {
    /// `program` for `n` pictures at a time, as a GPU runs it. Inputs and outputs are those of
    /// [`plan`](Network::plan).
    ///
    /// # Errors
    /// Why it can't be; such a program runs on the processor.
    pub fn lowered(&self, n: usize, program: &Program) -> Result<Graph, NotLowered> {
        if program.missing {
            return Err(NotLowered::Missing);
        }
        let invalid = |why: String| NotLowered::Invalid { why };
        self.check_weights(program.weights)
            .map_err(|e| invalid(e.to_string()))?;
        if n != 1
            && program
                .backward
                .as_ref()
                .is_some_and(|b| b.rules == Rules::FullGradient)
        {
            return Err(invalid("what constants bring is computed one picture at a time".into()));
        }
        let model = if program.backward.is_some() {
            self.adjoint(n, program).map_err(|e| invalid(e.to_string()))?
        } else {
            self.forward(n, program).map_err(|e| invalid(e.to_string()))?
        };
        lower(&model)
    }
}

/// The graph of `model`, whose shapes are fixed.
///
/// # Errors
/// The first operator that has no GPU form.
pub(in crate::graph) fn lower(model: &TypedModel) -> Result<Graph, NotLowered> {
    let invalid = |why: String| NotLowered::Invalid { why };
    let order = attempt(cause, || model.eval_order()).map_err(invalid)?;
    let mut lowering = Lowering {
        model,
        graph: Graph::default(),
        places: BTreeMap::new(),
    };
    for &input in &model.inputs {
        let shape = attempt(cause, || fixed(model, input)).map_err(invalid)?;
        let id = lowering.graph.input(&shape);
        lowering.places.insert(input, Place::Value(id));
    }
    for id in order {
        let node = model.node(id);
        if model.inputs.iter().any(|input| input.node == id) {
            continue;
        }
        attempt(cause, || lowering.step(node)).map_err(|why| NotLowered::Uncovered {
            op: node.op.name().into_owned(),
            node: node.name.clone(),
            why,
        })?;
    }
    for &output in &model.outputs {
        let id = attempt(cause, || lowering.value(output)).map_err(invalid)?;
        lowering.graph.outputs.push(id);
    }
    Ok(lowering.graph)
}

/// The shape of an outlet.
fn fixed(model: &TypedModel, outlet: OutletId) -> TractResult<Vec<usize>> {
    let fact = model.outlet_fact(outlet)?;
    let shape = fact.shape.as_concrete();
    Ok(shape
        .with_context(|| format!("its shape {:?} is not fixed", fact.shape))?
        .to_vec())
}

/// What an outlet of the typed graph has become.
#[derive(Clone)]
enum Place {
    /// A constant of any type that no kernel has needed yet.
    Konst(Arc<Tensor>),
    /// A value of the graph; truth values are 0 and 1.
    Value(ValueId),
}

struct Lowering<'m> {
    model: &'m TypedModel,
    graph: Graph,
    places: BTreeMap<OutletId, Place>,
}

impl Lowering<'_> {
    fn step(&mut self, node: &TypedNode) -> TractResult<()> {
        if let Some(konsts) = self.folded(node)? {
            for (slot, konst) in konsts.into_iter().enumerate() {
                self.places.insert(OutletId::new(node.id, slot), Place::Konst(konst));
            }
            return Ok(());
        }
        let dt = node.outputs[0].fact.datum_type;
        if dt != f32::datum_type() && dt != bool::datum_type() {
            bail!("it gives {dt:?} that depend on the picture")
        }
        let id = Site { lowering: self, node }.wire()?;
        let expected = fixed(self.model, node.id.into())?;
        if self.graph.shape(id) != expected {
            bail!("its result {:?} is not of the shape {expected:?}", self.graph.shape(id))
        }
        self.places.insert(node.id.into(), Place::Value(id));
        Ok(())
    }

    /// The outputs of a node that does not depend on the picture.
    fn folded(&self, node: &TypedNode) -> TractResult<Option<TVec<Arc<Tensor>>>> {
        let known = |slot: &usize| node.outputs[*slot].fact.konst.clone();
        if node.op_is::<Const>() || (0..node.outputs.len()).all(|slot| known(&slot).is_some()) {
            return Ok((0..node.outputs.len()).map(|slot| known(&slot)).collect());
        }
        let konsts: Option<TVec<TValue>> = node.inputs.iter().map(|input| self.konst(*input)).collect();
        let Some(konsts) = konsts.filter(|konsts| !konsts.is_empty()) else {
            return Ok(None);
        };
        let values = node.op.eval_out_of_plan(konsts)?;
        Ok(values.map(|values| values.into_iter().map(IntoArcTensor::into_arc_tensor).collect()))
    }

    fn konst(&self, outlet: OutletId) -> Option<TValue> {
        match self.places.get(&outlet) {
            Some(Place::Konst(konst)) => Some(konst.clone().into_tvalue()),
            _ => None,
        }
    }

    /// An outlet as a value of the graph.
    fn value(&mut self, outlet: OutletId) -> TractResult<ValueId> {
        match self.places.get(&outlet) {
            Some(Place::Value(id)) => Ok(*id),
            Some(Place::Konst(konst)) => {
                let id = materialised(&mut self.graph, konst)?;
                self.places.insert(outlet, Place::Value(id));
                Ok(id)
            }
            None => {
                let node = self.model.node(outlet.node);
                bail!("it reads the second result of {} \"{}\"", node.op.name(), node.name)
            }
        }
    }
}

/// A constant of the graph, its numbers as `f32`.
fn materialised(graph: &mut Graph, konst: &Tensor) -> TractResult<ValueId> {
    let values = konst.cast_to::<f32>()?;
    let values = values.try_as_plain_ram()?;
    let values: Arc<[f32]> = values.as_slice::<f32>()?.into();
    if values.is_empty() {
        bail!("it reads an empty constant")
    }
    Ok(graph.constant(konst.shape(), values))
}

/// One node, and the tools to lower it.
struct Site<'s, 'm> {
    lowering: &'s mut Lowering<'m>,
    node: &'s TypedNode,
}

impl Site<'_, '_> {
    fn wire(&mut self) -> TractResult<ValueId> {
        let op: &dyn TypedOp = &*self.node.op;
        let key: &dyn Any = inner(op);
        let families = [contract::wire, windows::wire, pointwise::wire, shape::wire];
        for family in families {
            if let Some(id) = family(self, key)? {
                return Ok(id);
            }
        }
        bail!("no kernel")
    }

    /// An input as a value of the graph.
    fn input(&mut self, slot: usize) -> TractResult<ValueId> {
        self.lowering.value(self.node.inputs[slot])
    }

    /// All inputs as values of the graph.
    fn inputs(&mut self) -> TractResult<Vec<ValueId>> {
        (0..self.node.inputs.len()).map(|slot| self.input(slot)).collect()
    }

    /// The value of an input, if constant.
    fn konst(&self, slot: usize) -> TractResult<Option<Arc<Tensor>>> {
        let outlet = self.node.inputs[slot];
        Ok(match self.lowering.places.get(&outlet) {
            Some(Place::Konst(konst)) => Some(konst.clone()),
            _ => self.lowering.model.outlet_fact(outlet)?.konst.clone(),
        })
    }

    /// The whole numbers of a constant input.
    fn integers(&self, slot: usize) -> TractResult<Vec<i64>> {
        let konst = self.konst(slot)?;
        let konst = konst
            .context("its indices depend on the picture")?
            .cast_to::<i64>()?
            .into_owned();
        Ok(konst.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
    }

    /// The one value that fills a constant input.
    fn uniform(&self, slot: usize) -> TractResult<Option<f32>> {
        let Some(konst) = self.konst(slot)? else {
            return Ok(None);
        };
        konst
            .as_uniform()
            .map(|value| value.cast_to_scalar::<f32>())
            .transpose()
    }

    fn shape_in(&self, slot: usize) -> TractResult<Vec<usize>> {
        fixed(self.lowering.model, self.node.inputs[slot])
    }

    fn shape_out(&self) -> TractResult<Vec<usize>> {
        fixed(self.lowering.model, self.node.id.into())
    }

    fn shape(&self, id: ValueId) -> Vec<usize> {
        self.lowering.graph.shape(id).to_vec()
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> TractResult<ValueId> {
        self.lowering.graph.push(op, inputs).map_err(|why| format_err!("{why}"))
    }

    fn unary(&mut self, f: Unary, x: ValueId) -> TractResult<ValueId> {
        self.push(Op::Unary(f), &[x])
    }

    fn binary(&mut self, f: Binary, a: ValueId, b: ValueId) -> TractResult<ValueId> {
        self.push(Op::Binary(f), &[a, b])
    }

    /// A constant number that broadcasts to values of the rank of `like`.
    fn scalar(&mut self, value: f32, like: ValueId) -> ValueId {
        let rank = self.lowering.graph.shape(like).len();
        self.lowering.graph.scalar(value, rank)
    }

    /// `f(x, c)` with a constant number.
    fn with_scalar(&mut self, f: Binary, x: ValueId, c: f32) -> TractResult<ValueId> {
        let c = self.scalar(c, x);
        self.binary(f, x, c)
    }

    /// `x` under another shape, unless it has it.
    fn reshape(&mut self, x: ValueId, shape: &[usize]) -> TractResult<ValueId> {
        if self.lowering.graph.shape(x) == shape {
            return Ok(x);
        }
        self.push(Op::Reshape { shape: shape.to_vec() }, &[x])
    }

    /// `x` repeated along axes of size 1, and along new first ones, unless it has the shape.
    fn broadcast(&mut self, x: ValueId, shape: &[usize]) -> TractResult<ValueId> {
        let mut from = vec![1; shape.len().saturating_sub(self.shape(x).len())];
        from.extend(self.shape(x));
        let x = self.reshape(x, &from)?;
        if from == shape {
            return Ok(x);
        }
        self.push(Op::Broadcast { shape: shape.to_vec() }, &[x])
    }

    /// Each position along `axis` a weighted sum of positions of `x`.
    fn taps(&mut self, x: ValueId, axis: usize, taps: Taps) -> TractResult<ValueId> {
        self.push(
            Op::Taps {
                axis,
                taps: Arc::new(taps),
            },
            &[x],
        )
    }

    /// Positions `sources` of `x` along `axis`: a slice where they are evenly spaced.
    fn copies(&mut self, x: ValueId, axis: usize, sources: &[usize]) -> TractResult<ValueId> {
        let len = self.shape(x)[axis];
        if sources.iter().copied().eq(0..len) {
            return Ok(x);
        }
        let (Some(&start), step) = (sources.first(), sources.get(1)) else {
            bail!("its result is empty")
        };
        let step = step.map_or(1, |&second| second as isize - start as isize);
        if step != 0
            && sources
                .windows(2)
                .all(|pair| pair[1] as isize - pair[0] as isize == step)
        {
            let len = sources.len();
            return self.push(Op::Slice { axis, start, step, len }, &[x]);
        }
        self.taps(x, axis, Taps::new(sources.iter().map(|&source| [(source, 1.0)])))
    }
}
