//! # Sampler
//!
//! **What it computes.** Replaces every removed pixel by one of many fillings that a small network, trained on photographs,
//! holds for plausible there; another seed gives another one.
//!
//! **Formula.** As the inpainter, with two channels of noise `z` more: `x'[c, i] = (g(k * v, m, z)[c, i] - mean[c]) / std[c]`
//! for removed `i`, `z` standard normal times `scale`. The network was trained with the energy score
//! `E d(x, y) - E d(x, x') / 2`, which is least when its fillings are spread as photographs are (`models/sampler/`).
//! The draw of a value belongs to its place, so that one seed gives one noise for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`, at most 768 x 768 pixels; kept pixels unchanged; at least one must be
//! kept. Padding, channels and value ranges as the inpainter's.
//!
//! **Parameters.** `scale`: factor of the noise; 1 is what the network was trained with, 0 always gives the same filling.
//!
//! **When it misleads.** A score from one filling holds for that filling; take several seeds and look at the spread. Two
//! fillings differ in texture and shade more than in what is there, so the spread is smaller than true uncertainty.
//!
//! **Reference.** Gneiting & Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation, JASA 2007,
//! doi:10.1198/016214506000001437 (energy score); Bouchacourt et al., DISCO Nets, NeurIPS 2016, arXiv:1606.02556 (networks
//! trained with it); trained here.
//!
//! **Parity.** ONNX Runtime on the same file and recorded draws `[2, H', W']` of the stream `sampler/noise`, composed with the
//! kept pixels; within 1e-4.

use super::{ImputeContext, Imputer, ImputerMeta, learned};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Sampler;

crate::params! {
    /// Parameters of [`Sampler`].
    pub struct SamplerParams {
        /// Factor of the noise; 1 is what the network was trained with.
        scale: f64 = 1.0, real(0.0, 2.0);
    }
}

impl Imputer for Sampler {
    type Params = SamplerParams;
    const META: ImputerMeta = ImputerMeta {
        id: "sampler",
        name: "Sampler",
        summary: "Has a small network draw one of many plausible fillings.",
        reference: "Bouchacourt et al. 2016, arXiv:1606.02556",
        stochastic: true,
        needs_kept: true,
        network: Some("sampler"),
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &SamplerParams,
    ) -> Result<Tensor, Error> {
        let noise = learned::Noise {
            stream: "sampler/noise",
            channels: 2,
            scale: p.scale,
        };
        learned::filled(cx, "sampler", Some(noise), input, removed).await
    }
}
