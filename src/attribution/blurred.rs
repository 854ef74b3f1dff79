//! # Blurred copy (control)
//!
//! **What it computes.** The map of another method, blurred: it marks the same regions and loses every detail. A score that
//! does not fall does not see the detail.
//!
//! **Formula.** `a = G * b` per channel: `b` is the map of the method `of`, `G` a Gaussian of `sigma` pixels of the
//! network's input, cut at 4 sigma, mirrored beyond the border (`d c b a | a b c d | d c b a`). On a map coarser than the
//! input it is as much narrower in cells as the cells are larger than pixels.
//!
//! **Shapes and sign.** Those of the blurred map.
//!
//! **Parameters.** `of`: id of the method, run with its default parameters. `sigma`: standard deviation in pixels.
//!
//! **When it misleads.** Blurring can improve a noisy map: it averages noise away, and masks of blobs remove more of an
//! object at once than speckles do. A blurred gradient that scores better says that the gradient is noisy.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292 (what a map owes to its
//! smoothness); the blur is that of Petsiuk et al. 2018, arXiv:1806.07421.
//!
//! **Parity.** `scipy.ndimage.gaussian_filter(sigma, truncate=4, mode="reflect")` of the map; relative error at most 1e-4.

use super::{Attribution, Family, Method, MethodMeta, Need, wrapped};
use crate::imputer::gaussian_blur;
use crate::job::Passes;
use crate::params::ParamValues;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Blurred;

crate::params! {
    /// Parameters of [`Blurred`].
    pub struct BlurredParams {
        /// The method whose map is blurred.
        of: String = "gradient", method;
        /// Standard deviation of the blur, in pixels of the network's input.
        sigma: f64 = 5.0, real(0.1, 100.0);
    }
}

impl Method for Blurred {
    type Params = BlurredParams;
    const META: MethodMeta = MethodMeta {
        id: "blurred",
        name: "Blurred copy",
        family: Family::Control,
        summary: "Another method's map, blurred: the same regions without the detail.",
        caution: "Blurring can improve a noisy map, by averaging the noise away.",
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        signed: true,
        needs: &[Need::Imputer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &BlurredParams) -> Result<Passes, Error> {
        wrapped::inner(&p.of)?.passes_dyn(model, &ParamValues::new())
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &BlurredParams) -> Result<Attribution, Error> {
        cx.job.hush();
        let found = wrapped::attribution(cx, input, &p.of).await?;
        let [_, height, width] = input.dims();
        Ok(Attribution {
            map: blur(&found.map, [height, width], p.sigma),
            completeness_gap: None,
            ..found
        })
    }
}

/// A map `[C, h, w]` of a picture `[height, width]` under a Gaussian of `sigma` of the picture's pixels.
pub fn blur(map: &Tensor, [height, width]: [usize; 2], sigma: f64) -> Tensor {
    let &[channels, h, w] = map.shape() else {
        return map.clone();
    };
    let deviations = [sigma * h as f64 / height as f64, sigma * w as f64 / width as f64];
    let planes = (0..channels).flat_map(|c| gaussian_blur::blur(map.row(c), [h, w], deviations));
    Tensor::new(map.shape(), planes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_map_is_blurred_by_the_same_part_of_the_picture() {
        let mut dot = Tensor::zeros(&[1, 9, 9]);
        dot.data_mut()[40] = 1.0;
        let found = blur(&dot, [90, 90], 10.0);
        // One cell is 10 pixels: a deviation of one cell, and nothing is lost.
        let ratio = found.data()[41] / found.data()[40];
        assert!((ratio - (-0.5f32).exp()).abs() < 1e-5, "{ratio}");
        assert!((found.sum() - 1.0).abs() < 1e-5);
    }
}
