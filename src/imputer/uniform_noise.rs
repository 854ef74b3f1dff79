//! # Uniform noise
//!
//! **What it computes.** Replaces every removed value by a random one, each channel of each pixel on its own.
//!
//! **Formula.** `x'[c, i] = (v - mean[c]) / std[c]` for removed `i`, with `v` uniform in `[low, high)` in pixel values
//! (before normalisation; tensors given as preprocessed have no normalisation, so there `x' = v`). The draw of a value
//! belongs to its place, so that one seed gives one fill for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged.
//!
//! **Parameters.** `low`, `high`: ends of the range in pixel values; `low` may not exceed `high`.
//!
//! **When it misleads.** Noise is texture: many networks read it as something (a fence, fur, static), so the answer
//! moves for what was added, not only for what was taken away.
//!
//! **Reference.** Sturmfels, Lundberg & Lee, Visualizing the Impact of Feature Attribution Baselines, Distill 2020,
//! doi:10.23915/distill.00022.
//!
//! **Parity.** NumPy arithmetic on recorded unit draws `[C, H, W]` of the stream `uniform-noise/draws`.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct UniformNoise;

crate::params! {
    /// Parameters of [`UniformNoise`].
    pub struct UniformNoiseParams {
        /// Smallest pixel value, where 0 is black and 1 is white.
        low: f64 = 0.0, real(-1000.0, 1000.0);
        /// Largest pixel value.
        high: f64 = 1.0, real(-1000.0, 1000.0);
    }
}

impl Imputer for UniformNoise {
    type Params = UniformNoiseParams;
    const META: ImputerMeta = ImputerMeta {
        id: "uniform-noise",
        name: "Noise",
        summary: "Replaces removed pixels by random colours.",
        reference: "Sturmfels et al. 2020, doi:10.23915/distill.00022",
        stochastic: true,
        needs_kept: false,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &UniformNoiseParams,
    ) -> Result<Tensor, Error> {
        if p.low > p.high {
            return Err(Error::param("low", format!("{} is above high, {}", p.low, p.high)));
        }
        let pixels = removed.bits().len();
        let mut stream = cx.random.stream("uniform-noise/draws");
        let draws: Vec<f32> = (0..input.tensor.len()).map(|_| stream.uniform()).collect();
        Ok(fill(input, removed, |c, i| {
            let value = p.low + (p.high - p.low) * f64::from(draws[c * pixels + i]);
            input.space.forward(c, value as f32)
        }))
    }
}
