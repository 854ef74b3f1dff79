//! # Grad-CAM
//!
//! **What it computes.** Where the channels of a late layer that raise the target are active, at that layer's
//! resolution.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `A` the layer's output and `w[k] = mean_i dg/dA[k, i]`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** It is coarse, and smooth because it is enlarged, not because the network looks smoothly; the
//! mean gradient can favour channels that matter elsewhere; evidence against the target is cut away.
//!
//! **Reference.** Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
//!
//! **Parity.** pytorch-grad-cam `GradCAM` before its resizing and scaling; relative error at most 1e-4 against float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct GradCam;

impl ByGradient for GradCam {
    const META: MethodMeta = MethodMeta {
        id: "grad-cam",
        name: "Grad-CAM",
        family: Family::Cam,
        summary: "Where the late features that speak for the answer are found.",
        caution: "Coarse: its smooth blobs come from enlarging a few cells.",
        reference: "Selvaraju et al. 2017, arXiv:1610.02391",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        let mean = |slopes: &[f64]| slopes.iter().sum::<f64>() / slopes.len() as f64;
        let weights: Vec<f64> = gradients.channels().map(mean).collect();
        maps.weighed(&weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_weighed_by_their_mean_gradient() {
        super::super::cam::check::<GradCam>([-0.1, 0.0, 0.0]);
    }
}
