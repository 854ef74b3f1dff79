//! # Average sensitivity
//!
//! **What it computes.** How far the map moves on average when the picture gets a little noise, as a share of the
//! map's own length.
//!
//! **Formula.** `score = mean over k of |a(x + e[k]) - a(x)| / |a(x)|`, Euclidean lengths, every value of `e[k]`
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
//! randomisation score. Rare large jumps vanish in the mean.
//!
//! **Reference.** Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019, arXiv:1901.09392.
//!
//! **Parity.** Quantus `AvgSensitivity`, with recorded draws `[samples, C, H, W]` in [0, 1) as the stream
//! `average-sensitivity/noise`. Captum's radius is 0.02 by default, Quantus' 0.2.

use super::neighbours::{self, SensitivityParams};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AverageSensitivity;

/// Its random stream.
const NOISE: &str = "average-sensitivity/noise";

impl Metric for AverageSensitivity {
    type Params = SensitivityParams;
    const META: MetricMeta = MetricMeta {
        id: "average-sensitivity",
        name: "Average sensitivity",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How far does the map move on average when the picture gets a little noise?",
        caution: "A map that ignores the network is perfectly stable.",
        sensitive: &["radius", "samples"],
        reference: "Yeh et al. 2019, arXiv:1901.09392",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &SensitivityParams) -> Result<Passes, Error> {
        p.passes(NOISE, model, evidence)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SensitivityParams,
    ) -> Result<Measurement, Error> {
        p.evaluate(NOISE, cx, evidence, neighbours::mean).await
    }
}
