//! # Noisy linear
//!
//! **What it computes.** Replaces every removed pixel by the weighted mean of its eight neighbours, removed neighbours
//! being unknowns themselves, so that holes are bridged smoothly from what is kept; then adds a little noise.
//!
//! **Formula.** `x'[c, i] = sum_j w[i, j] x'[c, j] / sum_j w[i, j] + noise * n[c, i]` over the neighbours `j` of a removed
//! `i` that lie inside the picture, `w` 1/6 for edge and 1/12 for diagonal neighbours; the noise, `n` standard normal,
//! is added after solving. The draw of a value belongs to its place, so that one seed gives one noise for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept.
//!
//! **Parameters.** `noise`: standard deviation of the noise, in network values. `tolerance`: the solver stops when the
//! largest error of an equation is below `tolerance` times the range of the kept values.
//!
//! **When it misleads.** Better in distribution than a flat fill, yet blurred holes can still be seen, and a smooth
//! bridge over the middle of an object keeps its colours. The shape of the mask itself leaks through.
//!
//! **Reference.** Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods, ICML 2022,
//! arXiv:2202.00449.
//!
//! **Parity.** `scipy.sparse.linalg.spsolve` on the same equations, as in pytorch-grad-cam's `NoisyLinearImputer`; within
//! 1e-4 of the range. Noise is compared by recorded draws `[C, H, W]` of the stream `noisy-linear/noise`.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::error::RunError;
use crate::job::{Job, Passes};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct NoisyLinear;

crate::params! {
    /// Parameters of [`NoisyLinear`].
    pub struct NoisyLinearParams {
        /// Standard deviation of the noise added to removed pixels, in network values.
        noise: f64 = 0.01, real(0.0, 10.0);
        /// Largest error of an equation at which the solver stops, as a share of the range of the kept values.
        tolerance: f64 = 1e-7, real(1e-12, 1e-2);
    }
}

impl Imputer for NoisyLinear {
    type Params = NoisyLinearParams;
    const META: ImputerMeta = ImputerMeta {
        id: "noisy-linear",
        name: "Noisy linear (ROAD)",
        summary: "Bridges removed pixels smoothly from their neighbours.",
        reference: "Rong et al. 2022, arXiv:2202.00449",
        stochastic: true,
        needs_kept: true,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &NoisyLinearParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let holes = Holes::new(removed);
        let mut solved = Vec::with_capacity(input.tensor.len());
        for c in 0..input.dims()[0] {
            solved.extend(holes.solve(cx.job, input.tensor.row(c), p.tolerance).await?);
        }
        if p.noise > 0.0 {
            let mut stream = cx.random.stream("noisy-linear/noise");
            for value in &mut solved {
                *value += p.noise * f64::from(stream.normal());
            }
        }
        Ok(fill(input, removed, |c, i| solved[c * pixels + i] as f32))
    }
}

/// The equations of one mask, `diagonal[i] u[i] - sum_j w[i, j] u[j] = 0` for removed `i`: symmetric and positive
/// definite in the removed values, since the grid is connected and something is kept.
///
/// Fields live on the picture's grid with a border of one zero cell, so that neighbours need no bounds.
struct Holes {
    height: usize,
    width: usize,
    /// 1 on removed pixels, else 0.
    hole: Vec<f64>,
    /// Sum of the weights of the neighbours inside the picture on removed pixels, else 1.
    diagonal: Vec<f64>,
}

const EDGE: f64 = 1.0 / 6.0;
const CORNER: f64 = 1.0 / 12.0;
/// Iterations between two looks at the job: a few milliseconds at 224 x 224.
const PATIENCE: usize = 16;

impl Holes {
    fn new(removed: &Mask) -> Self {
        let (height, width) = (removed.height(), removed.width());
        let cells = (height + 2) * (width + 2);
        let mut holes = Self {
            height,
            width,
            hole: vec![0.0; cells],
            diagonal: vec![0.0; cells],
        };
        holes.hole = holes.field(|i| f64::from(u8::from(removed.bits()[i])));
        let mut weights = vec![0.0; cells];
        holes.imbalance(&holes.field(|_| 1.0), &mut weights);
        holes.diagonal = weights.iter().map(|&w| if w > 0.0 { w } else { 1.0 }).collect();
        holes
    }

    fn stride(&self) -> usize {
        self.width + 2
    }

    /// Cell of the first pixel of each row.
    fn rows(&self) -> impl Iterator<Item = usize> + use<> {
        let stride = self.stride();
        (1..=self.height).map(move |y| y * stride + 1)
    }

    /// The field with value `f(flat pixel index)` on each pixel.
    fn field(&self, f: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut out = vec![0.0; (self.height + 2) * self.stride()];
        for (y, at) in self.rows().enumerate() {
            for (x, value) in out[at..at + self.width].iter_mut().enumerate() {
                *value = f(y * self.width + x);
            }
        }
        out
    }

    /// On removed pixels, the weighted sum of the neighbours of `u` minus `diagonal * u`; zero elsewhere.
    fn imbalance(&self, u: &[f64], out: &mut [f64]) {
        let (width, stride) = (self.width, self.stride());
        for at in self.rows() {
            let around = |from: usize| &u[from..from + width + 2];
            let (above, here, below) = (around(at - stride - 1), around(at - 1), around(at + stride - 1));
            let (hole, diagonal) = (&self.hole[at..at + width], &self.diagonal[at..at + width]);
            for (x, out) in out[at..at + width].iter_mut().enumerate() {
                let edges = above[x + 1] + here[x] + here[x + 2] + below[x + 1];
                let corners = above[x] + above[x + 2] + below[x] + below[x + 2];
                *out = hole[x] * (EDGE * edges + CORNER * corners - diagonal[x] * here[x + 1]);
            }
        }
    }

    /// The channel `[H * W]` with removed pixels solved for, by conjugate gradients with the diagonal as preconditioner,
    /// from a start that already has the large scales right.
    async fn solve(&self, job: &Job<'_>, channel: &[f32], tolerance: f64) -> Result<Vec<f64>, Error> {
        let start = bridge(self.height, self.width, |i| {
            let (y, x) = (i / self.width, i % self.width);
            (self.hole[(y + 1) * self.stride() + x + 1] == 0.0).then(|| f64::from(channel[i]))
        });
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (y, at) in self.rows().enumerate() {
            for x in 0..self.width {
                if self.hole[at + x] == 0.0 {
                    let value = f64::from(channel[y * self.width + x]);
                    (low, high) = (low.min(value), high.max(value));
                }
            }
        }
        let enough = tolerance * (high - low) + 1e-14 * low.abs().max(high.abs());
        let mut u = self.field(|i| start[i]);
        let mut residual = vec![0.0; u.len()];
        self.imbalance(&u, &mut residual);
        let mut direction = vec![0.0; u.len()];
        let mut image = vec![0.0; u.len()];
        let mut previous = 1.0;
        let limit = 1000 + 10 * (self.height + self.width);
        for iteration in 0..limit {
            if residual.iter().fold(0.0, |top: f64, r| top.max(r.abs())) <= enough {
                return Ok(self
                    .rows()
                    .flat_map(|at| u[at..at + self.width].iter().copied())
                    .collect());
            }
            if iteration % PATIENCE == PATIENCE - 1 {
                job.step(Passes::default()).await?;
            }
            let energy: f64 = residual.iter().zip(&self.diagonal).map(|(r, d)| r * r / d).sum();
            let turn = if iteration == 0 { 0.0 } else { energy / previous };
            previous = energy;
            for ((p, r), d) in direction.iter_mut().zip(&residual).zip(&self.diagonal) {
                *p = r / d + turn * *p;
            }
            self.imbalance(&direction, &mut image);
            let curvature: f64 = -direction.iter().zip(&image).map(|(p, q)| p * q).sum::<f64>();
            let length = energy / curvature;
            for ((u, p), (r, q)) in u.iter_mut().zip(&direction).zip(residual.iter_mut().zip(&image)) {
                *u += length * p;
                *r += length * q;
            }
        }
        let why =
            format!("noisy-linear did not reach the tolerance {tolerance} in {limit} iterations; allow a larger one");
        Err(RunError::Backend { why }.into())
    }
}

/// A first guess that is right at large scales: known values are averaged into ever coarser grids, and unknown ones
/// read back from the next coarser grid, bilinearly.
fn bridge(height: usize, width: usize, known: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
    let (weight, value): (Vec<f64>, Vec<f64>) = (0..height * width)
        .map(|i| known(i).map_or((0.0, 0.0), |v| (1.0, v)))
        .unzip();
    fill_in(height, width, value, &weight)
}

/// Values `[h * w]` of certainty `weight` in `[0, 1]`, made certain everywhere.
fn fill_in(h: usize, w: usize, mut value: Vec<f64>, weight: &[f64]) -> Vec<f64> {
    if h * w == 1 {
        return value;
    }
    let (ch, cw) = (h.div_ceil(2), w.div_ceil(2));
    let (mut sum, mut coarse) = (vec![0.0; ch * cw], vec![0.0; ch * cw]);
    for i in 0..h * w {
        let k = (i / w / 2) * cw + i % w / 2;
        sum[k] += weight[i];
        coarse[k] += weight[i] * value[i];
    }
    for (value, weight) in coarse.iter_mut().zip(&mut sum) {
        if *weight > 0.0 {
            *value /= *weight;
        }
        *weight = weight.min(1.0);
    }
    let coarse = fill_in(ch, cw, coarse, &sum);
    for i in 0..h * w {
        if weight[i] < 1.0 {
            // The centre of a fine cell lies a quarter of a coarse cell from the centre of its own.
            let side = |k: usize, n: usize| {
                if k.is_multiple_of(2) {
                    (k / 2).saturating_sub(1)
                } else {
                    (k / 2 + 1).min(n - 1)
                }
            };
            let (y, x) = (i / w, i % w);
            let (near, far) = ((y / 2) * cw, side(y, ch) * cw);
            let row = |at: usize| 0.75 * coarse[at + x / 2] + 0.25 * coarse[at + side(x, cw)];
            value[i] = weight[i] * value[i] + (1.0 - weight[i]) * (0.75 * row(near) + 0.25 * row(far));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Silent;
    use crate::rng::SeedStream;

    fn impute(tensor: &Tensor, removed: &Mask, p: &NoisyLinearParams) -> Tensor {
        let (job, random) = (Job::new(&Silent), SeedStream::new(3));
        let cx = ImputeContext {
            job: &job,
            random: &random,
        };
        pollster::block_on(NoisyLinear.impute(&cx, &Input::preprocessed(tensor.clone()), removed, p)).unwrap()
    }

    fn exact() -> NoisyLinearParams {
        NoisyLinearParams {
            noise: 0.0,
            ..NoisyLinearParams::default()
        }
    }

    #[test]
    fn one_hole_is_the_weighted_mean_of_its_neighbours() {
        let x = Tensor::from_fn(&[1, 3, 3], |i| (i * i) as f32);
        let removed = Mask::new(3, 3, (0..9).map(|i| i == 4).collect());
        let expected = (1.0 + 9.0 + 25.0 + 49.0) / 6.0 + (0.0 + 4.0 + 36.0 + 64.0) / 12.0;
        assert!((impute(&x, &removed, &exact()).data()[4] - expected).abs() < 1e-5);
    }

    #[test]
    fn a_corner_counts_only_neighbours_inside_the_picture() {
        let x = Tensor::from_fn(&[1, 2, 2], |i| i as f32);
        let removed = Mask::new(2, 2, vec![true, false, false, false]);
        let expected = ((1.0 + 2.0) / 6.0 + 3.0 / 12.0) / (5.0 / 12.0);
        assert!((impute(&x, &removed, &exact()).data()[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn a_row_is_bridged_linearly() {
        let x = Tensor::new(&[1, 1, 5], vec![2.0, 9.0, 9.0, 9.0, 10.0]);
        let removed = Mask::new(1, 5, vec![false, true, true, true, false]);
        let out = impute(&x, &removed, &exact());
        for (a, b) in out.data().iter().zip([2.0, 4.0, 6.0, 8.0, 10.0]) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn one_kept_pixel_colours_everything() {
        let x = Tensor::from_fn(&[2, 7, 9], |i| i as f32 - 20.0);
        let removed = Mask::new(7, 9, (0..63).map(|i| i != 17).collect());
        let out = impute(&x, &removed, &exact());
        for c in 0..2 {
            assert!(out.row(c).iter().all(|v| (v - x.row(c)[17]).abs() < 1e-4));
        }
    }

    #[test]
    fn noise_has_the_stated_size_and_spares_kept_pixels() {
        let x = Tensor::zeros(&[1, 40, 50]);
        let removed = Mask::new(40, 50, (0..2000).map(|i| i % 2 == 0).collect());
        let p = NoisyLinearParams {
            noise: 0.5,
            ..NoisyLinearParams::default()
        };
        let out = impute(&x, &removed, &p);
        let drawn: Vec<f64> = out.data().iter().step_by(2).map(|&v| f64::from(v)).collect();
        let spread = (drawn.iter().map(|v| v * v).sum::<f64>() / drawn.len() as f64).sqrt();
        assert!((spread - 0.5).abs() < 0.05, "{spread}");
        assert!(out.data().iter().skip(1).step_by(2).all(|&v| v == 0.0));
    }
}
