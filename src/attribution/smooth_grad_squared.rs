//! # SmoothGrad²
//!
//! **What it computes.** The mean of the squared gradient over noisy copies of the picture.
//!
//! **Formula.** `a = mean_k (dg/dx(x + s n[k]))^2`, `n` standard normal, `s = noise_level * (max(x) - min(x))`, the range
//! taken over all values of the preprocessed picture.
//!
//! **Shapes and sign.** `[C, H, W]`, never negative: large where the answer is sensitive, whichever way.
//!
//! **Parameters.** `samples`: noisy copies. `noise_level`: standard deviation of the noise as a share of the picture's
//! range.
//!
//! **When it misleads.** Squares lose the sign, so evidence for and against look alike, and they let a few large
//! gradients drown the rest; like SmoothGrad it explains the answers to noisy pictures.
//!
//! **Reference.** Hooker, Erhan, Kindermans & Kim, A Benchmark for Interpretability Methods in Deep Neural Networks,
//! NeurIPS 2019, arXiv:1806.10758.
//!
//! **Parity.** Captum `NoiseTunnel(Saliency, nt_type="smoothgrad_sq")` with recorded noise `[samples, C, H, W]` of the
//! stream `smooth-grad-squared/noise`; relative error at most 2e-4.

use super::noise::{self, Moments};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct SmoothGradSquared;

crate::params! {
    /// Parameters of [`SmoothGradSquared`].
    pub struct SmoothGradSquaredParams {
        /// Noisy copies of the picture; each takes one gradient.
        samples: usize = 50usize, int(1, 10_000);
        /// Standard deviation of the noise, as a share of the picture's range of values.
        noise_level: f64 = 0.15, real(0.0, 1.0);
    }
}

impl Method for SmoothGradSquared {
    type Params = SmoothGradSquaredParams;
    const META: MethodMeta = MethodMeta {
        id: "smooth-grad-squared",
        name: "SmoothGrad²",
        family: Family::Gradient,
        summary: "How strongly the answer reacts to each value, in either direction, over noisy copies of the picture.",
        caution: "Evidence for and against look alike, and a few large gradients drown the rest.",
        reference: "Hooker et al. 2019, arXiv:1806.10758",
        signed: false,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Dummy, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, _: &Model, p: &SmoothGradSquaredParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.samples as u64,
            backward: p.samples as u64,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &SmoothGradSquaredParams,
    ) -> Result<Attribution, Error> {
        let stream = "smooth-grad-squared/noise";
        let moments = noise::gradients(cx, input, stream, p.samples, p.noise_level, Moments::square).await?;
        Ok(Attribution::on_input(moments.square()))
    }
}
