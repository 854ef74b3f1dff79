//! # Monotonicity correlation
//!
//! **What it computes.** Whether groups of pixels with more relevance are those whose removal changes the target more.
//!
//! **Formula.** `score = Spearman over groups of (sum_{i in G} |r[i]|, mean over samples of (g(x without G) - g(x))^2)`; the
//! groups are the ranking by `|r|` cut into `steps` runs. The paper divides the changes by `g(x)^2`, which moves no rank.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Between -1 and 1, higher is better.
//!
//! **Parameters.** `steps`: groups. `samples`: removals of each, one pass each, and one more for the whole picture; one is
//! enough for an imputer that draws no random numbers. The imputer chosen for removal fills, with new random numbers each
//! time; the paper's is uniform noise.
//!
//! **When it misleads.** One group lacks where all others are there, so that evidence which is there twice seems not to
//! matter; and many groups of which none matters rank by chance.
//!
//! **Reference.** Nguyen & Rodríguez Martínez, On Quantitative Aspects of Model Interpretability, 2020, arXiv:2007.07584.
//!
//! **Parity.** Quantus `MonotonicityCorrelation` on one channel with a constant for removed pixels; within 1e-5. Quantus
//! takes single channel values of colour pictures; here a pixel is one unit.

use super::curve::{Order, Reading, check_steps, read, whole};
use super::fresh::Fresh;
use super::groups::Groups;
use super::subsets::foretold;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, stats};
use crate::job::Passes;
use crate::{Context, Error, Mask, Model};

/// See the [module](self).
pub struct MonotonicityCorrelation;

crate::params! {
    /// Parameters of [`MonotonicityCorrelation`].
    pub struct MonotonicityCorrelationParams {
        /// Groups into which the ranking is cut.
        steps: usize = 32usize, int(2, 100_000);
        /// Removals of each group; each takes one pass.
        samples: usize = 8usize, int(1, 10_000);
    }
}

impl Metric for MonotonicityCorrelation {
    type Params = MonotonicityCorrelationParams;
    const META: MetricMeta = MetricMeta {
        id: "monotonicity-correlation",
        name: "Monotonicity correlation (Nguyen)",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Do groups of pixels with more relevance change the answer more when they are removed?",
        caution: "Evidence that is there twice seems not to matter.",
        sensitive: &["imputer", "steps"],
        reference: "Nguyen & Rodríguez Martínez 2020, arXiv:2007.07584",
        needs: &[Need::Imputer],
        imputer: "uniform-noise",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &MonotonicityCorrelationParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(p.steps, height * width)?;
        Ok(Passes {
            forward: p.steps as u64 * p.samples as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &MonotonicityCorrelationParams,
    ) -> Result<Measurement, Error> {
        let mut remover = Fresh::new(cx, evidence.input, "monotonicity-correlation/fills").await?;
        let groups = Groups::runs(&evidence.relevance.map(f32::abs), p.steps, cx.random);
        let whole = whole(cx, evidence.input).await?;
        let mut changes = vec![0.0; p.steps];
        for range in cx.batches(p.steps * p.samples) {
            let group = |run: usize| groups.only(Order::Morf, run / p.samples);
            let masks: Vec<Mask> = range.clone().map(group).collect();
            let scores = read(cx, &remover.without(&masks).await?, Reading::Target).await?;
            for (run, score) in range.zip(scores) {
                changes[run / p.samples] += (score - whole).powi(2) / p.samples as f64;
            }
        }
        // Ranks are those of the changes' sizes too, which rounding is measured against.
        let sizes: Vec<f64> = changes.into_iter().map(f64::sqrt).collect();
        let sums: Vec<f64> = (0..p.steps).map(|k| groups.relevance(Order::Morf, k)).collect();
        Ok(Measurement::of(foretold(stats::spearman, &sums, &sizes, whole)))
    }
}
