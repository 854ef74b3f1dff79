//! DeepLIFT's rescale rule: multipliers of differences from a baseline instead of derivatives. The graph holds the
//! network twice, once for the picture and once for the baseline, and the rule of each non-linear operator sees both.
//!
//! - Functions of one value: change of the output over change of the input (the gradient where that is under 1e-10).
//! - Products, quotients, powers and extrema of two values that both depend on the picture, and contractions of two such
//!   arrays (attention): each operand's share is the mean of the changes that it makes before and after the other's, so
//!   that the shares make up the whole change.
//! - Max pools: the change goes to the winner at the picture as far as it lies over the baseline's output, the rest to
//!   the winner at the baseline; windows that overlap add up.
//! - Softmax: as exponentials, their sum, and a quotient.
//! - A selection (PReLU is one): each operand answers for what is selected of it, against what is at the baseline.
//! - Linear operators: the gradient. What is neither (LRN, products along an axis, indices that the picture itself makes)
//!   also falls back to the gradient at the picture, and shows in the completeness gap.

use std::rc::Rc;

use tract_onnx::tract_core::ops::cnn::MaxPool;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::math::{
    self, Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, Cos, Cosh, Div, Erf, Exp, Ln, Max, Min, Mul, Pow, PowConst,
    Recip, Rsqrt, Sin, Sinh, Sqrt, Square, Tan, Tanh,
};
use tract_onnx::tract_core::ops::nn::{
    GeluApproximate, GeluExact, HardSwish, LeakyRelu, Reduce, Reducer, Sigmoid, Silu, Softmax, SoftmaxKind,
};

use super::super::vjp::pointwise::Pointwise;
use super::super::vjp::pool::max_pool_adjoint;
use super::super::vjp::prelude::*;
use super::super::vjp::{Adjoint, Cotangents, VjpTable};
use super::secant::{Function, Pair, Secant};

/// The rules. The table asks for a baseline.
pub(in crate::graph) fn table() -> VjpTable {
    let standard = Rc::new(VjpTable::standard());
    let table = activations(VjpTable::standard().comparing())
        .with_rule_for::<Mul>("mul", |a, _| pair(a, Pair::Mul))
        .with_rule_for::<Div>("div", |a, _| pair(a, Pair::Div))
        .with_rule_for::<Max>("max", |a, _| extremum(a, Pair::Max))
        .with_rule_for::<Min>("min", |a, _| extremum(a, Pair::Min))
        .with_rule_for::<Pow>("pow", |a, _| power(a))
        .with_rule_for::<Iff>("iff", |a, _| selection(a))
        .with_rule_for::<MaxPool>("max-pool", max_pool)
        .with_rule_for::<Softmax>("softmax", softmax);
    let by_gradient = standard.clone();
    table
        .with_rule_for::<EinSum>("einsum", move |a, op| contraction(a, op, &by_gradient))
        .with_rule_for::<Reduce>("reduce", move |a, op| reduce(a, op, &standard))
}

fn activations(table: VjpTable) -> VjpTable {
    macro_rules! by_secant {
        ($table:expr; $($op:ident),+) => {
            $table$(.with_rule_for::<$op>("secant", |a, _| single(a, Function::$op)))+
        };
    }
    by_secant!(
        table; Abs, Square, Sqrt, Rsqrt, Recip, Exp, Ln, Erf, Sigmoid, Tanh, HardSwish, Silu, Sin, Cos, Tan, Asin, Acos, Atan,
        Sinh, Cosh, Asinh, Acosh, Atanh
    )
    .with_rule_for::<PowConst>("secant", |a, op| single(a, Function::Pow(f64::from(op.exponent))))
    .with_rule_for::<LeakyRelu>("secant", |a, op| single(a, Function::LeakyRelu(f64::from(op.alpha))))
    .with_rule_for::<GeluExact>("secant", |a, _| single(a, Function::Gelu))
    .with_rule_for::<GeluApproximate>("secant", |a, op| {
        single(a, Function::GeluTanh(if op.fast_impl { 2.0 } else { 3.0 }))
    })
}

fn single(a: &mut Adjoint, function: Function) -> Cotangents {
    let g = a.cotangent()?;
    let base = a.baseline_input(0)?;
    let result = a.wire(Secant::Of(function), &[g, a.inputs[0], base])?;
    Ok(tvec![Some(result)])
}

fn pair(a: &mut Adjoint, pair: Pair) -> Cotangents {
    shared(a, pair, 0.5)
}

fn shared(a: &mut Adjoint, pair: Pair, tie: f32) -> Cotangents {
    let g = a.cotangent()?;
    let base = [a.baseline_input(0)?, a.baseline_input(1)?];
    let mut result = tvec![None, None];
    for by in [0, 1] {
        if a.wanted[by] {
            let operands = [g, a.inputs[0], base[0], a.inputs[1], base[1]];
            let full = a.wire(Secant::OfPair { pair, by, tie }, &operands)?;
            let shape = a.shape(a.inputs[by])?;
            result[by] = Some(a.sum_to(full, &shape)?);
        }
    }
    Ok(result)
}

/// Bounds (ReLU, clips) have the gradient 0 at a tie, two tensors share.
fn extremum(a: &mut Adjoint, which: Pair) -> Cotangents {
    for slot in [0, 1] {
        if let Some(bound) = a.uniform(a.inputs[1 - slot])?
            && a.shape(a.inputs[slot])? == a.shape(a.outputs[0])?
        {
            let bound = f64::from(bound);
            let function = if which == Pair::Max {
                Function::Max(bound)
            } else {
                Function::Min(bound)
            };
            let g = a.cotangent()?;
            let base = a.baseline_input(slot)?;
            let mut result = tvec![None, None];
            result[slot] = Some(a.wire(Secant::Of(function), &[g, a.inputs[slot], base])?);
            return Ok(result);
        }
    }
    let bounded = a.konst(a.inputs[0])?.is_some() || a.konst(a.inputs[1])?.is_some();
    shared(a, which, if bounded { 0.0 } else { 0.5 })
}

fn power(a: &mut Adjoint) -> Cotangents {
    if let Some(exponent) = a.uniform(a.inputs[1])?
        && a.shape(a.inputs[0])? == a.shape(a.outputs[0])?
    {
        return single(a, Function::Pow(f64::from(exponent)));
    }
    pair(a, Pair::Pow)
}

/// `g` times the rise of `y` over what the baseline has, for the winner at the picture; and the rest, for the winner at
/// the baseline.
fn shares(a: &mut Adjoint, larger: bool) -> TractResult<[OutletId; 2]> {
    let (g, y, base) = (a.cotangent()?, a.outputs[0], a.baseline_output()?);
    let extreme = if larger { math::max() } else { math::min() };
    let extreme = a.wire(extreme, &[y, base])?;
    let mine = a.sub(extreme, base)?;
    let rest = a.sub(y, extreme)?;
    Ok([a.mul(g, mine)?, a.mul(g, rest)?])
}

fn max_pool(a: &mut Adjoint, op: &MaxPool) -> Cotangents {
    let (g, x, base) = (a.f32_cotangent()?, a.inputs[0], a.baseline_input(0)?);
    let [mine, rest] = shares(a, true)?;
    let mine = max_pool_adjoint(a, &op.pool_spec, mine, x)?;
    let rest = max_pool_adjoint(a, &op.pool_spec, rest, base)?;
    let change = a.add(mine, rest)?;
    let gradient = max_pool_adjoint(a, &op.pool_spec, g, x)?;
    let result = a.wire(Secant::Ratio, &[change, gradient, x, base])?;
    Ok(tvec![Some(result)])
}

fn softmax(a: &mut Adjoint, op: &Softmax) -> Cotangents {
    let [axis] = *op.axes else {
        bail!("a softmax over several axes")
    };
    let (g, base) = (a.cotangent()?, a.baseline_input(0)?);
    let log = op.kind == SoftmaxKind::LogSoftmax;
    let result = a.wire(Secant::Softmax { axis, log }, &[g, a.inputs[0], base])?;
    Ok(tvec![Some(result)])
}

/// `y` is the sum of what is selected of each operand, and 0 elsewhere.
fn selection(a: &mut Adjoint) -> Cotangents {
    let g = a.cotangent()?;
    let shape = a.shape(g)?;
    let zero = a.scalar(0.0, g)?;
    let conditions = [a.inputs[0], a.baseline_input(0)?];
    let mut result = tvec![None, None, None];
    for slot in [1, 2] {
        if !a.wanted[slot] {
            continue;
        }
        let values = [a.inputs[slot], a.baseline_input(slot)?];
        let selected = |a: &mut Adjoint, condition: OutletId, value: OutletId| {
            let branches = if slot == 1 { [value, zero] } else { [zero, value] };
            let selected = a.wire(Iff, &[condition, branches[0], branches[1]])?;
            a.broadcast_to(selected, &shape)
        };
        let own = selected(a, conditions[0], values[0])?;
        let base = selected(a, conditions[1], values[1])?;
        let change = a.sub(own, base)?;
        let change = a.mul(g, change)?;
        let gradient = selected(a, conditions[0], g)?;
        let full = [a.broadcast_to(values[0], &shape)?, a.broadcast_to(values[1], &shape)?];
        let full = a.wire(Secant::Ratio, &[change, gradient, full[0], full[1]])?;
        let shape = a.shape(a.inputs[slot])?;
        result[slot] = Some(a.sum_to(full, &shape)?);
    }
    Ok(result)
}

/// A product of two arrays is linear in each: its change is the sum of each one's change times the other's mean.
fn contraction(a: &mut Adjoint, op: &EinSum, by_gradient: &VjpTable) -> Cotangents {
    let changing = a.wanted.iter().filter(|&&wanted| wanted).count();
    ensure!(
        changing <= 2,
        "a product of {changing} arrays that depend on the picture"
    );
    let mut inputs: TVec<OutletId> = a.inputs.into();
    if changing == 2 {
        for slot in 0..inputs.len() {
            if a.wanted[slot] {
                let base = a.baseline_input(slot)?;
                let sum = a.add(inputs[slot], base)?;
                inputs[slot] = a.scale(sum, 0.5)?;
            }
        }
    }
    let (g, wanted) = (a.cotangent()?, a.wanted);
    a.by_table(by_gradient, op, &inputs, g, wanted)
}

fn reduce(a: &mut Adjoint, op: &Reduce, by_gradient: &VjpTable) -> Cotangents {
    let (x, base) = (a.inputs[0], a.baseline_input(0)?);
    match op.reducer {
        Reducer::MeanOfSquares => {
            let g = a.cotangent()?;
            let count: usize = op
                .axes
                .iter()
                .map(|ax| Ok(a.shape(x)?[*ax]))
                .product::<TractResult<_>>()?;
            let sum = a.add(x, base)?;
            let scaled = a.scale(g, 1.0 / count as f64)?;
            Ok(tvec![Some(a.mul(sum, scaled)?)])
        }
        Reducer::Max | Reducer::Min => {
            let [mine, rest] = shares(a, op.reducer == Reducer::Max)?;
            let (y, y_base) = (a.outputs[0], a.baseline_output()?);
            let winners = |a: &mut Adjoint, change: OutletId, x: OutletId, y: OutletId| {
                let ties = a.pointwise(Pointwise::Equal, x, y)?;
                let number = a.sum(ties, &op.axes)?;
                let share = a.wire(math::div(), &[change, number])?;
                a.mul(ties, share)
            };
            let mine = winners(a, mine, x, y)?;
            let rest = winners(a, rest, base, y_base)?;
            let change = a.add(mine, rest)?;
            let g = a.cotangent()?;
            let gradient = winners(a, g, x, y)?;
            let result = a.wire(Secant::Ratio, &[change, gradient, x, base])?;
            Ok(tvec![Some(result)])
        }
        _ => {
            let (g, inputs, wanted) = (a.cotangent()?, a.inputs, a.wanted);
            a.by_table(by_gradient, op, inputs, g, wanted)
        }
    }
}
