//! # Gaussian noise
//!
//! **What it computes.** Replaces every removed value by a normal draw with the mean and spread of the picture's own
//! channel.
//!
//! **Formula.** `x'[c, i] = m[c] + scale * s[c] * n[c, i]` for removed `i`: `m` and `s` are the mean and the standard
//! deviation (divisor `H * W`) of channel `c` over all pixels, removed ones included, `n` is standard normal. The draw
//! of a value belongs to its place, so that one seed gives one fill for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged. Fills may lie beyond black and white.
//!
//! **Parameters.** `scale`: the noise's standard deviation as a multiple of the channel's.
//!
//! **When it misleads.** Colours are right on the average, but noise is texture, which many networks read as something,
//! and the mean still tells the overall colour.
//!
//! **Reference.** Sturmfels, Lundberg & Lee, Visualizing the Impact of Feature Attribution Baselines, Distill 2020,
//! doi:10.23915/distill.00022 (its Gaussian baseline, here around the mean).
//!
//! **Parity.** NumPy's `mean`, `std` and arithmetic in float64 on recorded draws `[C, H, W]` of the stream
//! `gaussian-noise/draws`.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct GaussianNoise;

crate::params! {
    /// Parameters of [`GaussianNoise`].
    pub struct GaussianNoiseParams {
        /// Standard deviation of the noise, as a multiple of that of the picture's channel.
        scale: f64 = 1.0, real(0.0, 100.0);
    }
}

impl Imputer for GaussianNoise {
    type Params = GaussianNoiseParams;
    const META: ImputerMeta = ImputerMeta {
        id: "gaussian-noise",
        name: "Gaussian noise",
        summary: "Replaces removed pixels by noise with the picture's mean and spread.",
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
        p: &GaussianNoiseParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let of = |c: usize| {
            let channel = || input.tensor.row(c).iter().map(|&v| f64::from(v));
            let mean = channel().sum::<f64>() / pixels as f64;
            let variance = channel().map(|v| (v - mean) * (v - mean)).sum::<f64>() / pixels as f64;
            (mean, p.scale * variance.sqrt())
        };
        let channels: Vec<(f64, f64)> = (0..input.dims()[0]).map(of).collect();
        let mut stream = cx.random.stream("gaussian-noise/draws");
        let draws: Vec<f32> = (0..input.tensor.len()).map(|_| stream.normal()).collect();
        Ok(fill(input, removed, |c, i| {
            let (mean, spread) = channels[c];
            (mean + spread * f64::from(draws[c * pixels + i])) as f32
        }))
    }
}
