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

use super::means::means;
use super::membrane::Weights;
use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct NoisyLinear;

/// Of the neighbours of a pixel.
const ROAD: Weights = Weights {
    edge: 1.0 / 6.0,
    corner: 1.0 / 12.0,
};

crate::params! {
    /// Parameters of [`NoisyLinear`].
    pub struct NoisyLinearParams {
        /// Standard deviation of the noise added to removed pixels, in network values.
        noise: f64 = 0.01, real(0.0, 10.0);
        /// Largest error of an equation at which the solver stops, as a share of the range of the kept values.
        tolerance: f64 = 1e-6, real(1e-12, 1e-2);
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
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &NoisyLinearParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let mut solved = means(cx, input, removed, ROAD, p.tolerance).await?;
        if p.noise > 0.0 {
            let mut stream = cx.random.stream("noisy-linear/noise");
            for value in &mut solved {
                *value += p.noise * f64::from(stream.normal());
            }
        }
        Ok(fill(input, removed, |c, i| solved[c * pixels + i] as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Silent};
    use crate::rng::SeedStream;

    fn impute(tensor: &Tensor, removed: &Mask, p: &NoisyLinearParams) -> Tensor {
        let (job, random) = (Job::new(&Silent), SeedStream::new(3));
        let cx = ImputeContext {
            job: &job,
            random: &random,
            networks: &crate::imputer::Networks::default(),
            device: None,
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
