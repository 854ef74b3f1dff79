//! # Rank correlation
//!
//! **What it computes.** Whether two maps order the pixels alike.
//!
//! **Formula.** `score = Spearman or Kendall's tau-b of (A, B) over all pixels`.
//!
//! **Shapes and sign.** Both maps as one relevance a pixel: summed over channels, resized where coarse. Between -1 and
//! 1; 0 for unrelated maps. Undefined where a map is the same everywhere.
//!
//! **Parameters.** `measure`: `spearman` or `kendall`, ties sharing their mean rank. `absolute`: ranks magnitudes.
//!
//! **When it misleads.** The many pixels of little relevance outweigh the few that matter; two maps can agree and both
//! be wrong.
//!
//! **Reference.** Krishna et al., The Disagreement Problem in Explainable Machine Learning, 2022, arXiv:2202.01602.
//!
//! **Parity.** SciPy `spearmanr` and `kendalltau`. OpenXAI correlates dense ranks, which is the same without ties.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, agreement, masked, stats};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct RankCorrelation;

crate::params! {
    /// Parameters of [`RankCorrelation`].
    pub struct RankCorrelationParams {
        /// How ranks are compared.
        measure: String = "spearman", choice("spearman", "kendall");
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for RankCorrelation {
    type Params = RankCorrelationParams;
    const META: MetricMeta = MetricMeta {
        id: "rank-correlation",
        name: "Rank correlation",
        category: Category::Agreement,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 for unrelated maps",
        summary: "Do two maps order the pixels alike?",
        caution: "The many pixels of little relevance outweigh the few that matter.",
        sensitive: &["measure", "absolute"],
        reference: "Krishna et al. 2022, arXiv:2202.01602",
        needs: &[Need::Other],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &RankCorrelationParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RankCorrelationParams,
    ) -> Result<Measurement, Error> {
        let part = if p.absolute {
            masked::Part::Absolute
        } else {
            masked::Part::Signed
        };
        let (a, b) = (
            part.values(&evidence.relevance),
            part.values(agreement::other(evidence)),
        );
        let correlate = if p.measure == "kendall" {
            stats::kendall
        } else {
            stats::spearman
        };
        let score = correlate(&a, &b).map_or_else(|| Score::Undefined(agreement::FLAT.into()), Score::Value);
        Ok(Measurement::of(score))
    }
}
