//! # Structural similarity
//!
//! **What it computes.** Whether two maps look alike: brightness, contrast and structure of all their windows of 7 × 7
//! pixels.
//!
//! **Formula.** `score = mean over windows of SSIM(A / max |A|, B / max |B|)`, with uniform windows, sample
//! covariances, and the range of both maps together.
//!
//! **Shapes and sign.** Both maps as one relevance a pixel: summed over channels, resized where coarse. Between -1 and
//! 1; 1 for equal maps up to a positive factor. Undefined where both maps are constant and equal, and for pictures
//! below 3 pixels.
//!
//! **Parameters.** `absolute`: compares magnitudes.
//!
//! **When it misleads.** A map and its negative can look alike. Two smooth maps look alike whatever they show, and
//! flat background raises the score; two maps can agree and both be wrong.
//!
//! **Reference.** Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE TIP
//! 2004, doi:10.1109/TIP.2003.819861; for maps, Adebayo et al., NeurIPS 2018, arXiv:1810.03292.
//!
//! **Parity.** scikit-image `structural_similarity` of the divided maps with their common range.

use super::similarity::Similarity;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, agreement};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct StructuralSimilarity;

crate::params! {
    /// Parameters of [`StructuralSimilarity`].
    pub struct StructuralSimilarityParams {
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for StructuralSimilarity {
    type Params = StructuralSimilarityParams;
    const META: MetricMeta = MetricMeta {
        id: "structural-similarity",
        name: "Structural similarity",
        category: Category::Agreement,
        direction: Direction::Higher,
        range: "-1 to 1",
        summary: "Do two maps look alike?",
        caution: "Smooth maps look alike whatever they show.",
        sensitive: &["absolute"],
        reference: "Wang et al. 2004, doi:10.1109/TIP.2003.819861",
        needs: &[Need::Other],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &StructuralSimilarityParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &StructuralSimilarityParams,
    ) -> Result<Measurement, Error> {
        let found = Similarity::Ssim.between(&evidence.relevance, agreement::other(evidence), p.absolute);
        Ok(Measurement::of(
            found.map_or_else(|why| Score::Undefined(why.into()), Score::Value),
        ))
    }
}
