//! # Localisation AUC
//!
//! **What it computes.** How well the relevance tells the pixels that matter from the others, at every threshold.
//!
//! **Formula.** `score = P(r[i] > r[j]) + P(r[i] = r[j]) / 2` for `i` drawn from the mask and `j` from outside: the
//! area under the ROC curve.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1; 0.5 by chance and for constant maps.
//!
//! **Parameters.** `absolute`: ranks magnitudes rather than values.
//!
//! **When it misleads.** Where the object is small, thousands of easy background pixels hide mistakes near it.
//!
//! **Reference.** Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 2006,
//! doi:10.1016/j.patrec.2005.10.010.
//!
//! **Parity.** Quantus `AUC` (scikit-learn's `roc_curve`). A mask of every pixel is undefined in both.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked, stats};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct LocalisationAuc;

crate::params! {
    /// Parameters of [`LocalisationAuc`].
    pub struct LocalisationAucParams {
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for LocalisationAuc {
    type Params = LocalisationAucParams;
    const META: MetricMeta = MetricMeta {
        id: "localisation-auc",
        name: "Localisation AUC",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; 0.5 by chance",
        summary: "Does the relevance tell the pixels that matter from the others, at any threshold?",
        caution: "With a small object, easy background pixels hide mistakes near it.",
        sensitive: &["absolute"],
        reference: "Fawcett 2006, doi:10.1016/j.patrec.2005.10.010",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &LocalisationAucParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &LocalisationAucParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let (inside, pixels) = (mask.count() as f64, mask.bits().len() as f64);
            if inside >= pixels {
                return Score::Undefined("the mask holds every pixel, so there is nothing to tell it from".into());
            }
            let part = if p.absolute {
                masked::Part::Absolute
            } else {
                masked::Part::Signed
            };
            let ranks = stats::ranks(&part.values(&evidence.relevance));
            let sum: f64 = ranks.iter().zip(mask.bits()).filter(|(_, m)| **m).map(|(r, _)| r).sum();
            Score::Value((sum - inside * (inside + 1.0) / 2.0) / (inside * (pixels - inside)))
        })
    }
}
