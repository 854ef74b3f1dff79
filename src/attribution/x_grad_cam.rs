//! # XGrad-CAM
//!
//! **What it computes.** Grad-CAM whose weights are the mean gradient over where the channel is active.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `w[k] = sum_i g[k, i] A[k, i] / (sum_i A[k, i] + 1e-7)` and `g
//! = dg/dA`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** The weights are those of a mean only where a layer's values are not negative (after a ReLU);
//! elsewhere a channel's sum can be near 0, and that channel then decides the map.
//!
//! **Reference.** Fu et al., Axiom-based Grad-CAM, BMVC 2020, arXiv:2008.02312.
//!
//! **Parity.** pytorch-grad-cam `XGradCAM` before its resizing and scaling; relative error at most 1e-4 against
//! float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct XGradCam;

impl ByGradient for XGradCam {
    const META: MethodMeta = MethodMeta {
        id: "x-grad-cam",
        name: "XGrad-CAM",
        family: Family::Cam,
        summary: "Grad-CAM whose weights look only where a channel is active.",
        caution: "Unstable on layers with negative values: channels that sum to nearly 0 decide.",
        reference: "Fu et al. 2020, arXiv:2008.02312",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        let weight = |(map, slopes): (&[f64], &[f64])| {
            let spoken: f64 = map.iter().zip(slopes).map(|(a, g)| a * g).sum();
            spoken / (map.iter().sum::<f64>() + 1e-7)
        };
        let weights: Vec<f64> = maps.channels().zip(gradients.channels()).map(weight).collect();
        maps.weighed(&weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_weighed_by_their_gradient_where_active() {
        super::super::cam::check::<XGradCam>([-0.958_333, -1.541_667, 0.0]);
    }
}
