//! # SmoothGrad
//!
//! **What it computes.** The mean gradient over noisy copies of the picture, so that noise of the gradient averages out.
//!
//! **Formula.** `a = mean_k dg/dx(x + s n[k])`, `n` standard normal, `s = noise_level * (max(x) - min(x))`, the range
//! taken over all values of the preprocessed picture.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where a larger value raises the target, on average nearby.
//!
//! **Parameters.** `samples`: noisy copies. `noise_level`: standard deviation of the noise as a share of the picture's
//! range; the paper finds 0.1 to 0.2 sharpest, and little gain beyond 50 samples.
//!
//! **When it misleads.** It explains the average answer to noisy pictures, which need not be the answer to this one:
//! check that the class survives the noise.
//!
//! **Reference.** Smilkov et al., SmoothGrad: removing noise by adding noise, 2017, arXiv:1706.03825.
//!
//! **Parity.** Captum `NoiseTunnel(Saliency(abs=False), nt_type="smoothgrad")` with recorded noise `[samples, C, H, W]` of
//! the stream `smooth-grad/noise`; relative error at most 2e-4.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct SmoothGrad;

crate::params! {
    /// Parameters of [`SmoothGrad`].
    pub struct SmoothGradParams {
        /// Noisy copies of the picture; each takes one gradient.
        samples: usize = 50usize, int(1, 10_000);
        /// Standard deviation of the noise, as a share of the picture's range of values.
        noise_level: f64 = 0.15, real(0.0, 1.0);
    }
}

impl Method for SmoothGrad {
    type Params = SmoothGradParams;
    const META: MethodMeta = MethodMeta {
        id: "smooth-grad",
        name: "SmoothGrad",
        family: Family::Gradient,
        summary: "The gradient, averaged over noisy copies of the picture.",
        caution: "It explains the answer to noisy pictures, which may differ from the answer to this one.",
        reference: "Smilkov et al. 2017, arXiv:1706.03825",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Dummy, Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, _: &Model, p: &SmoothGradParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.samples as u64,
            backward: p.samples as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &SmoothGradParams) -> Result<Attribution, Error> {
        let x = &input.tensor;
        let (low, high) = x
            .data()
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            });
        let deviation = p.noise_level * (f64::from(high) - f64::from(low));
        let mut noise = cx.random.stream("smooth-grad/noise");
        let mut sum = vec![0.0f64; x.len()];
        let mean = |sum: &[f64], n: usize| Tensor::from_fn(x.shape(), |i| (sum[i] / n as f64) as f32);
        for range in cx.batches(p.samples) {
            let copies: Vec<Tensor> = range
                .clone()
                .map(|_| x.map(|v| (f64::from(v) + deviation * f64::from(noise.normal())) as f32))
                .collect();
            let gradients = cx.input_gradients(&Tensor::stack(&copies)).await?;
            for row in 0..copies.len() {
                for (sum, &g) in sum.iter_mut().zip(gradients.row(row)) {
                    *sum += f64::from(g);
                }
            }
            cx.job.offer(|| mean(&sum, range.end));
        }
        Ok(Attribution::on_input(mean(&sum, p.samples)))
    }
}
