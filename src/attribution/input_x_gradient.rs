//! # Input × gradient
//!
//! **What it computes.** The gradient times the input value: what each value would add if the network were linear.
//!
//! **Formula.** `a = x * dg/dx`.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the value, as it is, raises the target.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Values that are zero after preprocessing (its mean colour, or black) get zero whatever they
//! mean to the network; like the gradient it sees only the immediate neighbourhood.
//!
//! **Reference.** Shrikumar et al., Not Just a Black Box, 2016, arXiv:1605.01713.
//!
//! **Parity.** Captum `InputXGradient`; relative error at most 1e-4 against float64.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct InputXGradient;

impl Method for InputXGradient {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "input-x-gradient",
        name: "Input × gradient",
        family: Family::Gradient,
        summary: "The gradient times the pixel's own value.",
        caution: "Pixels of the colour that preprocessing maps to zero count for nothing.",
        reference: "Shrikumar et al. 2016, arXiv:1605.01713",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Dummy, Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let gradient = cx.input_gradients(&x).await?.reshape(input.tensor.shape());
        Ok(Attribution::on_input(input.tensor.zip(&gradient, |x, g| x * g)))
    }
}
