//! # Sobel edges (control)
//!
//! **What it computes.** How strong the picture's edges are, whatever the network: maps that look like this may show the
//! picture rather than the network.
//!
//! **Formula.** `a = sqrt(dx^2 + dy^2)` of the mean over channels: `dx`, `dy` are differences `[-1, 0, 1]` along one axis
//! smoothed by `[1, 2, 1]` along the other; beyond its border the picture is mirrored (`b a | a b c`).
//!
//! **Shapes and sign.** `[1, H, W]`, never negative.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Objects have edges, so it can score well above chance: a control, not a floor.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292 (maps that edge
//! detectors reproduce).
//!
//! **Parity.** `scipy.ndimage.sobel(mode="reflect")` along both axes; relative error at most 1e-5.

use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Sobel;

impl Method for Sobel {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "sobel",
        name: "Edges",
        family: Family::Control,
        summary: "The picture's edges, whatever the network.",
        caution: "Objects have edges, so it can score above chance without knowing the network.",
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        signed: false,
        needs: &[],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn attribute(&self, _: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        Ok(Attribution::on_input(edges(&grey(input), height, width)))
    }
}

/// The mean over channels `[H, W]`.
pub(super) fn grey(input: &Input) -> Vec<f64> {
    let [channels, height, width] = input.dims();
    (0..height * width)
        .map(|i| (0..channels).map(|c| f64::from(input.tensor.row(c)[i])).sum::<f64>() / channels as f64)
        .collect()
}

/// Edge strength `[1, H, W]` of values `[H, W]`.
fn edges(grey: &[f64], height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[1, height, width], |i| {
        let (y, x) = (i / width, i % width);
        let (up, down) = (y.saturating_sub(1) * width, (y + 1).min(height - 1) * width);
        let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
        let row = y * width;
        let dy = grey[down + left] - grey[up + left] + 2.0 * (grey[down + x] - grey[up + x]) + grey[down + right]
            - grey[up + right];
        let dx = grey[up + right] - grey[up + left] + 2.0 * (grey[row + right] - grey[row + left]) + grey[down + right]
            - grey[down + left];
        dx.hypot(dy) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by scipy 1.17.1: `hypot(sobel(x, 0, mode="reflect"), sobel(x, 1, mode="reflect"))`.
    #[test]
    fn equals_scipy() {
        let grey: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
        let expected = [
            10.295_63, 12.083_046, 5.099_02, 11.401_754, 10.0, 5.830_952, 9.055_385, 4.472_136, 11.401_754, 2.0,
            10.770_33, 7.071_068,
        ];
        for (a, b) in edges(&grey, 3, 4).data().iter().zip(expected) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
