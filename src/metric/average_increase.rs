//! # Average increase
//!
//! **What it computes.** Whether the target is larger when the picture is seen through the map than when it is seen
//! whole.
//!
//! **Formula.** `score = 1` if `g(m x + (1 - m) fill) > g(x)`, else 0; `m` the map as shares of 0 to 1.
//!
//! **Shapes and sign.** A pixel is shown with all its channels by the share that its relevance gives it; relevance is
//! the sum of the map over channels, and coarse maps are resized bilinearly. 0 or 1, higher is better; the published
//! number is its mean over a set of pictures, in percent.
//!
//! **Parameters.** `scale`: how the map becomes shares, `min-max` (smallest 0, largest 1) or `positive` (negative
//! relevance 0, largest 1). Takes two passes. The imputer chosen for removal fills what is not shown, and must be one
//! that can fill a whole picture; zeros are the papers' and libraries' choice.
//!
//! **When it misleads.** Dimming can raise the target by itself, whatever is dimmed; and one picture is one bit.
//!
//! **Reference.** Chattopadhay et al., Grad-CAM++, WACV 2018, arXiv:1710.11063.
//!
//! **Parity.** pytorch-grad-cam `IncreaseInConfidence`; exact.

use super::blend::{NO_SHARES, SeenParams, seen};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AverageIncrease;

impl Metric for AverageIncrease {
    type Params = SeenParams;
    const META: MetricMeta = MetricMeta {
        id: "average-increase",
        name: "Average increase",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 or 1 for one picture",
        summary: "Is the answer stronger when the picture is seen only where the map is bright?",
        caution: "Over few pictures it says nothing: each is a yes or a no.",
        sensitive: &["imputer", "scale"],
        reference: "Chattopadhay et al. 2018, arXiv:1710.11063",
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
        Ok(Measurement::of(Score::Value(f64::from(u8::from(part > whole)))))
    }
}
