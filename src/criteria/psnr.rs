//! # Peak signal-to-noise ratio
//!
//! **What it computes.** How near the filled pixels come to those that were removed, in decibels.
//!
//! **Formula.** `10 log10(1 / mean (x - y)^2)` over the removed pixels and all channels, `x` the picture and `y` the filling in
//! pixel values of which 1 is the whole range; the mean over the draws.
//!
//! **Shapes and sign.** Decibels, any real number, higher is nearer: 20 is an error of a tenth of the range. Undefined where no
//! pixel is removed, or the filling equals the picture there.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** A blurred filling errs little everywhere and looks wrong; a plausible one that differs from the
//! picture scores low. Values outside the range count as they are, since the network is given them so.
//!
//! **Reference.** As scikit-image's `peak_signal_noise_ratio` with `data_range=1`, over the removed pixels only.
//!
//! **Parity.** scikit-image 0.26, where everything is removed and where a part is: within 2e-6 decibels.

use super::{Better, Case, Criterion, CriterionMeta, pixel_values};
use crate::metric::Score;

/// See the [module](self).
pub struct Psnr;

impl Criterion for Psnr {
    const META: CriterionMeta = CriterionMeta {
        id: "psnr",
        name: "Peak signal-to-noise ratio",
        summary: "How near do the filled pixels come to those that were removed?",
        formula: "10 log10(1 / mean squared error over removed pixels)",
        better: Better::Higher,
        range: "decibels; higher is nearer",
        reference: "scikit-image, peak_signal_noise_ratio",
        needs_values: true,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        if let Some(nothing) = case.nothing() {
            return nothing;
        }
        let original = pixel_values(case.input, &case.input.tensor);
        let pixels = case.removed.bits().len();
        case.mean(|filling, _| {
            let filled = pixel_values(case.input, filling);
            let (mut sum, mut count) = (0.0, 0.0);
            for (i, (x, y)) in original.iter().zip(&filled).enumerate() {
                if case.removed.bits()[i % pixels] {
                    sum += (x - y) * (x - y);
                    count += 1.0;
                }
            }
            if sum > 0.0 {
                Score::Value(-10.0 * (sum / count).log10())
            } else {
                Score::Undefined("the filling equals the picture, so that there is no error to compare with".into())
            }
        })
    }
}
