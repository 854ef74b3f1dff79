//! # Faithfulness correlation
//!
//! **What it computes.** Whether the relevance of a random set of pixels foretells how far the target falls without them.
//!
//! **Formula.** `score = Pearson over runs of (sum_{i in S} r[i], g(x) - g(x without S))`, each `S` of `subset_size` pixels
//! drawn without repetition.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Between -1 and 1, higher is better; 1 for input × gradient on a linear network with
//! zeros for removed pixels.
//!
//! **Parameters.** `runs`: random sets, one pass each, and one more for the whole picture. `subset_size`: pixels a set,
//! fewer than the picture has. The imputer chosen for removal fills.
//!
//! **When it misleads.** Scattered pixels are easily made up for by their neighbours, so falls are small and the score
//! noisy; it changes with the size of the sets.
//!
//! **Reference.** Bhatt, Weller & Moura, Evaluating and Aggregating Feature-based Model Explanations, IJCAI 2020,
//! arXiv:2005.00631.
//!
//! **Parity.** Quantus `FaithfulnessCorrelation` on one channel, with its recorded sets `[runs, subset_size]` as the stream
//! `faithfulness-correlation/subsets`; within 1e-4. Quantus draws single channel values of colour pictures; here a pixel
//! is one unit.

use super::curve::whole;
use super::subsets::{Subsets, foretold};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, stats};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct FaithfulnessCorrelation;

const STREAM: &str = "faithfulness-correlation/subsets";

crate::params! {
    /// Parameters of [`FaithfulnessCorrelation`].
    pub struct FaithfulnessCorrelationParams {
        /// Random sets of pixels; each takes one pass.
        runs: usize = 100usize, int(2, 100_000);
        /// Pixels in each set; fewer than the picture has.
        subset_size: usize = 224usize, int(1, 1_000_000);
    }
}

impl Metric for FaithfulnessCorrelation {
    type Params = FaithfulnessCorrelationParams;
    const META: MetricMeta = MetricMeta {
        id: "faithfulness-correlation",
        name: "Faithfulness correlation",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Does the relevance of random pixels foretell how far the answer falls without them?",
        caution: "Scattered pixels are easily made up for by their neighbours, so the score is noisy.",
        sensitive: &["imputer", "subset_size", "runs"],
        reference: "Bhatt et al. 2020, arXiv:2005.00631",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &FaithfulnessCorrelationParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let pixels = height * width;
        if p.subset_size >= pixels {
            let why = format!(
                "{} is not below the picture's {pixels} pixels; it must be between 1 and {}",
                p.subset_size,
                pixels - 1
            );
            return Err(Error::param("subset_size", why));
        }
        Ok(Passes {
            forward: p.runs as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &FaithfulnessCorrelationParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let mut sets = Subsets::new(cx, STREAM, p.runs, p.subset_size, height * width)?;
        let remover = Remover::new(cx, evidence.input).await?;
        let whole = whole(cx, evidence.input).await?;
        let (sums, falls) = sets.falls(cx, &remover, &evidence.relevance, whole, p.runs).await?;
        Ok(Measurement::of(foretold(stats::pearson, &sums, &falls, whole)))
    }
}
