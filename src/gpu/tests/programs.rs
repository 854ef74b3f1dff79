//! What the planner makes of whole graphs, and how the device fails.

use std::sync::Arc;

use super::{Case, gpu, noise};
use crate::gpu::ir::{Binary, Graph, Op, Reduction, Unary, ValueId, Window};
use crate::gpu::wgsl::Target;
use crate::gpu::{Coming, Enlarging, Failure, Masks, Precision, deviation, reference};
use crate::{Mask, Tensor};

const PLAIN: Target = Target {
    half: false,
    tiles: false,
};

fn same(kernel: usize, size: usize) -> Window {
    Window {
        kernel: [kernel; 2],
        stride: [1; 2],
        dilation: [1; 2],
        before: [kernel / 2; 2],
        windows: [size; 2],
    }
}

fn conv(case: &mut Case, x: ValueId, outputs: usize, kernel: usize, groups: usize) -> ValueId {
    let shape = case.graph.shape(x).to_vec();
    let w = case.constant(&[outputs, shape[1] / groups, kernel, kernel]);
    let b = case.constant(&[outputs]);
    let window = same(kernel, shape[2]);
    case.push(Op::Conv { window, groups }, &[x, w, b])
}

/// A fire module, an inverted residual with squeeze and excitation, and attention over what they give.
fn network(batch: usize) -> Case {
    let mut case = Case::default();
    let x = case.input(&[batch, 4, 6, 6]);
    let squeezed = conv(&mut case, x, 3, 1, 1);
    let squeezed = case.push(Op::Unary(Unary::Clamp(0.0, f32::INFINITY)), &[squeezed]);
    let parts = [1, 3].map(|kernel| {
        let part = conv(&mut case, squeezed, 4, kernel, 1);
        case.push(Op::Unary(Unary::Clamp(0.0, f32::INFINITY)), &[part])
    });
    let x = case.push(Op::Concat { axis: 1 }, &parts);
    let wide = conv(&mut case, x, 12, 1, 1);
    let wide = case.push(Op::Unary(Unary::HardSwish), &[wide]);
    let deep = conv(&mut case, wide, 12, 3, 12);
    let gate = case.push(
        Op::Reduce {
            by: Reduction::Mean,
            axes: vec![2, 3],
        },
        &[deep],
    );
    let gate = conv(&mut case, gate, 12, 1, 1);
    let gate = case.push(Op::Unary(Unary::Sigmoid), &[gate]);
    let deep = case.push(Op::Binary(Binary::Mul), &[deep, gate]);
    let narrow = conv(&mut case, deep, 8, 1, 1);
    let x = case.push(Op::Binary(Binary::Add), &[narrow, x]);
    // [n, pixel, channel]
    let tokens = case.push(
        Op::Reshape {
            shape: vec![batch, 8, 36],
        },
        &[x],
    );
    let tokens = case.push(
        Op::Transpose {
            permutation: vec![0, 2, 1],
        },
        &[tokens],
    );
    let mean = case.push(
        Op::Reduce {
            by: Reduction::Mean,
            axes: vec![2],
        },
        &[tokens],
    );
    let centred = case.push(Op::Binary(Binary::Sub), &[tokens, mean]);
    let variance = case.push(
        Op::Reduce {
            by: Reduction::MeanOfSquares,
            axes: vec![2],
        },
        &[centred],
    );
    let small = case.graph.scalar(1e-5, 3);
    let variance = case.push(Op::Binary(Binary::Add), &[variance, small]);
    let scale = case.push(Op::Unary(Unary::Rsqrt), &[variance]);
    let tokens = case.push(Op::Binary(Binary::Mul), &[centred, scale]);
    let shape = [batch, 36, 8];
    let likeness = Op::einsum((&['n', 'q', 'c'], &shape), (&['n', 'k', 'c'], &shape), &['n', 'q', 'k']);
    let weights = case.push(likeness.expect("it is well formed"), &[tokens, tokens]);
    let weights = case.push(
        Op::Softmax {
            axes: vec![2],
            log: false,
        },
        &[weights],
    );
    let mixed = Op::einsum(
        (&['n', 'q', 'k'], &[batch, 36, 36]),
        (&['n', 'k', 'c'], &shape),
        &['n', 'q', 'c'],
    );
    let tokens = case.push(mixed.expect("it is well formed"), &[weights, tokens]);
    let pooled = case.push(
        Op::Reduce {
            by: Reduction::Mean,
            axes: vec![1],
        },
        &[tokens],
    );
    let features = case.push(Op::Reshape { shape: vec![batch, 8] }, &[pooled]);
    let head = case.constant(&[10, 8]);
    let dense = Op::einsum((&['n', 'c'], &[batch, 8]), (&['k', 'c'], &[10, 8]), &['n', 'k']);
    let logits = case.push(dense.expect("it is well formed"), &[features, head]);
    case.output(logits);
    case.output(x);
    case
}

#[test]
fn a_network_of_everything() {
    let Some(gpu) = gpu() else { return };
    network(2).check(&gpu, "network", 1e-5);
    let case = network(2);
    let compiled = pollster::block_on(gpu.compile(&case.graph, Precision::Single)).expect("it compiles");
    let nodes = case.graph.nodes.len();
    assert!(
        compiled.kernels() < nodes * 3 / 4,
        "{} kernels of {nodes} nodes",
        compiled.kernels()
    );
}

#[test]
fn the_batch_and_the_tile_change_no_bit() {
    let Some(gpu) = gpu() else { return };
    let one = network(1);
    let mut three = network(3);
    three.inputs[0] = [noise(144, 50), one.inputs[0].clone(), noise(144, 51)].concat();
    let bits = |t: &[f32]| t.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut found = vec![];
    for tiles in [false, true] {
        let target = Target { half: false, tiles };
        found.push(bits(one.run(&gpu, target)[0].data()));
        found.push(bits(three.run(&gpu, target)[0].row(1)));
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
}

#[test]
fn several_runs_are_in_flight_at_once() {
    let Some(gpu) = gpu() else { return };
    let case = network(1);
    let compiled = pollster::block_on(gpu.compile(&case.graph, Precision::Single)).expect("it compiles");
    let inputs: Vec<Vec<f32>> = (0..5).map(|i| noise(144, 60 + i)).collect();
    let runs: Vec<_> = inputs
        .iter()
        .map(|values| {
            compiled
                .start(&[Tensor::new(&[1, 4, 6, 6], values.clone())])
                .expect("it starts")
        })
        .collect();
    for (run, input) in runs.into_iter().zip(inputs) {
        let found = pollster::block_on(run.finish()).expect("it runs");
        let expected = reference::run(&case.graph, &[input]);
        for (f, e) in found[0].data().iter().zip(&expected[0]) {
            assert!((f - e).abs() < 1e-4, "{f} {e}");
        }
    }
}

#[test]
fn chains_and_views_cost_no_kernel() {
    let Some(gpu) = gpu() else { return };
    let mut case = Case::default();
    let x = case.input(&[2, 3, 6, 6]);
    let y = conv(&mut case, x, 4, 3, 1);
    let y = case.push(Op::Unary(Unary::Clamp(0.0, 6.0)), &[y]);
    let other = case.input(&[2, 6, 6, 4]);
    let view = case.push(
        Op::Transpose {
            permutation: vec![0, 3, 1, 2],
        },
        &[other],
    );
    let y = case.push(Op::Binary(Binary::Add), &[y, view]);
    let scale = case.graph.scalar(0.5, 4);
    let y = case.push(Op::Binary(Binary::Mul), &[y, scale]);
    let y = case.push(Op::Unary(Unary::Tanh), &[y]);
    case.output(y);
    case.check(&gpu, "chain", 3e-6);
    let compiled = pollster::block_on(gpu.compile_for(&case.graph, PLAIN)).expect("it compiles");
    assert_eq!(compiled.kernels(), 1);
}

/// Random graphs of element-wise operators, views and joins: the fusion pass may cut them anyhow, but not change them.
#[test]
fn random_graphs() {
    let Some(gpu) = gpu() else { return };
    for seed in 0..12u32 {
        let draws: Vec<usize> = noise(400, 300 + seed)
            .iter()
            .map(|v| ((v + 1.0) * 5000.0) as usize)
            .collect();
        let mut draws = draws.into_iter();
        let mut draw = |below: usize| draws.next().expect("enough draws") % below;
        let mut case = Case::default();
        let shape = [2, 3, 4, 4];
        let mut values = vec![case.input(&shape), case.input(&shape), case.constant(&[1, 3, 1, 1])];
        for _ in 0..24 {
            let a = values[draw(values.len())];
            let b = values[draw(values.len())];
            let whole = case.graph.shape(a).len() == 4 && case.graph.shape(a)[2] == 4;
            let made = match draw(9) {
                0 => case.push(Op::Unary(Unary::Tanh), &[a]),
                1 => case.push(Op::Binary(Binary::Add), &[a, b]),
                2 => case.push(Op::Binary(Binary::Mul), &[a, b]),
                3 => case.push(Op::Select, &[a, b, a]),
                4 if whole => case.push(
                    Op::Transpose {
                        permutation: vec![0, 1, 3, 2],
                    },
                    &[a],
                ),
                5 if whole => case.push(
                    Op::Slice {
                        axis: 3,
                        start: 3,
                        step: -1,
                        len: 4,
                    },
                    &[a],
                ),
                6 if whole && case.graph.shape(a)[1] == 3 => conv(&mut case, a, 3, 3, 1),
                7 if whole && case.graph.shape(a)[1] == 3 => {
                    let joined = case.push(Op::Concat { axis: 1 }, &[a, a]);
                    case.push(
                        Op::Slice {
                            axis: 1,
                            start: 1,
                            step: 2,
                            len: 3,
                        },
                        &[joined],
                    )
                }
                _ => case.push(
                    Op::Reduce {
                        by: Reduction::Max,
                        axes: vec![2, 3],
                    },
                    &[a],
                ),
            };
            // Small: chaos would hide errors.
            let made = case.push(Op::Unary(Unary::Clamp(-2.0, 2.0)), &[made]);
            values.push(made);
        }
        case.output(values[values.len() - 1]);
        case.output(values[values.len() - 2]);
        case.check(&gpu, &format!("graph {seed}"), 2e-5);
    }
}

#[test]
fn inputs_and_constants_may_be_outputs() {
    let Some(gpu) = gpu() else { return };
    let mut case = Case::default();
    let x = case.input(&[2, 2]);
    let c = case.constant(&[3]);
    let y = case.push(Op::Reshape { shape: vec![4] }, &[x]);
    for id in [x, c, y, x] {
        case.output(id);
    }
    case.check(&gpu, "passed through", 0.0);
}

#[test]
fn halves_deviate_as_reported() {
    let Some(gpu) = gpu() else { return };
    let case = network(1);
    let run = |precision| {
        let compiled = pollster::block_on(gpu.compile(&case.graph, precision))?;
        pollster::block_on(compiled.run(&case.tensors()))
    };
    let exact = run(Precision::Single).expect("it runs");
    let rough = run(Precision::Half);
    if gpu.adapter().half {
        let error = deviation(&exact, &rough.expect("it runs"));
        assert!(error > 0.0 && error < 0.02, "{error}");
    } else {
        assert!(matches!(rough, Err(Failure::Internal { .. })), "{rough:?}");
    }
    assert!(deviation(&exact, &exact).abs() < f32::EPSILON);
    let broken = exact.iter().map(|t| t.map(|_| f32::NAN)).collect::<Vec<_>>();
    assert!(deviation(&exact, &broken).is_infinite());
}

#[test]
fn failures_are_told_apart() {
    let Some(gpu) = gpu() else { return };
    let case = network(1);
    let compiled = pollster::block_on(gpu.compile(&case.graph, Precision::Single)).expect("it compiles");
    let wrong = pollster::block_on(compiled.run(&[Tensor::zeros(&[1, 4, 6, 5])]));
    assert!(matches!(wrong, Err(Failure::Input { index: 0, .. })), "{wrong:?}");
    let none = pollster::block_on(compiled.run(&[]));
    assert!(matches!(none, Err(Failure::Input { .. })), "{none:?}");

    let mut large = Graph::default();
    let side = gpu.adapter().largest as usize / 4 + 1;
    let x = large.input(&[1]);
    let wide = large
        .push(Op::Broadcast { shape: vec![side] }, &[x])
        .expect("it is well formed");
    let up = large.push(Op::Unary(Unary::Exp), &[wide]).expect("it is well formed");
    large.outputs.push(up);
    let refused = pollster::block_on(gpu.compile(&large, Precision::Single));
    assert!(matches!(refused, Err(Failure::TooLarge { .. })), "{refused:?}");

    // What is read back is checked too, and shapes beyond what an index counts are no graph.
    let mut wide = Graph::default();
    let x = wide.input(&[1]);
    let shape = vec![gpu.adapter().largest as usize / 8];
    let half = wide.push(Op::Broadcast { shape }, &[x]).expect("it is well formed");
    for f in [Unary::Exp, Unary::Neg, Unary::Abs] {
        let y = wide.push(Op::Unary(f), &[half]).expect("it is well formed");
        wide.outputs.push(y);
    }
    let refused = pollster::block_on(gpu.compile(&wide, Precision::Single));
    assert!(matches!(refused, Err(Failure::TooLarge { .. })), "{refused:?}");
    let x = wide.input(&[1, 1]);
    let shape = vec![1 << 20, 1 << 20];
    let why = wide
        .push(Op::Broadcast { shape }, &[x])
        .expect_err("it has 2^40 elements");
    assert!(why.to_string().contains("32 bits"), "{why}");

    // The device is lost with a run in flight: that run and all later ones say so.
    let pending = compiled.start(&case.tensors()).expect("it starts");
    gpu.destroy();
    drop(pollster::block_on(pending.finish()));
    let after = pollster::block_on(compiled.run(&case.tensors()));
    assert!(matches!(after, Err(Failure::Lost { .. })), "{after:?}");
    let compiled = pollster::block_on(gpu.compile(&case.graph, Precision::Single));
    assert!(matches!(compiled, Err(Failure::Lost { .. })), "{compiled:?}");
    assert!(matches!(gpu.lost(), Some(Failure::Lost { .. })));
}

#[test]
fn equal_constants_are_one_buffer() {
    let Some(gpu) = gpu() else { return };
    let values: Arc<[f32]> = noise(64, 1).into();
    let [a, b] = [values.clone(), values.iter().copied().collect::<Arc<[f32]>>()]
        .map(|v| gpu.constant(bytemuck::cast_slice(&v)).expect("it fits"));
    assert!(std::rc::Rc::ptr_eq(&a, &b));
    let other = gpu.constant(bytemuck::cast_slice(&noise(64, 2))).expect("it fits");
    assert!(!std::rc::Rc::ptr_eq(&a, &other));
}

#[test]
fn pictures_are_mixed_on_the_device() {
    let Some(gpu) = gpu() else { return };
    let mut graph = Graph::default();
    let x = graph.input(&[3, 2, 5, 7]);
    graph.outputs.push(x);
    let compiled = pollster::block_on(gpu.compile_for(&graph, PLAIN)).expect("it compiles");
    let [picture, fill] = [1, 2].map(|salt| Tensor::new(&[2, 5, 7], noise(70, salt)));
    let expected = |share: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
        let value = |i: usize| {
            let m = share(i / 70, i % 35);
            m * picture.data()[i % 70] + (1.0 - m) * fill.data()[i % 70]
        };
        (0..210).map(value).collect()
    };
    let run = |coming: &Coming, masks: Masks| {
        let mixer = pollster::block_on(compiled.mixer(&picture, &fill, coming)).expect("it fits");
        pollster::block_on(mixer.run(masks)).map(|outputs| outputs[0].data().to_vec())
    };
    let kept: Vec<bool> = noise(105, 3).iter().map(|v| *v > 0.0).collect();
    let mask = |n: usize| Mask::new(5, 7, kept[n * 35..][..35].iter().map(|kept| !kept).collect());
    let removed: Vec<Mask> = (0..3).map(mask).collect();
    let found = run(&Coming::Kept, Masks::Removed(&removed)).expect("it runs");
    // Exactly: kept pixels come back bit for bit, and so does what fills the others.
    assert_eq!(found, expected(&|n, p| f32::from(u8::from(kept[n * 35 + p]))));
    let shares: Vec<f32> = noise(105, 4).iter().map(|v| (v + 1.0) / 2.0).collect();
    let close = |found: &[f32], expected: &[f32]| {
        let worst = found
            .iter()
            .zip(expected)
            .map(|(f, e)| (f - e).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-6, "{worst}");
    };
    let found = run(&Coming::Shares, Masks::Shares(&shares)).expect("it runs");
    close(&found, &expected(&|n, p| shares[n * 35 + p]));
    let fine: Vec<f64> = shares.iter().map(|&m| f64::from(m)).collect();
    assert_eq!(run(&Coming::Shares, Masks::Fine(&fine)).expect("it runs"), found);
    // Fewer masks than pictures: the first pictures are theirs.
    let fewer = run(&Coming::Shares, Masks::Shares(&shares[..70])).expect("it runs");
    assert_eq!(fewer[..140], found[..140]);

    let axis = |len: usize| -> Vec<(usize, usize, f32)> {
        (0..len).map(|k| (k % 2, (k + 1) % 3, k as f32 / len as f32)).collect()
    };
    let enlarging = Enlarging {
        grid: 3,
        rows: axis(8),
        columns: axis(9),
    };
    let cells = noise(27, 5);
    let shifts = [[0, 0], [3, 2], [1, 1]];
    let enlarged = |n: usize, p: usize| {
        let (above, below, down) = enlarging.rows[p / 7 + shifts[n][0]];
        let (left, right, along) = enlarging.columns[p % 7 + shifts[n][1]];
        let cell = |row: usize, column: usize| cells[n * 9 + row * 3 + column];
        let across = |row: usize| cell(row, left) + along * (cell(row, right) - cell(row, left));
        across(above) + down * (across(below) - across(above))
    };
    let coming = Coming::Cells(enlarging.clone());
    let of = |shifts| Masks::Cells {
        shares: &shares,
        cells: &cells,
        shifts,
        how: &enlarging,
    };
    let found = run(&coming, of(&shifts)).expect("it runs");
    close(&found, &expected(&enlarged));

    let far = [[0, 0], [4, 0], [0, 0]];
    for wrong in [
        run(&coming, of(&far)),
        run(&Coming::Kept, Masks::Removed(&[Mask::all(5, 6, true)])),
        run(&Coming::Kept, Masks::Removed(&[])),
        run(&Coming::Kept, Masks::Shares(&shares)),
    ] {
        assert!(matches!(wrong, Err(Failure::Masks { .. })), "{wrong:?}");
    }
}
