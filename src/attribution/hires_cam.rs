//! # HiResCAM
//!
//! **What it computes.** The layer's maps times their gradient, location by location: where the layer's output itself
//! raises the target.
//!
//! **Formula.** `a[i] = max(0, sum_k g[k, i] A[k, i])` with `A` the layer's output and `g = dg/dA`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** It is faithful only where a linear head follows the layer (there it equals CAM); elsewhere it is
//! input x gradient of the layer, and shares its noise. On tokens that only a layer normalisation reads it is 0, whatever
//! they say: scaling such a token changes nothing.
//!
//! **Reference.** Draelos & Carin, Use HiResCAM instead of Grad-CAM, 2020, arXiv:2011.08891.
//!
//! **Parity.** pytorch-grad-cam `HiResCAM` before its resizing and scaling; relative error at most 1e-4 against
//! float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct HiResCam;

impl ByGradient for HiResCam {
    const META: MethodMeta = MethodMeta {
        id: "hires-cam",
        name: "HiResCAM",
        family: Family::Cam,
        summary: "The layer's maps times their gradient, without averaging it first.",
        caution: "Exact only if a linear head follows the layer; noisy in earlier ones.",
        reference: "Draelos & Carin 2020, arXiv:2011.08891",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        maps.summed_with(gradients, |a, g| a * g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_location_has_its_own_weight() {
        super::super::cam::check::<HiResCam>([-2.5, 0.0, 0.0]);
    }
}
