//! # Max sensitivity
//!
//! **What it computes.** How far the map moves the most when the picture gets a little noise, as a share of the map's
//! own length.
//!
//! **Formula.** `score = max over k of |a(x + e[k]) - a(x)| / |a(x)|`, Euclidean lengths, every value of `e[k]`
//! uniform in `±radius`; the class and the random draws of the method stay the same.
//!
//! **Shapes and sign.** The map and the maps of the copies are compared value by value, all channels, as the method
//! gives them. 0 for a map that stays the same; a map of zeros is undefined. Undefined for a map of another shape than
//! the method's, and where every copy is left out.
//!
//! **Parameters.** `samples`: noisy copies, each explained once. `radius`: the noise, in preprocessed values.
//! `same_answer`: leaves out copies whose top class changes.
//!
//! **When it misleads.** A map that ignores the network is perfectly stable: read it beside a faithfulness or
//! randomisation score. The maximum grows with the number of samples.
//!
//! **Reference.** Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019, arXiv:1901.09392.
//!
//! **Parity.** Quantus `MaxSensitivity` and Captum `sensitivity_max`, with recorded draws `[samples, C, H, W]` in [0,
//! 1) as the stream `max-sensitivity/noise`. Captum's radius is 0.02 by default, Quantus' 0.2.

use super::neighbours::{self, Plan};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, masked};
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct MaxSensitivity;

crate::params! {
    /// Parameters of [`MaxSensitivity`].
    pub struct MaxSensitivityParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 200usize, int(1, 10_000);
        /// The noise is uniform between this and its negative, in preprocessed values.
        radius: f64 = 0.2, real(0.000_001, 100.0);
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = false, flag;
    }
}

impl MaxSensitivityParams {
    fn plan(&self) -> Plan {
        Plan {
            stream: "max-sensitivity/noise",
            samples: self.samples,
            same_answer: self.same_answer,
            look: false,
            layers: Vec::new(),
        }
    }
}

impl Metric for MaxSensitivity {
    type Params = MaxSensitivityParams;
    const META: MetricMeta = MetricMeta {
        id: "max-sensitivity",
        name: "Max sensitivity",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How far does the map move the most when the picture gets a little noise?",
        caution: "A map that ignores the network is perfectly stable.",
        sensitive: &["radius", "samples"],
        reference: "Yeh et al. 2019, arXiv:1901.09392",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &MaxSensitivityParams) -> Result<Passes, Error> {
        let passes = p.plan().passes(model, evidence)?;
        Ok(if neighbours::length(evidence.map.data()) > 0.0 {
            passes
        } else {
            Passes::default()
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &MaxSensitivityParams,
    ) -> Result<Measurement, Error> {
        let map = evidence.map.data();
        let length = neighbours::length(map);
        if length <= 0.0 {
            return Ok(Measurement::undefined(masked::ZERO));
        }
        let noise = |stream: &mut Stream| p.radius * (2.0 * f64::from(stream.uniform()) - 1.0);
        let mut worst = 0.0f64;
        let found = p
            .plan()
            .run(cx, evidence, noise, |copy, _| {
                let change = neighbours::distance(copy.map.data(), map) / length;
                worst = worst.max(change);
            })
            .await?;
        Ok(Measurement::of(neighbours::score(found.map(|_| worst))))
    }
}
