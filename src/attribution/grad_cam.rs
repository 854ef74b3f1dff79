//! # Grad-CAM
//!
//! **What it computes.** Where the channels of a late layer that raise the target are active, at that layer's resolution.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `A` the layer's output and `w[k] = mean_i dg/dA[k, i]`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]`; empty means the model's own default, by
//! convention the last feature map.
//!
//! **When it misleads.** It is coarse, and smooth because it is enlarged, not because the network looks smoothly; the
//! mean gradient can favour channels that matter elsewhere; evidence against the target is cut away.
//!
//! **Reference.** Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
//!
//! **Parity.** pytorch-grad-cam `GradCAM` before its resizing and scaling; relative error at most 1e-4 against float64.

use super::{Attribution, Family, Method, MethodMeta, Need, Space};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor, Wrt};

/// See the [module](self).
pub struct GradCam;

crate::params! {
    /// Parameters of [`GradCam`].
    pub struct GradCamParams {
        /// The layer to look at; empty means the model's default.
        layer: String = "", layer;
    }
}

/// The layer's index and its shape `[K, h, w]`.
fn feature_map(model: &Model, p: &GradCamParams) -> Result<(usize, [usize; 3]), Error> {
    let index = model.layer(&p.layer)?;
    let layer = &model.network().layers()[index];
    if let [k, h, w] = layer.shape[..] {
        return Ok((index, [k, h, w]));
    }
    let why = format!(
        "\"{}\" gives {:?}; a layer that gives a feature map [channels, height, width] is needed",
        layer.name, layer.shape
    );
    Err(Error::param("layer", why))
}

impl Method for GradCam {
    type Params = GradCamParams;
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

    fn passes(&self, model: &Model, p: &GradCamParams) -> Result<Passes, Error> {
        feature_map(model, p)?;
        Ok(Passes {
            forward: 2,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &GradCamParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let (index, [channels, height, width]) = feature_map(model, p)?;
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let maps = cx.forward(&x, &[index]).await?.remove(1);
        let gradients = cx.gradients(&x, &[Wrt::Layer(index)]).await?.by.remove(0);
        Ok(Attribution {
            map: weighed(maps.data(), gradients.data(), [channels, height, width]),
            space: Space::Layer(model.network().layers()[index].name.clone()),
            completeness_gap: None,
        })
    }
}

/// The map `[1, h, w]` from a layer's output and gradient, both `[K, h, w]`.
fn weighed(maps: &[f32], gradients: &[f32], [channels, height, width]: [usize; 3]) -> Tensor {
    let size = height * width;
    let mut sum = vec![0.0f64; size];
    for k in 0..channels {
        let channel = k * size..(k + 1) * size;
        let weight = gradients[channel.clone()].iter().map(|&g| f64::from(g)).sum::<f64>() / size as f64;
        for (sum, &a) in sum.iter_mut().zip(&maps[channel]) {
            *sum += weight * f64::from(a);
        }
    }
    Tensor::from_fn(&[1, height, width], |i| sum[i].max(0.0) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_weighed_by_their_mean_gradient_and_rectified() {
        let maps = [1.0, 2.0, 0.0, 3.0, 5.0, 0.0];
        let gradients = [0.5, 0.0, 1.0, -1.0, 0.0, 0.4];
        let map = weighed(&maps, &gradients, [2, 1, 3]);
        let expected = [0.5 - 0.2 * 3.0, 1.0 - 0.2 * 5.0, 0.0f32].map(|v| v.max(0.0));
        for (a, b) in map.data().iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{:?}", map.data());
        }
        assert_eq!(map.shape(), [1, 1, 3]);
    }
}
