//! # Neighbourhood mean
//!
//! **What it computes.** Replaces every removed pixel by the mean of the kept pixels in a square window around it.
//!
//! **Formula.** `x'[c, i] = mean of x[c, j]` over the kept `j` of the picture within `(window - 1) / 2` rows and columns
//! of `i`. Where none is kept the window grows: its half width doubles until a kept pixel is inside.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept. Fills lie
//! within the range of the kept values of their channel.
//!
//! **Parameters.** `window`: side of the square window in pixels; odd, an even one counts as the next odd one.
//!
//! **When it misleads.** Holes are blurred and, beyond the reach of the window, filled in square steps.
//!
//! **Reference.** Chang, Creager, Goldenberg & Duvenaud, Explaining Image Classifiers by Counterfactual Generation,
//! ICLR 2019, arXiv:1807.08024 (FIDO's "Local", window 15).
//!
//! **Parity.** FIDO's `LocalMeanInpainter` in PyTorch, except where the window holds no kept pixel: there FIDO fills with
//! 0, which tells how far away the rim is.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::job::Passes;
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct NeighbourhoodMean;

crate::params! {
    /// Parameters of [`NeighbourhoodMean`].
    pub struct NeighbourhoodMeanParams {
        /// Side of the square window, in pixels.
        window: usize = 15u16, int(3, 501);
    }
}

impl Imputer for NeighbourhoodMean {
    type Params = NeighbourhoodMeanParams;
    const META: ImputerMeta = ImputerMeta {
        id: "neighbourhood-mean",
        name: "Neighbourhood mean",
        summary: "Paints each removed pixel with the mean of the kept ones around it.",
        reference: "Chang et al. 2019, arXiv:1807.08024",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &NeighbourhoodMeanParams,
    ) -> Result<Tensor, Error> {
        let size = [removed.height(), removed.width()];
        let kept = |i: usize| f64::from(u8::from(!removed.bits()[i]));
        let counts = Sums::of(size, kept);
        let half: Vec<usize> = (0..size[0] * size[1])
            .map(|i| {
                let mut half = p.window / 2;
                while removed.bits()[i] && counts.around(i, half) < 0.5 {
                    half *= 2;
                }
                half
            })
            .collect();
        let mut means = Vec::with_capacity(input.dims()[0]);
        for c in 0..input.dims()[0] {
            cx.job.step(Passes::default()).await?;
            let channel = input.tensor.row(c);
            let values = Sums::of(size, |i| kept(i) * f64::from(channel[i]));
            let (low, high) = channel
                .iter()
                .zip(removed.bits())
                .filter(|&(_, &gone)| !gone)
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), (&v, _)| {
                    (low.min(v), high.max(v))
                });
            // Differences of sums err in the last bits; a mean lies within the range.
            let mean = |i: usize| (values.around(i, half[i]) / counts.around(i, half[i])) as f32;
            let filled: Vec<f32> = (0..channel.len())
                .map(|i| {
                    if removed.bits()[i] {
                        mean(i).clamp(low, high)
                    } else {
                        0.0
                    }
                })
                .collect();
            means.push(filled);
        }
        Ok(fill(input, removed, |c, i| means[c][i]))
    }
}

/// Sums over all rectangles that start at the first pixel, `[H + 1, W + 1]`.
struct Sums {
    size: [usize; 2],
    sums: Vec<f64>,
}

impl Sums {
    fn of([height, width]: [usize; 2], value: impl Fn(usize) -> f64) -> Self {
        let stride = width + 1;
        let mut sums = vec![0.0; (height + 1) * stride];
        for y in 0..height {
            let mut row = 0.0;
            for x in 0..width {
                row += value(y * width + x);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        Self {
            size: [height, width],
            sums,
        }
    }

    /// The sum over the square with that half width around pixel `i`, as far as it lies in the picture.
    fn around(&self, i: usize, half: usize) -> f64 {
        let [height, width] = self.size;
        let (y, x) = (i / width, i % width);
        let rows = [y.saturating_sub(half), (y + half + 1).min(height)];
        let columns = [x.saturating_sub(half), (x + half + 1).min(width)];
        let at = |row: usize, column: usize| self.sums[row * (width + 1) + column];
        at(rows[1], columns[1]) - at(rows[0], columns[1]) - at(rows[1], columns[0]) + at(rows[0], columns[0])
    }
}
