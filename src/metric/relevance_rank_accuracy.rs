//! # Relevance rank accuracy
//!
//! **What it computes.** How many of the most relevant pixels, as many as the mask holds, lie in it.
//!
//! **Formula.** `score = |top |M| pixels ∩ M| / |M|`, `M` the mask.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1; by chance the mask's share of the picture. Pixels that tie for the last places count
//! in equal parts.
//!
//! **Parameters.** `absolute`: ranks magnitudes rather than values.
//!
//! **When it misleads.** A map that marks the outline of an object loses the inside, though outlines may be what the
//! network goes by.
//!
//! **Reference.** Arras, Osman & Samek, CLEVR-XAI: A benchmark dataset for the ground truth evaluation of neural
//! network explanations, Information Fusion 2022, arXiv:2003.07258.
//!
//! **Parity.** Quantus `RelevanceRankAccuracy`, which breaks ties by position.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct RelevanceRankAccuracy;

crate::params! {
    /// Parameters of [`RelevanceRankAccuracy`].
    pub struct RelevanceRankAccuracyParams {
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for RelevanceRankAccuracy {
    type Params = RelevanceRankAccuracyParams;
    const META: MetricMeta = MetricMeta {
        id: "relevance-rank-accuracy",
        name: "Relevance rank accuracy",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; by chance the mask's share of the picture",
        summary: "Are the most relevant pixels, as many as the mask holds, those of the mask?",
        caution: "Marking an outline loses the inside of the object, though outlines may be what counts.",
        sensitive: &["absolute"],
        reference: "Arras et al. 2022, arXiv:2003.07258",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &RelevanceRankAccuracyParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RelevanceRankAccuracyParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let part = if p.absolute {
                masked::Part::Absolute
            } else {
                masked::Part::Signed
            };
            let chosen = masked::top(&part.values(&evidence.relevance), mask.count());
            let inside: f64 = chosen
                .iter()
                .zip(mask.bits())
                .filter(|(_, m)| **m)
                .map(|(w, _)| w)
                .sum();
            Score::Value(inside / mask.count() as f64)
        })
    }
}
