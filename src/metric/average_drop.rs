//! # Average drop
//!
//! **What it computes.** What share of the target is lost when the picture is seen through the map.
//!
//! **Formula.** `score = max(0, g(x) - g(m x + (1 - m) fill)) / g(x)`, `m` the map as shares of 0 to 1.
//!
//! **Shapes and sign.** A pixel is shown with all its channels by the share that its relevance gives it; relevance is
//! the sum of the map over channels, and coarse maps are resized bilinearly. Between 0 and 1, lower is better; the
//! published number is its mean over a set of pictures, in percent. Undefined where the target is not above 0, of
//! which no share can be lost.
//!
//! **Parameters.** `scale`: how the map becomes shares, `min-max` (smallest 0, largest 1) or `positive` (negative
//! relevance 0, largest 1). Takes two passes. The imputer chosen for removal fills what is not shown, and must be one
//! that can fill a whole picture; zeros are the papers' and libraries' choice.
//!
//! **When it misleads.** The larger the bright part, the better: a map that shows everything has 0. Read it with the
//! sparseness of the map.
//!
//! **Reference.** Chattopadhay et al., Grad-CAM++, WACV 2018, arXiv:1710.11063.
//!
//! **Parity.** pytorch-grad-cam `DropInConfidence`, which is the numerator, divided by `g(x)`; within 1e-5.

use super::blend::{NO_SHARES, SeenParams, seen};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AverageDrop;

impl Metric for AverageDrop {
    type Params = SeenParams;
    const META: MetricMeta = MetricMeta {
        id: "average-drop",
        name: "Average drop",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "0 to 1",
        summary: "What share of the answer is lost when the picture is seen only where the map is bright?",
        caution: "A map that is bright everywhere loses nothing.",
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
        if whole <= 0.0 {
            return Ok(Measurement::undefined(
                "the answer is not above 0, so that no share of it can be lost",
            ));
        }
        Ok(Measurement::of(Score::finite(
            (whole - part).max(0.0) / whole,
            "the answer is too small to divide by",
        )))
    }
}
