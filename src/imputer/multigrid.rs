//! Solves equations over removed pixels and their neighbours: conjugate gradients, preconditioned by one multigrid
//! cycle, so that the number of iterations hardly depends on the size of the holes.
//!
//! Coarser grids stand for blocks of two by two pixels, interpolated bilinearly; their equations are what the finer ones
//! say of such slopes (Galerkin's), so that holes of any shape need nothing special.

use super::sparse::{LANES, Lanes, Sparse};
use crate::error::{Error, RunError};
use crate::job::{Job, Passes};
use crate::{Input, Mask};

/// Damping of the smoother.
const DAMPING: f64 = 0.8;
/// Iterations after which the tolerance is taken to be out of reach of the arithmetic.
const LIMIT: usize = 1000;
/// No block of the coarser grid.
const NONE: u32 = u32::MAX;

/// How much a pixel's neighbours weigh.
#[derive(Clone, Copy)]
pub(super) struct Weights {
    /// Of the four beside it.
    pub edge: f64,
    /// Of the four at its corners.
    pub corner: f64,
}

/// What is known of one channel.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    /// Smallest kept value.
    pub low: f64,
    /// Largest kept value.
    pub high: f64,
    /// Their mean.
    pub mean: f64,
}

impl Kept {
    /// Of a `channel` `[H * W]` that keeps at least one pixel.
    pub fn of(channel: &[f32], removed: &Mask) -> Self {
        let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
        for (&value, _) in channel.iter().zip(removed.bits()).filter(|&(_, &gone)| !gone) {
            let value = f64::from(value);
            (low, high, sum, count) = (low.min(value), high.max(value), sum + value, count + 1.0);
        }
        let mean = sum / count;
        Self { low, high, mean }
    }

    /// The error that is small enough: a share of the range, and not below what the arithmetic can tell.
    pub fn enough(&self, tolerance: f64) -> f64 {
        tolerance * (self.high - self.low) + 1e-14 * self.low.abs().max(self.high.abs())
    }
}

/// One grid: its equations and the fields that a cycle works in.
struct Floor {
    /// Symmetric and positive definite, over the unknown cells.
    matrix: Sparse,
    /// How far a cell moves per unit of its residual when smoothed.
    step: Vec<f64>,
    /// From the next coarser grid to this one and back.
    ways: Option<[Sparse; 2]>,
    solution: Vec<Lanes>,
    residual: Vec<Lanes>,
    scratch: Vec<Lanes>,
}

impl Floor {
    fn new(matrix: Sparse, ways: Option<[Sparse; 2]>) -> Self {
        let n = matrix.height();
        // The coarsest grid is one cell, which is solved, not smoothed.
        let damping = if ways.is_none() { 1.0 } else { DAMPING };
        Self {
            step: (0..n).map(|i| damping / matrix.diagonal(i)).collect(),
            matrix,
            ways,
            solution: vec![[0.0; LANES]; n],
            residual: vec![[0.0; LANES]; n],
            scratch: vec![[0.0; LANES]; n],
        }
    }

    /// Moves the solution along what is left of the residual, damped, each cell on its own.
    fn smooth(&mut self) {
        self.matrix.residual(&self.solution, &self.residual, &mut self.scratch);
        for ((u, left), step) in self.solution.iter_mut().zip(&self.scratch).zip(&self.step) {
            for (u, left) in u.iter_mut().zip(left) {
                *u += step * left;
            }
        }
    }
}

/// The equations "every removed pixel is the weighted mean of its neighbours inside the picture", ready to be solved
/// for several channels.
pub(super) struct Multigrid {
    /// Flat indices of the removed pixels.
    cells: Vec<usize>,
    size: [usize; 2],
    weights: Weights,
    floors: Vec<Floor>,
}

impl Multigrid {
    /// For a mask that removes at least one pixel and keeps at least one.
    pub async fn new(job: &Job<'_>, removed: &Mask, weights: Weights) -> Result<Self, Error> {
        let mut size = [removed.height(), removed.width()];
        let cells: Vec<usize> = (0..removed.bits().len()).filter(|&i| removed.bits()[i]).collect();
        let mut matrix = equations(&cells, size, weights);
        let (mut floors, mut unknown) = (Vec::new(), cells.clone());
        while size[0] * size[1] > 1 {
            let (down, coarser) = interpolation(&unknown, size);
            let up = down.transpose();
            let halfway = matrix.times(&down, job).await?;
            let coarse = up.times(&halfway, job).await?;
            floors.push(Floor::new(matrix, Some([down, up])));
            (matrix, unknown, size) = (coarse, coarser, size.map(|n| n.div_ceil(2)));
        }
        floors.push(Floor::new(matrix, None));
        Ok(Self {
            cells,
            size: [removed.height(), removed.width()],
            weights,
            floors,
        })
    }
}

/// Equations of removed pixels with a symmetric positive definite matrix, and what solves them roughly.
pub(super) trait System {
    /// Flat indices of the removed pixels.
    fn cells(&self) -> &[usize];
    /// What is missing at each removed pixel for the whole pictures `field` to solve the equations.
    fn residual(&mut self, field: &[Lanes]) -> Vec<Lanes>;
    /// `out = A x`.
    fn apply(&mut self, x: &[Lanes], out: &mut [Lanes]);
    /// `out`: roughly what `A` takes to `r`, by a linear symmetric positive definite map.
    fn precondition(&mut self, r: &[Lanes], out: &mut [Lanes]);
}

impl System for Multigrid {
    fn cells(&self) -> &[usize] {
        &self.cells
    }

    fn residual(&mut self, field: &[Lanes]) -> Vec<Lanes> {
        let pull = |&i: &usize| {
            let mut sum = [0.0; LANES];
            for (j, weight) in neighbours(i, self.size, self.weights) {
                for (l, sum) in sum.iter_mut().enumerate() {
                    *sum += weight * (field[j][l] - field[i][l]);
                }
            }
            sum
        };
        self.cells.iter().map(pull).collect()
    }

    fn apply(&mut self, x: &[Lanes], out: &mut [Lanes]) {
        self.floors[0].matrix.apply(x, out);
    }

    fn precondition(&mut self, r: &[Lanes], out: &mut [Lanes]) {
        self.floors[0].residual.copy_from_slice(r);
        cycle(&mut self.floors);
        out.copy_from_slice(&self.floors[0].solution);
    }
}

/// All channels of `input`, `[C * H * W]`, with their removed pixels solved for, until no equation errs by more than
/// `tolerance` times the range of the channel's kept values, nor would the next correction of a pixel be larger; and the
/// largest number of iterations that a channel took.
pub(super) async fn solve(
    job: &Job<'_>,
    system: &mut impl System,
    input: &Input,
    removed: &Mask,
    tolerance: f64,
) -> Result<(Vec<f64>, usize), Error> {
    let channels: Vec<usize> = (0..input.dims()[0]).collect();
    let pixels = removed.bits().len();
    let (mut solved, mut most) = (vec![0.0; input.tensor.len()], 0);
    for group in channels.chunks(LANES) {
        let mut field = vec![[0.0; LANES]; pixels];
        let mut enough = [0.0; LANES];
        for (l, &c) in group.iter().enumerate() {
            let channel = input.tensor.row(c);
            let kept = Kept::of(channel, removed);
            enough[l] = kept.enough(tolerance);
            for ((place, &value), &gone) in field.iter_mut().zip(channel).zip(removed.bits()) {
                place[l] = if gone { kept.mean } else { f64::from(value) };
            }
        }
        let residual = system.residual(&field);
        let (change, iterations) = conjugate_gradients(job, system, residual, enough).await?;
        most = most.max(iterations);
        for (&i, change) in system.cells().iter().zip(&change) {
            for (l, &c) in group.iter().enumerate() {
                solved[c * pixels + i] = field[i][l] + change[l];
            }
        }
    }
    Ok((solved, most))
}

/// What the system takes to `residual`, each lane until no value of what is left, nor of the next correction, exceeds
/// its `enough`; and the number of iterations. A lane's result does not depend on the others.
async fn conjugate_gradients(
    job: &Job<'_>,
    system: &mut impl System,
    mut residual: Vec<Lanes>,
    enough: Lanes,
) -> Result<(Vec<Lanes>, usize), Error> {
    let nothing = vec![[0.0; LANES]; residual.len()];
    let (mut solution, mut direction, mut image) = (nothing.clone(), nothing.clone(), nothing.clone());
    let (mut correction, mut previous) = (nothing, [1.0; LANES]);
    let mut done = [false; LANES];
    for iteration in 0..LIMIT {
        system.precondition(&residual, &mut correction);
        let (left, next) = (largest(&residual), largest(&correction));
        for l in 0..LANES {
            done[l] |= left[l] <= enough[l] && next[l] <= enough[l];
        }
        if done.iter().all(|&d| d) {
            return Ok((solution, iteration));
        }
        job.step(Passes::default()).await?;
        let energy = dot(&residual, &correction);
        let ratio = |a: Lanes, b: Lanes| std::array::from_fn(|l| if done[l] { 0.0 } else { a[l] / b[l] });
        let turn: Lanes = if iteration == 0 {
            [0.0; LANES]
        } else {
            ratio(energy, previous)
        };
        previous = energy;
        for (p, z) in direction.iter_mut().zip(&correction) {
            for l in 0..LANES {
                p[l] = z[l] + turn[l] * p[l];
            }
        }
        system.apply(&direction, &mut image);
        let length: Lanes = ratio(energy, dot(&direction, &image));
        for ((u, p), (r, q)) in solution.iter_mut().zip(&direction).zip(residual.iter_mut().zip(&image)) {
            for l in 0..LANES {
                u[l] += length[l] * p[l];
                r[l] -= length[l] * q[l];
            }
        }
    }
    let why = format!("the filling's equations were not solved after {LIMIT} iterations; allow a larger tolerance");
    Err(RunError::Backend { why }.into())
}

/// Of each lane the largest size of a value.
fn largest(field: &[Lanes]) -> Lanes {
    let mut top = [0f64; LANES];
    for values in field {
        for (top, v) in top.iter_mut().zip(values) {
            *top = top.max(v.abs());
        }
    }
    top
}

fn dot(a: &[Lanes], b: &[Lanes]) -> Lanes {
    let mut sum = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sum[l] += a[l] * b[l];
        }
    }
    sum
}

/// One symmetric cycle: an approximate solution of the equations of `floors[0]` for its residual.
fn cycle(floors: &mut [Floor]) {
    let Some((fine, coarser)) = floors.split_first_mut() else {
        return;
    };
    for ((u, r), step) in fine.solution.iter_mut().zip(&fine.residual).zip(&fine.step) {
        *u = r.map(|r| step * r);
    }
    let (Some([down, up]), Some(coarse)) = (&fine.ways, coarser.first_mut()) else {
        return;
    };
    fine.matrix.residual(&fine.solution, &fine.residual, &mut fine.scratch);
    up.apply(&fine.scratch, &mut coarse.residual);
    cycle(coarser);
    down.add(&coarser[0].solution, &mut fine.solution);
    fine.smooth();
}

/// The neighbours of pixel `i` inside a picture of that size, and their weights.
pub(super) fn neighbours(
    i: usize,
    [height, width]: [usize; 2],
    weights: Weights,
) -> impl Iterator<Item = (usize, f64)> {
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

/// A row for each of the removed `cells`: the sum of its neighbours' weights, less the weight of each removed one.
fn equations(cells: &[usize], size: [usize; 2], weights: Weights) -> Sparse {
    let number = numbers(cells, size);
    let mut matrix = Sparse::new(cells.len());
    for (row, &i) in cells.iter().enumerate() {
        let mut total = 0.0;
        for (j, weight) in neighbours(i, size, weights) {
            total += weight;
            if number[j] != NONE {
                matrix.push(number[j] as usize, -weight);
            }
        }
        matrix.push(row, total);
        matrix.end_row();
    }
    matrix
}

/// Of each cell of a grid: its place among `cells`, or [`NONE`].
fn numbers(cells: &[usize], [height, width]: [usize; 2]) -> Vec<u32> {
    let mut number = vec![NONE; height * width];
    for (n, &i) in cells.iter().enumerate() {
        number[i] = n as u32;
    }
    number
}

/// The matrix that interpolates unknown cells from blocks of two by two, and the blocks, of those that hold an unknown
/// cell. A cell lies three quarters in its own block along each axis, and one quarter in the next one, if there is one.
fn interpolation(cells: &[usize], [height, width]: [usize; 2]) -> (Sparse, Vec<usize>) {
    let far = [height.div_ceil(2), width.div_ceil(2)];
    let block = |&i: &usize| (i / width / 2) * far[1] + i % width / 2;
    let mut blocks: Vec<usize> = cells.iter().map(block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let number = numbers(&blocks, far);
    let shares = |i: usize, n: usize| {
        let other = (i / 2).checked_add_signed(if i.is_multiple_of(2) { -1 } else { 1 });
        match other.filter(|&o| o < n) {
            Some(other) => [(i / 2, 0.75), (other, 0.25)],
            None => [(i / 2, 1.0), (i / 2, 0.0)],
        }
    };
    let mut matrix = Sparse::new(blocks.len());
    for &i in cells {
        for (y, down) in shares(i / width, far[0]) {
            for (x, across) in shares(i % width, far[1]) {
                let n = number[y * far[1] + x];
                if n != NONE && down * across > 0.0 {
                    matrix.push(n as usize, down * across);
                }
            }
        }
        matrix.end_row();
    }
    (matrix, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::job::Silent;

    #[test]
    fn the_number_of_iterations_hardly_grows_with_the_hole() {
        let weights = Weights {
            edge: 0.25,
            corner: 0.0,
        };
        for side in [20, 60, 140] {
            let values = Tensor::from_fn(&[5, side, side], |i| ((i * 7919) % 1000) as f32);
            let hole = (0..side * side).map(|i| i / side > 2 && i % side > 2).collect();
            let (input, removed) = (Input::preprocessed(values), Mask::new(side, side, hole));
            let found = pollster::block_on(async {
                let job = Job::new(&Silent);
                let mut holes = Multigrid::new(&job, &removed, weights).await?;
                solve(&job, &mut holes, &input, &removed, 1e-6).await
            });
            let iterations = found.unwrap().1;
            assert!(iterations <= 12, "{iterations} iterations at side {side}");
        }
    }

    /// Whatever the others hold, and whichever group of channels it falls into.
    #[test]
    fn channels_are_solved_each_on_its_own() {
        let value = |i: usize| ((i * 7919) % 1000) as f32;
        let removed = Mask::new(12, 15, (0..180).map(|i| i % 15 > 3 && i % 4 > 0).collect());
        let of = |tensor: Tensor| {
            let input = Input::preprocessed(tensor);
            let job = Job::new(&Silent);
            pollster::block_on(async {
                let weights = Weights {
                    edge: 0.25,
                    corner: 0.0,
                };
                let mut holes = Multigrid::new(&job, &removed, weights).await?;
                solve(&job, &mut holes, &input, &removed, 1e-6).await
            })
            .unwrap()
            .0
        };
        let all = of(Tensor::from_fn(&[6, 12, 15], |i| value(i) * (1.0 + (i / 180) as f32)));
        for c in 0..6 {
            let one = of(Tensor::from_fn(&[1, 12, 15], |i| value(i + c * 180) * (1.0 + c as f32)));
            assert_eq!(all[c * 180..][..180], one);
        }
    }
}
