//! # Average stability
//!
//! **What it computes.** How far the map moves on average when the picture gets a little brighter at random, in the
//! map's own unit.
//!
//! **Formula.** `score = mean over k of D(a(x + e[k]), a(x))`, every value of `e[k]` uniform in `[0, radius)`, `D` the
//! Euclidean or the absolute distance.
//!
//! **Shapes and sign.** The map and the maps of the copies are compared value by value, all channels, as the method
//! gives them. 0 for a map that stays the same; in the unit of the map, so that only maps of one method compare.
//! Undefined for a map of another shape than the method's, and where every copy is left out.
//!
//! **Parameters.** `samples`, `radius`: copies and their noise, in preprocessed values. `distance`: `l2` or `l1`.
//! `same_answer`: leaves out copies whose top class changes.
//!
//! **When it misleads.** It is not divided by the size of the map: a map of small numbers looks stable. Average
//! sensitivity divides.
//!
//! **Reference.** Bhatt, Weller & Moura, Evaluating and Aggregating Feature-based Model Explanations, IJCAI 2020,
//! arXiv:2005.00631; as Xplique has it.
//!
//! **Parity.** Xplique `AverageStability`, with recorded draws `[samples, C, H, W]` in [0, 1) as the stream
//! `average-stability/noise`. Xplique's noise is one-sided as well.

use super::neighbours::{self, Plan};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AverageStability;

crate::params! {
    /// Parameters of [`AverageStability`].
    pub struct AverageStabilityParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 20usize, int(1, 10_000);
        /// The noise is uniform between zero and this, in preprocessed values.
        radius: f64 = 0.1, real(0.000_001, 100.0);
        /// How the distance of two maps is measured: Euclidean, or the sum of absolute differences.
        distance: String = "l2", choice("l2", "l1");
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = false, flag;
    }
}

impl AverageStabilityParams {
    fn plan(&self) -> Plan {
        Plan {
            stream: "average-stability/noise",
            samples: self.samples,
            same_answer: self.same_answer,
            look: false,
            layers: Vec::new(),
        }
    }
}

impl Metric for AverageStability {
    type Params = AverageStabilityParams;
    const META: MetricMeta = MetricMeta {
        id: "average-stability",
        name: "Average stability",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards, in the map's unit",
        summary: "How far does the map move on average when the picture gets a little brighter at random?",
        caution: "A map of small numbers looks stable, as it is not divided by its size.",
        sensitive: &["radius", "distance"],
        reference: "Bhatt et al. 2020, arXiv:2005.00631",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &AverageStabilityParams) -> Result<Passes, Error> {
        p.plan().passes(model, evidence)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &AverageStabilityParams,
    ) -> Result<Measurement, Error> {
        let map = evidence.map.data();
        let noise = |stream: &mut Stream| p.radius * f64::from(stream.uniform());
        let distance = if p.distance == "l1" {
            neighbours::absolute_distance
        } else {
            neighbours::distance
        };
        let mut sum = 0.0;
        let found = p
            .plan()
            .run(cx, evidence, noise, |copy, _| sum += distance(copy.map.data(), map))
            .await?;
        Ok(Measurement::of(neighbours::score(
            found.map(|copies| sum / copies as f64),
        )))
    }
}
