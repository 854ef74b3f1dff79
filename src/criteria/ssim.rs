//! # Structural similarity
//!
//! **What it computes.** How alike picture and filling are in brightness, contrast and structure, window by window.
//!
//! **Formula.** `SSIM(x, y) = (2 mx my + c1)(2 sxy + c2) / ((mx^2 + my^2 + c1)(sx^2 + sy^2 + c2))` of windows of 7 × 7 pixels, with
//! means `m`, sample covariances `s`, `c1 = 0.01^2`, `c2 = 0.03^2` in pixel values of which 1 is the whole range. The mean over the
//! channels, and over the windows inside the picture that hold a removed pixel; the mean over the draws.
//!
//! **Shapes and sign.** Between -1 and 1, higher is nearer, 1 for equal pictures. Undefined where no pixel is removed or the picture
//! is smaller than 3 × 3.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Windows of few removed pixels among kept ones score high whatever was filled in, so masks of other shapes
//! can't be compared. A texture that is right but shifted scores low.
//!
//! **Reference.** Wang, Bovik, Sheikh, Simoncelli 2004, doi:10.1109/TIP.2003.819861.
//!
//! **Parity.** scikit-image 0.26, `structural_similarity(x, y, data_range=1, channel_axis=0)`: its mean where everything is
//! removed, and the mean of its map over the same windows where a part is: within 2e-6.

use super::{Better, Case, Criterion, CriterionMeta, pixel_values};
use crate::Mask;
use crate::metric::Score;
use crate::metric::similarity::{Windows, windows};

/// See the [module](self).
pub struct Ssim;

impl Criterion for Ssim {
    const META: CriterionMeta = CriterionMeta {
        id: "ssim",
        name: "Structural similarity",
        summary: "How alike are picture and filling in brightness, contrast and structure?",
        formula: "mean SSIM of the 7 × 7 windows that hold a removed pixel",
        better: Better::Higher,
        range: "-1 to 1; 1 for equal pictures",
        reference: "Wang et al. 2004, doi:10.1109/TIP.2003.819861",
        needs_values: true,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        if let Some(nothing) = case.nothing() {
            return nothing;
        }
        let [channels, height, width] = case.input.dims();
        let original = pixel_values(case.input, &case.input.tensor);
        let plane = height * width;
        case.mean(|filling, _| {
            let filled = pixel_values(case.input, filling);
            let mut sum = 0.0;
            for c in 0..channels {
                let of = c * plane..(c + 1) * plane;
                let Some(found) = windows(&original[of.clone()], &filled[of], height, width, 1.0) else {
                    return Score::Undefined("the picture is smaller than a window of 3 × 3".into());
                };
                let touched = touched(&found, case.removed);
                let Some(mean) = touched else {
                    return Score::Undefined("no window inside the picture holds a removed pixel".into());
                };
                sum += mean;
            }
            Score::Value(sum / channels as f64)
        })
    }
}

/// The mean over the windows that hold a pixel of `removed`; none where there is no such window.
fn touched(found: &Windows, removed: &Mask) -> Option<f64> {
    // Removed pixels above and left of each corner.
    let (height, width) = (removed.height(), removed.width());
    let mut before = vec![0usize; (height + 1) * (width + 1)];
    for y in 0..height {
        for x in 0..width {
            let at = |y: usize, x: usize| y * (width + 1) + x;
            before[at(y + 1, x + 1)] = before[at(y, x + 1)] + before[at(y + 1, x)] - before[at(y, x)]
                + usize::from(removed.bits()[y * width + x]);
        }
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, value) in found.values.iter().enumerate() {
        let (y, x) = (i / found.columns, i % found.columns);
        let at = |y: usize, x: usize| before[y * (width + 1) + x];
        let (bottom, right) = (y + found.side, x + found.side);
        if at(bottom, right) + at(y, x) > at(y, right) + at(bottom, x) {
            sum += value;
            count += 1.0;
        }
    }
    (count > 0.0).then(|| sum / count)
}
