//! # Laplace edges (control)
//!
//! **What it computes.** How much each pixel differs from its neighbours, whatever the network.
//!
//! **Formula.** `a[y, x] = |m[y-1, x] + m[y+1, x] + m[y, x-1] + m[y, x+1] - 4 m[y, x]|` with `m` the mean over channels;
//! beyond its border the picture is mirrored (`b a | a b c`).
//!
//! **Shapes and sign.** `[1, H, W]`, never negative.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Objects have edges and texture, so it can score well above chance: a control, not a floor.
//!
//! **Reference.** Clark et al., XAI-TRIS, 2023, arXiv:2306.12816 (edge filters as baselines that many methods do not
//! beat).
//!
//! **Parity.** The magnitude of `scipy.ndimage.laplace(mode="reflect")`; relative error at most 1e-5.

use super::sobel::grey;
use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Laplace;

impl Method for Laplace {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "laplace",
        name: "Laplace edges",
        family: Family::Control,
        summary: "How much each pixel differs from its neighbours, whatever the network.",
        caution: "Objects have edges, so it can score above chance without knowing the network.",
        reference: "Clark et al. 2023, arXiv:2306.12816",
        signed: false,
        needs: &[],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn attribute(&self, _: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        Ok(Attribution::on_input(curvature(&grey(input), height, width)))
    }
}

/// The magnitude of the discrete Laplacian `[1, H, W]` of values `[H, W]`.
fn curvature(grey: &[f64], height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[1, height, width], |i| {
        let (y, x) = (i / width, i % width);
        let at = |y: usize, x: usize| grey[y.min(height - 1) * width + x.min(width - 1)];
        let around = at(y.saturating_sub(1), x) + at(y + 1, x) + at(y, x.saturating_sub(1)) + at(y, x + 1);
        (around - 4.0 * grey[i]).abs() as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_differs_from_its_neighbours_and_a_plane_does_not() {
        let mut point = vec![0.0; 12];
        point[5] = 1.0;
        let found = curvature(&point, 3, 4);
        assert_eq!(
            found.data(),
            [0.0, 1.0, 0.0, 0.0, 1.0, 4.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        );
        let plane: Vec<f64> = (0..20).map(|i| f64::from(i / 5) + 2.0 * f64::from(i % 5)).collect();
        let inner = curvature(&plane, 4, 5);
        assert!((6..9).all(|i| inner.data()[i].abs() < 1e-6));
    }
}
