//! # Eigen-CAM
//!
//! **What it computes.** Where the layer's output varies most: its first principal component over locations, whatever
//! the class.
//!
//! **Formula.** `a[i] = max(0, s[i])`, `s = X v` with `X[i, k] = A[k, i] - mean_j A[k, j]` and `v` the first right
//! singular vector of `X`. Of the two signs that a principal direction has, the one in which the largest magnitude is
//! positive (Chung & Ying, Seg-Eigen-CAM, Appl. Sci. 15(13), 2025, equation 13).
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default.
//!
//! **When it misleads.** It does not know the class: all classes get the same map. A strong background is as good a
//! component as the object.
//!
//! **Reference.** Muhammad & Yeasin, Eigen-CAM, IJCNN 2020, arXiv:2008.00299.
//!
//! **Parity.** pytorch-grad-cam `EigenCAM` with the sign of its `get_2d_projection_with_sign_correction` (`EigenCAM`'s
//! own sign is LAPACK's, by chance), before its resizing and scaling; relative error at most 1e-4 against float64.

use super::cam::{self, LayerParams};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct EigenCam;

impl Method for EigenCam {
    type Params = LayerParams;
    const META: MethodMeta = MethodMeta {
        id: "eigen-cam",
        name: "Eigen-CAM",
        family: Family::Cam,
        summary: "The strongest pattern in a layer, whatever the class.",
        caution: "The same map for every class: it does not look at the answer.",
        reference: "Muhammad & Yeasin 2020, arXiv:2008.00299",
        signed: false,
        needs: &[Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &LayerParams) -> Result<Passes, Error> {
        cam::look(model, &p.layer)?;
        Ok(cam::BY_ACTIVATION)
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LayerParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = cam::look(model, &p.layer)?;
        let maps = looked.activations(cx, input).await?;
        Ok(looked.attribution(model, &cam::principal(cx, maps).await?))
    }
}
