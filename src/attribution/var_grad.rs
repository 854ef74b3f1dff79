//! # VarGrad
//!
//! **What it computes.** How much the gradient varies over noisy copies of the picture.
//!
//! **Formula.** `a = mean_k (G[k] - mean G)^2` with `G[k] = dg/dx(x + s n[k])`, `n` standard normal and
//! `s = noise_level * (max(x) - min(x))`, the range taken over all values of the preprocessed picture.
//!
//! **Shapes and sign.** `[C, H, W]`, never negative: large where small changes of the picture change the gradient.
//!
//! **Parameters.** `samples`: noisy copies. `noise_level`: standard deviation of the noise as a share of the picture's
//! range.
//!
//! **When it misleads.** It shows where the network bends, not what it uses: on a network that is linear nearby it is
//! zero everywhere, however much a pixel matters.
//!
//! **Reference.** Adebayo, Gilmer, Goodfellow & Kim, Local Explanation Methods for Deep Neural Networks Lack Sensitivity
//! to Parameter Values, 2018, arXiv:1810.03307.
//!
//! **Parity.** Captum `NoiseTunnel(Saliency, nt_type="vargrad")` (the variance divided by the number of samples) with
//! recorded noise `[samples, C, H, W]` of the stream `var-grad/noise`; relative error at most 2e-4.

use super::noise::{self, Moments};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct VarGrad;

crate::params! {
    /// Parameters of [`VarGrad`].
    pub struct VarGradParams {
        /// Noisy copies of the picture; each takes one gradient.
        samples: usize = 50usize, int(1, 10_000);
        /// Standard deviation of the noise, as a share of the picture's range of values.
        noise_level: f64 = 0.15, real(0.0, 1.0);
    }
}

impl Method for VarGrad {
    type Params = VarGradParams;
    const META: MethodMeta = MethodMeta {
        id: "var-grad",
        name: "VarGrad",
        family: Family::Gradient,
        summary: "Where the gradient changes most when the picture is disturbed.",
        caution: "It shows where the network bends, not what it uses: a linear network gives zero everywhere.",
        reference: "Adebayo et al. 2018, arXiv:1810.03307",
        signed: false,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Dummy, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, _: &Model, p: &VarGradParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.samples as u64,
            backward: p.samples as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &VarGradParams) -> Result<Attribution, Error> {
        let stream = "var-grad/noise";
        let moments = noise::gradients(cx, input, stream, p.samples, p.noise_level, Moments::variance).await?;
        Ok(Attribution::on_input(moments.variance()))
    }
}
