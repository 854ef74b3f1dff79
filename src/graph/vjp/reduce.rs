//! Reductions, softmax and cumulative sums.

use tract_onnx::tract_core::ops::array::CumSum;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use super::pointwise::Pointwise;
use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable, first};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Reduce>("reduce", reduce)
        .with_rule_for::<Softmax>("softmax", softmax)
        .with_rule_for::<CumSum>("cum-sum", |a, op| {
            let g = a.cotangent()?;
            first(a.wire(
                CumSum {
                    reverse: !op.reverse,
                    ..op.clone()
                },
                &[g],
            )?)
        })
}

fn reduce(a: &mut Adjoint, op: &Reduce) -> Cotangents {
    let (g, x, y) = (a.cotangent()?, a.inputs[0], a.outputs[0]);
    let shape = a.shape(x)?;
    let count: usize = op.axes.iter().map(|ax| shape[*ax]).product();
    match op.reducer {
        Reducer::Sum => first(a.broadcast_to(g, &shape)?),
        Reducer::MeanOfSquares => {
            let scaled = a.scale(g, 2.0 / count as f64)?;
            first(a.mul(x, scaled)?)
        }
        Reducer::Max | Reducer::Min => {
            let ties = a.pointwise(Pointwise::Equal, x, y)?;
            let number = a.sum(ties, &op.axes)?;
            let share = a.wire(math::div(), &[g, number])?;
            first(a.mul(ties, share)?)
        }
        Reducer::Prod => product(a, op, g),
        other => bail!("the reduction {other:?} has no gradient"),
    }
}

/// The derivative of a product by one factor is the product of the others, here the product of those before it and of
/// those after it, so that zeros are no special case.
fn product(a: &mut Adjoint, op: &Reduce, g: OutletId) -> Cotangents {
    let x = a.inputs[0];
    let shape = a.shape(x)?;
    let [axis] = *op.axes else {
        bail!("a product over several axes")
    };
    let len = shape[axis];
    ensure!(len <= 64, "a product of {len} factors");
    let slice = |a: &mut Adjoint, from: OutletId, start: usize, end: usize| {
        a.wire(
            tract_onnx::tract_core::ops::array::Slice::new(axis, start, end),
            &[from],
        )
    };
    let factors: Vec<OutletId> = (0..len).map(|i| slice(a, x, i, i + 1)).collect::<TractResult<_>>()?;
    let mut after: Vec<OutletId> = vec![g; len];
    for i in (0..len - 1).rev() {
        after[i] = a.mul(after[i + 1], factors[i + 1])?;
    }
    let mut parts: TVec<OutletId> = tvec![after[0]];
    let mut before = factors[0];
    for i in 1..len {
        parts.push(a.mul(after[i], before)?);
        before = a.mul(before, factors[i])?;
    }
    first(a.wire(tract_onnx::tract_core::ops::array::TypedConcat::new(axis), &parts)?)
}

fn softmax(a: &mut Adjoint, op: &Softmax) -> Cotangents {
    let (g, y) = (a.cotangent()?, a.outputs[0]);
    first(match op.kind {
        // y * (g - sum(g * y))
        SoftmaxKind::Softmax => {
            let weighted = a.mul(g, y)?;
            let mean = a.sum(weighted, &op.axes)?;
            let centred = a.sub(g, mean)?;
            a.mul(y, centred)?
        }
        // g - exp(y) * sum(g)
        SoftmaxKind::LogSoftmax => {
            let total = a.sum(g, &op.axes)?;
            let probability = a.wire(math::exp(), &[y])?;
            let mean = a.mul(probability, total)?;
            a.sub(g, mean)?
        }
    })
}
