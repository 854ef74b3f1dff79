//! Reverse mode as a graph transform: one vector-Jacobian product (VJP) rule for each operator of tract's typed
//! vocabulary.
//!
//! # Scheme
//! [`differentiate`](super::backward::differentiate) copies the forward graph and walks it backwards from the logits.
//! Each outlet on a path to a differentiated outlet gathers *cotangents* (gradients of `sum(cotangent * logits)` by
//! that outlet); at each node their sum goes through the rule of the node's operator, which wires new nodes into the
//! same graph and names one cotangent for each wanted input. Forward and adjoint nodes then share values, and the
//! caller declutters and optimises them as one graph, so gradients run wherever the forward pass runs.
//!
//! Only floating-point outlets carry cotangents: comparisons, arg-max, shapes and indices end a path without a rule.
//! Operators that are flat almost everywhere (floor, round, sign) have a rule that sends nothing back.
//!
//! # Covered operators
//! - convolutions, any group, stride, dilation and padding: `Conv`, `Deconv`;
//! - contractions: `EinSum` of any number of operands;
//! - pooling: `MaxPool`, `SumPool` (average pools included);
//! - reductions: `Reduce` (sum, max, min, product, mean of squares), `Softmax` (and log-softmax), `CumSum`;
//! - binary, with broadcasting: `Add Sub Mul Div Min Max Pow`, `Iff`;
//! - element-wise: `Neg Abs Square Sqrt Rsqrt Recip Exp Ln Pow Erf Sigmoid Tanh HardSwish LeakyRelu Silu Gelu`,
//!   trigonometric and hyperbolic functions and their inverses;
//! - shape: `Reshape Add Rm Move` axes, `MultiBroadcastTo`, `Tile`, `Concat`, `Slice`, `StridedSlice`, `Downsample`,
//!   `Pad`, `Cast`, `Identity`, `Trilu`;
//! - indexing: `Gather`, `GatherElements`, `GatherNd`, `ScatterElements`, `Topk` (its values);
//! - resampling: `Resize`, both tract's own and the ONNX one; `Lrn`.
//!
//! # Kinks
//! As PyTorch: ReLU and clips have gradient 0 at their bounds, `max(a, b)` of two tensors gives each half at a tie, a
//! reduction by max shares evenly among the ties, a max pool sends everything to the first maximum of its window.
//!
//! # Adding a rule
//! Write `fn vjp(adjoint: &mut Adjoint, op: &MyOp) -> Cotangents` in the file of its family: wire with
//! [`Adjoint::wire`] and its helpers, return one `Option<OutletId>` for each input, each of the shape of that input
//! (missing tail entries count as `None`). An error there becomes [`GradientError::NoRule`] with the error's text as
//! the reason, so a form that is not covered is refused by `bail!`. Name it in the family's `register`, and add a row to
//! the table of `tests/operators.rs`, which holds it against central differences.
//!
//! The table is a value: a method with its own backward pass (guided backpropagation, LRP) starts from
//! [`VjpTable::standard`] and replaces the rules that it changes.
//!
//! [`GradientError::NoRule`]: crate::error::GradientError::NoRule

mod binary;
pub(in crate::graph) mod broadcast;
pub(in crate::graph) mod conv;
pub(in crate::graph) mod depthwise;
mod einsum;
mod elementwise;
mod gather;
pub(in crate::graph) mod linear_axis;
pub(in crate::graph) mod pointwise;
pub(in crate::graph) mod pool;
pub(in crate::graph) mod prelude;
mod reduce;
pub(in crate::graph) mod resize;
mod shape;
#[cfg(test)]
mod tests;

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use broadcast::Repeat;
use pointwise::Pointwise;
use prelude::*;

/// What a rule gives back: a cotangent for each input, or `None` where nothing flows.
pub(in crate::graph) type Cotangents = TractResult<TVec<Option<OutletId>>>;

type ErasedRule = Box<dyn Fn(&mut Adjoint<'_>, &dyn Any) -> Option<Cotangents>>;

/// Rules by operator type. Element-wise and binary operators are keyed by their inner operator ([`math::Exp`],
/// [`math::Add`]), all others by their own type.
pub(in crate::graph) struct VjpTable {
    rules: BTreeMap<TypeId, (&'static str, ErasedRule)>,
    /// Whether rules read [`Adjoint::baseline_input`]: the graph then takes a baseline after its other inputs, and gives
    /// what the baseline's answer is after its other outputs.
    pub compares: bool,
    /// Whether the graph also gives what each additive constant brings (see `rules::full_gradient`).
    pub biases: bool,
}

impl VjpTable {
    /// A table without rules.
    pub fn new() -> Self {
        Self {
            rules: BTreeMap::new(),
            compares: false,
            biases: false,
        }
    }

    /// The same rules, for a graph that compares the picture with a baseline.
    pub fn comparing(self) -> Self {
        Self { compares: true, ..self }
    }

    /// The same rules, for a graph that also gives what each additive constant brings.
    pub fn with_biases(self) -> Self {
        Self { biases: true, ..self }
    }

    /// The mathematical gradient of every covered operator.
    pub fn standard() -> Self {
        let table = Self::new();
        let table = conv::register(table);
        let table = einsum::register(table);
        let table = pool::register(table);
        let table = reduce::register(table);
        let table = binary::register(table);
        let table = elementwise::register(table);
        let table = shape::register(table);
        let table = gather::register(table);
        resize::register(table)
    }

    /// Adds the rule of operator `O`, or replaces it. `name` labels the nodes that the rule makes.
    pub fn with_rule_for<O: 'static>(
        mut self,
        name: &'static str,
        rule: impl Fn(&mut Adjoint<'_>, &O) -> Cotangents + 'static,
    ) -> Self {
        let erased: ErasedRule = Box::new(move |adjoint, op| Some(rule(adjoint, op.downcast_ref::<O>()?)));
        self.rules.insert(TypeId::of::<O>(), (name, erased));
        self
    }

    /// Sends `adjoint` through the rule for `op`; `None` if there is none.
    pub fn apply(&self, op: &dyn TypedOp, adjoint: &mut Adjoint<'_>) -> Option<Cotangents> {
        let op = inner(op);
        let (name, rule) = self.rules.get(&op.type_id())?;
        adjoint.rule = name;
        rule(adjoint, op)
    }
}

/// The operator that the table is keyed by.
pub(in crate::graph) fn inner(op: &dyn TypedOp) -> &dyn Any {
    if let Some(op) = op.downcast_ref::<ElementWiseOp>() {
        &*op.0
    } else if let Some(op) = op.downcast_ref::<TypedBinOp>() {
        &*op.0
    } else {
        op
    }
}

/// One node on the way back: what a rule sees, and the tools to wire its adjoint.
pub(in crate::graph) struct Adjoint<'a> {
    /// Forward inputs of the node, in the graph under construction.
    pub inputs: &'a [OutletId],
    /// Forward outputs of the node.
    pub outputs: &'a [OutletId],
    /// Which inputs need a cotangent; a rule may skip the work for the others.
    pub wanted: &'a [bool],
    model: &'a mut TypedModel,
    cotangents: &'a [Option<OutletId>],
    node: &'a str,
    /// Labels the nodes that are wired.
    pub rule: &'static str,
    /// Inputs and outputs of the node for the baseline.
    baseline: Option<(&'a [OutletId], &'a [OutletId])>,
}

impl<'a> Adjoint<'a> {
    pub fn new(
        model: &'a mut TypedModel,
        node: &'a str,
        inputs: &'a [OutletId],
        outputs: &'a [OutletId],
        cotangents: &'a [Option<OutletId>],
        wanted: &'a [bool],
    ) -> Self {
        Self {
            inputs,
            outputs,
            wanted,
            model,
            cotangents,
            node,
            rule: "",
            baseline: None,
        }
    }

    /// What `table` sends back for `op`, if its inputs were these and this arrived at its first output.
    pub fn by_table(
        &mut self,
        table: &VjpTable,
        op: &dyn TypedOp,
        inputs: &[OutletId],
        cotangent: OutletId,
        wanted: &[bool],
    ) -> Cotangents {
        let cotangents = [Some(cotangent)];
        let mut inner = Adjoint::new(self.model, self.node, inputs, self.outputs, &cotangents, wanted);
        table
            .apply(op, &mut inner)
            .with_context(|| format!("{} has no gradient", op.name()))?
    }

    /// With the node's inputs and outputs for the baseline.
    pub fn against(self, inputs: &'a [OutletId], outputs: &'a [OutletId]) -> Self {
        Self {
            baseline: Some((inputs, outputs)),
            ..self
        }
    }

    /// What the input `slot` is for the baseline.
    pub fn baseline_input(&self, slot: usize) -> TractResult<OutletId> {
        let (inputs, _) = self.baseline.context("there is no baseline")?;
        Ok(inputs[slot])
    }

    /// What the first output is for the baseline.
    pub fn baseline_output(&self) -> TractResult<OutletId> {
        let (_, outputs) = self.baseline.context("there is no baseline")?;
        Ok(outputs[0])
    }

    /// The cotangent of the first output, of its shape.
    pub fn cotangent(&self) -> TractResult<OutletId> {
        self.cotangents
            .first()
            .copied()
            .flatten()
            .context("a gradient arrives only at a secondary output")
    }

    /// The cotangent of the first output, for adjoints that exist in `f32` only.
    pub fn f32_cotangent(&self) -> TractResult<OutletId> {
        let g = self.cotangent()?;
        let dt = self.fact(g)?.datum_type;
        ensure!(dt == f32::datum_type(), "it is computed in {dt:?}, not F32");
        Ok(g)
    }

    /// The graph under construction.
    pub fn model(&self) -> &TypedModel {
        self.model
    }

    /// Wires `op` under a fresh name and gives its first output.
    pub fn wire(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        let name = self.fresh_name();
        Ok(self.model.wire_node(name, op, inputs)?[0])
    }

    /// Adds a constant.
    pub fn constant(&mut self, tensor: impl IntoArcTensor) -> TractResult<OutletId> {
        let name = self.fresh_name();
        self.model.add_const(name, tensor)
    }

    /// A constant that broadcasts to the rank and has the type of `like`.
    pub fn scalar(&mut self, value: f64, like: OutletId) -> TractResult<OutletId> {
        let (dt, rank) = (self.fact(like)?.datum_type, self.fact(like)?.rank());
        let tensor = tensor0(value).cast_to_dt(dt)?.into_owned().broadcast_into_rank(rank)?;
        self.constant(tensor)
    }

    /// A constant of zeros of the type of `like`.
    pub fn zeros(&mut self, shape: &[usize], like: OutletId) -> TractResult<OutletId> {
        let tensor = Tensor::zero_dt(self.fact(like)?.datum_type, shape)?;
        self.constant(tensor)
    }

    pub fn fact(&self, outlet: OutletId) -> TractResult<&TypedFact> {
        self.model.outlet_fact(outlet)
    }

    /// The shape of an outlet: batch and picture size are fixed when a graph is differentiated.
    pub fn shape(&self, outlet: OutletId) -> TractResult<TVec<usize>> {
        let fact = self.fact(outlet)?;
        Ok(fact
            .shape
            .as_concrete()
            .with_context(|| format!("the shape {:?} is not fixed", fact.shape))?
            .into())
    }

    /// The value of an outlet, if constant.
    pub fn konst(&self, outlet: OutletId) -> TractResult<Option<Arc<Tensor>>> {
        Ok(self.fact(outlet)?.konst.clone())
    }

    /// The one value that fills a constant outlet.
    pub fn uniform(&self, outlet: OutletId) -> TractResult<Option<f32>> {
        let Some(konst) = self.konst(outlet)? else {
            return Ok(None);
        };
        konst
            .as_uniform()
            .map(|value| value.cast_to_scalar::<f32>())
            .transpose()
    }

    pub fn add(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.wire(math::add(), &[a, b])
    }

    pub fn sub(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.wire(math::sub(), &[a, b])
    }

    pub fn mul(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.wire(math::mul(), &[a, b])
    }

    pub fn scale(&mut self, a: OutletId, by: f64) -> TractResult<OutletId> {
        let by = self.scalar(by, a)?;
        self.mul(a, by)
    }

    /// `f(a, b)` element by element.
    pub fn pointwise(&mut self, f: Pointwise, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        for outlet in [a, b] {
            let dt = self.fact(outlet)?.datum_type;
            ensure!(dt == f32::datum_type(), "it is computed in {dt:?}, not F32");
        }
        self.wire(TypedBinOp(Box::new(f), None), &[a, b])
    }

    /// Sums over `axes`, which stay with extent 1.
    pub fn sum(&mut self, a: OutletId, axes: &[usize]) -> TractResult<OutletId> {
        if axes.is_empty() {
            return Ok(a);
        }
        self.wire(Reduce::new(axes.into(), Reducer::Sum), &[a])
    }

    /// The adjoint of broadcasting `shape` to the shape of `a`: sums over the axes that were repeated.
    pub fn sum_to(&mut self, a: OutletId, shape: &[usize]) -> TractResult<OutletId> {
        let from = self.shape(a)?;
        let extra = from.len() - shape.len();
        let repeated: TVec<usize> = (0..from.len())
            .filter(|&ax| ax < extra || (shape[ax - extra] == 1 && from[ax] != 1))
            .collect();
        let mut wire = self.sum(a, &repeated)?;
        for _ in 0..extra {
            wire = self.wire(AxisOp::Rm(0), &[wire])?;
        }
        Ok(wire)
    }

    /// Repeats `a` to `shape`, of the same rank, unless it has it.
    pub fn broadcast_to(&mut self, a: OutletId, shape: &[usize]) -> TractResult<OutletId> {
        if *self.shape(a)? == *shape {
            return Ok(a);
        }
        self.wire(Repeat { shape: shape.into() }, &[a])
    }

    fn fresh_name(&self) -> String {
        format!("{}.vjp-{}.{}", self.node, self.rule, self.model.nodes().len())
    }
}

/// The cotangent of an operator with one differentiable input, the first.
#[expect(clippy::unnecessary_wraps, reason = "the type of a rule")]
fn first(outlet: OutletId) -> Cotangents {
    Ok(tvec![Some(outlet)])
}

/// A rule for operators that are flat almost everywhere.
#[expect(clippy::unnecessary_wraps, reason = "the type of a rule")]
fn flat<O>(_: &mut Adjoint<'_>, _: &O) -> Cotangents {
    Ok(tvec![])
}
