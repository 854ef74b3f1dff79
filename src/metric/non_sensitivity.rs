//! # Non-sensitivity
//!
//! **What it computes.** How often the map calls a patch irrelevant that matters, or relevant that does not.
//!
//! **Formula.** `score = share of patches for which (every |r| <= relevance_threshold * largest |r|) differs from
//! (|g(x) - g(x without the patch)| < answer_threshold)`.
//!
//! **Shapes and sign.** Patches are squares of `patch` pixels that tile the picture from its upper left corner, cut at
//! the edges; a pixel goes with all its channels and its relevance is the sum of the map over them. Between 0 and 1, 0
//! where both agree everywhere. A map of zeros calls everything irrelevant.
//!
//! **Parameters.** `patch`: side of the patches, one pass each; 1 is the definition, and slow. `relevance_threshold`:
//! what counts as irrelevant, as a share of the largest magnitude. `answer_threshold`: changes of the target below it
//! count as none, in the target's unit. The imputer chosen for removal fills.
//!
//! **When it misleads.** Both thresholds decide it. Pixels of the fill's own colour change nothing when removed, and
//! gradients are nowhere exactly zero.
//!
//! **Reference.** Nguyen & Martínez, On quantitative aspects of model interpretability, 2020, arXiv:2007.07584.
//!
//! **Parity.** Quantus `NonSensitivity` with single features, which counts pixels where this divides by their number;
//! with more than one feature a step it compares arrays of different lengths.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Mask, Model, Tensor};

/// See the [module](self).
pub struct NonSensitivity;

crate::params! {
    /// Parameters of [`NonSensitivity`].
    pub struct NonSensitivityParams {
        /// Side of the square patches that are removed one at a time; one pass each.
        patch: usize = 8usize, int(1, 4096);
        /// Relevance up to this share of the largest magnitude counts as none.
        relevance_threshold: f64 = 1e-5, real(0.0, 1.0);
        /// Changes of the target below this count as none, in the target's unit.
        answer_threshold: f64 = 1e-5, real(0.0, 1000.0);
    }
}

/// Patches down and across.
fn grid(patch: usize, height: usize, width: usize) -> (usize, usize) {
    (height.div_ceil(patch), width.div_ceil(patch))
}

impl Metric for NonSensitivity {
    type Params = NonSensitivityParams;
    const META: MetricMeta = MetricMeta {
        id: "non-sensitivity",
        name: "Non-sensitivity",
        category: Category::Axiomatic,
        direction: Direction::Lower,
        range: "0 to 1",
        summary: "Does the map call irrelevant just what can go without a change?",
        caution: "Both thresholds decide it, and pixels of the fill's own colour change nothing when removed.",
        sensitive: &["imputer", "relevance_threshold", "answer_threshold"],
        reference: "Nguyen & Martínez 2020, arXiv:2007.07584",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: false,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &NonSensitivityParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        if p.patch > height.min(width) {
            let why = format!(
                "{} is not between 1 and {}, the picture's shorter side",
                p.patch,
                height.min(width)
            );
            return Err(Error::param("patch", why));
        }
        let (rows, columns) = grid(p.patch, height, width);
        Ok(Passes {
            forward: (rows * columns) as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &NonSensitivityParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let remover = Remover::new(cx, evidence.input).await?;
        let whole = f64::from(
            cx.scores(&Tensor::stack(std::slice::from_ref(&evidence.input.tensor)))
                .await?[0],
        );
        let values = masked::Part::Absolute.values(&evidence.relevance);
        let least = p.relevance_threshold * values.iter().copied().fold(0.0, f64::max);
        let (rows, columns) = grid(p.patch, height, width);
        let patch = |k: usize| {
            let inside = |i: usize| i / width / p.patch == k / columns && i % width / p.patch == k % columns;
            Mask::new(height, width, (0..height * width).map(inside).collect())
        };
        let mut wrong = 0;
        for range in cx.batches(rows * columns) {
            let masks: Vec<Mask> = range.map(patch).collect();
            let scores = cx.scores(&remover.without(&masks).await?).await?;
            for (mask, score) in masks.iter().zip(scores) {
                let irrelevant = mask.bits().iter().zip(&values).all(|(m, v)| !m || *v <= least);
                let unchanged = (f64::from(score) - whole).abs() < p.answer_threshold;
                wrong += usize::from(irrelevant != unchanged);
            }
        }
        Ok(Measurement::of(Score::Value(wrong as f64 / (rows * columns) as f64)))
    }
}
