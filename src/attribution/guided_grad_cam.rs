//! # Guided Grad-CAM
//!
//! **What it computes.** Guided backpropagation, kept where Grad-CAM says that the class was seen.
//!
//! **Formula.** `a[c, y, x] = guided[c, y, x] * cam[⌊y h / H⌋, ⌊x w / W⌋]`: the map of a layer enlarged to the nearest cell.
//!
//! **Shapes and sign.** `[C, H, W]`, signed as guided backpropagation.
//!
//! **Parameters.** `layer`: any layer that Grad-CAM can look at; empty means the model's own default.
//!
//! **When it misleads.** The fine detail comes from guided backpropagation, which restores edges whatever the network
//! learned; only the coarse blob speaks for the class, and its cells are drawn on the picture as if they were sharp.
//!
//! **Reference.** Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
//!
//! **Parity.** Captum `GuidedGradCam` with `interpolate_mode="nearest"`; relative error at most 1e-4 against float64.

use super::propagation::carried;
use super::{Attribution, DynMethod, Family, Method, MethodMeta, Need, grad_cam};
use crate::job::Passes;
use crate::params::{ParamValue, ParamValues};
use crate::program::Rules;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct GuidedGradCam;

crate::params! {
    /// Parameters of [`GuidedGradCam`].
    pub struct GuidedGradCamParams {
        /// The layer that Grad-CAM looks at; empty means the model's default.
        layer: String = "", layer;
    }
}

fn cam_values(p: &GuidedGradCamParams) -> ParamValues {
    [("layer".to_owned(), ParamValue::Text(p.layer.clone()))]
        .into_iter()
        .collect()
}

/// The value of each pixel's cell: `guided` `[C, H, W]` times `cam` `[1, h, w]` at the nearest cell.
fn product(guided: &Tensor, cam: &Tensor) -> Tensor {
    let (&[_, height, width], &[_, rows, columns]) = (guided.shape(), cam.shape()) else {
        unreachable!("a picture has a map of three axes, and so has a layer")
    };
    Tensor::from_fn(guided.shape(), |i| {
        let (y, x) = (i / width % height, i % width);
        guided.data()[i] * cam.data()[y * rows / height * columns + x * columns / width]
    })
}

impl Method for GuidedGradCam {
    type Params = GuidedGradCamParams;
    const META: MethodMeta = MethodMeta {
        id: "guided-grad-cam",
        name: "Guided Grad-CAM",
        family: Family::Propagation,
        summary: "Guided backpropagation, kept where Grad-CAM sees the class.",
        caution: "Its fine detail is the picture's edges; only the coarse blob depends on the class.",
        reference: "Selvaraju et al. 2017, arXiv:1610.02391",
        signed: true,
        needs: &[Need::Gradient, Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &GuidedGradCamParams) -> Result<Passes, Error> {
        let cam = grad_cam::GradCam.passes_dyn(model, &cam_values(p))?;
        Ok(Passes {
            forward: cam.forward + 1,
            backward: cam.backward + 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &GuidedGradCamParams) -> Result<Attribution, Error> {
        let cam = grad_cam::GradCam.attribute_within(cx, input, &cam_values(p)).await?.map;
        let (guided, _) = carried(cx, input, Rules::GuidedRelu).await?;
        Ok(Attribution::on_input(product(&guided, &cam)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_takes_the_cell_that_it_is_in() {
        let guided = Tensor::from_fn(&[2, 3, 4], |i| i as f32);
        let cam = Tensor::new(&[1, 2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let map = product(&guided, &cam);
        let cells = [1.0, 1.0, 2.0, 3.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0f32];
        for i in 0..24 {
            assert!((map.data()[i] - i as f32 * cells[i % 12]).abs() < 1e-6, "{i}");
        }
    }
}
