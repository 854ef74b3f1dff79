//! # Sign agreement
//!
//! **What it computes.** Which share of the most relevant pixels two maps have in common, with the same sign.
//!
//! **Formula.** `score = |{i in top k of A and of B with sign A(i) = sign B(i)}| / k`.
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
//! **Parity.** OpenXAI's sign agreement (`sign`), without ties.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, agreement};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct SignAgreement;

crate::params! {
    /// Parameters of [`SignAgreement`].
    pub struct SignAgreementParams {
        /// The top pixels that are compared, as a share of the picture; at least one.
        share: f64 = 0.1, real(0.0, 1.0);
    }
}

impl Metric for SignAgreement {
    type Params = SignAgreementParams;
    const META: MetricMeta = MetricMeta {
        id: "sign-agreement",
        name: "Sign agreement",
        category: Category::Agreement,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "Do two maps find the same pixels relevant, for and against?",
        caution: "Two maps can agree and both be wrong.",
        sensitive: &["share"],
        reference: "Krishna et al. 2022, arXiv:2202.01602",
        needs: &[Need::Other],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &SignAgreementParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SignAgreementParams,
    ) -> Result<Measurement, Error> {
        Ok(Measurement::of(agreement::of_top(evidence, p.share, |a, b| {
            a.sign == b.sign
        })))
    }
}
