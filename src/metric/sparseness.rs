//! # Sparseness
//!
//! **What it computes.** How unequally the relevance is spread: the Gini index of its magnitudes.
//!
//! **Formula.** `score = sum over k of (2 k - n - 1) s[k] / (n sum of s)`, `s` the magnitudes `|r|` in rising order,
//! `k = 1 … n`.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly first. 0 for a map that is the same everywhere, `1 - 1/n` for a single pixel. A map of zeros is
//! undefined.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Few bright pixels in the wrong place are sparse too. Resizing a coarse map spreads its
//! relevance.
//!
//! **Reference.** Chalasani et al., Concise Explanations of Neural Networks using Adversarial Training, ICML 2020,
//! arXiv:1810.06583.
//!
//! **Parity.** Quantus `Sparseness`, which adds 1e-7 to the map divided by its largest magnitude; the difference is
//! below 1e-5.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Score, masked};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Sparseness;

impl Metric for Sparseness {
    type Params = NoParams;
    const META: MetricMeta = MetricMeta {
        id: "sparseness",
        name: "Sparseness",
        category: Category::Complexity,
        direction: Direction::Higher,
        range: "0 (the same everywhere) to 1 (one pixel)",
        summary: "Does the map put its relevance in few pixels?",
        caution: "Few bright pixels in the wrong place are sparse too.",
        sensitive: &[],
        reference: "Chalasani et al. 2020, arXiv:1810.06583",
        needs: &[],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(&self, _: &Context<'_>, evidence: &Evidence<'_>, _: &NoParams) -> Result<Measurement, Error> {
        let Some(mut shares) = masked::shares_of_largest(&evidence.relevance) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        shares.sort_by(f64::total_cmp);
        let n = shares.len() as f64;
        let weighted: f64 = shares
            .iter()
            .enumerate()
            .map(|(k, v)| (2.0 * k as f64 + 1.0 - n) * v)
            .sum();
        Ok(Measurement::of(Score::Value(
            weighted / (n * shares.iter().sum::<f64>()),
        )))
    }
}
