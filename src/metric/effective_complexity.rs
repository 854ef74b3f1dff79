//! # Effective complexity
//!
//! **What it computes.** How many pixels have any relevance to speak of.
//!
//! **Formula.** `score = number of pixels with |r| > threshold * largest |r|`.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly first. In pixels, from 1 to all of them. A map of zeros is undefined.
//!
//! **Parameters.** `threshold`: what does not count, as a share of the largest magnitude.
//!
//! **When it misleads.** It changes with the threshold more than with the map; gradients are nowhere exactly zero.
//!
//! **Reference.** Nguyen & Martínez, On quantitative aspects of model interpretability, 2020, arXiv:2007.07584.
//!
//! **Parity.** Quantus `EffectiveComplexity`. The paper counts the most relevant pixels that keep the answer, which
//! deletion and insertion curves show.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct EffectiveComplexity;

crate::params! {
    /// Parameters of [`EffectiveComplexity`].
    pub struct EffectiveComplexityParams {
        /// Relevance that does not count, as a share of the largest magnitude.
        threshold: f64 = 1e-5, real(0.0, 1.0);
    }
}

impl Metric for EffectiveComplexity {
    type Params = EffectiveComplexityParams;
    const META: MetricMeta = MetricMeta {
        id: "effective-complexity",
        name: "Effective complexity",
        category: Category::Complexity,
        direction: Direction::Lower,
        range: "pixels, from 1 to all of the picture",
        summary: "How many pixels have any relevance to speak of?",
        caution: "It changes with the threshold more than with the map.",
        sensitive: &["threshold"],
        reference: "Nguyen & Martínez 2020, arXiv:2007.07584",
        needs: &[],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &EffectiveComplexityParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &EffectiveComplexityParams,
    ) -> Result<Measurement, Error> {
        let Some(shares) = masked::shares_of_largest(&evidence.relevance) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        let count = shares.iter().filter(|&&v| v > p.threshold).count();
        Ok(Measurement::of(Score::Value(count as f64)))
    }
}
