//! # Grad-CAM++
//!
//! **What it computes.** Grad-CAM with weights that look at where a channel's gradient is positive, so that each of
//! several instances of a class is found.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `w[k] = sum_i max(0, g[k, i]) c[k, i]`, `g = dg/dA` and `c =
//! g^2 / (2 g^2 + g^3 sum_j A[k, j] + 1e-6)`, 0 where `g` is.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** The weights come from a third derivative of the exponential of the target, which is never
//! computed: powers of the gradient stand for it. Where a channel's sum is negative the denominator can come near 0,
//! and one location then decides the map.
//!
//! **Reference.** Chattopadhay et al., Grad-CAM++, WACV 2018, arXiv:1710.11063.
//!
//! **Parity.** pytorch-grad-cam `GradCAMPlusPlus` before its resizing and scaling; relative error at most 1e-4 against
//! float64.

use super::cam::{ByGradient, Maps};
use super::{Family, MethodMeta, Need};

/// See the [module](self).
pub struct GradCamPlusPlus;

impl ByGradient for GradCamPlusPlus {
    const META: MethodMeta = MethodMeta {
        id: "grad-cam-plus-plus",
        name: "Grad-CAM++",
        family: Family::Cam,
        summary: "Grad-CAM that finds each of several instances of a class.",
        caution: "Its weights are quotients that a few cells can blow up, and then decide the map.",
        reference: "Chattopadhay et al. 2018, arXiv:1710.11063",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64> {
        let weight = |(map, slopes): (&[f64], &[f64])| {
            let sum: f64 = map.iter().sum();
            let share = |g: f64| g.max(0.0) * g.powi(2) / (2.0 * g.powi(2) + sum * g.powi(3) + 1e-6);
            slopes.iter().filter(|&&g| g != 0.0).map(|&g| share(g)).sum()
        };
        let weights: Vec<f64> = maps.channels().zip(gradients.channels()).map(weight).collect();
        maps.weighed(&weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_weighed_by_their_positive_gradients() {
        super::super::cam::check::<GradCamPlusPlus>([0.573_626, 1.070_329, 0.0]);
    }
}
