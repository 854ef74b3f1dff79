//! Element-wise operators of one operand.

use tract_onnx::tract_core::ops::math::{
    self, Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, Ceil, Cos, Cosh, Erf, Exp, Floor, Ln, Neg, PowConst, Recip,
    Round, RoundHalfToEven, Rsqrt, Sign, Sin, Sinh, Sqrt, Square, Tan, Tanh,
};
use tract_onnx::tract_core::ops::nn::{GeluApproximate, GeluExact, HardSwish, LeakyRelu, Sigmoid, Silu};

use super::pointwise::Pointwise;
use super::{Adjoint, Cotangents, VjpTable, first, flat};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Neg>("neg", |a, _| {
            let g = a.cotangent()?;
            first(a.wire(math::neg(), &[g])?)
        })
        .with_rule_for::<Exp>("exp", |a, _| {
            let g = a.cotangent()?;
            first(a.mul(g, a.outputs[0])?)
        })
        .with_rule_for::<Ln>("ln", |a, _| {
            let g = a.cotangent()?;
            first(a.wire(math::div(), &[g, a.inputs[0]])?)
        })
        .with_rule_for::<Abs>("abs", |a, _| of_input(a, Pointwise::Abs))
        .with_rule_for::<Square>("square", |a, _| of_input(a, Pointwise::Square))
        .with_rule_for::<Sqrt>("sqrt", |a, _| of_output(a, Pointwise::Sqrt))
        .with_rule_for::<Rsqrt>("rsqrt", |a, _| of_output(a, Pointwise::Rsqrt))
        .with_rule_for::<Recip>("recip", |a, _| of_output(a, Pointwise::Recip))
        .with_rule_for::<PowConst>("pow-const", |a, op| of_input(a, Pointwise::Pow(op.exponent)))
        .with_rule_for::<Erf>("erf", |a, _| of_input(a, Pointwise::Erf))
        .with_rule_for::<Sigmoid>("sigmoid", |a, _| of_output(a, Pointwise::Sigmoid))
        .with_rule_for::<Tanh>("tanh", |a, _| of_output(a, Pointwise::Tanh))
        .with_rule_for::<HardSwish>("hard-swish", |a, _| of_input(a, Pointwise::HardSwish))
        .with_rule_for::<LeakyRelu>("leaky-relu", |a, op| of_input(a, Pointwise::LeakyRelu(op.alpha)))
        .with_rule_for::<Silu>("silu", |a, _| of_input(a, Pointwise::Silu))
        .with_rule_for::<GeluExact>("gelu", |a, _| gelu_exact(a))
        .with_rule_for::<GeluApproximate>("gelu-tanh", |a, op| gelu_approximate(a, op.fast_impl))
        .with_rule_for::<Sin>("sin", |a, _| of_input(a, Pointwise::Sin))
        .with_rule_for::<Cos>("cos", |a, _| of_input(a, Pointwise::Cos))
        .with_rule_for::<Tan>("tan", |a, _| of_output(a, Pointwise::Tan))
        .with_rule_for::<Asin>("asin", |a, _| of_input(a, Pointwise::Asin))
        .with_rule_for::<Acos>("acos", |a, _| of_input(a, Pointwise::Acos))
        .with_rule_for::<Atan>("atan", |a, _| of_input(a, Pointwise::Atan))
        .with_rule_for::<Sinh>("sinh", |a, _| of_input(a, Pointwise::Sinh))
        .with_rule_for::<Cosh>("cosh", |a, _| of_input(a, Pointwise::Cosh))
        .with_rule_for::<Asinh>("asinh", |a, _| of_input(a, Pointwise::Asinh))
        .with_rule_for::<Acosh>("acosh", |a, _| of_input(a, Pointwise::Acosh))
        .with_rule_for::<Atanh>("atanh", |a, _| of_input(a, Pointwise::Atanh))
        .with_rule_for::<Floor>("floor", flat)
        .with_rule_for::<Ceil>("ceil", flat)
        .with_rule_for::<Round>("round", flat)
        .with_rule_for::<RoundHalfToEven>("round-half-to-even", flat)
        .with_rule_for::<Sign>("sign", flat)
}

fn of_input(a: &mut Adjoint, f: Pointwise) -> Cotangents {
    let g = a.cotangent()?;
    first(a.pointwise(f, g, a.inputs[0])?)
}

fn of_output(a: &mut Adjoint, f: Pointwise) -> Cotangents {
    let g = a.cotangent()?;
    first(a.pointwise(f, g, a.outputs[0])?)
}

/// `x * P(X < x)`: the slope is `P(X < x) + x * p(x)` for a standard normal `X`.
fn gelu_exact(a: &mut Adjoint) -> Cotangents {
    let (g, x) = (a.cotangent()?, a.inputs[0]);
    let scaled = a.scale(x, std::f64::consts::FRAC_1_SQRT_2)?;
    let erf = a.wire(math::erf(), &[scaled])?;
    let one = a.scalar(1.0, erf)?;
    let twice_below = a.add(erf, one)?;
    let below = a.scale(twice_below, 0.5)?;
    let direct = a.mul(g, below)?;
    // d/dx erf(x / sqrt 2) / 2 = p(x)
    let through = a.mul(g, x)?;
    let through = a.pointwise(Pointwise::Erf, through, scaled)?;
    let through = a.scale(through, 0.5 * std::f64::consts::FRAC_1_SQRT_2)?;
    first(a.add(direct, through)?)
}

/// `x / 2 * (1 + tanh(u))` with `u = sqrt(2 / pi) * (x + 0.044715 * x^k)`, `k` being 2 in tract's fast form, else 3.
fn gelu_approximate(a: &mut Adjoint, fast: bool) -> Cotangents {
    let (g, x) = (a.cotangent()?, a.inputs[0]);
    let (root, cubic) = ((2.0 / std::f64::consts::PI).sqrt(), 0.044_715);
    let exponent = if fast { 2.0 } else { 3.0 };
    let power = a.wire(math::pow_const(exponent), &[x])?;
    let power = a.scale(power, cubic)?;
    let inside = a.add(x, power)?;
    let inside = a.scale(inside, root)?;
    let tanh = a.wire(math::tanh(), &[inside])?;
    let one = a.scalar(1.0, tanh)?;
    let gate = a.add(tanh, one)?;
    let gate = a.scale(gate, 0.5)?;
    let direct = a.mul(g, gate)?;
    let through = a.mul(g, x)?;
    let through = a.pointwise(Pointwise::Tanh, through, tanh)?;
    let slope = a.wire(math::pow_const(exponent - 1.0), &[x])?;
    let slope = a.scale(slope, f64::from(exponent) * cubic)?;
    let one = a.scalar(1.0, slope)?;
    let slope = a.add(slope, one)?;
    let through = a.mul(through, slope)?;
    let through = a.scale(through, 0.5 * root)?;
    first(a.add(direct, through)?)
}
