//! # Layer-wise relevance propagation
//!
//! **What it computes.** The answer, handed back layer by layer: each unit shares what it received among its inputs by
//! what they contributed, so that the map divides the answer among the input values.
//!
//! **Formula.** For a layer `z = W x + b` and relevance `R` of its outputs, the rule epsilon gives the inputs
//! `x * Wᵀ (R / (z + e sign z))`; the other rules change `W`, `x` and `b` in it (see the crate's `LayerRule`). It starts
//! with `R = c * f`, the logits times the derivative `c` of the target by them: for one logit, its value.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the value, as the network used it, spoke for the target.
//!
//! **Parameters.** `composite`: which rule for which layers. `epsilon-plus` (z⁺ in convolutions, epsilon in dense layers),
//! `epsilon-plus-flat` (flat in the first layer besides), `epsilon-alpha2-beta1` and `epsilon-alpha2-beta1-flat`,
//! `epsilon-gamma-box` (gamma in convolutions, z-box in the first); or one rule for all layers: `epsilon` (0 makes it
//! LRP-0), `gamma`, `z-plus`, `alpha-beta`, `w-square`, `flat`. `epsilon`, `gamma`, `alpha` (beta is alpha - 1): of these
//! rules. `stabiliser`: keeps other denominators from 0. `low`, `high`: the darkest and the lightest pixel value for
//! z-box. `zero_bias`: biases take no share.
//!
//! **When it misleads.** Composites disagree: z⁺ cannot show evidence against, flat only where to look, and epsilon on
//! deep networks is as noisy as the gradient; with biases the map need not sum to the answer (the gap is given). z⁺ maps
//! hardly change when late layers are randomised (Sixt et al. 2020). Factors and shifts by channel that follow a layer
//! with weights (batch normalisation, bias, layer scale) are merged into it; where they follow anything else (batch
//! normalisation before a convolution, after a concatenation or an activation), they pass relevance unchanged. So do
//! activations. Sums and averages share in proportion; max pools route; gates, attention weights and the statistics of
//! layer normalisation are constants. No reference library defines the last three: they follow Arras et al. 2017, Ali et
//! al. 2022 and Achtibat et al. 2024.
//!
//! **Reference.** Bach et al., On Pixel-Wise Explanations, PLoS ONE 2015; Montavon et al., Layer-Wise Relevance
//! Propagation: An Overview, 2019; Kohlbrenner et al. 2020, arXiv:1910.09840; the rules for transformers: Ali et al. 2022,
//! arXiv:2202.07304; Achtibat et al. 2024, arXiv:2402.05602.
//!
//! **Parity.** Zennit's composites and rules with `SequentialMergeBatchNorm`, residual sums as its `Sum` module and
//! average pools as modules, on the logit; relative error at most 1e-4 against float64. Zennit's merged normalisations
//! keep dividing by sqrt(1 + 1e-5), which the goldens undo. Behind a layer normalisation, and under flat or w² in late
//! layers, relevance is divided by sums that are small by chance: with the default stabilisers single values of float32
//! maps, ours and Zennit's, are off by up to 1e-2 there; 0.1 for both keeps them within 1e-4. It is the network's own
//! arithmetic that decides, not the rules': on the goldens' layer-norm network and transformer, Zennit in float64 moves by
//! up to 1e-3 and 2e-4 if the picture moves by half of a float32's last digit; in float32 with double precision in every
//! product with weights alone it is still off by 3e-3 and 4e-4.

use super::propagation::{check_bounds, relevance, uniform, z_box};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::program::{LayerRule, Lrp as Scheme};
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct Lrp;

crate::params! {
    /// Parameters of [`Lrp`].
    pub struct LrpParams {
        /// Which rule for which layers: a composite of rules, or one rule for all.
        composite: String = "epsilon-plus", choice("epsilon-plus", "epsilon-plus-flat", "epsilon-gamma-box",
            "epsilon-alpha2-beta1", "epsilon-alpha2-beta1-flat", "epsilon", "gamma", "z-plus", "alpha-beta", "w-square",
            "flat");
        /// Of the rule epsilon: what its denominators are pushed away from 0 by. Larger values mute weak contributions.
        epsilon: f64 = 1e-6, real(0.0, 1000.0);
        /// Of the rule gamma: how much positive contributions are favoured.
        gamma: f64 = 0.25, real(0.0, 1000.0);
        /// Of the rule alpha-beta: the weight of what raises a unit; what lowers it has the weight alpha - 1.
        alpha: f64 = 2.0, real(1.0, 100.0);
        /// Of the rule z-box: the lowest pixel value, before normalisation.
        low: f64 = 0.0, real(-1000.0, 1000.0);
        /// Of the rule z-box: the highest pixel value, before normalisation.
        high: f64 = 1.0, real(-1000.0, 1000.0);
        /// What the denominators of the other rules are pushed away from 0 by.
        stabiliser: f64 = 1e-6, real(0.0, 1.0);
        /// Whether biases take no share of the relevance.
        zero_bias: bool = false, flag;
    }
}

/// The rules of a composite.
fn scheme(p: &LrpParams, z_box: LayerRule) -> Scheme {
    let epsilon = LayerRule::Epsilon(p.epsilon as f32);
    let uniform = |rule| uniform(rule, p.stabiliser, p.zero_bias);
    let mixed = |conv| Scheme {
        conv,
        ..uniform(epsilon.clone())
    };
    let flat_first = |conv| Scheme {
        first_conv: Some(LayerRule::Flat),
        first_dense: Some(LayerRule::Flat),
        ..mixed(conv)
    };
    match p.composite.as_str() {
        "epsilon-plus-flat" => flat_first(LayerRule::ZPlus),
        "epsilon-gamma-box" => Scheme {
            first_conv: Some(z_box),
            ..mixed(LayerRule::Gamma(p.gamma as f32))
        },
        "epsilon-alpha2-beta1" => mixed(LayerRule::AlphaBeta(2.0)),
        "epsilon-alpha2-beta1-flat" => flat_first(LayerRule::AlphaBeta(2.0)),
        "epsilon" => uniform(epsilon),
        "gamma" => uniform(LayerRule::Gamma(p.gamma as f32)),
        "z-plus" => uniform(LayerRule::ZPlus),
        "alpha-beta" => uniform(LayerRule::AlphaBeta(p.alpha as f32)),
        "w-square" => uniform(LayerRule::WSquare),
        "flat" => uniform(LayerRule::Flat),
        _ => mixed(LayerRule::ZPlus),
    }
}

impl Method for Lrp {
    type Params = LrpParams;
    const META: MethodMeta = MethodMeta {
        id: "lrp",
        name: "Layer-wise relevance propagation",
        family: Family::Propagation,
        summary: "Hands the answer back layer by layer, to each input by what it contributed.",
        caution: "Different rules draw different maps; some hardly depend on what late layers learned.",
        reference: "Bach et al. 2015, doi:10.1371/journal.pone.0130140",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &LrpParams) -> Result<Passes, Error> {
        check_bounds(p.low, p.high)?;
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LrpParams) -> Result<Attribution, Error> {
        relevance(cx, input, scheme(p, z_box(input, p.low, p.high))).await
    }
}
