//! # Layer-CAM
//!
//! **What it computes.** The layer's maps, weighed at each location by the positive part of the gradient: finer maps
//! from earlier layers.
//!
//! **Formula.** `a[i] = max(0, sum_k max(0, g[k, i]) A[k, i])` with `A` the layer's output and `g = dg/dA`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** Negative gradients are cut away before they could cancel positive ones, so that early layers
//! light up at every edge; where the layer's values are negative, a positive weight counts against the place.
//!
//! **Reference.** Jiang et al., LayerCAM, IEEE TIP 30, 2021, doi:10.1109/TIP.2021.3089943.
//!
//! **Parity.** pytorch-grad-cam `LayerCAM` before its resizing and scaling; relative error at most 1e-4 against
//! float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct LayerCam;

impl ByGradient for LayerCam {
    const META: MethodMeta = MethodMeta {
        id: "layer-cam",
        name: "Layer-CAM",
        family: Family::Cam,
        summary: "Fine maps from early layers: each place is weighed by its own positive gradient.",
        caution: "In early layers it lights up at every edge.",
        reference: "Jiang et al. 2021, doi:10.1109/TIP.2021.3089943",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        maps.summed_with(gradients, |a, g| a * g.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_gradients_are_cut_away() {
        super::super::cam::check::<LayerCam>([0.5, 0.0, 0.0]);
    }
}
