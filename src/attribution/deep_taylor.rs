//! # Deep Taylor decomposition
//!
//! **What it computes.** The answer, handed back by a Taylor expansion of each layer at a root within its domain: inputs of
//! hidden layers cannot be negative, pixels are within their bounds.
//!
//! **Formula.** `R <- x W+ᵀ (R / (W+ x))` in hidden layers (z⁺), and in the first one z-box:
//! `R <- x Wᵀ s - low W+ᵀ s - high W-ᵀ s` with `s = R / (W x - W+ low - W- high)`. No biases. It starts as relevance
//! propagation does.
//!
//! **Shapes and sign.** `[C, H, W]`, signed; never negative where the target is positive and the picture within its bounds.
//!
//! **Parameters.** `low`, `high`: the bounds in pixel values, before normalisation. `stabiliser`: keeps denominators from 0.
//!
//! **When it misleads.** It cannot show evidence against the answer, and the theory asks for ReLU networks without positive
//! biases, which trained networks are not; the map hardly changes when late layers are randomised (Sixt et al. 2020).
//! What other layers do with relevance is said under relevance propagation (`lrp`).
//!
//! **Reference.** Montavon et al., Explaining Nonlinear Classification Decisions with Deep Taylor Decomposition, Pattern
//! Recognition 2017, arXiv:1512.02479.
//!
//! **Parity.** Zennit's rules `ZBox` in the first layer, `ZPlus` in the others, both with `zero_params="bias"`, `Norm` for
//! sums and average pools; relative error at most 1e-4 against float64.

use super::propagation::{check_bounds, relevance, uniform, z_box};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::program::{LayerRule, Lrp};
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct DeepTaylor;

crate::params! {
    /// Parameters of [`DeepTaylor`].
    pub struct DeepTaylorParams {
        /// The lowest pixel value, before normalisation.
        low: f64 = 0.0, real(-1000.0, 1000.0);
        /// The highest pixel value, before normalisation.
        high: f64 = 1.0, real(-1000.0, 1000.0);
        /// What denominators are pushed away from 0 by.
        stabiliser: f64 = 1e-6, real(0.0, 1.0);
    }
}

fn scheme(p: &DeepTaylorParams, first: LayerRule) -> Lrp {
    Lrp {
        first_conv: Some(first.clone()),
        first_dense: Some(first),
        ..uniform(LayerRule::ZPlus, p.stabiliser, true)
    }
}

impl Method for DeepTaylor {
    type Params = DeepTaylorParams;
    const META: MethodMeta = MethodMeta {
        id: "deep-taylor",
        name: "Deep Taylor decomposition",
        family: Family::Propagation,
        summary: "Hands the answer back by expanding each layer at a point where it says nothing.",
        caution: "Shows no evidence against the answer, and hardly depends on what late layers learned.",
        reference: "Montavon et al. 2017, arXiv:1512.02479",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &DeepTaylorParams) -> Result<Passes, Error> {
        check_bounds(p.low, p.high)?;
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &DeepTaylorParams) -> Result<Attribution, Error> {
        relevance(cx, input, scheme(p, z_box(input, p.low, p.high))).await
    }
}
