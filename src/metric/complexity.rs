//! # Complexity
//!
//! **What it computes.** How many pixels it takes to tell the map: the entropy of its magnitudes as shares of their
//! sum.
//!
//! **Formula.** `score = - sum over i of p[i] ln p[i]`, `p[i] = |r[i]| / sum of |r|`.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly first. In nats: 0 for a single pixel, `ln n` for a map that is the same everywhere. A map of zeros is
//! undefined.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** A map can be simple and wrong. Resizing a coarse map spreads its relevance, and the value
//! grows with the picture.
//!
//! **Reference.** Bhatt, Weller & Moura, Evaluating and Aggregating Feature-based Model Explanations, IJCAI 2020,
//! arXiv:2005.00631.
//!
//! **Parity.** Quantus `Complexity`.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Score, masked};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Complexity;

impl Metric for Complexity {
    type Params = NoParams;
    const META: MetricMeta = MetricMeta {
        id: "complexity",
        name: "Complexity",
        category: Category::Complexity,
        direction: Direction::Lower,
        range: "0 (one pixel) to the logarithm of the number of pixels",
        summary: "How many pixels does it take to tell the map?",
        caution: "A map can be simple and wrong, and smooth maps count as complex.",
        sensitive: &[],
        reference: "Bhatt et al. 2020, arXiv:2005.00631",
        needs: &[],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(&self, _: &Context<'_>, evidence: &Evidence<'_>, _: &NoParams) -> Result<Measurement, Error> {
        let Some(shares) = masked::shares_of_largest(&evidence.relevance) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        let total: f64 = shares.iter().sum();
        let surprise = |v: &f64| {
            let p = v / total;
            if p > 0.0 { -p * p.ln() } else { 0.0 }
        };
        Ok(Measurement::of(Score::Value(shares.iter().map(surprise).sum())))
    }
}
