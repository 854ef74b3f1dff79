//! # Random colour
//!
//! **What it computes.** Paints all removed pixels of a picture with one colour drawn at random, with noise on each
//! value.
//!
//! **Formula.** `x'[c, i] = (clamp(u[c] + noise * n[c, i], 0, 1) - mean[c]) / std[c]` for removed `i`: `u` uniform in
//! `[0, 1)`, one draw a channel, `n` standard normal, both in pixel values (tensors given as preprocessed have no
//! normalisation, so there `mean` is 0 and `std` is 1). The draw of a value belongs to its place, so that one seed gives
//! one fill for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged.
//!
//! **Parameters.** `noise`: standard deviation of the noise in pixel values, 0 for one flat colour.
//!
//! **When it misleads.** One colour may by chance suit a class; only a mean over several seeds is free of it. Flat and
//! noisy holes are both strange to the network.
//!
//! **Reference.** Chang, Creager, Goldenberg & Duvenaud, Explaining Image Classifiers by Counterfactual Generation,
//! ICLR 2019, arXiv:1807.08024 (FIDO's "Random").
//!
//! **Parity.** FIDO's `RandomColorWithNoiseInpainter` (there `noise` is 0.2) in PyTorch, on recorded draws: `[C]` of the
//! stream `random-colour/colour`, `[C, H, W]` of `random-colour/noise`.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct RandomColour;

crate::params! {
    /// Parameters of [`RandomColour`].
    pub struct RandomColourParams {
        /// Standard deviation of the noise around the colour, in pixel values.
        noise: f64 = 0.2, real(0.0, 1.0);
    }
}

impl Imputer for RandomColour {
    type Params = RandomColourParams;
    const META: ImputerMeta = ImputerMeta {
        id: "random-colour",
        name: "Random colour",
        summary: "Paints removed pixels with one noisy colour drawn at random.",
        reference: "Chang et al. 2019, arXiv:1807.08024",
        stochastic: true,
        needs_kept: false,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &RandomColourParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let mut draws = cx.random.stream("random-colour/colour");
        let colour: Vec<f32> = (0..input.dims()[0]).map(|_| draws.uniform()).collect();
        let mut draws = cx.random.stream("random-colour/noise");
        let noise: Vec<f32> = (0..input.tensor.len()).map(|_| draws.normal()).collect();
        Ok(fill(input, removed, |c, i| {
            let value = f64::from(colour[c]) + p.noise * f64::from(noise[c * pixels + i]);
            input.space.forward(c, value.clamp(0.0, 1.0) as f32)
        }))
    }
}
