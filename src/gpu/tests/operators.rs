//! Each operator.

use std::sync::Arc;

use super::{Case, gpu};
use crate::gpu::ir::{Binary, Divisor, Op, Reduction, Taps, Unary, Window};
use crate::gpu::wgsl::Target;

fn window(
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    before: [usize; 2],
    from: [usize; 2],
) -> Window {
    let count = |axis: usize| {
        let covered = (kernel[axis] - 1) * dilation[axis] + 1;
        (from[axis] + 2 * before[axis] - covered) / stride[axis] + 1
    };
    Window {
        kernel,
        stride,
        dilation,
        before,
        windows: [count(0), count(1)],
    }
}

/// Batch, channels in and out, groups, picture, window.
type Shape = (usize, usize, usize, usize, [usize; 2], Window);

fn convolutions() -> Vec<Shape> {
    let w = window;
    vec![
        (2, 3, 5, 1, [9, 7], w([3, 3], [1, 1], [1, 1], [1, 1], [9, 7])),
        (1, 3, 6, 1, [11, 10], w([3, 3], [2, 2], [1, 1], [1, 1], [11, 10])),
        (2, 4, 8, 1, [4, 4], w([1, 1], [1, 1], [1, 1], [0, 0], [4, 4])),
        (1, 20, 7, 1, [3, 5], w([1, 1], [1, 1], [1, 1], [0, 0], [3, 5])),
        (2, 6, 4, 2, [8, 9], w([3, 2], [1, 2], [2, 1], [2, 0], [8, 9])),
        (2, 6, 6, 6, [9, 8], w([3, 3], [1, 1], [1, 1], [1, 1], [9, 8])),
        (1, 5, 10, 5, [10, 11], w([5, 3], [2, 3], [1, 1], [2, 1], [10, 11])),
        (1, 4, 4, 4, [12, 12], w([3, 3], [1, 1], [2, 3], [2, 3], [12, 12])),
        (1, 2, 3, 1, [7, 7], w([2, 2], [3, 3], [1, 1], [0, 0], [7, 7])),
        (1, 3, 4, 1, [12, 12], w([6, 6], [6, 6], [1, 1], [0, 0], [12, 12])),
        (3, 8, 70, 1, [6, 6], w([3, 3], [1, 1], [1, 1], [1, 1], [6, 6])),
    ]
}

#[test]
fn convolutions_and_their_adjoints() {
    let Some(gpu) = gpu() else { return };
    for (i, (n, c, o, groups, [h, w], window)) in convolutions().into_iter().enumerate() {
        for constant in [true, false] {
            let mut case = Case::default();
            let x = case.input(&[n, c, h, w]);
            let [kh, kw] = window.kernel;
            let shape = [o, c / groups, kh, kw];
            let weights = if constant {
                case.constant(&shape)
            } else {
                case.input(&shape)
            };
            let bias = case.constant(&[o]);
            let y = case.push(Op::Conv { window, groups }, &[x, weights, bias]);
            case.output(y);
            case.check(&gpu, &format!("convolution {i}"), 3e-6);

            let mut case = Case::default();
            let [oh, ow] = window.windows;
            let g = case.input(&[n, o, oh, ow]);
            let shape = [c, o / groups, kh, kw];
            let weights = if constant {
                case.constant(&shape)
            } else {
                case.input(&shape)
            };
            let size = [h, w];
            let y = case.push(Op::ConvTransposed { window, groups, size }, &[g, weights]);
            case.output(y);
            case.check(&gpu, &format!("transposed convolution {i}"), 3e-6);
        }
    }
}

#[test]
fn the_adjoint_of_a_convolution_meets_its_inner_product() {
    // <conv(x), g> = <x, adjoint(g)>, with the weights' channels exchanged: the reference itself, without a device.
    for (n, c, o, groups, [h, w], window) in convolutions() {
        let mut case = Case::default();
        let [kh, kw] = window.kernel;
        let (of_group, into) = (o / groups, c / groups);
        let x = case.input(&[n, c, h, w]);
        let [oh, ow] = window.windows;
        let g = case.input(&[n, o, oh, ow]);
        let weights = case.constant(&[o, into, kh, kw]);
        let taps = kh * kw;
        let data = case.graph.values[weights.0].constant.clone().expect("it is constant");
        let swapped: Arc<[f32]> = (0..data.len())
            .map(|i| {
                let (tap, out, channel) = (i % taps, i / taps % of_group, i / taps / of_group);
                let (group, input) = (channel / into, channel % into);
                data[((group * of_group + out) * into + input) * taps + tap]
            })
            .collect();
        let swapped = case.graph.constant(&[c, of_group, kh, kw], swapped);
        let y = case.push(Op::Conv { window, groups }, &[x, weights]);
        let size = [h, w];
        let back = case.push(Op::ConvTransposed { window, groups, size }, &[g, swapped]);
        case.output(y);
        case.output(back);
        let found = crate::gpu::reference::run(&case.graph, &case.inputs);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let (left, right) = (dot(&found[0], &case.inputs[1]), dot(&found[1], &case.inputs[0]));
        assert!((left - right).abs() < 1e-4, "{left} {right}");
    }
}

#[test]
fn pools_and_their_adjoints() {
    let Some(gpu) = gpu() else { return };
    let windows = [
        window([3, 3], [2, 2], [1, 1], [1, 1], [9, 8]),
        window([2, 2], [2, 2], [1, 1], [0, 0], [9, 8]),
        window([3, 2], [1, 2], [2, 3], [2, 1], [9, 8]),
        // The last windows reach over the padding.
        Window {
            windows: [5, 5],
            ..window([2, 2], [2, 2], [1, 1], [0, 0], [9, 8])
        },
    ];
    let divisors = [
        Divisor::One,
        Divisor::Inside,
        Divisor::Padded { end: [usize::MAX; 2] },
        Divisor::Padded { end: [9, 8] },
    ];
    for (i, w) in windows.into_iter().enumerate() {
        let [oh, ow] = w.windows;
        let mut case = Case::default();
        let x = case.input(&[2, 3, 9, 8]);
        // Ties: the first maximum takes all.
        let ties = case.inputs[0].iter().map(|v| (v * 2.0).round()).collect();
        let tied = case.given(&[2, 3, 9, 8], ties);
        let g = case.input(&[2, 3, oh, ow]);
        for x in [x, tied] {
            let max = case.push(Op::MaxPool(w), &[x]);
            let back = case.push(Op::MaxPoolAdjoint(w), &[g, x]);
            case.output(max);
            case.output(back);
        }
        for divisor in divisors {
            let sum = case.push(Op::SumPool { window: w, divisor }, &[x]);
            let size = [9, 8];
            let back = case.push(
                Op::SumPoolAdjoint {
                    window: w,
                    divisor,
                    size,
                },
                &[g],
            );
            case.output(sum);
            case.output(back);
        }
        case.check(&gpu, &format!("pools {i}"), 2e-6);
    }
}

#[test]
fn contractions() {
    let Some(gpu) = gpu() else { return };
    for (i, (a, shape_a, b, shape_b, result)) in [
        ("mk", vec![5, 7], "kn", vec![7, 6], "mn"),
        ("mk", vec![1, 40], "nk", vec![33, 40], "mn"),
        ("bmk", vec![3, 9, 17], "bkn", vec![3, 17, 5], "bmn"),
        ("bhqd", vec![2, 3, 5, 8], "bhkd", vec![2, 3, 6, 8], "bhqk"),
        ("bqhd", vec![2, 5, 3, 8], "bkhd", vec![2, 6, 3, 8], "bhqk"),
        ("bhqk", vec![2, 3, 5, 6], "bkhd", vec![2, 6, 3, 8], "bqhd"),
        ("mk", vec![4, 5], "kn", vec![5, 6], "nm"),
        ("bmk", vec![2, 4, 5], "bkn", vec![1, 5, 6], "bmn"),
        ("mkl", vec![4, 3, 2], "kl", vec![3, 2], "m"),
        ("ab", vec![3, 2], "c", vec![4], "abc"),
        ("ij", vec![3, 4], "ij", vec![3, 4], "ij"),
        ("ik", vec![3, 4], "j", vec![2], "ij"),
        ("mk", vec![70, 20], "kn", vec![20, 70], "mn"),
    ]
    .into_iter()
    .enumerate()
    {
        let letters = |s: &str| s.chars().collect::<Vec<char>>();
        let op =
            Op::einsum((&letters(a), &shape_a), (&letters(b), &shape_b), &letters(result)).expect("it is well formed");
        for constants in [[false, false], [false, true], [true, false]] {
            let mut case = Case::default();
            let [x, y] = [(&shape_a, constants[0]), (&shape_b, constants[1])].map(|(shape, constant)| {
                if constant {
                    case.constant(shape)
                } else {
                    case.input(shape)
                }
            });
            let z = case.push(op.clone(), &[x, y]);
            case.output(z);
            case.check(&gpu, &format!("contraction {i}"), 3e-6);
        }
    }
}

#[test]
fn reductions_and_softmax() {
    let Some(gpu) = gpu() else { return };
    for (shape, axes) in [
        (vec![2, 3, 4, 5], vec![2, 3]),
        (vec![2, 3, 4, 5], vec![1]),
        (vec![2, 200], vec![1]),
        (vec![3, 150, 2], vec![1]),
        (vec![2, 3, 5], vec![0, 2]),
        (vec![2, 3], vec![]),
        (vec![4, 1000], vec![0, 1]),
    ] {
        let mut case = Case::default();
        let x = case.input(&shape);
        for by in [
            Reduction::Sum,
            Reduction::Mean,
            Reduction::MeanOfSquares,
            Reduction::Prod,
            Reduction::Max,
            Reduction::Min,
        ] {
            let axes = axes.clone();
            let y = case.push(Op::Reduce { by, axes }, &[x]);
            case.output(y);
        }
        for log in [false, true] {
            let axes = axes.clone();
            let y = case.push(Op::Softmax { axes, log }, &[x]);
            case.output(y);
        }
        case.check(&gpu, &format!("{shape:?} along {axes:?}"), 3e-6);
    }
}

#[test]
fn functions_of_one_number() {
    let Some(gpu) = gpu() else { return };
    let anywhere = [
        Unary::Neg,
        Unary::Abs,
        Unary::Sign,
        Unary::Floor,
        Unary::Ceil,
        Unary::Round,
        Unary::RoundHalfToEven,
        Unary::Square,
        Unary::Erf,
        Unary::Tanh,
        Unary::Sigmoid,
        Unary::HardSwish,
        Unary::Silu,
        Unary::Gelu,
        Unary::GeluTanh,
        Unary::LeakyRelu(0.1),
        Unary::Clamp(-0.5, 6.0),
        Unary::Clamp(0.0, f32::INFINITY),
        Unary::Clamp(f32::NEG_INFINITY, 0.5),
        Unary::Asinh,
        Unary::Not,
    ];
    let mut case = Case::default();
    let mut values: Vec<f32> = super::noise(200, 7).iter().map(|v| v * 5.0).collect();
    values.extend([0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 30.0, -30.0, 0.625, 3.0, -3.0]);
    let x = case.given(&[213], values);
    for f in anywhere {
        let y = case.push(Op::Unary(f), &[x]);
        case.output(y);
    }
    case.check(&gpu, "functions", 1e-6);
    for (range, functions) in [
        ([0.1, 3.0], vec![Unary::Recip, Unary::Sqrt, Unary::Rsqrt, Unary::Ln]),
        ([-3.0, 3.0], vec![Unary::Exp, Unary::Sinh, Unary::Cosh]),
        ([-4.0, 4.0], vec![Unary::Sin, Unary::Cos, Unary::Atan]),
        ([-1.0, 1.0], vec![Unary::Asin, Unary::Acos]),
        ([-0.9, 0.9], vec![Unary::Atanh, Unary::Tan]),
        ([1.1, 5.0], vec![Unary::Acosh]),
    ] {
        let mut case = Case::default();
        let middle = f32::midpoint(range[0], range[1]);
        let values = super::noise(200, 9)
            .iter()
            .map(|v| middle + v * (range[1] - middle))
            .collect();
        let x = case.given(&[200], values);
        for f in functions {
            let y = case.push(Op::Unary(f), &[x]);
            case.output(y);
        }
        case.check(&gpu, &format!("functions on {range:?}"), 1e-6);
    }
    // Many turns, which 16 bits can't tell apart.
    let mut case = Case::default();
    let values = super::noise(400, 10).iter().map(|v| v * 300.0).collect();
    let x = case.given(&[400], values);
    for f in [Unary::Sin, Unary::Cos, Unary::Atan] {
        let y = case.push(Op::Unary(f), &[x]);
        case.output(y);
    }
    let plain = Target {
        half: false,
        tiles: false,
    };
    let error = case.error(&gpu, plain);
    assert!(error <= 1e-6, "functions of large numbers: {error}");
}

#[test]
fn functions_of_two_numbers_and_selection() {
    let Some(gpu) = gpu() else { return };
    let mut case = Case::default();
    let rounded = |salt| {
        super::noise(24, salt)
            .iter()
            .map(|v| (v * 2.0).round())
            .collect::<Vec<f32>>()
    };
    let a = case.given(&[2, 3, 4], rounded(1));
    let b = case.given(&[2, 3, 4], rounded(2));
    let row = case.input(&[1, 1, 4]);
    let column = case.input(&[1, 3, 1]);
    for f in [
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Max,
        Binary::Min,
        Binary::Less,
        Binary::LessEqual,
        Binary::Greater,
        Binary::GreaterEqual,
        Binary::Equal,
        Binary::NotEqual,
        Binary::And,
        Binary::Or,
        Binary::Xor,
    ] {
        for pair in [[a, b], [a, row], [column, a], [row, column]] {
            let y = case.push(Op::Binary(f), &pair);
            case.output(y);
        }
    }
    let size = case.push(Op::Unary(Unary::Exp), &[b]);
    let quotient = case.push(Op::Binary(Binary::Div), &[a, size]);
    let chosen = case.push(Op::Select, &[a, row, column]);
    case.output(quotient);
    case.output(chosen);
    case.check(&gpu, "functions of two numbers", 1e-6);

    let mut case = Case::default();
    let base = case.given(&[7], vec![-2.0, -1.5, 0.0, 0.5, 2.0, 3.0, -3.0]);
    let whole = case.graph.constant(&[1], Arc::new([3.0]));
    let exponents = case.given(&[7], vec![2.0, 3.0, 2.0, -1.5, 0.0, 2.5, 1.0]);
    for e in [whole, exponents] {
        let y = case.push(Op::Binary(Binary::Pow), &[base, e]);
        case.output(y);
    }
    case.check(&gpu, "powers", 1e-5);

    // What is not finite is computed when it runs.
    let mut case = Case::default();
    let [one, zero] = [1.0, 0.0].map(|v| case.graph.scalar(v, 1));
    let x = case.input(&[3]);
    for f in [Binary::Div, Binary::Max] {
        let bound = case.push(Op::Binary(f), &[one, zero]);
        let y = case.push(Op::Binary(Binary::Min), &[x, bound]);
        case.output(y);
    }
    case.check(&gpu, "constants", 1e-6);
}

#[test]
fn what_only_moves_values() {
    let Some(gpu) = gpu() else { return };
    let mut case = Case::default();
    let x = case.input(&[2, 3, 4, 5]);
    let mut push = |op: Op| {
        let y = case.push(op, &[x]);
        case.output(y);
        y
    };
    let slice = |axis, start, step, len| Op::Slice { axis, start, step, len };
    push(slice(1, 1, 1, 2));
    push(slice(3, 4, -2, 3));
    push(slice(2, 0, 3, 2));
    push(Op::Transpose {
        permutation: vec![2, 0, 3, 1],
    });
    push(Op::Reshape { shape: vec![6, 20] });
    push(Op::Pad {
        before: vec![0, 1, 0, 2],
        after: vec![1, 0, 0, 3],
        value: -7.5,
    });
    push(Op::Pad {
        before: vec![0; 4],
        after: vec![0, 0, 2, 0],
        value: f32::NEG_INFINITY,
    });
    push(Op::Pad {
        before: vec![0; 4],
        after: vec![0; 4],
        value: 0.0,
    });
    let taps = Taps::new([
        vec![(0, 0.25), (1, 0.75)],
        vec![],
        vec![(3, 1.0)],
        vec![(2, -0.5), (0, 2.0), (1, 1.0)],
        vec![(1, 1.0)],
    ]);
    let adjoint = taps.adjoint(4);
    push(Op::Taps {
        axis: 2,
        taps: Arc::new(taps),
    });
    let row = case.input(&[2, 1, 4, 1]);
    let wide = case.push(
        Op::Broadcast {
            shape: vec![2, 3, 4, 5],
        },
        &[row],
    );
    case.output(wide);
    let tall = case.input(&[2, 3, 5, 5]);
    let back = case.push(
        Op::Taps {
            axis: 2,
            taps: Arc::new(adjoint),
        },
        &[tall],
    );
    case.output(back);
    for (axis, parts) in [(2, [x, tall, x]), (0, [x, x, wide])] {
        let joined = case.push(Op::Concat { axis }, &parts);
        case.output(joined);
    }
    case.check(&gpu, "movements", 1e-6);
}
