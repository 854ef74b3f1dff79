//! # Input magnitude (control)
//!
//! **What it computes.** How large the picture's own values are, whatever the network: the part of input × gradient that
//! is the picture.
//!
//! **Formula.** `a[i] = sum_c |x[c, i]|`, preprocessed values.
//!
//! **Shapes and sign.** `[1, H, W]`, never negative.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Pixels far from the mean colour change the answer most when they are set to it, so this scores
//! above chance wherever removal paints that colour: a control, not a floor.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292 (the input dominates
//! input × gradient).
//!
//! **Parity.** NumPy; relative error at most 1e-5.

use super::{Attribution, Family, Method, MethodMeta};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct InputMagnitude;

impl Method for InputMagnitude {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "input-magnitude",
        name: "Input magnitude",
        family: Family::Control,
        summary: "How far each pixel is from the colour that preprocessing maps to zero.",
        caution: "It can score above chance without knowing the network.",
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        signed: false,
        needs: &[],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn attribute(&self, _: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        Ok(Attribution::on_input(input.tensor.map(f32::abs).sum_channels()))
    }
}
