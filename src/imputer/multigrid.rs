//! Solves the neighbour equations of a mask: conjugate gradients, preconditioned by one multigrid cycle, so that the
//! number of iterations (10 to 30) hardly depends on the size of the holes.
//!
//! Fields of a level live on its grid with a border of one zero cell, so that neighbours need no bounds.

use crate::Mask;
use crate::error::{Error, RunError};
use crate::job::{Job, Passes};

const EDGE: f64 = 1.0 / 6.0;
const CORNER: f64 = 1.0 / 12.0;
/// Damping of the smoother.
const DAMPING: f64 = 0.8;
/// Cells of two by two that move as one make a grid twice too stiff against slopes; this corrects it.
const SOFTENING: f64 = 0.5;
/// Iterations between two looks at the job: some milliseconds at 224 x 224.
const PATIENCE: usize = 2;
/// Iterations after which the tolerance is taken to be out of reach of the arithmetic.
const LIMIT: usize = 500;

/// `diagonal[i] u[i] - sum_j coupling[i, j] u[j] = r[i]` over the unknown cells of a grid and their eight neighbours:
/// symmetric, and positive definite since something is kept. Cells that are no unknowns have diagonal 1 and no coupling.
struct Level {
    height: usize,
    width: usize,
    /// 1 where the cell is unknown, else 0.
    unknown: Vec<f64>,
    diagonal: Vec<f64>,
    east: Vec<f64>,
    south: Vec<f64>,
    south_east: Vec<f64>,
    south_west: Vec<f64>,
}

impl Level {
    fn empty(height: usize, width: usize) -> Self {
        let zeros = || vec![0.0; (height + 2) * (width + 2)];
        Self {
            height,
            width,
            unknown: zeros(),
            diagonal: zeros(),
            east: zeros(),
            south: zeros(),
            south_east: zeros(),
            south_west: zeros(),
        }
    }

    /// The equations of a mask: a removed pixel equals the mean of its neighbours inside the picture, edges weighing
    /// twice as much as corners.
    fn of(removed: &Mask) -> Self {
        let mut level = Self::empty(removed.height(), removed.width());
        level.unknown = level.field(|i| f64::from(u8::from(removed.bits()[i])));
        let inside = level.field(|_| 1.0);
        let stride = level.stride();
        for k in level.cells() {
            if level.unknown[k] == 0.0 {
                level.diagonal[k] = 1.0;
                continue;
            }
            level.diagonal[k] = weighted_neighbours(&inside, k, stride);
            level.east[k] = EDGE * level.unknown[k + 1];
            level.south[k] = EDGE * level.unknown[k + stride];
            level.south_east[k] = CORNER * level.unknown[k + stride + 1];
            level.south_west[k] = CORNER * level.unknown[k + stride - 1];
        }
        level
    }

    /// The same equations where each block of two by two cells moves as one.
    fn coarser(&self) -> Self {
        let mut coarse = Self::empty(self.height.div_ceil(2), self.width.div_ceil(2));
        let (stride, far) = (self.stride(), coarse.stride());
        for k in self.cells().filter(|&k| self.unknown[k] != 0.0) {
            let block = self.block(k, far);
            coarse.unknown[block] = 1.0;
            coarse.diagonal[block] += SOFTENING * self.diagonal[k];
            let couplings = [
                (k + 1, self.east[k]),
                (k + stride, self.south[k]),
                (k + stride + 1, self.south_east[k]),
                (k + stride - 1, self.south_west[k]),
            ];
            for (other, coupling) in couplings.into_iter().filter(|&(_, coupling)| coupling != 0.0) {
                let coupling = SOFTENING * coupling;
                let neighbour = self.block(other, far);
                let (first, second) = (block.min(neighbour), block.max(neighbour));
                match second - first {
                    0 => coarse.diagonal[block] -= 2.0 * coupling,
                    1 => coarse.east[first] += coupling,
                    step if step == far => coarse.south[first] += coupling,
                    step if step == far + 1 => coarse.south_east[first] += coupling,
                    _ => coarse.south_west[first] += coupling,
                }
            }
        }
        for k in coarse.cells() {
            if coarse.unknown[k] == 0.0 {
                coarse.diagonal[k] = 1.0;
            }
        }
        coarse
    }

    fn stride(&self) -> usize {
        self.width + 2
    }

    /// First cell of each row.
    fn rows(&self) -> impl Iterator<Item = usize> + use<> {
        let stride = self.stride();
        (1..=self.height).map(move |y| y * stride + 1)
    }

    /// First cells of each row here and of the row of the coarser level that holds it.
    fn row_pairs(&self, coarse: &Self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let far = coarse.stride();
        self.rows().enumerate().map(move |(y, at)| (at, (y / 2 + 1) * far + 1))
    }

    /// All cells but the border.
    fn cells(&self) -> impl Iterator<Item = usize> + use<> {
        let width = self.width;
        self.rows().flat_map(move |at| at..at + width)
    }

    /// The coarser cell that holds cell `k`, given the coarser grid's stride.
    fn block(&self, k: usize, far: usize) -> usize {
        let (y, x) = (k / self.stride(), k % self.stride());
        y.div_ceil(2) * far + x.div_ceil(2)
    }

    /// The field with value `f(flat index)` on each cell.
    fn field(&self, f: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut out = vec![0.0; (self.height + 2) * self.stride()];
        for (i, k) in self.cells().enumerate() {
            out[k] = f(i);
        }
        out
    }

    /// `out = r - A u`.
    fn residual(&self, u: &[f64], r: &[f64], out: &mut [f64]) {
        let (width, stride) = (self.width, self.stride());
        for at in self.rows() {
            // Slices of one length a row, so that the loop needs no bounds and runs on vectors.
            fn row(field: &[f64], from: usize, width: usize) -> &[f64] {
                &field[from..from + width]
            }
            let here = |field, from| row(field, from, width);
            let (above, below) = (at - stride, at + stride);
            let (diagonal, r, u0) = (here(&self.diagonal, at), here(r, at), here(u, at));
            let (to_e, to_w) = (here(&self.east, at), here(&self.east, at - 1));
            let (to_s, to_n) = (here(&self.south, at), here(&self.south, above));
            let (to_se, to_nw) = (here(&self.south_east, at), here(&self.south_east, above - 1));
            let (to_sw, to_ne) = (here(&self.south_west, at), here(&self.south_west, above + 1));
            let (e, w, s, n) = (here(u, at + 1), here(u, at - 1), here(u, below), here(u, above));
            let (se, nw, sw, ne) = (
                here(u, below + 1),
                here(u, above - 1),
                here(u, below - 1),
                here(u, above + 1),
            );
            let out = &mut out[at..at + width];
            for x in 0..width {
                out[x] = r[x] - diagonal[x] * u0[x]
                    + (to_e[x] * e[x] + to_w[x] * w[x] + to_s[x] * s[x] + to_n[x] * n[x])
                    + (to_se[x] * se[x] + to_nw[x] * nw[x] + to_sw[x] * sw[x] + to_ne[x] * ne[x]);
            }
        }
    }
}

/// The weighted sum of the eight neighbours of cell `k`.
fn weighted_neighbours(u: &[f64], k: usize, stride: usize) -> f64 {
    EDGE * (u[k - 1] + u[k + 1] + u[k - stride] + u[k + stride])
        + CORNER * (u[k - stride - 1] + u[k - stride + 1] + u[k + stride - 1] + u[k + stride + 1])
}

/// A level with the fields that a cycle works in.
struct Floor {
    level: Level,
    /// How far a cell moves per unit of its residual when smoothed; 0 on the border.
    step: Vec<f64>,
    solution: Vec<f64>,
    residual: Vec<f64>,
    scratch: Vec<f64>,
}

impl Floor {
    fn new(level: Level) -> Self {
        let zeros = vec![0.0; level.unknown.len()];
        // A single cell is solved, not smoothed.
        let damping = if level.height * level.width == 1 { 1.0 } else { DAMPING };
        let mut step = zeros.clone();
        for k in level.cells() {
            step[k] = damping / level.diagonal[k];
        }
        Self {
            level,
            step,
            solution: zeros.clone(),
            residual: zeros.clone(),
            scratch: zeros,
        }
    }

    /// Moves the solution along what is left of the residual, damped, each cell on its own.
    fn smooth(&mut self) {
        self.level.residual(&self.solution, &self.residual, &mut self.scratch);
        for ((u, left), step) in self.solution.iter_mut().zip(&self.scratch).zip(&self.step) {
            *u += step * left;
        }
    }
}

/// The equations of one mask on ever coarser grids, ready to be solved for several channels.
pub(super) struct Multigrid {
    floors: Vec<Floor>,
}

impl Multigrid {
    /// For a mask that keeps at least one pixel.
    pub fn new(removed: &Mask) -> Self {
        let mut floors = vec![Floor::new(Level::of(removed))];
        while let Some(Floor { level, .. }) = floors.last()
            && level.height * level.width > 1
        {
            let coarser = level.coarser();
            floors.push(Floor::new(coarser));
        }
        Self { floors }
    }

    /// One symmetric cycle: an approximate solution of the equations of `floors[0]` for its residual.
    fn cycle(floors: &mut [Floor]) {
        let Some((fine, coarser)) = floors.split_first_mut() else {
            return;
        };
        for ((u, r), step) in fine.solution.iter_mut().zip(&fine.residual).zip(&fine.step) {
            *u = step * r;
        }
        let Some(coarse) = coarser.first_mut() else {
            return;
        };
        fine.level.residual(&fine.solution, &fine.residual, &mut fine.scratch);
        coarse.residual.fill(0.0);
        for (at, block) in fine.level.row_pairs(&coarse.level) {
            let blocks = &mut coarse.residual[block..block + coarse.level.width];
            for (cells, sum) in fine.scratch[at..at + fine.level.width].chunks(2).zip(blocks) {
                *sum += cells.iter().sum::<f64>();
            }
        }
        Self::cycle(coarser);
        let coarse = &coarser[0];
        for (at, block) in fine.level.row_pairs(&coarse.level) {
            let row = at..at + fine.level.width;
            let blocks = &coarse.solution[block..block + coarse.level.width];
            let pairs = fine.solution[row.clone()]
                .chunks_mut(2)
                .zip(fine.level.unknown[row].chunks(2));
            for ((cells, unknown), correction) in pairs.zip(blocks) {
                for (u, unknown) in cells.iter_mut().zip(unknown) {
                    *u += unknown * correction;
                }
            }
        }
        fine.smooth();
    }

    /// A channel `[H * W]` with its removed pixels solved for, until no equation errs by more than `tolerance` times
    /// the range of the kept values.
    pub async fn solve(&mut self, job: &Job<'_>, channel: &[f32], tolerance: f64) -> Result<Vec<f64>, Error> {
        let level = &self.floors[0].level;
        let cells: Vec<usize> = level.cells().collect();
        let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
        for (&k, &value) in cells.iter().zip(channel) {
            if level.unknown[k] == 0.0 {
                let value = f64::from(value);
                (low, high, sum, count) = (low.min(value), high.max(value), sum + value, count + 1.0);
            }
        }
        let enough = tolerance * (high - low) + 1e-14 * low.abs().max(high.abs());
        let mean = sum / count;
        let start = |i: usize| {
            if level.unknown[cells[i]] == 0.0 {
                f64::from(channel[i])
            } else {
                mean
            }
        };
        let mut u = level.field(start);
        let nothing = vec![0.0; u.len()];
        let mut residual = nothing.clone();
        for &k in cells.iter().filter(|&&k| level.unknown[k] != 0.0) {
            residual[k] = weighted_neighbours(&u, k, level.stride()) - level.diagonal[k] * u[k];
        }
        let (mut direction, mut image, mut previous) = (nothing.clone(), nothing.clone(), 1.0);
        for iteration in 0..LIMIT {
            if residual.iter().fold(0.0, |top: f64, r| top.max(r.abs())) <= enough {
                return Ok(cells.iter().map(|&k| u[k]).collect());
            }
            if iteration % PATIENCE == PATIENCE - 1 {
                job.step(Passes::default()).await?;
            }
            self.floors[0].residual.copy_from_slice(&residual);
            Self::cycle(&mut self.floors);
            let Floor { level, solution, .. } = &self.floors[0];
            let energy = dot(&residual, solution);
            let turn = if iteration == 0 { 0.0 } else { energy / previous };
            previous = energy;
            for (p, z) in direction.iter_mut().zip(solution) {
                *p = z + turn * *p;
            }
            level.residual(&direction, &nothing, &mut image);
            let length = -energy / dot(&direction, &image);
            for ((u, p), (r, q)) in u.iter_mut().zip(&direction).zip(residual.iter_mut().zip(&image)) {
                *u += length * p;
                *r += length * q;
            }
        }
        let why = format!("noisy-linear did not reach the tolerance {tolerance}; allow a larger one");
        Err(RunError::Backend { why }.into())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
