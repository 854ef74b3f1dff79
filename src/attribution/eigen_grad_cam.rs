//! # EigenGrad-CAM
//!
//! **What it computes.** The strongest pattern in the layer's maps times their gradient: Eigen-CAM that knows the
//! class.
//!
//! **Formula.** `a[i] = max(0, s[i])`, `s = X v` with `X[i, k] = B[k, i] - mean_j B[k, j]`, `B = A dg/dA`, and `v` the
//! first right singular vector of `X`. Of the two signs that a principal direction has, the one in which the largest
//! magnitude is positive (Chung & Ying, Seg-Eigen-CAM, Appl. Sci. 15(13), 2025, equation 13).
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** A principal direction has no sign: what speaks against the class can be shown as what speaks
//! for it, if it varies more.
//!
//! **Reference.** Gildenblat et al., pytorch-grad-cam, 2021 (EigenGradCAM), after Muhammad & Yeasin, arXiv:2008.00299.
//!
//! **Parity.** pytorch-grad-cam `EigenGradCAM` with the sign of its `get_2d_projection_with_sign_correction`, before
//! its resizing and scaling; relative error at most 1e-4 against float64.

use super::cam::{self, LayerParams};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct EigenGradCam;

impl Method for EigenGradCam {
    type Params = LayerParams;
    const META: MethodMeta = MethodMeta {
        id: "eigen-grad-cam",
        name: "EigenGrad-CAM",
        family: Family::Cam,
        summary: "The strongest pattern in a layer times its gradient.",
        caution: "Its sign is a convention: evidence against the class may be shown as evidence for it.",
        reference: "Gildenblat et al. 2021, github.com/jacobgil/pytorch-grad-cam",
        signed: false,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &LayerParams) -> Result<Passes, Error> {
        cam::look(model, &p.layer)?;
        Ok(cam::BY_GRADIENT)
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LayerParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = cam::look(model, &p.layer)?;
        let (mut maps, gradients) = looked.with_gradient(cx, input).await?;
        for (value, slope) in maps.values.iter_mut().zip(&gradients.values) {
            *value *= slope;
        }
        Ok(looked.attribution(model, &cam::principal(cx, maps).await?))
    }
}
