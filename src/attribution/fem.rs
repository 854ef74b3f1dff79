//! # FEM
//!
//! **What it computes.** Where channels are unusually active: each channel counts by the share of its locations that
//! stand out.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `w[k]` the share of locations where `A[k, i] > mean_j A[k, j]
//! + deviations * std_j A[k, j]`.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default. `deviations`: how far
//! a location must stand out, in standard deviations of its channel.
//!
//! **When it misleads.** It does not know the class: all classes get the same map. A share of rare locations is small
//! by construction, at most `1 / (1 + deviations^2)`, so that large values decide the map rather than the weights.
//!
//! **Reference.** Fuad et al., Features Understanding in 3D CNNs for Actions Recognition in Video, IPTA 2020.
//!
//! **Parity.** pytorch-grad-cam `FEM` before its resizing and scaling; relative error at most 1e-4 against float64.

use super::cam;
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct Fem;

crate::params! {
    /// Parameters of [`Fem`].
    pub struct FemParams {
        /// The layer to look at; empty means the model's default.
        layer: String = "", layer;
        /// How far a location must stand out to count, in standard deviations of its channel.
        deviations: f64 = 2.0, real(0.0, 10.0);
    }
}

impl Method for Fem {
    type Params = FemParams;
    const META: MethodMeta = MethodMeta {
        id: "fem",
        name: "FEM",
        family: Family::Cam,
        summary: "Where a layer's channels are unusually active, whatever the class.",
        caution: "The same map for every class: it does not look at the answer.",
        reference: "Fuad et al. 2020, hal.science/hal-02963298",
        signed: false,
        needs: &[Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &FemParams) -> Result<Passes, Error> {
        cam::look(model, &p.layer)?;
        Ok(cam::BY_ACTIVATION)
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &FemParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = cam::look(model, &p.layer)?;
        let maps = looked.activations(cx, input).await?;
        let weights: Vec<f64> = maps.channels().map(|map| outstanding(map, p.deviations)).collect();
        Ok(looked.attribution(model, &maps.weighed(&weights)))
    }
}

/// The share of `map` that lies more than `deviations` standard deviations above its mean.
fn outstanding(map: &[f64], deviations: f64) -> f64 {
    let n = map.len() as f64;
    let mean = map.iter().sum::<f64>() / n;
    let variance = map.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let threshold = mean + deviations * variance.sqrt();
    map.iter().filter(|&&v| v > threshold).count() as f64 / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_counts_by_its_outstanding_locations() {
        let mut map = vec![0.0; 10];
        map[3] = 1.0;
        // Mean 0.1, standard deviation 0.3.
        assert!((outstanding(&map, 2.0) - 0.1).abs() < 1e-12);
        assert!(outstanding(&map, 3.1).abs() < 1e-12);
        assert!(
            outstanding(&[2.0; 4], 0.0).abs() < 1e-12,
            "nothing stands out of a constant"
        );
    }
}
