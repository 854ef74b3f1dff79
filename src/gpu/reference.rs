//! Every operator written as its definition says, slow and plain: what kernels are compared with. All runs
//! in `f64`; [`run`] rounds what each operator gives.

use super::ir::{Binary, Divisor, Graph, Index, Op, Reduction, Unary, Window};
use super::shapes::{broadcast, strides};

/// Shape and values.
pub(super) type Array = (Vec<usize>, Vec<f64>);

/// The graph's outputs for these inputs, with what each operator gives rounded to `f32`.
pub fn run(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let narrow = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
    evaluate(graph, inputs, |v| f64::from(v as f32))
        .into_iter()
        .map(narrow)
        .collect()
}

/// The graph's outputs for these inputs in `f64` throughout.
pub fn exact(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<Vec<f64>> {
    evaluate(graph, inputs, |v| v)
}

fn evaluate(graph: &Graph, inputs: &[Vec<f32>], keep: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let mut values: Vec<Option<Vec<f64>>> = graph
        .values
        .iter()
        .map(|v| v.constant.as_ref().map(|c| wide(c)))
        .collect();
    for (id, input) in graph.inputs.iter().zip(inputs) {
        values[id.0] = Some(wide(input));
    }
    for node in &graph.nodes {
        let operands: Vec<Array> = node
            .inputs
            .iter()
            .map(|id| {
                (
                    graph.shape(*id).to_vec(),
                    values[id.0].clone().expect("written before it is read"),
                )
            })
            .collect();
        let found = eval(&node.op, &operands, graph.shape(node.output));
        values[node.output.0] = Some(found.into_iter().map(&keep).collect());
    }
    graph
        .outputs
        .iter()
        .map(|id| values[id.0].clone().expect("it is computed"))
        .collect()
}

/// Coordinates of all elements, row-major.
fn all(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let (shape, steps) = (shape.to_vec(), strides(shape));
    (0..shape.iter().product::<usize>())
        .map(move |i| shape.iter().zip(&steps).map(|(&s, &step)| i / step % s).collect())
}

/// The element at these coordinates, where axes of size 1 are repeated.
fn at(array: &Array, place: &[usize]) -> f64 {
    let steps = strides(&array.0);
    let axes = array.0.iter().zip(&steps).zip(place);
    array.1[axes
        .map(|((&s, step), &p)| if s == 1 { 0 } else { p * step })
        .sum::<usize>()]
}

/// `(tap, position)` of one window along one axis, inside the picture.
fn seen(w: &Window, axis: usize, o: usize, len: usize) -> Vec<(usize, usize)> {
    (0..w.kernel[axis])
        .filter_map(|k| {
            let p = (o * w.stride[axis] + k * w.dilation[axis]).checked_sub(w.before[axis])?;
            (p < len).then_some((k, p))
        })
        .collect()
}

fn count(w: &Window, divisor: Divisor, o: [usize; 2], size: [usize; 2]) -> usize {
    let along = |axis: usize| match divisor {
        Divisor::One => 1,
        Divisor::Inside => seen(w, axis, o[axis], size[axis]).len(),
        Divisor::Padded { end } => (0..w.kernel[axis])
            .filter(|k| o[axis] * w.stride[axis] + k * w.dilation[axis] < end[axis])
            .count(),
    };
    along(0) * along(1)
}

fn conv(x: &Array, w: &Array, bias: Option<&Array>, window: &Window, groups: usize, shape: &[usize]) -> Vec<f64> {
    let (o, i) = (w.0[0], w.0[1]);
    let pixel = |p: Vec<usize>| {
        let group = p[1] / (o / groups);
        let mut sum = bias.map_or(0.0, |b| b.1[p[1]]);
        for c in 0..i {
            for (ky, y) in seen(window, 0, p[2], x.0[2]) {
                for (kx, xx) in seen(window, 1, p[3], x.0[3]) {
                    sum += at(w, &[p[1], c, ky, kx]) * at(x, &[p[0], group * i + c, y, xx]);
                }
            }
        }
        sum
    };
    all(shape).map(pixel).collect()
}

fn conv_transposed(
    g: &Array,
    w: &Array,
    bias: Option<&Array>,
    window: &Window,
    groups: usize,
    shape: &[usize],
) -> Vec<f64> {
    let (c, i) = (w.0[0], w.0[1]);
    let steps = strides(shape);
    let mut result = vec![0f64; shape.iter().product()];
    for place in all(&g.0) {
        let group = place[1] / i;
        for channel in group * (c / groups)..(group + 1) * (c / groups) {
            for (ky, y) in seen(window, 0, place[2], shape[2]) {
                for (kx, x) in seen(window, 1, place[3], shape[3]) {
                    let to = place[0] * steps[0] + channel * steps[1] + y * steps[2] + x;
                    result[to] += at(w, &[channel, place[1] % i, ky, kx]) * at(g, &place);
                }
            }
        }
    }
    let plane = steps[1];
    let with_bias = |(i, sum): (usize, f64)| sum + bias.map_or(0.0, |b| b.1[i / plane % c]);
    result.into_iter().enumerate().map(with_bias).collect()
}

fn contract(indices: &[Index], a: &[f64], b: &[f64], shape: &[usize]) -> Vec<f64> {
    let (kept, summed): (Vec<Index>, Vec<Index>) = indices.iter().partition(|i| !i.summed);
    let extents: Vec<usize> = summed.iter().map(|i| i.len).collect();
    let place = |indices: &[Index], p: &[usize]| {
        let pairs = || indices.iter().zip(p);
        (
            pairs().map(|(i, p)| i.a * p).sum::<usize>(),
            pairs().map(|(i, p)| i.b * p).sum::<usize>(),
        )
    };
    all(shape)
        .map(|p| {
            let (a0, b0) = place(&kept, &p);
            let products = all(&extents).map(|q| {
                let (a1, b1) = place(&summed, &q);
                a[a0 + a1] * b[b0 + b1]
            });
            products.sum()
        })
        .collect()
}

/// Windows of a pool: for each its place in the flat result, and the flat places that it sees in its plane.
fn windows(w: &Window, [n, c, h, wide]: [usize; 4]) -> Vec<(usize, [usize; 2], Vec<usize>)> {
    let mut result = vec![];
    for plane in 0..n * c {
        for y in 0..w.windows[0] {
            for x in 0..w.windows[1] {
                let rows = seen(w, 0, y, h);
                let columns = seen(w, 1, x, wide);
                let places = rows
                    .iter()
                    .flat_map(|(_, y)| columns.iter().map(move |(_, x)| (plane * h + y) * wide + x))
                    .collect();
                result.push(((plane * w.windows[0] + y) * w.windows[1] + x, [y, x], places));
            }
        }
    }
    result
}

fn picture(shape: &[usize]) -> [usize; 4] {
    <[usize; 4]>::try_from(shape).expect("a picture")
}

fn reduce(by: Reduction, values: &[f64]) -> f64 {
    let number = values.len() as f64;
    match by {
        Reduction::Sum => values.iter().sum(),
        Reduction::Mean => values.iter().sum::<f64>() / number,
        Reduction::MeanOfSquares => values.iter().map(|v| v * v).sum::<f64>() / number,
        Reduction::Prod => values.iter().product(),
        Reduction::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Reduction::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
    }
}

/// A series of positive terms: nothing cancels.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let mut term = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * x;
    let (mut sum, mut n) = (term, 0.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    sum
}

pub(super) fn unary(f: Unary, v: f64) -> f64 {
    let sigmoid = 1.0 / (1.0 + (-v).exp());
    match f {
        Unary::Neg => -v,
        Unary::Abs => v.abs(),
        Unary::Sign => f64::from(i8::from(v > 0.0)) - f64::from(i8::from(v < 0.0)),
        Unary::Floor => v.floor(),
        Unary::Ceil => v.ceil(),
        Unary::Round => v.round(),
        Unary::RoundHalfToEven => v.round_ties_even(),
        Unary::Recip => v.recip(),
        Unary::Square => v * v,
        Unary::Sqrt => v.sqrt(),
        Unary::Rsqrt => v.sqrt().recip(),
        Unary::Exp => v.exp(),
        Unary::Ln => v.ln(),
        Unary::Erf => erf(v),
        Unary::Tanh => v.tanh(),
        Unary::Sigmoid => sigmoid,
        Unary::HardSwish => v * (v + 3.0).clamp(0.0, 6.0) / 6.0,
        Unary::Silu => v * sigmoid,
        Unary::Gelu => 0.5 * v * (1.0 + erf(v * std::f64::consts::FRAC_1_SQRT_2)),
        Unary::GeluTanh => 0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044_715 * v * v * v)).tanh()),
        Unary::LeakyRelu(slope) => v * if v > 0.0 { 1.0 } else { f64::from(slope) },
        Unary::Clamp(low, high) => v.max(f64::from(low)).min(f64::from(high)),
        Unary::Sin => v.sin(),
        Unary::Cos => v.cos(),
        Unary::Tan => v.tan(),
        Unary::Asin => v.asin(),
        Unary::Acos => v.acos(),
        Unary::Atan => v.atan(),
        Unary::Sinh => v.sinh(),
        Unary::Cosh => v.cosh(),
        Unary::Asinh => v.asinh(),
        Unary::Acosh => v.acosh(),
        Unary::Atanh => v.atanh(),
        Unary::Not => f64::from(u8::from(v == 0.0)),
    }
}

#[expect(clippy::float_cmp, reason = "equality is what is asked")]
pub(super) fn binary(f: Binary, a: f64, b: f64) -> f64 {
    let truth = |t: bool| f64::from(u8::from(t));
    let (p, q) = (a != 0.0, b != 0.0);
    match f {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Max => a.max(b),
        Binary::Min => a.min(b),
        Binary::Pow => a.powf(b),
        Binary::Less => truth(a < b),
        Binary::LessEqual => truth(a <= b),
        Binary::Greater => truth(a > b),
        Binary::GreaterEqual => truth(a >= b),
        Binary::Equal => truth(a == b),
        Binary::NotEqual => truth(a != b),
        Binary::And => truth(p && q),
        Binary::Or => truth(p || q),
        Binary::Xor => truth(p != q),
    }
}

/// The coordinates of `place` along `axes` set to those of the `i`-th combination.
fn lanes(shape: &[usize], axes: &[usize], place: &[usize]) -> Vec<Vec<usize>> {
    let extents: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
    all(&extents)
        .map(|q| {
            let mut p = place.to_vec();
            for (&axis, q) in axes.iter().zip(q) {
                p[axis] = q;
            }
            p
        })
        .collect()
}

/// The result, of this shape, of one operator.
pub(super) fn eval(op: &Op, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
    let x = &inputs[0];
    match op {
        Op::Conv { window, groups } => conv(x, &inputs[1], inputs.get(2), window, *groups, shape),
        Op::ConvTransposed { window, groups, .. } => {
            conv_transposed(x, &inputs[1], inputs.get(2), window, *groups, shape)
        }
        Op::Contract(indices) => contract(indices, &x.1, &inputs[1].1, shape),
        Op::MaxPool(w) => windows(w, picture(&x.0))
            .into_iter()
            .map(|(_, _, places)| places.iter().map(|&p| x.1[p]).fold(f64::from(f32::MIN), f64::max))
            .collect(),
        Op::MaxPoolAdjoint(w) => {
            let mut result = vec![0.0; inputs[1].1.len()];
            for (o, _, places) in windows(w, picture(&inputs[1].0)) {
                let mut best: Option<usize> = None;
                for p in places {
                    if best.is_none_or(|b| inputs[1].1[p] > inputs[1].1[b]) {
                        best = Some(p);
                    }
                }
                if let Some(best) = best {
                    result[best] += x.1[o];
                }
            }
            result
        }
        Op::SumPool { window, divisor } => {
            let [n, c, h, w] = picture(&x.0);
            windows(window, [n, c, h, w])
                .into_iter()
                .map(|(_, o, places)| {
                    let sum: f64 = places.iter().map(|&p| x.1[p]).sum();
                    sum / count(window, *divisor, o, [h, w]).max(1) as f64
                })
                .collect()
        }
        Op::SumPoolAdjoint { window, divisor, size } => {
            let mut result = vec![0f64; shape.iter().product()];
            for (i, o, places) in windows(window, picture(shape)) {
                let share = x.1[i] / count(window, *divisor, o, *size).max(1) as f64;
                for p in places {
                    result[p] += share;
                }
            }
            result
        }
        Op::Reduce { by, axes } => all(shape)
            .map(|p| {
                let values: Vec<f64> = lanes(&x.0, axes, &p).iter().map(|p| at(x, p)).collect();
                reduce(*by, &values)
            })
            .collect(),
        Op::Softmax { axes, log } => all(shape)
            .map(|p| {
                let values: Vec<f64> = lanes(&x.0, axes, &p).iter().map(|p| at(x, p)).collect();
                let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = values.iter().map(|v| (v - top).exp()).sum();
                let v = at(x, &p) - top;
                if *log { v - sum.ln() } else { v.exp() / sum }
            })
            .collect(),
        Op::Unary(f) => x.1.iter().map(|&v| unary(*f, v)).collect(),
        Op::Binary(f) => all(shape).map(|p| binary(*f, at(x, &p), at(&inputs[1], &p))).collect(),
        Op::Select => all(shape)
            .map(|p| at(&inputs[if at(x, &p) == 0.0 { 2 } else { 1 }], &p))
            .collect(),
        Op::Concat { axis } => all(shape)
            .map(|mut p| {
                for input in inputs {
                    if p[*axis] < input.0[*axis] {
                        return at(input, &p);
                    }
                    p[*axis] -= input.0[*axis];
                }
                unreachable!("the shape is the sum of its parts")
            })
            .collect(),
        Op::Slice { axis, start, step, .. } => all(shape)
            .map(|mut p| {
                p[*axis] = (*start as isize + p[*axis] as isize * step) as usize;
                x.1[p.iter().zip(strides(&x.0)).map(|(p, s)| p * s).sum::<usize>()]
            })
            .collect(),
        Op::Pad { before, value, .. } => all(shape)
            .map(|p| {
                let inside: Option<Vec<usize>> = (0..p.len())
                    .map(|k| p[k].checked_sub(before[k]).filter(|&i| i < x.0[k]))
                    .collect();
                inside.map_or(f64::from(*value), |p| at(x, &p))
            })
            .collect(),
        Op::Transpose { permutation } => all(shape)
            .map(|p| {
                let mut from = vec![0; p.len()];
                for (&axis, p) in permutation.iter().zip(p) {
                    from[axis] = p;
                }
                at(x, &from)
            })
            .collect(),
        Op::Reshape { .. } => x.1.clone(),
        Op::Broadcast { shape } => {
            assert_eq!(
                broadcast(&[&x.0, shape]).as_ref(),
                Ok(shape),
                "checked when it was pushed"
            );
            all(shape).map(|p| at(x, &p)).collect()
        }
        Op::Taps { axis, taps } => all(shape)
            .map(|mut p| {
                let o = p[*axis];
                let start = if o == 0 { 0 } else { taps.ends[o - 1] as usize };
                let weighted = taps.taps[start..taps.ends[o] as usize].iter().map(|&(i, weight)| {
                    p[*axis] = i as usize;
                    let from: usize = p.iter().zip(strides(&x.0)).map(|(p, s)| p * s).sum();
                    f64::from(weight) * x.1[from]
                });
                weighted.sum()
            })
            .collect(),
    }
}
