//! # Random (control)
//!
//! **What it computes.** A map that knows nothing: an independent uniform draw for each pixel. What does not beat it by a
//! clear margin explains nothing.
//!
//! **Formula.** `a[i] = u[i]`, `u` uniform in `[0, 1)`.
//!
//! **Shapes and sign.** `[1, H, W]`, in `[0, 1)`.
//!
//! **Parameters.** None; the seed changes the map.
//!
//! **When it misleads.** It removes scattered pixels, where real maps remove regions: with imputers that fill from
//! neighbours, scattered pixels are easier to restore than a region of the same size.
//!
//! **Reference.** Hedström et al., Quantus, JMLR 2023, arXiv:2202.06861 (random explanations as a control variant).
//!
//! **Parity.** None beyond the distribution; the stream is `random/map`.

use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Random;

impl Method for Random {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "random",
        name: "Random",
        family: Family::Control,
        summary: "Pure chance: what a real map must beat.",
        caution: "It knows nothing of the network or the picture.",
        reference: "Hedström et al. 2023, arXiv:2202.06861",
        signed: false,
        needs: &[],
        axioms: &[],
        stochastic: true,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let mut stream = cx.random.stream("random/map");
        Ok(Attribution::on_input(Tensor::from_fn(&[1, height, width], |_| {
            stream.uniform()
        })))
    }
}
