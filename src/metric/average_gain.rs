//! # Average gain
//!
//! **What it computes.** What share of what is missing to certainty the target gains when the picture is seen through
//! the map.
//!
//! **Formula.** `score = max(0, g(m x + (1 - m) fill) - g(x)) / (1 - g(x))`, `m` the map as shares of 0 to 1.
//!
//! **Shapes and sign.** A pixel is shown with all its channels by the share that its relevance gives it; relevance is
//! the sum of the map over channels, and coarse maps are resized bilinearly. Between 0 and 1 for probabilities, higher
//! is better; the published number is its mean over a set of pictures, in percent. Undefined where the target is 1 or
//! more (always certain, or no probability).
//!
//! **Parameters.** `scale`: how the map becomes shares, `min-max` (smallest 0, largest 1) or `positive` (negative
//! relevance 0, largest 1). Takes two passes. The imputer chosen for removal fills what is not shown, and must be one
//! that can fill a whole picture; zeros are the papers' and libraries' choice.
//!
//! **When it misleads.** Where the network is nearly certain the denominator is tiny, and the gain of one such picture
//! outweighs a set.
//!
//! **Reference.** Zhang et al., Opti-CAM, CVIU 2024, arXiv:2301.07002.
//!
//! **Parity.** the paper's formula in NumPy; within 1e-5.

use super::blend::{NO_SHARES, SeenParams, seen};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AverageGain;

impl Metric for AverageGain {
    type Params = SeenParams;
    const META: MetricMeta = MetricMeta {
        id: "average-gain",
        name: "Average gain",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 to 1 for probabilities",
        summary: "What share of what is missing to certainty is gained when the picture is seen only where the map is bright?",
        caution: "Where the network is nearly certain, a tiny change is a large share of what is missing.",
        sensitive: &["imputer", "scale"],
        reference: "Zhang et al. 2024, arXiv:2301.07002",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &SeenParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 2,
            backward: 0,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &SeenParams) -> Result<Measurement, Error> {
        let Some((whole, part)) = seen(cx, evidence, &p.scale).await? else {
            return Ok(Measurement::undefined(NO_SHARES));
        };
        if whole >= 1.0 {
            return Ok(Measurement::undefined(
                "the answer is 1 or more, so that nothing is missing to certainty",
            ));
        }
        Ok(Measurement::of(Score::finite(
            (part - whole).max(0.0) / (1.0 - whole),
            "the answer is too near to 1",
        )))
    }
}
