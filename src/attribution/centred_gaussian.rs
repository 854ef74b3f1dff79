//! # Centre (control)
//!
//! **What it computes.** The prejudice that what matters is in the middle of the picture, whatever the picture: photographs
//! are taken that way.
//!
//! **Formula.** `a[y, x] = exp(-((y - cy) / (spread * H))^2 / 2 - ((x - cx) / (spread * W))^2 / 2)` with `cy = (H - 1) / 2`
//! and `cx = (W - 1) / 2`.
//!
//! **Shapes and sign.** `[1, H, W]`, in `(0, 1]`.
//!
//! **Parameters.** `spread`: standard deviation as a part of each side.
//!
//! **When it misleads.** In data sets of centred objects it beats many methods in localisation scores without having
//! looked: what does not beat it there shows nothing.
//!
//! **Reference.** Judd, Durand & Torralba, A Benchmark of Computational Models of Saliency to Predict Human Fixations,
//! MIT-CSAIL-TR-2012-001 (the centre as a baseline).
//!
//! **Parity.** The formula in float64; relative error at most 1e-6.

use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct CentredGaussian;

crate::params! {
    /// Parameters of [`CentredGaussian`].
    pub struct CentredGaussianParams {
        /// Standard deviation, as a part of each side of the picture.
        spread: f64 = 0.25, real(0.01, 10.0);
    }
}

impl Method for CentredGaussian {
    type Params = CentredGaussianParams;
    const META: MethodMeta = MethodMeta {
        id: "centred-gaussian",
        name: "Centre",
        family: Family::Control,
        summary: "The middle of the picture, whatever is there.",
        caution: "Where objects are centred it localises well without looking at anything.",
        reference: "Judd et al. 2012, MIT-CSAIL-TR-2012-001",
        signed: false,
        needs: &[],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &CentredGaussianParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn attribute(&self, _: &Context<'_>, input: &Input, p: &CentredGaussianParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let away = |i: usize, n: usize| (i as f64 - (n - 1) as f64 / 2.0) / (p.spread * n as f64);
        Ok(Attribution::on_input(Tensor::from_fn(&[1, height, width], |i| {
            let (down, across) = (away(i / width, height), away(i % width, width));
            (-0.5 * (down * down + across * across)).exp() as f32
        })))
    }
}
