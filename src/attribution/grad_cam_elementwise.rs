//! # Element-wise Grad-CAM
//!
//! **What it computes.** The layer's maps times their gradient where that is positive, summed over channels.
//!
//! **Formula.** `a[i] = sum_k max(0, g[k, i] A[k, i])` with `A` the layer's output and `g = dg/dA`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** What speaks against the target is cut away channel by channel, before it could cancel what
//! speaks for it: places with much evidence both ways look as good as places with evidence for it alone.
//!
//! **Reference.** Pillai & Pirsiavash, Explainable Models with Consistent Interpretations, AAAI 2021,
//! doi:10.1609/aaai.v35i3.16344.
//!
//! **Parity.** pytorch-grad-cam `GradCAMElementWise` before its resizing and scaling; relative error at most 1e-4
//! against float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct GradCamElementwise;

impl ByGradient for GradCamElementwise {
    const META: MethodMeta = MethodMeta {
        id: "grad-cam-elementwise",
        name: "Element-wise Grad-CAM",
        family: Family::Cam,
        summary: "What in the layer's maps speaks for the answer, channel by channel.",
        caution: "Evidence for and against at one place does not cancel.",
        reference: "Pillai & Pirsiavash 2021, doi:10.1609/aaai.v35i3.16344",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        maps.summed_with(gradients, |a, g| (a * g).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_for_the_target_counts() {
        super::super::cam::check::<GradCamElementwise>([0.5, 0.0, 0.0]);
    }
}
