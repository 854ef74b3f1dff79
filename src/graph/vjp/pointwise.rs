//! The local derivatives of activations as one binary operator, so that an adjoint costs one pass over memory.

use tract_onnx::tract_core::ops::binary::BinMiniOp;

use super::prelude::tract_ndarray::{ArrayViewD, ArrayViewMutD, Zip};
use super::prelude::*;

/// A function of two `f32`: for derivatives the cotangent `g` and a value `x` (input of the activation) or `y`
/// (output). Broadcasts; `g` is overwritten in place where the graph allows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::graph) enum Pointwise {
    /// `g` where `x` is over the bound, else 0.
    Above(f32),
    /// `g` where `x` is under the bound, else 0.
    Below(f32),
    /// 1 where `a > b`, the given value where `a == b`, else 0.
    Greater(f32),
    /// 1 where `a == b`, else 0.
    Equal,
    /// `g / x`, with `x` pushed away from 0 by the given value (to the right from 0 itself); 0 where that is 0 still.
    Over(f32),
    /// `g * sign(x)`.
    Abs,
    /// `2 * g * x`.
    Square,
    /// `g / (2 * y)`.
    Sqrt,
    /// `-g * y^3 / 2`.
    Rsqrt,
    /// `-g * y^2`.
    Recip,
    /// `g * e * x^(e - 1)`.
    Pow(f32),
    /// `g * 2 / sqrt(pi) * exp(-x^2)`.
    Erf,
    /// `g * y * (1 - y)`.
    Sigmoid,
    /// `g * (1 - y^2)`.
    Tanh,
    /// Slope 0, 1 or `(2 * x + 3) / 6`.
    HardSwish,
    /// Slope 1 over 0, else the given one.
    LeakyRelu(f32),
    /// Of `x * sigmoid(x)`.
    Silu,
    /// `g * cos(x)`.
    Sin,
    /// `-g * sin(x)`.
    Cos,
    /// `g * (1 + y^2)`.
    Tan,
    /// `g / sqrt(1 - x^2)`.
    Asin,
    /// `-g / sqrt(1 - x^2)`.
    Acos,
    /// `g / (1 + x^2)`.
    Atan,
    /// `g * cosh(x)`.
    Sinh,
    /// `g * sinh(x)`.
    Cosh,
    /// `g / sqrt(x^2 + 1)`.
    Asinh,
    /// `g / sqrt(x^2 - 1)`.
    Acosh,
    /// `g / (1 - x^2)`.
    Atanh,
}

impl Eq for Pointwise {}

/// Calls `$run($args, f)` with the closure of the function, so that each loop is compiled for its closure.
macro_rules! with_function {
    ($which:expr, $run:ident($($args:expr),*)) => {
        match $which {
            Pointwise::Above(c) => $run($($args,)* |g, x| if x > c { g } else { 0.0 }),
            Pointwise::Below(c) => $run($($args,)* |g, x| if x < c { g } else { 0.0 }),
            Pointwise::Over(by) => $run($($args,)* |g, x| {
                let divisor = if x < 0.0 { x - by } else { x + by };
                if divisor == 0.0 { 0.0 } else { g / divisor }
            }),
            Pointwise::Greater(tie) => $run($($args,)* |a, b| {
                if a > b {
                    1.0
                } else if a == b {
                    tie
                } else {
                    0.0
                }
            }),
            Pointwise::Equal => $run($($args,)* |a, b| if a == b { 1.0 } else { 0.0 }),
            Pointwise::Abs => $run($($args,)* |g, x| {
                if x > 0.0 {
                    g
                } else if x < 0.0 {
                    -g
                } else {
                    0.0
                }
            }),
            Pointwise::Square => $run($($args,)* |g, x| 2.0 * g * x),
            Pointwise::Sqrt => $run($($args,)* |g, y| 0.5 * g / y),
            Pointwise::Rsqrt => $run($($args,)* |g, y| -0.5 * g * y * y * y),
            Pointwise::Recip => $run($($args,)* |g, y| -g * y * y),
            Pointwise::Pow(e) => $run($($args,)* |g, x| g * e * x.powf(e - 1.0)),
            Pointwise::Erf => $run($($args,)* |g, x| g * std::f32::consts::FRAC_2_SQRT_PI * (-x * x).exp()),
            Pointwise::Sigmoid => $run($($args,)* |g, y| g * y * (1.0 - y)),
            Pointwise::Tanh => $run($($args,)* |g, y| g * (1.0 - y * y)),
            Pointwise::HardSwish => $run($($args,)* |g, x| {
                if x >= 3.0 {
                    g
                } else if x <= -3.0 {
                    0.0
                } else {
                    g * (2.0 * x + 3.0) / 6.0
                }
            }),
            Pointwise::LeakyRelu(slope) => $run($($args,)* |g, x| if x > 0.0 { g } else { slope * g }),
            Pointwise::Silu => $run($($args,)* |g, x| {
                let s = 1.0 / (1.0 + (-x).exp());
                g * s * (1.0 + x * (1.0 - s))
            }),
            Pointwise::Sin => $run($($args,)* |g, x| g * x.cos()),
            Pointwise::Cos => $run($($args,)* |g, x| -g * x.sin()),
            Pointwise::Tan => $run($($args,)* |g, y| g * (1.0 + y * y)),
            Pointwise::Asin => $run($($args,)* |g, x| g / (1.0 - x * x).sqrt()),
            Pointwise::Acos => $run($($args,)* |g, x| -g / (1.0 - x * x).sqrt()),
            Pointwise::Atan => $run($($args,)* |g, x| g / (1.0 + x * x)),
            Pointwise::Sinh => $run($($args,)* |g, x| g * x.cosh()),
            Pointwise::Cosh => $run($($args,)* |g, x| g * x.sinh()),
            Pointwise::Asinh => $run($($args,)* |g, x| g / (x * x + 1.0).sqrt()),
            Pointwise::Acosh => $run($($args,)* |g, x| g / (x * x - 1.0).sqrt()),
            Pointwise::Atanh => $run($($args,)* |g, x| g / (1.0 - x * x)),
        }
    };
}

fn in_place(a: &mut [f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, *b);
    }
}

fn broadcasting(mut c: ArrayViewMutD<f32>, a: &ArrayViewD<f32>, b: &ArrayViewD<f32>, f: impl Fn(f32, f32) -> f32) {
    Zip::from(&mut c)
        .and_broadcast(a)
        .and_broadcast(b)
        .for_each(|c, a, b| *c = f(*a, *b));
}

fn broadcasting_in_place(mut a: ArrayViewMutD<f32>, b: &ArrayViewD<f32>, f: impl Fn(f32, f32) -> f32) {
    Zip::from(&mut a).and_broadcast(b).for_each(|a, b| *a = f(*a, *b));
}

#[expect(clippy::float_cmp, reason = "ties are exact")]
impl BinMiniOp for Pointwise {
    fn name(&self) -> &'static str {
        match self {
            Self::Greater(_) => "VjpGreater",
            Self::Equal => "VjpEqual",
            _ => "VjpDerivative",
        }
    }

    fn result_datum_type(&self, a: DatumType, b: DatumType) -> TractResult<DatumType> {
        ensure!(a == f32::datum_type() && b == f32::datum_type());
        Ok(a)
    }

    fn is_commutative(&self) -> bool {
        false
    }

    /// `b` has the shape of `a`, or broadcasts to it.
    fn eval_in_a(&self, a: &mut Tensor, b: &Tensor) -> TractResult<()> {
        if a.shape() == b.shape() {
            let b = b.try_as_plain_ram()?;
            let b = b.as_slice::<f32>()?;
            let mut a = a.try_as_plain_ram_mut()?;
            let a = a.as_slice_mut::<f32>()?;
            with_function!(*self, in_place(a, b));
        } else {
            let b = b.to_plain_array_view::<f32>()?;
            let mut a = a.try_as_plain_ram_mut()?;
            let a = a.to_array_view_mut::<f32>()?;
            with_function!(*self, broadcasting_in_place(a, &b));
        }
        Ok(())
    }

    fn eval_out_of_place(&self, c: &mut Tensor, a: &Tensor, b: &Tensor) -> TractResult<()> {
        let (a, b) = (a.to_plain_array_view::<f32>()?, b.to_plain_array_view::<f32>()?);
        let mut c = c.try_as_plain_ram_mut()?;
        let c = c.to_array_view_mut::<f32>()?;
        with_function!(*self, broadcasting(c, &a, &b));
        Ok(())
    }
}
