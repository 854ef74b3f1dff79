//! # Constant (control)
//!
//! **What it computes.** A map that prefers no pixel.
//!
//! **Formula.** `a[i] = 1`.
//!
//! **Shapes and sign.** `[1, H, W]`, all ones.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Metrics that rank pixels break its ties by a seeded random order, so there it scores as one
//! random map; metrics that correlate its values are undefined.
//!
//! **Reference.** Hedström et al., Quantus, JMLR 2023, arXiv:2202.06861 (constant explanations as a control variant).
//!
//! **Parity.** By definition.

use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Constant;

impl Method for Constant {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "constant",
        name: "Constant",
        family: Family::Control,
        summary: "The same value everywhere: a map that prefers no pixel.",
        caution: "It knows nothing of the network or the picture.",
        reference: "Hedström et al. 2023, arXiv:2202.06861",
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
        Ok(Attribution::on_input(Tensor::full(&[1, height, width], 1.0)))
    }
}
