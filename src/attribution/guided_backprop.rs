//! # Guided backpropagation
//!
//! **What it computes.** The gradient, from which every ReLU on the way back drops what is negative.
//!
//! **Formula.** As the gradient, but at each ReLU `g <- max(g, 0) * [x > 0]`.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: the last step to the picture is a plain one.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** It restores edges of the picture and hardly depends on the class or on what the late layers
//! learned (Nie et al. 2018; Adebayo et al. 2018): sharp is not faithful. On networks without ReLU it is the gradient.
//!
//! **Reference.** Springenberg et al., Striving for Simplicity, 2014, arXiv:1412.6806.
//!
//! **Parity.** Captum `GuidedBackprop`; relative error at most 1e-4 against float64. A ReLU6 counts as a ReLU here, which
//! Captum leaves as it is.

use super::propagation::carried;
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::params::NoParams;
use crate::program::Rules;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct GuidedBackprop;

impl Method for GuidedBackprop {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "guided-backprop",
        name: "Guided backpropagation",
        family: Family::Propagation,
        summary: "The gradient, with what speaks against dropped at every ReLU.",
        caution: "Restores the picture's edges whatever the class and whatever the network learned.",
        reference: "Springenberg et al. 2014, arXiv:1412.6806",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        Ok(Attribution::on_input(carried(cx, input, Rules::GuidedRelu).await?.0))
    }
}
