//! Removed pixels as weighted means of their neighbours: by multigrid, or, where there is a device, by conjugate gradients on
//! it.
//!
//! The device solves in `f32` for what the last solution has left, which is computed here in `f64`, again and again. So it
//! reaches the tolerance that the processor does, and stops by the same rule; where it does not in [`ROUNDS`], the processor
//! solves.

use std::sync::Arc;

use super::ImputeContext;
use super::membrane::{Kept, Membrane, Weights, solve};
use crate::exec::Coprocessor;
use crate::gpu::ir::{Binary, Graph, Malformed, Op, Reduction, ValueId, Window};
use crate::job::{Job, Passes};
use crate::{Error, Input, Mask, Tensor};

/// Iterations of a round, all in one graph: enough for scattered holes.
const SHORT: usize = 24;
/// The same once a round has left more than this share of what it was given: holes are wide.
const LONG: usize = 96;
const SLOW: f64 = 1e-2;
/// Rounds at most. A hole so wide that these do not solve it is multigrid's.
const ROUNDS: usize = 24;

/// All channels of `input`, `[C * H * W]`, with each removed pixel the weighted mean of its neighbours inside the picture. No
/// equation errs by more than `tolerance` times the range of the channel's kept values, nor would the next correction of a
/// pixel be larger.
pub(super) async fn means(
    cx: &ImputeContext<'_>,
    input: &Input,
    removed: &Mask,
    weights: Weights,
    tolerance: f64,
) -> Result<Vec<f64>, Error> {
    if let Some(device) = cx.device
        && let Some(solved) = on_device(cx.job, device, input, removed, weights, tolerance).await?
    {
        return Ok(solved);
    }
    let mut holes = Membrane::new(cx.job, removed, weights).await?;
    Ok(solve(cx.job, &mut holes, input, removed, tolerance).await?.0)
}

async fn on_device(
    job: &Job<'_>,
    device: &dyn Coprocessor,
    input: &Input,
    removed: &Mask,
    weights: Weights,
    tolerance: f64,
) -> Result<Option<Vec<f64>>, Error> {
    let [channels, height, width] = input.dims();
    let pixels = height * width;
    let Weights { edge, corner } = weights;
    let of = format!("{channels} x {height} x {width}, {edge} and {corner}");
    let gone = Tensor::from_fn(&[1, 1, height, width], |i| f32::from(u8::from(removed.bits()[i])));
    let mut field = Vec::with_capacity(input.tensor.len());
    let mut enough = Vec::with_capacity(channels);
    for c in 0..channels {
        let kept = Kept::of(input.tensor.row(c), removed);
        enough.push(kept.enough(tolerance));
        let values = input.tensor.row(c).iter().zip(removed.bits());
        field.extend(values.map(|(&value, &gone)| if gone { kept.mean } else { f64::from(value) }));
    }
    let mut corrections = vec![f64::INFINITY; channels];
    let (mut iterations, mut before) = (SHORT, vec![f64::INFINITY; channels]);
    for _ in 0..ROUNDS {
        job.step(Passes::default()).await?;
        let residual = residual(&field, removed, weights);
        let left: Vec<f64> = residual.chunks(pixels).map(largest).collect();
        let done = |c: usize| left[c] <= enough[c] && corrections[c] <= enough[c];
        if (0..channels).all(done) {
            return Ok(Some(field));
        }
        if (0..channels).any(|c| left[c] > enough[c] && left[c] > SLOW * before[c]) {
            iterations = LONG;
        }
        before.clone_from(&left);
        let key = format!("{iterations} steps to means of neighbours, {of}");
        let describe = || graph(input.dims(), weights, iterations).map_err(|why| why.to_string());
        // In the device's range, whatever is left.
        let scale = |c: usize| if left[c] > 0.0 { left[c] } else { 1.0 };
        let asked = Tensor::from_fn(&[1, channels, height, width], |i| {
            (residual[i] / scale(i / pixels)) as f32
        });
        let Some(answer) = device.compute(&key, &describe, vec![asked, gone.clone()]).await else {
            return Ok(None);
        };
        if !answer[0].is_finite() {
            return Ok(None);
        }
        corrections.fill(0.0);
        for (i, (value, &change)) in field.iter_mut().zip(answer[0].data()).enumerate() {
            let change = f64::from(change) * scale(i / pixels);
            *value += change;
            corrections[i / pixels] = corrections[i / pixels].max(change.abs());
        }
    }
    Ok(None)
}

/// The neighbours of pixel `i` inside a picture of that size, and their weights.
fn neighbours(i: usize, [height, width]: [usize; 2], weights: Weights) -> impl Iterator<Item = (usize, f64)> {
    let (y, x) = (i / width, i % width);
    let places = [-1isize, 0, 1]
        .into_iter()
        .flat_map(|dy| [-1isize, 0, 1].map(|dx| (dy, dx)));
    places.filter_map(move |(dy, dx)| {
        let weight = match (dy, dx) {
            (0, 0) => return None,
            (0, _) | (_, 0) => weights.edge,
            _ => weights.corner,
        };
        let (y, x) = (y.checked_add_signed(dy)?, x.checked_add_signed(dx)?);
        (y < height && x < width && weight > 0.0).then_some((y * width + x, weight))
    })
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, v| most.max(v.abs()))
}

/// What each removed pixel of each channel lacks to be the mean of its neighbours, times their weight; 0 at kept ones.
fn residual(field: &[f64], removed: &Mask, weights: Weights) -> Vec<f64> {
    let size = [removed.height(), removed.width()];
    let pixels = removed.bits().len();
    let mut residual = vec![0.0; field.len()];
    for i in (0..pixels).filter(|&i| removed.bits()[i]) {
        for (j, weight) in neighbours(i, size, weights) {
            for plane in (0..field.len()).step_by(pixels) {
                residual[plane + i] += weight * (field[plane + j] - field[plane + i]);
            }
        }
    }
    residual
}

/// So many steps of conjugate gradients from 0 for a right side `[1, C, H, W]`, which is 0 outside of the removed pixels `[1, 1, H, W]`.
fn graph([channels, height, width]: [usize; 3], weights: Weights, iterations: usize) -> Result<Graph, Malformed> {
    let mut graph = Graph::default();
    let right = graph.input(&[1, channels, height, width]);
    let gone = graph.input(&[1, 1, height, width]);
    let Weights { edge, corner } = weights;
    let around = [corner, edge, corner, edge, 0.0, edge, corner, edge, corner];
    let around: Arc<[f32]> = (0..9 * channels).map(|i| around[i % 9] as f32).collect();
    let around = graph.constant(&[channels, 1, 3, 3], around);
    let total = |i: usize| neighbours(i, [height, width], weights).map(|(_, w)| w).sum::<f64>() as f32;
    let total: Arc<[f32]> = (0..height * width).map(total).collect();
    let total = graph.constant(&[1, 1, height, width], total);
    let zero = graph.scalar(0.0, 4);
    let conv = Op::Conv {
        window: Window {
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            before: [1, 1],
            windows: [height, width],
        },
        groups: channels,
    };
    let mut at = Steps(graph);
    let mut solution = None;
    let (mut residual, mut direction) = (right, right);
    let mut energy = at.mean(Reduction::MeanOfSquares, right)?;
    for _ in 0..iterations {
        let neighbours = at.0.push(conv.clone(), &[direction, around])?;
        let own = at.both(Binary::Mul, total, direction)?;
        let image = at.both(Binary::Sub, own, neighbours)?;
        let image = at.both(Binary::Mul, image, gone)?;
        let work = at.both(Binary::Mul, direction, image)?;
        let work = at.mean(Reduction::Mean, work)?;
        let length = at.ratio(energy, work, zero)?;
        let along = at.both(Binary::Mul, direction, length)?;
        solution = Some(match solution {
            Some(solution) => at.both(Binary::Add, solution, along)?,
            None => along,
        });
        let off = at.both(Binary::Mul, image, length)?;
        residual = at.both(Binary::Sub, residual, off)?;
        let next = at.mean(Reduction::MeanOfSquares, residual)?;
        let turn = at.ratio(next, energy, zero)?;
        let kept = at.both(Binary::Mul, direction, turn)?;
        direction = at.both(Binary::Add, residual, kept)?;
        energy = next;
    }
    at.0.outputs.extend(solution);
    Ok(at.0)
}

/// A graph under construction.
struct Steps(Graph);

impl Steps {
    fn both(&mut self, f: Binary, a: ValueId, b: ValueId) -> Result<ValueId, Malformed> {
        self.0.push(Op::Binary(f), &[a, b])
    }

    /// Over the pixels of each channel, along rows first.
    fn mean(&mut self, by: Reduction, x: ValueId) -> Result<ValueId, Malformed> {
        let rows = self.0.push(Op::Reduce { by, axes: vec![3] }, &[x])?;
        let by = Reduction::Mean;
        self.0.push(Op::Reduce { by, axes: vec![2] }, &[rows])
    }

    /// `a / b`; 0 where `b` is not above 0: nothing is left.
    fn ratio(&mut self, a: ValueId, b: ValueId, zero: ValueId) -> Result<ValueId, Malformed> {
        let some = self.both(Binary::Greater, b, zero)?;
        let ratio = self.both(Binary::Div, a, b)?;
        self.0.push(Op::Select, &[some, ratio, zero])
    }
}
