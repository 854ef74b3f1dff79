//! # Relative representation stability
//!
//! **What it computes.** How far the map changes, value by value, for how far the values of a layer changed, value by
//! value: the worst case among noisy copies of the same answer.
//!
//! **Formula.** `score = max over k of |(a(x') - a(x)) / a(x)| / max(|(L(x') - L(x)) / L(x)|, 1e-6)`, `x' = x + e[k]`,
//! every value of `e[k]` uniform in `±radius`; divisors that are zero count as 1e-6. `L` is the output of `layer`.
//!
//! **Shapes and sign.** The map and the maps of the copies are compared value by value, all channels, as the method
//! gives them. 0 for a map that stays the same. Undefined for a map of another shape than the method's, and where
//! every copy is left out.
//!
//! **Parameters.** `samples`: noisy copies, each explained once. `radius`: the noise, in preprocessed values.
//! `same_answer`: leaves out copies whose top class changes, as the definition asks. `layer`: by name; empty for the
//! card's default.
//!
//! **When it misleads.** Values of the map that are nearly zero decide it, as each change is divided by the value: it
//! can be huge for maps that look alike.
//!
//! **Reference.** Agarwal et al., Rethinking Stability for Attribution-based Explanations, 2022, arXiv:2203.06877.
//!
//! **Parity.** Quantus `RelativeRepresentationStability`, with recorded draws `[samples, C, H, W]` in [0, 1) as the
//! stream `relative-representation-stability/noise`. There a single copy of another answer makes the whole score NaN,
//! and its noise is one-sided by default (0.02 to 0.2). Quantus joins the values of all layers unless told otherwise.

use super::neighbours::{self, Plan};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct RelativeRepresentationStability;

crate::params! {
    /// Parameters of [`RelativeRepresentationStability`].
    pub struct RelativeRepresentationStabilityParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 200usize, int(1, 10_000);
        /// The noise is uniform between this and its negative, in preprocessed values.
        radius: f64 = 0.2, real(0.000_001, 100.0);
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = true, flag;
        /// The layer whose values are compared; empty for the network's default.
        layer: String = "", layer;
    }
}

impl RelativeRepresentationStabilityParams {
    fn plan(&self, model: &Model) -> Result<Plan, Error> {
        Ok(Plan {
            stream: "relative-representation-stability/noise",
            samples: self.samples,
            same_answer: self.same_answer,
            look: true,
            layers: vec![model.layer(&self.layer)?],
        })
    }
}

impl Metric for RelativeRepresentationStability {
    type Params = RelativeRepresentationStabilityParams;
    const META: MetricMeta = MetricMeta {
        id: "relative-representation-stability",
        name: "Relative representation stability",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How far does the map change for how far a layer changed?",
        caution: "Values of the map that are nearly zero decide it.",
        sensitive: &["radius", "samples", "layer"],
        reference: "Agarwal et al. 2022, arXiv:2203.06877",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(
        &self,
        model: &Model,
        evidence: &Evidence<'_>,
        p: &RelativeRepresentationStabilityParams,
    ) -> Result<Passes, Error> {
        p.plan(model)?.passes(model, evidence)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RelativeRepresentationStabilityParams,
    ) -> Result<Measurement, Error> {
        let plan = p.plan(cx.exec.model())?;
        neighbours::stability(cx, evidence, &plan, p.radius, |copy, whole| {
            neighbours::relative_change(whole[1].data(), copy.outputs[1].data())
        })
        .await
    }
}
