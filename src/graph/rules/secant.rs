//! The slope of a function between two points, in `f64`: subtracting two close results in `f32` would leave noise.

use super::super::vjp::prelude::tract_ndarray::{ArrayD, ArrayViewD, Axis, Zip};
use super::super::vjp::prelude::*;

/// Points closer than this count as one, and the slope is the derivative there. Captum's bound.
pub(super) const CLOSE: f64 = 1e-10;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    /// The larger of `x` and a bound.
    Max(f64),
    /// The smaller of `x` and a bound.
    Min(f64),
    Abs,
    Square,
    Sqrt,
    Rsqrt,
    Recip,
    Pow(f64),
    Exp,
    Ln,
    Erf,
    Sigmoid,
    Tanh,
    HardSwish,
    LeakyRelu(f64),
    Silu,
    Gelu,
    /// With the power in its approximation.
    GeluTanh(f64),
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
}

/// A series of positive terms: nothing cancels.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let mut term = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * x;
    let mut sum = term;
    let mut n = 0.0;
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    sum
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Function {
    fn value(self, x: f64) -> f64 {
        match self {
            Self::Max(c) => x.max(c),
            Self::Min(c) => x.min(c),
            Self::Abs => x.abs(),
            Self::Square => x * x,
            Self::Sqrt => x.sqrt(),
            Self::Rsqrt => x.sqrt().recip(),
            Self::Recip => x.recip(),
            Self::Pow(e) => x.powf(e),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Erf => erf(x),
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::LeakyRelu(slope) => x * if x > 0.0 { 1.0 } else { slope },
            Self::Silu => x * sigmoid(x),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh(power) => {
                let inside = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powf(power));
                0.5 * x * (1.0 + inside.tanh())
            }
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Asinh => x.asinh(),
            Self::Acosh => x.acosh(),
            Self::Atanh => x.atanh(),
        }
    }

    /// As PyTorch at kinks: 0 at the bound of a ReLU or a clip.
    fn derivative(self, x: f64) -> f64 {
        let one_if = |yes: bool| if yes { 1.0 } else { 0.0 };
        match self {
            Self::Max(c) => one_if(x > c),
            Self::Min(c) => one_if(x < c),
            Self::Abs => one_if(x > 0.0) - one_if(x < 0.0),
            Self::Square => 2.0 * x,
            Self::Sqrt => 0.5 / x.sqrt(),
            Self::Rsqrt => -0.5 * x.powf(-1.5),
            Self::Recip => -1.0 / (x * x),
            Self::Pow(e) => e * x.powf(e - 1.0),
            Self::Exp => x.exp(),
            Self::Ln => x.recip(),
            Self::LeakyRelu(slope) => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            // The others are smooth: a central difference is exact to ten digits.
            _ => (self.value(x + 1e-5) - self.value(x - 1e-5)) / 2e-5,
        }
    }

    fn slope(self, x: f64, base: f64) -> f64 {
        let step = x - base;
        if step.abs() < CLOSE {
            self.derivative(x)
        } else {
            (self.value(x) - self.value(base)) / step
        }
    }
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    Mul,
    Div,
    Max,
    Min,
    Pow,
}

impl Pair {
    fn value(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Max => a.max(b),
            Self::Min => a.min(b),
            Self::Pow => a.powf(b),
        }
    }

    /// By the first operand.
    fn derivative(self, a: f64, b: f64, tie: f64) -> f64 {
        let winner = |over: f64, under: f64| {
            if over > under {
                1.0
            } else if over < under {
                0.0
            } else {
                tie
            }
        };
        match self {
            Self::Mul => b,
            Self::Div => b.recip(),
            Self::Max => winner(a, b),
            Self::Min => winner(b, a),
            Self::Pow => b * a.powf(b - 1.0),
        }
    }

    /// By the second operand, where it is not symmetric.
    fn derivative_second(self, a: f64, b: f64, tie: f64) -> f64 {
        match self {
            Self::Div => -a / (b * b),
            Self::Pow => a.powf(b) * a.ln(),
            _ => self.derivative(b, a, tie),
        }
    }

    /// The mean over the other operand's two values of the slope by one: the operands' Shapley values, so that both
    /// together make up the whole change.
    fn slope(self, by: usize, [a, a0]: [f64; 2], [b, b0]: [f64; 2], tie: f64) -> f64 {
        if by == 0 {
            let step = a - a0;
            if step.abs() < CLOSE {
                return 0.5 * (self.derivative(a, b, tie) + self.derivative(a, b0, tie));
            }
            0.5 * (self.value(a, b) - self.value(a0, b) + self.value(a, b0) - self.value(a0, b0)) / step
        } else {
            let step = b - b0;
            if step.abs() < CLOSE {
                return 0.5 * (self.derivative_second(a, b, tie) + self.derivative_second(a0, b, tie));
            }
            0.5 * (self.value(a, b) - self.value(a, b0) + self.value(a0, b) - self.value(a0, b0)) / step
        }
    }
}

/// What a cotangent becomes between two points.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Secant {
    /// From `(g, x, x')`: `g` times the slope of the function from `x'` to `x`.
    Of(Function),
    /// From `(g, a, a', b, b')`, which broadcast: `g` times the slope by the operand `by`.
    OfPair {
        pair: Pair,
        by: usize,
        /// The derivative at a tie of a maximum.
        tie: f32,
    },
    /// From `(n, g, x, x')`: `n / (x - x')`, and `g` where the points are one.
    Ratio,
    /// From `(g, x, x')`: through a softmax along the axis, taken as exponentials, their sum and a quotient.
    Softmax { axis: usize, log: bool },
}

impl Eq for Secant {}

impl Op for Secant {
    fn name(&self) -> StaticName {
        "Secant".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{self:?}")])
    }

    op_as_typed_op!();
}

impl EvalOp for Secant {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let views: Vec<ArrayViewD<f32>> = inputs
            .iter()
            .map(|t| t.to_plain_array_view::<f32>())
            .collect::<TractResult<_>>()?;
        let mut out: ArrayD<f32> = views[0].to_owned();
        let wide = f64::from;
        match *self {
            Self::Of(f) => Zip::from(&mut out)
                .and(&views[1])
                .and(&views[2])
                .for_each(|g, &x, &base| *g = (wide(*g) * f.slope(wide(x), wide(base))) as f32),
            Self::OfPair { pair, by, tie } => {
                let shape = out.shape().to_vec();
                let full = |k: usize| views[k].broadcast(&*shape).context("the operands do not broadcast");
                let (a, a0, b, b0) = (full(1)?, full(2)?, full(3)?, full(4)?);
                Zip::from(&mut out)
                    .and(&a)
                    .and(&a0)
                    .and(&b)
                    .and(&b0)
                    .for_each(|g, &a, &a0, &b, &b0| {
                        let slope = pair.slope(by, [wide(a), wide(a0)], [wide(b), wide(b0)], wide(tie));
                        *g = (wide(*g) * slope) as f32;
                    });
            }
            Self::Ratio => Zip::from(&mut out)
                .and(&views[1])
                .and(&views[2])
                .and(&views[3])
                .for_each(|n, &g, &x, &base| {
                    let step = wide(x) - wide(base);
                    *n = if step.abs() < CLOSE {
                        g
                    } else {
                        (wide(*n) / step) as f32
                    };
                }),
            Self::Softmax { axis, log } => {
                let axis = Axis(axis);
                let lanes = views[1].lanes(axis).into_iter().zip(views[2].lanes(axis));
                for (mut g, (x, base)) in out.lanes_mut(axis).into_iter().zip(lanes) {
                    // One shift for both points changes neither softmax.
                    let top = x.iter().chain(base).fold(f64::NEG_INFINITY, |top, &v| top.max(wide(v)));
                    let [e, e0] = [&x, &base].map(|v| v.iter().map(|&v| (wide(v) - top).exp()).collect::<Vec<_>>());
                    let [s, s0] = [&e, &e0].map(|v| v.iter().sum::<f64>());
                    let (direct, by_sum) = if log {
                        (
                            None,
                            -g.iter().map(|&g| wide(g)).sum::<f64>() * Function::Ln.slope(s, s0),
                        )
                    } else {
                        let products = g
                            .iter()
                            .zip(e.iter().zip(&e0))
                            .map(|(&g, (e, e0))| wide(g) * 0.5 * (e + e0));
                        (Some(0.5 * (s.recip() + s0.recip())), -products.sum::<f64>() / (s * s0))
                    };
                    for (g, (&x, &base)) in g.iter_mut().zip(x.iter().zip(base)) {
                        let through = Function::Exp.slope(wide(x) - top, wide(base) - top);
                        *g = match direct {
                            Some(direct) => (wide(*g) * direct + by_sum) * through,
                            None => wide(*g) + by_sum * through,
                        } as f32;
                    }
                }
            }
        }
        Ok(tvec!(out.into_tensor().into_tvalue()))
    }
}

impl TypedOp for Secant {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        for fact in inputs {
            ensure!(
                fact.datum_type == f32::datum_type(),
                "it is computed in {:?}, not F32",
                fact.datum_type
            );
            ensure!(fact.rank() == inputs[0].rank());
        }
        Ok(tvec!(f32::fact(&*inputs[0].shape)))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_known_to_all_digits() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (-1.0, -0.842_700_792_949_714_9),
            (3.0, 0.999_977_909_503_001_4),
            (5.9, 1.0),
        ] {
            assert!((erf(x) - expected).abs() < 1e-15, "{x}: {}", erf(x));
        }
    }

    #[test]
    fn slopes_meet_their_derivatives() {
        use Function as F;
        let all = [
            F::Abs,
            F::Square,
            F::Sqrt,
            F::Rsqrt,
            F::Recip,
            F::Pow(2.5),
            F::Exp,
            F::Ln,
            F::Erf,
            F::Sigmoid,
            F::Tanh,
            F::HardSwish,
            F::LeakyRelu(0.1),
            F::Silu,
            F::Gelu,
            F::GeluTanh(3.0),
            F::Sin,
            F::Cos,
            F::Tan,
            F::Asin,
            F::Acos,
            F::Atan,
            F::Sinh,
            F::Cosh,
            F::Asinh,
            F::Atanh,
            F::Max(0.2),
            F::Min(0.9),
        ];
        for f in all {
            let x = 0.613;
            let (slope, derivative) = (f.slope(x + 1e-6, x - 1e-6), f.slope(x, x));
            assert!((slope - derivative).abs() < 1e-7, "{f:?}: {slope} {derivative}");
        }
        assert_eq!(F::Max(0.0).slope(0.0, 0.0).to_bits(), 0f64.to_bits());
        assert!((F::Max(0.0).slope(1.0, -3.0) - 0.25).abs() < 1e-15);
    }

    #[test]
    fn two_operands_share_the_whole_change() {
        for pair in [Pair::Mul, Pair::Div, Pair::Max, Pair::Min, Pair::Pow] {
            let ([a, a0], [b, b0]) = ([1.3, 0.4], [0.7, 2.1]);
            let parts =
                pair.slope(0, [a, a0], [b, b0], 0.5) * (a - a0) + pair.slope(1, [a, a0], [b, b0], 0.5) * (b - b0);
            assert!(
                (parts - (pair.value(a, b) - pair.value(a0, b0))).abs() < 1e-14,
                "{pair:?}"
            );
        }
    }
}
