//! Element-wise operators of one, two and three operands, and the local derivatives of `vjp`.

use std::any::Any;

use tract_onnx::tract_core::internal::{Datum, TractResult, bail};
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::logic::{self, CompEq, CompGT, CompGTE, CompLT, CompLTE, CompNE, Iff};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{GeluApproximate, GeluExact, HardSwish, LeakyRelu, Sigmoid, Silu};

use super::super::vjp::pointwise::Pointwise;
use super::Site;
use crate::gpu::ir::{Binary, Op, Unary, ValueId};

pub(super) fn wire(s: &mut Site, op: &dyn Any) -> TractResult<Option<ValueId>> {
    if let Some(f) = unary(op) {
        let x = s.input(0)?;
        return s.unary(f, x).map(Some);
    }
    if let Some(f) = binary(op) {
        let (a, b) = (s.input(0)?, s.input(1)?);
        return s.binary(f, a, b).map(Some);
    }
    let wired = if op.is::<math::SubF>() {
        let (a, b) = (s.input(0)?, s.input(1)?);
        s.binary(Binary::Sub, b, a)
    } else if let Some(op) = op.downcast_ref::<math::PowConst>() {
        let x = s.input(0)?;
        s.with_scalar(Binary::Pow, x, op.exponent)
    } else if let Some(op) = op.downcast_ref::<GeluApproximate>() {
        gelu_tanh(s, op.fast_impl)
    } else if op.is::<Iff>() {
        let operands = s.inputs()?;
        s.push(Op::Select, &operands)
    } else if let Some(op) = op.downcast_ref::<Cast>() {
        cast(s, op)
    } else if let Some(f) = op.downcast_ref::<Pointwise>() {
        let (g, x) = (s.input(0)?, s.input(1)?);
        derivative(s, *f, g, x)
    } else {
        return Ok(None);
    };
    wired.map(Some)
}

macro_rules! by_type {
    ($op:expr; $($type:ty => $value:expr),+ $(,)?) => {
        if false {
            None
        } $(else if $op.is::<$type>() {
            Some($value)
        })+ else {
            None
        }
    };
}

fn unary(op: &dyn Any) -> Option<Unary> {
    if let Some(op) = op.downcast_ref::<LeakyRelu>() {
        return Some(Unary::LeakyRelu(op.alpha));
    }
    by_type!(op;
        math::Neg => Unary::Neg,
        math::Abs => Unary::Abs,
        math::Sign => Unary::Sign,
        math::Floor => Unary::Floor,
        math::Ceil => Unary::Ceil,
        math::Round => Unary::Round,
        math::RoundHalfToEven => Unary::RoundHalfToEven,
        math::Recip => Unary::Recip,
        math::Square => Unary::Square,
        math::Sqrt => Unary::Sqrt,
        math::Rsqrt => Unary::Rsqrt,
        math::Exp => Unary::Exp,
        math::Ln => Unary::Ln,
        math::Erf => Unary::Erf,
        math::Tanh => Unary::Tanh,
        Sigmoid => Unary::Sigmoid,
        HardSwish => Unary::HardSwish,
        Silu => Unary::Silu,
        GeluExact => Unary::Gelu,
        math::Sin => Unary::Sin,
        math::Cos => Unary::Cos,
        math::Tan => Unary::Tan,
        math::Asin => Unary::Asin,
        math::Acos => Unary::Acos,
        math::Atan => Unary::Atan,
        math::Sinh => Unary::Sinh,
        math::Cosh => Unary::Cosh,
        math::Asinh => Unary::Asinh,
        math::Acosh => Unary::Acosh,
        math::Atanh => Unary::Atanh,
        logic::Not => Unary::Not,
    )
}

fn binary(op: &dyn Any) -> Option<Binary> {
    by_type!(op;
        math::Add => Binary::Add,
        math::Sub => Binary::Sub,
        math::Mul => Binary::Mul,
        math::Div => Binary::Div,
        math::Max => Binary::Max,
        math::Min => Binary::Min,
        math::Pow => Binary::Pow,
        CompLT => Binary::Less,
        CompLTE => Binary::LessEqual,
        CompGT => Binary::Greater,
        CompGTE => Binary::GreaterEqual,
        CompEq => Binary::Equal,
        CompNE => Binary::NotEqual,
        logic::And => Binary::And,
        logic::Or => Binary::Or,
        logic::Xor => Binary::Xor,
    )
}

/// Truth values are 0 and 1 already.
fn cast(s: &mut Site, op: &Cast) -> TractResult<ValueId> {
    let x = s.input(0)?;
    if op.to == f32::datum_type() {
        Ok(x)
    } else if op.to == bool::datum_type() {
        s.with_scalar(Binary::NotEqual, x, 0.0)
    } else {
        bail!("it gives {:?}", op.to)
    }
}

/// tract's fast form has a square where the function has a cube.
fn gelu_tanh(s: &mut Site, fast: bool) -> TractResult<ValueId> {
    let x = s.input(0)?;
    if !fast {
        return s.unary(Unary::GeluTanh, x);
    }
    let power = s.unary(Unary::Square, x)?;
    let power = s.with_scalar(Binary::Mul, power, 0.044_715)?;
    let inside = s.binary(Binary::Add, x, power)?;
    let inside = s.with_scalar(Binary::Mul, inside, (2.0 / std::f32::consts::PI).sqrt())?;
    let gate = s.unary(Unary::Tanh, inside)?;
    let gate = s.with_scalar(Binary::Add, gate, 1.0)?;
    let half = s.with_scalar(Binary::Mul, x, 0.5)?;
    s.binary(Binary::Mul, half, gate)
}

/// `f(g, x)`; see [`Pointwise`].
fn derivative(s: &mut Site, f: Pointwise, g: ValueId, x: ValueId) -> TractResult<ValueId> {
    use Binary::{Add, Div, Equal, Greater, GreaterEqual, Less, LessEqual, Mul, Sub};
    let slope = match f {
        Pointwise::Above(c) => return gated(s, Greater, c, g, x),
        Pointwise::Below(c) => return gated(s, Less, c, g, x),
        Pointwise::Greater(tie) => {
            let over = s.binary(Greater, g, x)?;
            if tie.to_bits() << 1 == 0 {
                return Ok(over);
            }
            let equal = s.binary(Equal, g, x)?;
            let tie = s.scalar(tie, g);
            return s.push(Op::Select, &[equal, tie, over]);
        }
        Pointwise::Equal => return s.binary(Equal, g, x),
        Pointwise::Over(by) => {
            let left = s.with_scalar(Less, x, 0.0)?;
            let (less, more) = (s.with_scalar(Sub, x, by)?, s.with_scalar(Add, x, by)?);
            let divisor = s.push(Op::Select, &[left, less, more])?;
            let none = s.with_scalar(Equal, divisor, 0.0)?;
            // Nothing is divided by 0, which WGSL leaves open.
            let one = s.scalar(1.0, x);
            let safe = s.push(Op::Select, &[none, one, divisor])?;
            let ratio = s.binary(Div, g, safe)?;
            let zero = s.scalar(0.0, x);
            return s.push(Op::Select, &[none, zero, ratio]);
        }
        Pointwise::Sqrt => {
            let half = s.with_scalar(Mul, g, 0.5)?;
            return s.binary(Div, half, x);
        }
        Pointwise::Tanh | Pointwise::Atanh => {
            let square = s.unary(Unary::Square, x)?;
            let one = s.scalar(1.0, x);
            let rest = s.binary(Sub, one, square)?;
            let by = if f == Pointwise::Tanh { Mul } else { Div };
            return s.binary(by, g, rest);
        }
        Pointwise::Atan => {
            let square = s.unary(Unary::Square, x)?;
            let sum = s.with_scalar(Add, square, 1.0)?;
            return s.binary(Div, g, sum);
        }
        Pointwise::Abs => s.unary(Unary::Sign, x)?,
        Pointwise::Square => s.with_scalar(Mul, x, 2.0)?,
        Pointwise::Rsqrt => {
            let square = s.unary(Unary::Square, x)?;
            let cube = s.binary(Mul, square, x)?;
            s.with_scalar(Mul, cube, -0.5)?
        }
        Pointwise::Recip => {
            let square = s.unary(Unary::Square, x)?;
            s.unary(Unary::Neg, square)?
        }
        Pointwise::Pow(e) => {
            let power = s.with_scalar(Binary::Pow, x, e - 1.0)?;
            s.with_scalar(Mul, power, e)?
        }
        Pointwise::Erf => {
            let square = s.unary(Unary::Square, x)?;
            let minus = s.unary(Unary::Neg, square)?;
            let exp = s.unary(Unary::Exp, minus)?;
            s.with_scalar(Mul, exp, std::f32::consts::FRAC_2_SQRT_PI)?
        }
        Pointwise::Sigmoid => {
            let one = s.scalar(1.0, x);
            let rest = s.binary(Sub, one, x)?;
            s.binary(Mul, x, rest)?
        }
        Pointwise::HardSwish => {
            let twice = s.with_scalar(Mul, x, 2.0)?;
            let sum = s.with_scalar(Add, twice, 3.0)?;
            let middle = s.with_scalar(Div, sum, 6.0)?;
            let (one, zero) = (s.scalar(1.0, x), s.scalar(0.0, x));
            let high = s.with_scalar(GreaterEqual, x, 3.0)?;
            let low = s.with_scalar(LessEqual, x, -3.0)?;
            let inside = s.push(Op::Select, &[low, zero, middle])?;
            s.push(Op::Select, &[high, one, inside])?
        }
        Pointwise::LeakyRelu(slope) => {
            let over = s.with_scalar(Greater, x, 0.0)?;
            let (one, slope) = (s.scalar(1.0, x), s.scalar(slope, x));
            s.push(Op::Select, &[over, one, slope])?
        }
        Pointwise::Silu => {
            // s * (1 + x * (1 - s))
            let sigmoid = s.unary(Unary::Sigmoid, x)?;
            let one = s.scalar(1.0, x);
            let rest = s.binary(Sub, one, sigmoid)?;
            let through = s.binary(Mul, x, rest)?;
            let sum = s.with_scalar(Add, through, 1.0)?;
            s.binary(Mul, sigmoid, sum)?
        }
        Pointwise::Sin => s.unary(Unary::Cos, x)?,
        Pointwise::Cos => {
            let sin = s.unary(Unary::Sin, x)?;
            s.unary(Unary::Neg, sin)?
        }
        Pointwise::Tan => {
            let square = s.unary(Unary::Square, x)?;
            s.with_scalar(Add, square, 1.0)?
        }
        Pointwise::Asin | Pointwise::Acos | Pointwise::Asinh | Pointwise::Acosh => {
            let square = s.unary(Unary::Square, x)?;
            let inside = match f {
                Pointwise::Asinh => s.with_scalar(Add, square, 1.0)?,
                Pointwise::Acosh => s.with_scalar(Sub, square, 1.0)?,
                _ => {
                    let one = s.scalar(1.0, x);
                    s.binary(Sub, one, square)?
                }
            };
            let slope = s.unary(Unary::Rsqrt, inside)?;
            if f == Pointwise::Acos {
                s.unary(Unary::Neg, slope)?
            } else {
                slope
            }
        }
        Pointwise::Sinh => s.unary(Unary::Cosh, x)?,
        Pointwise::Cosh => s.unary(Unary::Sinh, x)?,
    };
    s.binary(Mul, g, slope)
}

/// `g` where `x` is on that side of `c`, else 0.
fn gated(s: &mut Site, side: Binary, c: f32, g: ValueId, x: ValueId) -> TractResult<ValueId> {
    let open = s.with_scalar(side, x, c)?;
    let zero = s.scalar(0.0, g);
    s.push(Op::Select, &[open, g, zero])
}
