//! # Gradient
//!
//! **What it computes.** How fast the target changes when one input value changes a little, all others held.
//!
//! **Formula.** `a = dg/dx`.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where a larger value raises the target.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** It sees only the immediate neighbourhood: where the answer is saturated it is near zero
//! although the pixel matters, and it is noisy on deep networks.
//!
//! **Reference.** Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, 2013, arXiv:1312.6034.
//!
//! **Parity.** Captum `Saliency(abs=False)`; relative error at most 1e-4 against float64.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Gradient;

impl Method for Gradient {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "gradient",
        name: "Gradient",
        family: Family::Gradient,
        summary: "How fast the answer changes when a pixel changes a little.",
        caution: "Near zero wherever the answer is saturated, even on pixels that matter.",
        reference: "Simonyan et al. 2013, arXiv:1312.6034",
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
        let gradient = cx.input_gradients(&x).await?;
        Ok(Attribution::on_input(gradient.reshape(input.tensor.shape())))
    }
}
