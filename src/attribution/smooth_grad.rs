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

use super::noise::{self, Moments};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

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
        let stream = "smooth-grad/noise";
        let moments = noise::gradients(cx, input, stream, p.samples, p.noise_level, Moments::mean).await?;
        Ok(Attribution::on_input(moments.mean()))
    }
}
