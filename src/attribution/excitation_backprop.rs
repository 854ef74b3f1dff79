//! # Excitation backpropagation
//!
//! **What it computes.** The chance that a walk from the class down to the picture ends at a value, where each unit picks
//! the input to go to by how much that excites it.
//!
//! **Formula.** `R <- x+ * W+ᵀ s + x- * W-ᵀ s` with `s = R / (W+ x+ + W- x- + b+)`, from 1 at the class.
//!
//! **Shapes and sign.** `[C, H, W]`; sums to at most 1, the rest went to biases. Never negative, unless the network adds
//! branches before its ReLUs, as residual networks do: a negative branch takes a negative share, as in Zennit.
//!
//! **Parameters.** `stabiliser`: keeps denominators from 0. `zero_bias`: biases take no share.
//!
//! **When it misleads.** What inhibits is left out, so classes that share their evidence get the same map (its authors
//! subtract another class's); the map hardly changes when late layers are randomised. For a probability the walk starts
//! with the derivative by the class's own logit. What other layers do is said under relevance propagation (`lrp`).
//!
//! **Reference.** Zhang et al., Top-Down Neural Attention by Excitation Backprop, ECCV 2016, arXiv:1608.00507.
//!
//! **Parity.** Zennit's composite `ExcitationBackprop`, activations other than ReLU as `Pass`; relative error at most 1e-4
//! against float64.

use super::propagation::{carried, uniform};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::program::{LayerRule, Lrp, Rules, Start};
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct ExcitationBackprop;

crate::params! {
    /// Parameters of [`ExcitationBackprop`].
    pub struct ExcitationBackpropParams {
        /// What denominators are pushed away from 0 by.
        stabiliser: f64 = 1e-6, real(0.0, 1.0);
        /// Whether biases take no share.
        zero_bias: bool = false, flag;
    }
}

fn rules(p: &ExcitationBackpropParams) -> Rules {
    Rules::Lrp(Lrp {
        start: Start::One,
        ..uniform(LayerRule::ZPlus, p.stabiliser, p.zero_bias)
    })
}

impl Method for ExcitationBackprop {
    type Params = ExcitationBackpropParams;
    const META: MethodMeta = MethodMeta {
        id: "excitation-backprop",
        name: "Excitation backpropagation",
        family: Family::Propagation,
        summary: "Where random walks end that go down from the answer to what excites it.",
        caution: "What speaks against the answer is left out, so similar classes get the same map.",
        reference: "Zhang et al. 2016, arXiv:1608.00507",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &ExcitationBackpropParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &ExcitationBackpropParams,
    ) -> Result<Attribution, Error> {
        Ok(Attribution::on_input(carried(cx, input, rules(p)).await?.0))
    }
}
