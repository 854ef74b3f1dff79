//! Equations over removed pixels with a symmetric positive definite matrix, solved by preconditioned conjugate gradients.

use super::grid::{Grid, dot, largest};
use super::multigrid::Multigrid;
use crate::error::{Error, RunError};
use crate::job::{Job, Passes};
use crate::{Input, Mask};

/// Iterations after which the tolerance is taken to be out of reach of the arithmetic.
const LIMIT: usize = 1000;

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

/// Equations of removed pixels with a symmetric positive definite matrix, and what solves them roughly. Fields are planes of
/// [`Grid`]; what is not a removed pixel is 0 in all but `field`.
pub(super) trait System {
    /// Where the removed pixels lie.
    fn grid(&self) -> Grid;
    /// `out`: what is missing at each removed pixel for `field`, all pixels of the grid, to solve the equations.
    fn residual(&mut self, field: &[f64], out: &mut [f64]);
    /// `out = A x`.
    fn apply(&mut self, x: &[f64], out: &mut [f64]);
    /// `out`: roughly what `A` takes to `r`, by a linear symmetric positive definite map.
    fn precondition(&mut self, r: &[f64], out: &mut [f64]);
}

/// The equations "every removed pixel is the weighted mean of its neighbours inside the picture".
pub(super) struct Membrane {
    grid: Grid,
    weights: Weights,
    /// 1 for each pixel of the grid, 0 on the rim.
    inside: Vec<f64>,
    /// 1 for each removed pixel.
    pub gone: Vec<f64>,
    /// Of each removed pixel the sum of its neighbours' weights.
    total: Vec<f64>,
    rough: Multigrid,
}

impl Membrane {
    /// For a mask that removes at least one pixel and keeps at least one.
    pub async fn new(job: &Job<'_>, removed: &Mask, weights: Weights) -> Result<Self, Error> {
        let grid = Grid::around(removed);
        let (mut inside, mut gone) = (vec![0.0; grid.len()], vec![0.0; grid.len()]);
        for (at, from) in grid.rows(removed.width()) {
            inside[at..at + grid.width].fill(1.0);
            let bits = &removed.bits()[from..from + grid.width];
            for (gone, &bit) in gone[at..].iter_mut().zip(bits) {
                *gone = f64::from(u8::from(bit));
            }
        }
        let mut total = vec![0.0; grid.len()];
        around(grid, weights, &inside, &mut total);
        for (total, gone) in total.iter_mut().zip(&gone) {
            *total *= gone;
        }
        let rough = Multigrid::new(job, grid, &inside, &gone, weights).await?;
        Ok(Self {
            grid,
            weights,
            inside,
            gone,
            total,
            rough,
        })
    }
}

impl System for Membrane {
    fn grid(&self) -> Grid {
        self.grid
    }

    fn residual(&mut self, field: &[f64], out: &mut [f64]) {
        let stride = self.grid.stride();
        let Weights { edge, corner } = self.weights;
        for at in (0..field.len()).filter(|&at| self.gone[at] > 0.0) {
            // Differences, so that a constant misses nothing, whatever its size.
            let pull = |from: usize, weight: f64| weight * self.inside[from] * (field[from] - field[at]);
            let rows = [at - stride, at, at + stride];
            let beside = [rows[0], at - 1, at + 1, rows[2]].map(|from| pull(from, edge));
            let across = [rows[0] - 1, rows[0] + 1, rows[2] - 1, rows[2] + 1].map(|from| pull(from, corner));
            out[at] = beside.iter().chain(&across).sum();
        }
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        around(self.grid, self.weights, x, out);
        for (((out, x), total), gone) in out.iter_mut().zip(x).zip(&self.total).zip(&self.gone) {
            *out = total * x - gone * *out;
        }
    }

    fn precondition(&mut self, r: &[f64], out: &mut [f64]) {
        self.rough.solve(r, out);
    }
}

/// `out`: of each pixel the weighted sum of its neighbours.
fn around(grid: Grid, Weights { edge, corner }: Weights, x: &[f64], out: &mut [f64]) {
    let (width, stride) = (grid.width, grid.stride());
    for y in 0..grid.height {
        let at = grid.row(y);
        let three = |from: usize| [&x[from - 1..][..width], &x[from..][..width], &x[from + 1..][..width]];
        let ([nw, n, ne], [w, _, e], [sw, s, se]) = (three(at - stride), three(at), three(at + stride));
        let out = &mut out[at..][..width];
        for k in 0..width {
            let beside = (n[k] + s[k]) + (w[k] + e[k]);
            let across = (nw[k] + ne[k]) + (sw[k] + se[k]);
            out[k] = edge * beside + corner * across;
        }
    }
}

/// All channels of `input`, `[C * H * W]`, with their removed pixels solved for (kept ones are 0), until no equation errs by
/// more than `tolerance` times the range of the channel's kept values, nor would the next correction of a pixel be larger; and
/// the largest number of iterations that a channel took.
pub(super) async fn solve(
    job: &Job<'_>,
    system: &mut impl System,
    input: &Input,
    removed: &Mask,
    tolerance: f64,
) -> Result<(Vec<f64>, usize), Error> {
    let [channels, height, width] = input.dims();
    let grid = system.grid();
    let (mut solved, mut most) = (vec![0.0; input.tensor.len()], 0);
    let mut gradients = Gradients::new(grid);
    for (c, solved) in (0..channels).zip(solved.chunks_exact_mut(height * width)) {
        let channel = input.tensor.row(c);
        let kept = Kept::of(channel, removed);
        let mut field = vec![0.0; grid.len()];
        for (at, from) in grid.rows(width) {
            for k in 0..grid.width {
                let gone = removed.bits()[from + k];
                field[at + k] = if gone { kept.mean } else { f64::from(channel[from + k]) };
            }
        }
        most = most.max(gradients.run(job, system, &field, kept.enough(tolerance)).await?);
        for (at, from) in grid.rows(width) {
            for k in (0..grid.width).filter(|k| removed.bits()[from + k]) {
                solved[from + k] = field[at + k] + gradients.change[at + k];
            }
        }
    }
    Ok((solved, most))
}

/// The fields of conjugate gradients.
struct Gradients {
    change: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    image: Vec<f64>,
    correction: Vec<f64>,
}

impl Gradients {
    fn new(grid: Grid) -> Self {
        let none = || vec![0.0; grid.len()];
        Self {
            change: none(),
            residual: none(),
            direction: none(),
            image: none(),
            correction: none(),
        }
    }

    /// Sets `change` to what solves the equations when it is added to `field`, until no value of what is left, nor of the
    /// next correction, exceeds `enough`; the number of iterations.
    async fn run(
        &mut self,
        job: &Job<'_>,
        system: &mut impl System,
        field: &[f64],
        enough: f64,
    ) -> Result<usize, Error> {
        self.change.fill(0.0);
        self.direction.fill(0.0);
        system.residual(field, &mut self.residual);
        let mut previous = 1.0;
        for iteration in 0..LIMIT {
            system.precondition(&self.residual, &mut self.correction);
            if largest(&self.residual) <= enough && largest(&self.correction) <= enough {
                return Ok(iteration);
            }
            job.step(Passes::default()).await?;
            let energy = dot(&self.residual, &self.correction);
            let turn = if iteration == 0 { 0.0 } else { energy / previous };
            previous = energy;
            for (p, z) in self.direction.iter_mut().zip(&self.correction) {
                *p = z + turn * *p;
            }
            system.apply(&self.direction, &mut self.image);
            let length = energy / dot(&self.direction, &self.image);
            for (u, p) in self.change.iter_mut().zip(&self.direction) {
                *u += length * p;
            }
            for (r, q) in self.residual.iter_mut().zip(&self.image) {
                *r -= length * q;
            }
        }
        let why = format!("the filling's equations were not solved after {LIMIT} iterations; allow a larger tolerance");
        Err(RunError::Backend { why }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::job::Silent;

    const BESIDE: Weights = Weights {
        edge: 0.25,
        corner: 0.0,
    };
    const EIGHT: Weights = Weights {
        edge: 1.0 / 6.0,
        corner: 1.0 / 12.0,
    };

    fn solved(tensor: Tensor, removed: &Mask, weights: Weights) -> (Vec<f64>, usize) {
        let input = Input::preprocessed(tensor);
        let job = Job::new(&Silent);
        pollster::block_on(async {
            let mut holes = Membrane::new(&job, removed, weights).await?;
            solve(&job, &mut holes, &input, removed, 1e-6).await
        })
        .unwrap()
    }

    #[test]
    fn the_number_of_iterations_hardly_grows_with_the_hole() {
        type Hole = fn(usize, usize) -> bool;
        let holes: [Hole; 4] = [
            |y, x| y > 2 && x > 2,
            |y, x| y > 2 && x > 2 && (y * 31 + x * 17) % 10 != 0,
            |y, x| (y * 31 + x * 17) % 10 < 5,
            |y, x| y % 3 > 0 && x != 7,
        ];
        for (hole, weights) in holes.into_iter().flat_map(|hole| [(hole, BESIDE), (hole, EIGHT)]) {
            for side in [20, 60, 141] {
                let values = Tensor::from_fn(&[2, side, side], |i| ((i * 7919) % 1000) as f32);
                let removed = Mask::new(side, side, (0..side * side).map(|i| hole(i / side, i % side)).collect());
                let iterations = solved(values, &removed, weights).1;
                assert!(iterations <= 12, "{iterations} iterations at side {side}");
            }
        }
    }

    #[test]
    fn channels_are_solved_each_on_its_own() {
        let value = |i: usize| ((i * 7919) % 1000) as f32;
        let removed = Mask::new(12, 15, (0..180).map(|i| i % 15 > 3 && i % 4 > 0).collect());
        let of = |tensor: Tensor| solved(tensor, &removed, BESIDE).0;
        let all = of(Tensor::from_fn(&[6, 12, 15], |i| value(i) * (1.0 + (i / 180) as f32)));
        for c in 0..6 {
            let one = of(Tensor::from_fn(&[1, 12, 15], |i| value(i + c * 180) * (1.0 + c as f32)));
            assert_eq!(all[c * 180..][..180], one);
        }
    }

    /// Where a small hole lies far inside, only what is around it is worked on; the rest does not matter.
    #[test]
    fn pixels_far_from_the_hole_do_not_matter() {
        let hole = |height: usize, width: usize, y0: usize, x0: usize| {
            let inside = |i: usize| (y0..y0 + 3).contains(&(i / width)) && (x0..x0 + 4).contains(&(i % width));
            Mask::new(height, width, (0..height * width).map(inside).collect())
        };
        let value =
            |y: usize, x: usize| ((y * 13 + x * 29) % 50) as f32 + if (y + x).is_multiple_of(97) { 0.0 } else { 1.0 };
        let large = Tensor::from_fn(&[1, 30, 40], |i| value(i / 40, i % 40));
        let small = Tensor::from_fn(&[1, 9, 10], |i| value(i / 10 + 10, i % 10 + 20));
        for weights in [BESIDE, EIGHT] {
            let of_large = solved(large.clone(), &hole(30, 40, 13, 23), weights).0;
            let of_small = solved(small.clone(), &hole(9, 10, 3, 3), weights).0;
            for (y, x) in (0..3).flat_map(|y| (0..4).map(move |x| (y, x))) {
                let (a, b) = (of_large[(13 + y) * 40 + 23 + x], of_small[(3 + y) * 10 + 3 + x]);
                assert!((a - b).abs() < 1e-3, "{a} {b}");
            }
        }
    }
}
