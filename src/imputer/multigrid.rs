//! A rough solution of equations over removed pixels by one multigrid cycle, which conjugate gradients take to the end, so
//! that the number of iterations hardly depends on the size of the holes.
//!
//! Coarser grids stand for blocks of two by two pixels, interpolated bilinearly. A block is pulled towards kept pixels as its
//! pixels are; to a neighbouring block it is linked by half of what links their pixels, which for slopes gives the energy of
//! the finer grid. That is in single precision: it only shows the way.

use super::grid::{Grid, largest};
use super::membrane::Weights;
use crate::error::Error;
use crate::job::{Job, Passes};

/// Damping of the smoother.
const DAMPING: f32 = 0.8;
/// Of a link between blocks, for each link between their pixels.
const COARSER: f32 = 0.5;
/// Links of a cell: to the right, down, down to the right, down to the left.
const LINKS: usize = 4;
/// A cell's own share of a bilinear interpolation along one axis, and its neighbour's.
const OWN: f32 = 0.75;
const OTHER: f32 = 0.25;

/// What each link leads to.
fn ways(grid: Grid) -> [usize; LINKS] {
    let stride = grid.stride();
    [1, stride, stride + 1, stride - 1]
}

/// The equations of one grid: how strongly each unknown cell is pulled towards kept ones and to its unknown neighbours.
struct Equations {
    grid: Grid,
    pulled: Vec<f32>,
    links: [Vec<f32>; LINKS],
}

impl Equations {
    /// Of the finest grid.
    fn new(grid: Grid, inside: &[f64], gone: &[f64], weights: Weights) -> Self {
        let none = || vec![0.0; grid.len()];
        let (mut pulled, mut links) = (none(), [none(), none(), none(), none()]);
        let weights = [weights.edge, weights.edge, weights.corner, weights.corner];
        for ((link, way), weight) in links.iter_mut().zip(ways(grid)).zip(weights) {
            for at in 0..grid.len() - way {
                let to = at + way;
                if inside[at] * inside[to] > 0.0 {
                    let (here, there) = (gone[at], gone[to]);
                    link[at] = (weight * here * there) as f32;
                    pulled[at] += (weight * here * (1.0 - there)) as f32;
                    pulled[to] += (weight * there * (1.0 - here)) as f32;
                }
            }
        }
        Self { grid, pulled, links }
    }

    /// Of blocks of two by two.
    fn coarser(&self) -> Self {
        let grid = self.grid.halved();
        let none = || vec![0.0; grid.len()];
        let (mut pulled, mut links) = (none(), [none(), none(), none(), none()]);
        for y in 0..self.grid.height {
            let at = self.grid.row(y);
            let (block, odd_row) = (grid.row(y / 2), y % 2 == 1);
            for x in 0..self.grid.width {
                let (at, block, odd) = (at + x, block + x / 2, x % 2 == 1);
                pulled[block] += self.pulled[at];
                let [right, down, down_right, down_left] = [0, 1, 2, 3].map(|k| COARSER * self.links[k][at]);
                // A link within a block joins nothing there; one from its left half to the left starts in the block before.
                if odd {
                    links[0][block] += right;
                }
                if odd_row {
                    links[1][block] += down;
                }
                match (odd_row, odd) {
                    (false, true) => links[0][block] += down_right,
                    (true, false) => links[1][block] += down_right,
                    (true, true) => links[2][block] += down_right,
                    (false, false) => {}
                }
                match (odd_row, odd) {
                    (false, false) => links[0][block - 1] += down_left,
                    (true, true) => links[1][block] += down_left,
                    (true, false) => links[3][block] += down_left,
                    (false, true) => {}
                }
            }
        }
        Self { grid, pulled, links }
    }

    /// What each cell's equation says of itself; 0 where nothing is unknown.
    fn diagonal(&self) -> Vec<f32> {
        let mut diagonal = self.pulled.clone();
        for (link, way) in self.links.iter().zip(ways(self.grid)) {
            for at in 0..self.grid.len() - way {
                diagonal[at] += link[at];
                diagonal[at + way] += link[at];
            }
        }
        diagonal
    }
}

/// One grid: its equations and the fields that a cycle works in.
struct Floor {
    grid: Grid,
    links: [Vec<f32>; LINKS],
    /// Whether cells are linked across corners.
    across: bool,
    diagonal: Vec<f32>,
    /// How far a cell moves per unit of its residual when smoothed; 0 where nothing is unknown.
    step: Vec<f32>,
    /// 1 where something is unknown.
    unknown: Vec<f32>,
    solution: Vec<f32>,
    residual: Vec<f32>,
    left: Vec<f32>,
}

impl Floor {
    fn new(equations: Equations, damping: f32) -> Self {
        let diagonal = equations.diagonal();
        let Equations { grid, links, .. } = equations;
        let none = || vec![0.0; grid.len()];
        let step = |&d: &f32| if d > 0.0 { damping / d } else { 0.0 };
        Self {
            grid,
            across: links[2..].iter().flatten().any(|&link| link > 0.0),
            links,
            step: diagonal.iter().map(step).collect(),
            unknown: diagonal.iter().map(|&d| f32::from(u8::from(d > 0.0))).collect(),
            diagonal,
            solution: none(),
            residual: none(),
            left: none(),
        }
    }

    /// `left`: what the solution leaves of the residual.
    fn leave(&mut self) {
        let (width, stride) = (self.grid.width, self.grid.stride());
        let [right, down, down_right, down_left] = &self.links;
        for y in 0..self.grid.height {
            let at = self.grid.row(y);
            let row = |from: usize| &self.solution[from..][..width];
            let ([w, here, e], n, s) = ([row(at - 1), row(at), row(at + 1)], row(at - stride), row(at + stride));
            let (to_w, to_e) = (&right[at - 1..][..width], &right[at..][..width]);
            let (to_n, to_s) = (&down[at - stride..][..width], &down[at..][..width]);
            let (diagonal, residual) = (&self.diagonal[at..][..width], &self.residual[at..][..width]);
            let left = &mut self.left[at..][..width];
            for k in 0..width {
                let beside = (to_w[k] * w[k] + to_e[k] * e[k]) + (to_n[k] * n[k] + to_s[k] * s[k]);
                left[k] = residual[k] - diagonal[k] * here[k] + beside;
            }
            if self.across {
                let [nw, ne] = [row(at - stride - 1), row(at - stride + 1)];
                let [sw, se] = [row(at + stride - 1), row(at + stride + 1)];
                let (to_nw, to_se) = (&down_right[at - stride - 1..][..width], &down_right[at..][..width]);
                let (to_ne, to_sw) = (&down_left[at - stride + 1..][..width], &down_left[at..][..width]);
                for k in 0..width {
                    left[k] += (to_nw[k] * nw[k] + to_ne[k] * ne[k]) + (to_sw[k] * sw[k] + to_se[k] * se[k]);
                }
            }
        }
    }

    /// A first solution: each cell on its own, damped.
    fn start(&mut self) {
        for ((u, r), step) in self.solution.iter_mut().zip(&self.residual).zip(&self.step) {
            *u = step * r;
        }
    }

    /// Moves the solution along what is left, damped, each cell on its own.
    fn smooth(&mut self) {
        self.leave();
        for ((u, left), step) in self.solution.iter_mut().zip(&self.left).zip(&self.step) {
            *u += step * left;
        }
    }

    /// `coarse.residual`: what is left here, in the shares in which [`Floor::refine`] interpolates.
    fn restrict(&self, coarse: &mut Self, sums: &mut [f32]) {
        let (fine, far) = (self.grid, coarse.grid);
        // Column x of the fine grid is sums[x + 1]; what lies beside it is 0.
        let sums = &mut sums[..2 * far.width + 2];
        for y in 0..far.height {
            sums.fill(0.0);
            for from in (2 * y).saturating_sub(1)..(2 * y + 3).min(fine.height) {
                let share = share(from, y, far.height);
                for (sum, left) in sums[1..].iter_mut().zip(&self.left[fine.row(from)..][..fine.width]) {
                    *sum += share * left;
                }
            }
            let out = &mut coarse.residual[far.row(y)..][..far.width];
            let (first, second) = (sums.chunks_exact(2), sums[2..].chunks_exact(2));
            for ((out, a), b) in out.iter_mut().zip(first).zip(second) {
                *out = OWN * (a[1] + b[0]) + OTHER * (a[0] + b[1]);
            }
            // Where there is no neighbour a cell keeps its share.
            out[0] += OTHER * sums[1];
            out[far.width - 1] += OTHER * sums[2 * far.width];
        }
    }

    /// Adds to the solution what the coarser grid found, interpolated.
    fn refine(&mut self, coarse: &Self, mixed: &mut [f32]) {
        let (fine, far) = (self.grid, coarse.grid);
        // Column x of the coarse grid is mixed[x + 1].
        let mixed = &mut mixed[..far.width + 2];
        for y in 0..fine.height {
            let (own, other) = (y / 2, neighbour(y, far.height).unwrap_or(y / 2));
            let row = |y: usize| &coarse.solution[far.row(y)..][..far.width];
            for ((mixed, own), other) in mixed[1..].iter_mut().zip(row(own)).zip(row(other)) {
                *mixed = OWN * own + OTHER * other;
            }
            mixed[0] = mixed[1];
            mixed[far.width + 1] = mixed[far.width];
            let at = fine.row(y);
            let (solution, unknown) = (
                &mut self.solution[at..][..fine.width],
                &self.unknown[at..][..fine.width],
            );
            let three = mixed.windows(3);
            let pairs = solution.chunks_mut(2).zip(unknown.chunks(2));
            for ((solution, unknown), three) in pairs.zip(three) {
                solution[0] += unknown[0] * (OWN * three[1] + OTHER * three[0]);
                if let [_, second] = solution {
                    *second += unknown[1] * (OWN * three[1] + OTHER * three[2]);
                }
            }
        }
    }
}

/// The block that a cell lies next to, along one axis of `blocks` blocks.
fn neighbour(cell: usize, blocks: usize) -> Option<usize> {
    let other = (cell / 2).checked_add_signed(if cell.is_multiple_of(2) { -1 } else { 1 });
    other.filter(|&other| other < blocks)
}

/// How much of a cell belongs to a block that it lies in or next to, along one axis.
fn share(cell: usize, block: usize, blocks: usize) -> f32 {
    match (cell / 2 == block, neighbour(cell, blocks)) {
        (true, None) => 1.0,
        (true, Some(_)) => OWN,
        (false, _) => OTHER,
    }
}

/// Solves roughly.
pub(super) struct Multigrid {
    floors: Vec<Floor>,
    /// A row under way.
    row: Vec<f32>,
}

impl Multigrid {
    /// Of planes of `grid`: `inside` is 1 for each pixel and 0 on the rim, `gone` 1 for each removed pixel, of which there is
    /// one beside a kept one.
    pub async fn new(job: &Job<'_>, grid: Grid, inside: &[f64], gone: &[f64], weights: Weights) -> Result<Self, Error> {
        let mut equations = Equations::new(grid, inside, gone, weights);
        let mut floors = Vec::new();
        while equations.grid.height * equations.grid.width > 1 {
            job.step(Passes::default()).await?;
            let coarser = equations.coarser();
            floors.push(Floor::new(equations, DAMPING));
            equations = coarser;
        }
        // The coarsest grid is one cell, which is solved, not smoothed.
        floors.push(Floor::new(equations, 1.0));
        Ok(Self {
            floors,
            row: vec![0.0; grid.width + 3],
        })
    }

    /// `out`: roughly what the equations take to `r`; linear in `r`, symmetric and positive definite but for rounding.
    pub fn solve(&mut self, r: &[f64], out: &mut [f64]) {
        // Residuals may be as small as single precision can hold, or smaller.
        let size = largest(r);
        if size <= 0.0 {
            out.fill(0.0);
            return;
        }
        let scale = 1.0 / size;
        for (to, from) in self.floors[0].residual.iter_mut().zip(r) {
            *to = (from * scale) as f32;
        }
        cycle(&mut self.floors, &mut self.row);
        for (to, &from) in out.iter_mut().zip(&self.floors[0].solution) {
            *to = f64::from(from) * size;
        }
    }
}

/// One symmetric cycle over `floors`.
fn cycle(floors: &mut [Floor], row: &mut [f32]) {
    let Some((fine, coarser)) = floors.split_first_mut() else {
        return;
    };
    fine.start();
    let Some(coarse) = coarser.first_mut() else {
        return;
    };
    fine.leave();
    fine.restrict(coarse, row);
    cycle(coarser, row);
    fine.refine(&coarser[0], row);
    fine.smooth();
}
