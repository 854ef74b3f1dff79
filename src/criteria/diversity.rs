//! # Diversity
//!
//! **What it computes.** How far the fillings of several draws lie apart.
//!
//! **Formula.** `mean over pairs of draws of sqrt(mean (y - y')^2)` over the removed pixels and all channels, in pixel values of which 1
//! is the whole range.
//!
//! **Shapes and sign.** At least 0; neither end is better. 0 for an imputer that draws no random numbers. Undefined where no pixel is
//! removed, and for a single draw of one that does.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Noise is diverse: it says how much chance moves a score, not that the fillings are plausible.
//!
//! **Reference.** As the pairwise distance by which Zhu et al. 2017, arXiv:1711.11586, measure diversity, of pixels instead of
//! features.
//!
//! **Parity.** Cases by hand in `tests/axioms`.

use super::{Better, Case, Criterion, CriterionMeta, pixel_values};
use crate::metric::Score;

/// See the [module](self).
pub struct Diversity;

impl Criterion for Diversity {
    const META: CriterionMeta = CriterionMeta {
        id: "diversity",
        name: "Diversity",
        summary: "How far do the fillings of several draws lie apart?",
        formula: "mean over pairs of draws of the root mean squared difference over removed pixels",
        better: Better::Neither,
        range: "0 and more, of a pixel range of 1; 0 without chance",
        reference: "after Zhu et al. 2017, arXiv:1711.11586",
        needs_values: false,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        if let Some(nothing) = case.nothing() {
            return nothing;
        }
        if !case.stochastic {
            return Score::Value(0.0);
        }
        if case.fillings.len() < 2 {
            return Score::Undefined("one draw has nothing to differ from; ask for two or more".into());
        }
        let all: Vec<Vec<f64>> = case.fillings.iter().map(|f| pixel_values(case.input, f)).collect();
        let pixels = case.removed.bits().len();
        let channels = case.input.dims()[0];
        let count = (case.removed.count() * channels) as f64;
        let apart = |a: &[f64], b: &[f64]| {
            let squares = a.iter().zip(b).enumerate();
            let squares = squares.filter(|(i, _)| case.removed.bits()[i % pixels]);
            (squares.map(|(_, (x, y))| (x - y) * (x - y)).sum::<f64>() / count).sqrt()
        };
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (i, a) in all.iter().enumerate() {
            for b in &all[..i] {
                sum += apart(a, b);
                pairs += 1.0;
            }
        }
        Score::Value(sum / pairs)
    }
}
