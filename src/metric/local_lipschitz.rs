//! # Local Lipschitz estimate
//!
//! **What it computes.** How fast the map changes with the picture nearby: the steepest step among noisy copies.
//!
//! **Formula.** `score = max over k of |a(x + e[k]) - a(x)| / |e[k]|`, Euclidean lengths, `e[k]` normal with deviation
//! `deviation`; each map is divided by its own largest magnitude where `normalise`.
//!
//! **Shapes and sign.** The map and the maps of the copies are compared value by value, all channels, as the method
//! gives them. 0 for a map that stays the same; a map of zeros is undefined where maps are divided, and copies with
//! such a map count as unchanged length. Undefined for a map of another shape than the method's, and where every copy
//! is left out.
//!
//! **Parameters.** `samples`: noisy copies, each explained once. `deviation`: of the noise, in preprocessed values.
//! `normalise`: divides each map by its largest magnitude. `same_answer`: leaves out copies whose top class changes.
//!
//! **When it misleads.** An estimate from below, which grows with the samples; a map that ignores the network is
//! perfectly stable.
//!
//! **Reference.** Alvarez-Melis & Jaakkola, On the Robustness of Interpretability Methods, 2018, arXiv:1806.08049.
//!
//! **Parity.** Quantus `LocalLipschitzEstimate`, with recorded standard normal draws `[samples, C, H, W]` as the
//! stream `local-lipschitz/noise`.

use super::neighbours::{self, Plan};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, masked};
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct LocalLipschitz;

crate::params! {
    /// Parameters of [`LocalLipschitz`].
    pub struct LocalLipschitzParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 200usize, int(1, 10_000);
        /// Standard deviation of the noise, in preprocessed values.
        deviation: f64 = 0.1, real(0.000_001, 100.0);
        /// Whether each map is divided by its largest magnitude first.
        normalise: bool = true, flag;
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = false, flag;
    }
}

impl LocalLipschitzParams {
    fn plan(&self) -> Plan {
        Plan {
            stream: "local-lipschitz/noise",
            samples: self.samples,
            same_answer: self.same_answer,
            look: false,
            layers: Vec::new(),
        }
    }
}

impl Metric for LocalLipschitz {
    type Params = LocalLipschitzParams;
    const META: MetricMeta = MetricMeta {
        id: "local-lipschitz",
        name: "Local Lipschitz estimate",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How fast does the map change with the picture, at most?",
        caution: "A map that ignores the network is perfectly stable, and the value grows with the samples.",
        sensitive: &["deviation", "samples", "normalise"],
        reference: "Alvarez-Melis & Jaakkola 2018, arXiv:1806.08049",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &LocalLipschitzParams) -> Result<Passes, Error> {
        let passes = p.plan().passes(model, evidence)?;
        let zero = p.normalise && neighbours::length(evidence.map.data()) <= 0.0;
        Ok(if zero { Passes::default() } else { passes })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &LocalLipschitzParams,
    ) -> Result<Measurement, Error> {
        if p.normalise && neighbours::length(evidence.map.data()) <= 0.0 {
            return Ok(Measurement::undefined(masked::ZERO));
        }
        let scaled = |map: &Tensor| {
            if p.normalise {
                neighbours::by_largest(map)
            } else {
                map.clone()
            }
        };
        let map = scaled(evidence.map);
        let noise = |stream: &mut Stream| p.deviation * f64::from(stream.normal());
        let mut worst = 0.0f64;
        let found = p
            .plan()
            .run(cx, evidence, noise, |copy, _| {
                let step = neighbours::distance(copy.picture.data(), evidence.input.tensor.data());
                let change = neighbours::distance(scaled(&copy.map).data(), map.data());
                worst = worst.max(change / (step + 1e-10));
            })
            .await?;
        Ok(Measurement::of(neighbours::score(found.map(|_| worst))))
    }
}
