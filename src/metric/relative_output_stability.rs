//! # Relative output stability
//!
//! **What it computes.** How far the map changes, value by value, for how far the logits changed: the worst case among
//! noisy copies of the same answer.
//!
//! **Formula.** `score = max over k of |(a(x') - a(x)) / a(x)| / max(|h(x') - h(x)|, 1e-6)`, `x' = x + e[k]`, every
//! value of `e[k]` uniform in `±radius`; divisors that are zero count as 1e-6. `h` are the logits.
//!
//! **Shapes and sign.** The map and the maps of the copies are compared value by value, all channels, as the method
//! gives them. 0 for a map that stays the same. Undefined for a map of another shape than the method's, and where
//! every copy is left out.
//!
//! **Parameters.** `samples`: noisy copies, each explained once. `radius`: the noise, in preprocessed values.
//! `same_answer`: leaves out copies whose top class changes, as the definition asks.
//!
//! **When it misleads.** Values of the map that are nearly zero decide it, as each change is divided by the value: it
//! can be huge for maps that look alike.
//!
//! **Reference.** Agarwal et al., Rethinking Stability for Attribution-based Explanations, 2022, arXiv:2203.06877.
//!
//! **Parity.** Quantus `RelativeOutputStability`, with recorded draws `[samples, C, H, W]` in [0, 1) as the stream
//! `relative-output-stability/noise`. There a single copy of another answer makes the whole score NaN, and its noise
//! is one-sided by default (0.02 to 0.2).

use super::neighbours::{self, StabilityParams};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct RelativeOutputStability;

/// Its random stream.
const NOISE: &str = "relative-output-stability/noise";

impl Metric for RelativeOutputStability {
    type Params = StabilityParams;
    const META: MetricMeta = MetricMeta {
        id: "relative-output-stability",
        name: "Relative output stability",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How far does the map change for how far the answer changed?",
        caution: "Values of the map that are nearly zero decide it.",
        sensitive: &["radius", "samples"],
        reference: "Agarwal et al. 2022, arXiv:2203.06877",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &StabilityParams) -> Result<Passes, Error> {
        p.plan(NOISE, true).passes(model, evidence)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &StabilityParams,
    ) -> Result<Measurement, Error> {
        let plan = p.plan(NOISE, true);
        neighbours::stability(cx, evidence, &plan, p.radius, |copy, whole| {
            neighbours::distance(copy.outputs[0].data(), whole[0].data())
        })
        .await
    }
}
