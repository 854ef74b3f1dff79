//! # Feature agreement
//!
//! **What it computes.** Which share of the most relevant pixels two maps have in common.
//!
//! **Formula.** `score = |top k of A ∩ top k of B| / k`.
//!
//! **Shapes and sign.** Both maps as one relevance a pixel: summed over channels, resized where coarse; magnitudes are
//! ranked. Between 0 and 1, 1 for equal maps. Pixels that tie for the last places count in equal parts; in a tie all
//! have the mean rank. A map that is the same everywhere ranks nothing, so that the score is undefined.
//!
//! **Parameters.** `share`: the top pixels that are compared, as a share of the picture, rounded, at least one.
//!
//! **When it misleads.** Two maps can agree because both show edges, or because both are wrong: agreement is no truth.
//!
//! **Reference.** Krishna et al., The Disagreement Problem in Explainable Machine Learning, 2022, arXiv:2202.01602;
//! Agarwal et al., OpenXAI, NeurIPS 2022, arXiv:2206.11104.
//!
//! **Parity.** OpenXAI's feature agreement (`overlap`), without ties.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, agreement};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct FeatureAgreement;

crate::params! {
    /// Parameters of [`FeatureAgreement`].
    pub struct FeatureAgreementParams {
        /// The top pixels that are compared, as a share of the picture; at least one.
        share: f64 = 0.1, real(0.0, 1.0);
    }
}

impl Metric for FeatureAgreement {
    type Params = FeatureAgreementParams;
    const META: MetricMeta = MetricMeta {
        id: "feature-agreement",
        name: "Feature agreement",
        category: Category::Agreement,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "Do two maps find the same pixels most relevant?",
        caution: "Two maps can agree and both be wrong.",
        sensitive: &["share"],
        reference: "Krishna et al. 2022, arXiv:2202.01602",
        needs: &[Need::Other],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &FeatureAgreementParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &FeatureAgreementParams,
    ) -> Result<Measurement, Error> {
        Ok(Measurement::of(agreement::of_top(evidence, p.share, |_, _| true)))
    }
}
