//! A small network whose answer is known exactly, and how far 16 bits are from 32.

use std::sync::Arc;

use super::device::{Gpu, Precision};
use super::ir::{Divisor, Graph, Malformed, Op, Reduction, Unary, Window};
use crate::Tensor;

/// Its outputs: whole numbers, which any precision holds exactly.
const ANSWER: [f32; 12] = [-6.0, 21.0, 45.0, -41.0, -32.0, -7.0, 60.0, 29.0, 21.0, 64.0, -52.0, 8.0];

fn whole(len: usize, salt: usize) -> Arc<[f32]> {
    (0..len)
        .map(|i| ((i + 131 * salt) as u32).wrapping_mul(0x9e37_79b9) >> 16)
        .map(|v| (v % 5) as f32 - 2.0)
        .collect()
}

/// Convolution, depthwise convolution, pools, a matrix product and the adjoint of a convolution, on two pictures.
fn network() -> Result<(Graph, Tensor), Malformed> {
    let mut graph = Graph::default();
    let shape = [2, 3, 8, 8];
    let input = graph.input(&shape);
    let strided = Window {
        kernel: [3, 3],
        stride: [2, 2],
        dilation: [1, 1],
        before: [1, 1],
        windows: [4, 4],
    };
    let weights = graph.constant(&[5, 3, 3, 3], whole(135, 1));
    let bias = graph.constant(&[5], whole(5, 2));
    let conv = Op::Conv {
        window: strided,
        groups: 1,
    };
    let x = graph.push(conv, &[input, weights, bias])?;
    let x = graph.push(Op::Unary(Unary::Clamp(0.0, 6.0)), &[x])?;
    let weights = graph.constant(&[5, 1, 3, 3], whole(45, 3));
    let plain = Window {
        stride: [1, 1],
        ..strided
    };
    let depthwise = Op::Conv {
        window: plain,
        groups: 5,
    };
    let x = graph.push(depthwise, &[x, weights])?;
    let halves = Window {
        kernel: [2, 2],
        before: [0, 0],
        windows: [2, 2],
        ..strided
    };
    let x = graph.push(Op::MaxPool(halves), &[x])?;
    let features = graph.push(Op::Reshape { shape: vec![2, 20] }, &[x])?;
    let matrix = graph.constant(&[3, 20], whole(60, 4));
    let product = Op::einsum((&['n', 'k'], &[2, 20]), (&['o', 'k'], &[3, 20]), &['n', 'o'])?;
    let logits = graph.push(product, &[features, matrix])?;
    let weights = graph.constant(&[3, 5, 3, 3], whole(135, 5));
    let back = Op::ConvTransposed {
        window: Window {
            windows: [2, 2],
            ..strided
        },
        groups: 1,
        size: [4, 4],
    };
    let x = graph.push(back, &[x, weights])?;
    let sums = Op::SumPool {
        window: halves,
        divisor: Divisor::One,
    };
    let x = graph.push(sums, &[x])?;
    let total = Op::Reduce {
        by: Reduction::Max,
        axes: vec![2, 3],
    };
    let top = graph.push(total, &[x])?;
    graph.outputs = vec![logits, top];
    Ok((graph, Tensor::new(&shape, whole(384, 6).to_vec())))
}

/// Whether the device gives the answer.
pub(super) async fn check(gpu: &Gpu, half: bool) -> Result<(), String> {
    let (graph, input) = network().map_err(|e| e.to_string())?;
    let precision = if half { Precision::Half } else { Precision::Single };
    let compiled = gpu.compile(&graph, precision).await.map_err(|e| e.to_string())?;
    let outputs = compiled.run(&[input]).await.map_err(|e| e.to_string())?;
    let found: Vec<f32> = outputs.iter().flat_map(|t| t.data().iter().copied()).collect();
    let same = found.iter().map(|v| v.to_bits()).eq(ANSWER.iter().map(|v| v.to_bits()));
    if same {
        Ok(())
    } else {
        Err(format!(
            "it gives {found:?} for {ANSWER:?} with {precision:?} precision"
        ))
    }
}

/// How far outputs with 16 bits are from those with 32: the largest difference over the largest value, the worst of all
/// outputs. Infinite if one is not a number.
pub fn deviation(exact: &[Tensor], rough: &[Tensor]) -> f32 {
    let of = |(exact, rough): (&Tensor, &Tensor)| {
        let largest = exact.data().iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let differences = exact.data().iter().zip(rough.data()).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, |m: f32, d| if d.is_finite() { m.max(d) } else { f32::INFINITY }) / largest
    };
    exact.iter().zip(rough).map(of).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::reference;

    #[test]
    fn the_answer_is_that_of_the_definitions() {
        let (graph, input) = network().expect("it is well formed");
        let outputs = reference::run(&graph, &[input.data().to_vec()]);
        assert_eq!(outputs.concat(), ANSWER);
        assert!(
            ANSWER
                .iter()
                .all(|v| v.fract().abs() < f32::EPSILON && v.abs() < 2048.0)
        );
        assert!(ANSWER.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 1.0));
    }
}
