//! # Blur integrated gradients
//!
//! **What it computes.** The change of the target from a blurred picture to this one, shared out by following the blur
//! back: no baseline colour, and the detail that matters shows at the scale where it appears.
//!
//! **Formula.** `a = -sum_i (s[i+1] - s[i]) dg/dx(G(s[i]) x) (G(s[i] + 0.01) x - G(s[i]) x) / 0.01` over `steps` widths
//! `s[i] = i max_sigma / steps` (or `sqrt(i max_sigma / steps)`), with `G(s)` a Gaussian of standard deviation `s` pixels,
//! cut at `floor(4 s + 0.5)` pixels, zeros (in preprocessed space) beyond the border. In the limit of steps the map sums to
//! `g(x) - g(G(max_sigma) x)`; the gap says how far it does.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where sharpening the picture there raises the target.
//!
//! **Parameters.** `max_sigma`: the widest blur, in pixels. `steps`: blurs, one gradient each. `square_root`: whether the
//! widths are square roots of equal parts.
//!
//! **When it misleads.** Smooth regions hardly change under blur and get nothing, however much their colour matters; the
//! zeros beyond the border shine in, so that edges of the picture get credit.
//!
//! **Reference.** Xu, Venugopalan & Sundararajan, Attribution in Scale and Space, CVPR 2020, arXiv:2004.03383.
//!
//! **Parity.** PAIR `saliency.BlurIG.GetMask(grad_step=0.01)` (SciPy's `gaussian_filter(mode="constant")`); relative error
//! at most 2e-4 against float64.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct BlurIg;

crate::params! {
    /// Parameters of [`BlurIg`].
    pub struct BlurIgParams {
        /// Blurs on the way to the sharp picture; each takes one gradient.
        steps: usize = 100usize, int(1, 1000);
        /// Standard deviation of the widest blur, in pixels.
        max_sigma: f64 = 50.0, real(0.1, 500.0);
        /// Whether the widths are the square roots of equal parts, instead of equal parts.
        square_root: bool = false, flag;
    }
}

/// By how many pixels the blur widens for its derivative.
const STEP: f64 = 0.01;

impl BlurIgParams {
    fn width(&self, i: usize) -> f64 {
        let part = i as f64 * self.max_sigma / self.steps as f64;
        if self.square_root { part.sqrt() } else { part }
    }
}

impl Method for BlurIg {
    type Params = BlurIgParams;
    const META: MethodMeta = MethodMeta {
        id: "blur-ig",
        name: "Blur integrated gradients",
        family: Family::Gradient,
        summary: "Adds up gradients while the picture comes out of a blur.",
        caution: "Smooth regions get nothing, and the border of the picture gets too much.",
        reference: "Xu et al. 2020, arXiv:2004.03383",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness, Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &BlurIgParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.steps as u64 + 2,
            backward: p.steps as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &BlurIgParams) -> Result<Attribution, Error> {
        let shape = input.dims();
        let x: Vec<f64> = input.tensor.data().iter().map(|&v| f64::from(v)).collect();
        let picture = |values: &[f64]| Tensor::from_fn(&shape, |i| values[i] as f32);
        let widest = blurred(cx, &x, shape, p.width(p.steps)).await?;
        let mut ends = 0.0;
        for (sign, end) in [(1.0, input.tensor.clone()), (-1.0, picture(&widest))] {
            ends += sign * f64::from(cx.scores(&Tensor::stack(&[end])).await?[0]);
        }
        let mut sum = vec![0.0f64; x.len()];
        let map = |sum: &[f64]| picture(&sum.iter().map(|v| -v).collect::<Vec<_>>());
        for range in cx.batches(p.steps) {
            let (mut points, mut slopes) = (Vec::new(), Vec::new());
            for i in range.clone() {
                let width = p.width(i);
                let point = blurred(cx, &x, shape, width).await?;
                let mut slope = blurred(cx, &x, shape, width + STEP).await?;
                for (slope, point) in slope.iter_mut().zip(&point) {
                    *slope = (*slope - point) / STEP;
                }
                points.push(picture(&point));
                slopes.push(slope);
            }
            let gradients = cx.input_gradients(&Tensor::stack(&points)).await?;
            for (row, (i, slope)) in range.zip(&slopes).enumerate() {
                let step = p.width(i + 1) - p.width(i);
                for ((sum, &g), slope) in sum.iter_mut().zip(gradients.row(row)).zip(slope) {
                    *sum += step * slope * f64::from(g);
                }
            }
            cx.job.offer(|| map(&sum));
        }
        let map = map(&sum);
        Ok(Attribution {
            completeness_gap: Some(map.sum() - ends),
            ..Attribution::on_input(map)
        })
    }
}

/// `x` `[C, H, W]` under a Gaussian of `sigma` pixels, zeros beyond the border. Looks at the job after each channel.
async fn blurred(cx: &Context<'_>, x: &[f64], [_, height, width]: [usize; 3], sigma: f64) -> Result<Vec<f64>, Error> {
    let kernel = kernel(sigma);
    let mut out = x.to_vec();
    if kernel.len() > 1 {
        for plane in out.chunks_exact_mut(height * width) {
            columns(plane, &kernel, height, width);
            rows(plane, &kernel, width);
            cx.job.step(Passes::default()).await?;
        }
    }
    Ok(out)
}

/// The weights at distance 0, 1, …, radius; with both sides they sum to 1.
pub(super) fn kernel(sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|d| {
            if d == 0 {
                1.0
            } else {
                (-0.5 * (d as f64 / sigma).powi(2)).exp()
            }
        })
        .collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    weights.into_iter().map(|w| w / total).collect()
}

pub(super) fn rows(plane: &mut [f64], kernel: &[f64], width: usize) {
    let mut sums = vec![0.0; width];
    for row in plane.chunks_exact_mut(width) {
        for (at, sum) in sums.iter_mut().enumerate() {
            let from = (at + 1).saturating_sub(kernel.len());
            let to = (at + kernel.len()).min(width);
            *sum = (from..to).map(|k| kernel[k.abs_diff(at)] * row[k]).sum();
        }
        row.copy_from_slice(&sums);
    }
}

/// Whole rows at a time: neighbours in memory.
pub(super) fn columns(plane: &mut [f64], kernel: &[f64], height: usize, width: usize) {
    let from = plane.to_vec();
    for (at, row) in plane.chunks_exact_mut(width).enumerate() {
        row.fill(0.0);
        for k in (at + 1).saturating_sub(kernel.len())..(at + kernel.len()).min(height) {
            let weight = kernel[k.abs_diff(at)];
            for (sum, value) in row.iter_mut().zip(&from[k * width..(k + 1) * width]) {
                *sum += weight * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by scipy 1.17.1: `gaussian_filter(x, 1.2, mode="constant")`.
    #[test]
    fn blurs_as_scipy_with_zeros_outside() {
        let mut x: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
        columns(&mut x, &kernel(1.2), 3, 4);
        rows(&mut x, &kernel(1.2), 4);
        for (found, expected) in x.iter().zip(SCIPY) {
            assert!((found - expected).abs() < 1e-12, "{x:?}");
        }
    }

    const SCIPY: [f64; 12] = [
        0.716_120_484_585_934_1,
        1.138_441_102_084_653_7,
        1.193_061_900_219_675_8,
        0.823_739_842_261_424_2,
        1.045_649_924_671_396_8,
        1.531_151_830_905_282_5,
        1.462_857_618_965_103_7,
        0.942_412_459_152_234,
        0.933_592_251_032_546_8,
        1.328_709_513_577_868_2,
        1.223_700_707_576_937_3,
        0.772_193_307_589_965_4,
    ];
}
