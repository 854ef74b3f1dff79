//! Element-wise expressions and their WGSL.

use std::fmt::Write;

use super::ir::{Binary, Unary};

/// An element-wise expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// What the operator before it has computed.
    Result,
    /// One of the arrays that are read, by its place in their list.
    Load(usize),
    Constant(f32),
    Unary(Unary, Box<Self>),
    Binary(Binary, Box<Self>, Box<Self>),
    Select(Box<Self>, Box<Self>, Box<Self>),
}

impl Expr {
    /// Its loads counted from another start.
    pub fn shift(&mut self, map: &[usize]) {
        match self {
            Self::Load(k) => *k = map[*k],
            Self::Unary(_, a) => a.shift(map),
            Self::Binary(_, a, b) => {
                a.shift(map);
                b.shift(map);
            }
            Self::Select(a, b, c) => {
                a.shift(map);
                b.shift(map);
                c.shift(map);
            }
            Self::Result | Self::Constant(_) => {}
        }
    }

    /// Number of operators.
    pub fn size(&self) -> usize {
        match self {
            Self::Unary(_, a) => 1 + a.size(),
            Self::Binary(_, a, b) => 1 + a.size() + b.size(),
            Self::Select(a, b, c) => 1 + a.size() + b.size() + c.size(),
            Self::Result | Self::Constant(_) | Self::Load(_) => 0,
        }
    }

    /// Writes statements that compute it; the name of the result. Loads are named `l0`, `l1`, ..; the result of the
    /// operator `result`.
    pub fn write(&self, code: &mut String) -> String {
        let value = match self {
            Self::Result => return "result".to_owned(),
            Self::Load(k) => return format!("l{k}"),
            Self::Constant(c) => return literal(*c),
            Self::Unary(f, a) => {
                let [a] = operands([a], code);
                unary(*f, &a)
            }
            Self::Binary(f, a, b) => {
                let [a, b] = operands([a, b], code);
                binary(*f, &a, &b)
            }
            Self::Select(c, a, b) => {
                let [c, a, b] = operands([c, a, b], code);
                format!("select({b}, {a}, {c} != 0.0)")
            }
        };
        let name = format!("t{}", code.len());
        _ = writeln!(code, "  let {name} = {value};");
        name
    }
}

/// The names of operands. An operator of literals alone would be refused where its value is not finite.
fn operands<const K: usize>(parts: [&Expr; K], code: &mut String) -> [String; K] {
    let constant = parts.iter().all(|part| matches!(part, Expr::Constant(_)));
    parts.map(|part| match part {
        Expr::Constant(c) if constant => opaque(*c),
        part => part.write(code),
    })
}

/// A number as WGSL takes it: what is not finite may not stand in a constant expression.
pub(super) fn literal(value: f32) -> String {
    if value.is_normal() || value == 0.0 {
        format!("({value:?}f)")
    } else {
        opaque(value)
    }
}

/// A number that is not a constant expression.
fn opaque(value: f32) -> String {
    format!("bits(0x{:08x}u)", value.to_bits())
}

fn unary(f: Unary, x: &str) -> String {
    match f {
        Unary::Neg => format!("-{x}"),
        Unary::Abs => format!("abs({x})"),
        Unary::Sign => format!("sign({x})"),
        Unary::Floor => format!("floor({x})"),
        Unary::Ceil => format!("ceil({x})"),
        Unary::Round => format!("sign({x}) * floor(abs({x}) + 0.5)"),
        Unary::RoundHalfToEven => format!("round({x})"),
        Unary::Recip => format!("1.0 / {x}"),
        Unary::Square => format!("{x} * {x}"),
        Unary::Sqrt => format!("sqrt({x})"),
        Unary::Rsqrt => format!("1.0 / sqrt({x})"),
        Unary::Exp => format!("exp({x})"),
        Unary::Ln => format!("log({x})"),
        Unary::Erf => format!("erf({x})"),
        Unary::Tanh => format!("stanh({x})"),
        Unary::Sigmoid => format!("sigmoid({x})"),
        Unary::HardSwish => format!("{x} * clamp({x} + 3.0, 0.0, 6.0) / 6.0"),
        Unary::Silu => format!("{x} * sigmoid({x})"),
        Unary::Gelu => format!("0.5 * {x} * (1.0 + erf({x} * 0.70710678f))"),
        Unary::GeluTanh => format!("0.5 * {x} * (1.0 + stanh(0.7978846f * ({x} + 0.044715f * {x} * {x} * {x})))"),
        Unary::LeakyRelu(slope) => format!("select({} * {x}, {x}, {x} > 0.0)", literal(slope)),
        Unary::Clamp(low, high) => match (low == f32::NEG_INFINITY, high == f32::INFINITY) {
            (true, true) => x.to_owned(),
            (true, false) => format!("min({x}, {})", literal(high)),
            (false, true) => format!("max({x}, {})", literal(low)),
            (false, false) => format!("min(max({x}, {}), {})", literal(low), literal(high)),
        },
        Unary::Sin => format!("turned({x}, 0)"),
        Unary::Cos => format!("turned({x}, 1)"),
        Unary::Tan => format!("turned({x}, 0) / turned({x}, 1)"),
        Unary::Asin => format!("arcsine({x})"),
        Unary::Acos => format!("arccosine({x})"),
        Unary::Atan => format!("arctangent({x})"),
        Unary::Sinh => format!("0.5 * (exp({x}) - exp(-{x}))"),
        Unary::Cosh => format!("0.5 * (exp({x}) + exp(-{x}))"),
        Unary::Asinh => format!("sign({x}) * log(abs({x}) + sqrt({x} * {x} + 1.0))"),
        Unary::Acosh => format!("log({x} + sqrt({x} * {x} - 1.0))"),
        Unary::Atanh => format!("0.5 * log((1.0 + {x}) / (1.0 - {x}))"),
        Unary::Not => format!("select(0.0, 1.0, {x} == 0.0)"),
    }
}

fn binary(f: Binary, a: &str, b: &str) -> String {
    let truth = |condition: String| format!("select(0.0, 1.0, {condition})");
    match f {
        Binary::Add => format!("{a} + {b}"),
        Binary::Sub => format!("{a} - {b}"),
        Binary::Mul => format!("{a} * {b}"),
        Binary::Div => format!("{a} / {b}"),
        Binary::Max => format!("max({a}, {b})"),
        Binary::Min => format!("min({a}, {b})"),
        Binary::Pow => format!("power({a}, {b})"),
        Binary::Less => truth(format!("{a} < {b}")),
        Binary::LessEqual => truth(format!("{a} <= {b}")),
        Binary::Greater => truth(format!("{a} > {b}")),
        Binary::GreaterEqual => truth(format!("{a} >= {b}")),
        Binary::Equal => truth(format!("{a} == {b}")),
        Binary::NotEqual => truth(format!("{a} != {b}")),
        Binary::And => truth(format!("{a} != 0.0 && {b} != 0.0")),
        Binary::Or => truth(format!("{a} != 0.0 || {b} != 0.0")),
        Binary::Xor => truth(format!("({a} != 0.0) != ({b} != 0.0)")),
    }
}

/// Functions that expressions call: WGSL's own trigonometry need not be exact to more than 3 digits.
pub(super) const FUNCTIONS: &str = "
// Not a constant, so that what is not finite may be made from it.
var<private> nought: u32 = 0u;
fn bits(b: u32) -> f32 { return bitcast<f32>(b | nought); }
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(min(-x, 88.0))); }
fn stanh(x: f32) -> f32 {
  let s = x * x;
  let near = x * (1.0 + s * (-0.33333278 + s * (0.13331524 + s * (-0.053752426 + s * (0.020691106 - s * 0.0057707676)))));
  let far = 1.0 - 2.0 / (exp(min(2.0 * abs(x), 80.0)) + 1.0);
  return select(sign(x) * far, near, abs(x) < 0.625);
}
fn erf(x: f32) -> f32 {
  let s = x * x;
  let near = x * (1.1283792 + s * (-0.37612638 + s * (0.112837918 + s * (-0.02686617 + s * (0.0052239776
    + s * (-0.00085483270 + s * (0.00012055333 + s * (-0.000014925650 + s * (0.0000016462114 - s * 0.00000016365845)))))))));
  let a = min(abs(x), 6.0);
  let t = 1.0 / (1.0 + 0.5 * a);
  let tail = 0.0016125628 + t * (0.26156357 + t * (0.3902269 + t * (-0.05291978 + t * (0.6266026 - t * 0.22729844))));
  return select(sign(x) * (1.0 - tail * exp(-a * a)), near, abs(x) < 1.0);
}
// The sine of x and so many quarters of a turn: what is left of x by whole quarters in three parts, then a polynomial.
fn turned(x: f32, quarters: i32) -> f32 {
  let k = round(x * 0.63661977);
  let r = ((x - k * 1.5703125) - k * 0.00048375130) - k * 0.000000075497900;
  let z = r * r;
  let odd = r + r * z * (-0.16666655 + z * (0.0083321609 - z * 0.00019515296));
  let even = 1.0 - 0.5 * z + z * z * (0.041666646 + z * (-0.0013887316 + z * 0.000024433157));
  let q = i32(k) + quarters;
  let size = select(odd, even, (q & 1) != 0);
  return select(size, -size, (q & 2) != 0);
}
fn arctangent(x: f32) -> f32 {
  let a = abs(x);
  let far = a > 2.4142136;
  let middle = a > 0.41421357;
  let t = select(select(a, (a - 1.0) / (a + 1.0), middle), -1.0 / a, far);
  let start = select(select(0.0, 0.78539816, middle), 1.5707963, far);
  let z = t * t;
  let y = start + (t + t * z * (-0.33332950 + z * (0.19977711 + z * (-0.13877685 + z * 0.080537446))));
  return select(y, -y, x < 0.0);
}
fn arcsine(x: f32) -> f32 {
  let a = abs(x);
  if (a > 1.0) { return bits(0x7fc00000u); }
  let far = a > 0.5;
  let z = select(a * a, 0.5 * (1.0 - a), far);
  let t = select(a, sqrt(z), far);
  let p = t + t * z * (0.16666752 + z * (0.074953003 + z * (0.045470025 + z * (0.024181311 + z * 0.042163199))));
  let y = select(p, 1.5707963 - 2.0 * p, far);
  return select(y, -y, x < 0.0);
}
fn arccosine(x: f32) -> f32 {
  if (x > 0.5) { return 2.0 * arcsine(sqrt(0.5 - 0.5 * x)); }
  if (x < -0.5) { return 3.1415927 - 2.0 * arcsine(sqrt(0.5 + 0.5 * x)); }
  return 1.5707963 - arcsine(x);
}
fn power(a: f32, b: f32) -> f32 {
  let whole = floor(b) == b;
  if (b == 0.0) { return 1.0; }
  if (a == 0.0) { return select(bits(0x7f800000u), 0.0, b > 0.0); }
  if (b == 1.0) { return a; }
  if (b == 2.0) { return a * a; }
  let size = exp2(b * log2(abs(a)));
  if (a > 0.0) { return size; }
  if (!whole) { return bits(0x7fc00000u); }
  return select(size, -size, fract(b * 0.5) != 0.0);
}
";

/// Which of [`FUNCTIONS`] `code` needs: all or none.
pub(super) fn functions(code: &str) -> &'static str {
    let calls = [
        "bits(",
        "sigmoid(",
        "stanh(",
        "erf(",
        "power(",
        "turned(",
        "arctangent(",
        "arcsine(",
        "arccosine(",
    ];
    if calls.iter().any(|call| code.contains(call)) {
        FUNCTIONS
    } else {
        ""
    }
}
