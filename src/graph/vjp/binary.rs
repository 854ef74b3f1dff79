//! Arithmetic of two operands with broadcasting, and selection. The adjoint of a broadcast operand is summed back.

use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::math::{self, Add, Div, Max, Min, Mul, Pow, Sub, SubF};

use super::pointwise::Pointwise;
use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Add>("add", |a, _| operands(a, &same, &same))
        .with_rule_for::<Sub>("sub", |a, _| operands(a, &same, &negated))
        .with_rule_for::<SubF>("sub-flipped", |a, _| operands(a, &negated, &same))
        .with_rule_for::<Mul>("mul", |a, _| {
            operands(a, &|a, g| a.mul(g, a.inputs[1]), &|a, g| a.mul(g, a.inputs[0]))
        })
        .with_rule_for::<Div>("div", |a, _| {
            operands(a, &|a, g| a.wire(math::div(), &[g, a.inputs[1]]), &divisor)
        })
        .with_rule_for::<Max>("max", |a, _| extremum(a, Extremum::Max))
        .with_rule_for::<Min>("min", |a, _| extremum(a, Extremum::Min))
        .with_rule_for::<Pow>("pow", |a, _| operands(a, &base, &exponent))
        .with_rule_for::<Iff>("iff", iff)
}

/// From the cotangent of the result to that of one operand, before it is summed to the operand's shape.
type Operand<'r> = &'r dyn Fn(&mut Adjoint, OutletId) -> TractResult<OutletId>;

/// Applies the rule of each wanted operand and sums the result to the operand's shape.
fn operands(a: &mut Adjoint, left: Operand, right: Operand) -> Cotangents {
    let g = a.cotangent()?;
    let mut result = tvec![None, None];
    for (slot, rule) in [left, right].into_iter().enumerate() {
        if a.wanted[slot] {
            let full = rule(a, g)?;
            let shape = a.shape(a.inputs[slot])?;
            result[slot] = Some(a.sum_to(full, &shape)?);
        }
    }
    Ok(result)
}

#[expect(clippy::unnecessary_wraps, reason = "the type of an operand's rule")]
fn same(_: &mut Adjoint, g: OutletId) -> TractResult<OutletId> {
    Ok(g)
}

fn negated(a: &mut Adjoint, g: OutletId) -> TractResult<OutletId> {
    a.wire(math::neg(), &[g])
}

/// `y = p / q`: `-g * y / q`.
fn divisor(a: &mut Adjoint, g: OutletId) -> TractResult<OutletId> {
    let product = a.mul(g, a.outputs[0])?;
    let quotient = a.wire(math::div(), &[product, a.inputs[1]])?;
    negated(a, quotient)
}

/// `y = b^e`: `g * e * b^(e - 1)`.
fn base(a: &mut Adjoint, g: OutletId) -> TractResult<OutletId> {
    let [b, e] = [a.inputs[0], a.inputs[1]];
    if let Some(e) = a.uniform(e)? {
        return a.pointwise(Pointwise::Pow(e), g, b);
    }
    let one = a.scalar(1.0, e)?;
    let less = a.sub(e, one)?;
    let power = a.wire(math::pow(), &[b, less])?;
    let slope = a.mul(power, e)?;
    a.mul(g, slope)
}

/// `y = b^e`: `g * y * ln(b)`.
fn exponent(a: &mut Adjoint, g: OutletId) -> TractResult<OutletId> {
    let log = a.wire(math::ln(), &[a.inputs[0]])?;
    let slope = a.mul(a.outputs[0], log)?;
    a.mul(g, slope)
}

#[derive(Clone, Copy, PartialEq)]
enum Extremum {
    Max,
    Min,
}

fn extremum(a: &mut Adjoint, which: Extremum) -> Cotangents {
    let g = a.cotangent()?;
    // An activation: ReLU, ReLU6, a clip.
    for slot in [0, 1] {
        if let Some(bound) = a.uniform(a.inputs[1 - slot])?
            && a.shape(a.inputs[slot])? == a.shape(a.outputs[0])?
        {
            let witness = witness(a, which, bound)?;
            let gate = match which {
                Extremum::Max => Pointwise::Above(bound),
                Extremum::Min => Pointwise::Below(bound),
            };
            let mut result = tvec![None, None];
            result[slot] = Some(a.pointwise(gate, g, witness)?);
            return Ok(result);
        }
    }
    let share = |a: &mut Adjoint, slot: usize| -> TractResult<OutletId> {
        let (this, other) = (a.inputs[slot], a.inputs[1 - slot]);
        // A bound by channel is a kink, where the gradient is 0; two tensors share.
        let tie = if a.konst(other)?.is_some() { 0.0 } else { 0.5 };
        let (over, under) = if which == Extremum::Max {
            (this, other)
        } else {
            (other, this)
        };
        let weight = a.pointwise(Pointwise::Greater(tie), over, under)?;
        a.mul(g, weight)
    };
    operands(a, &|a, _| share(a, 0), &|a, _| share(a, 1))
}

/// A tensor that is strictly inside the bound exactly where the operand was: the output, or what a second clip from the
/// other side made of it. Using the last one lets the whole clip be fused into the operator before it.
fn witness(a: &Adjoint, which: Extremum, bound: f32) -> TractResult<OutletId> {
    let output = a.outputs[0];
    for successor in &a.model().node(output.node).outputs[output.slot].successors {
        let node = a.model().node(successor.node);
        let Some(op) = node.op_as::<TypedBinOp>() else { continue };
        let Some(other) = a.uniform(node.inputs[1 - successor.slot])? else {
            continue;
        };
        let op: &dyn BinMiniOp = &*op.0;
        let keeps = match which {
            Extremum::Max => op.is::<Min>() && other > bound,
            Extremum::Min => op.is::<Max>() && other < bound,
        };
        if keeps && node.outputs[0].fact.shape == a.fact(output)?.shape {
            return Ok(node.id.into());
        }
    }
    Ok(output)
}

fn iff(a: &mut Adjoint, _: &Iff) -> Cotangents {
    let g = a.cotangent()?;
    let condition = a.inputs[0];
    let zero = a.scalar(0.0, g)?;
    let mut result = tvec![None, None, None];
    for (slot, branches) in [(1, [g, zero]), (2, [zero, g])] {
        if a.wanted[slot] {
            let full = a.wire(Iff, &[condition, branches[0], branches[1]])?;
            let shape = a.shape(a.inputs[slot])?;
            result[slot] = Some(a.sum_to(full, &shape)?);
        }
    }
    Ok(result)
}
