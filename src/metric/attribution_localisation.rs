//! # Attribution localisation
//!
//! **What it computes.** How much of the map's magnitude lies on what is known to matter.
//!
//! **Formula.** `score = sum of |r| inside the mask / sum of |r|`; with `weighted`, times the picture's pixels over
//! the mask's.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1 (by chance the mask's share of the picture); weighted, 1 by chance and at most the
//! picture over the mask.
//!
//! **Parameters.** `sign`: `absolute` counts the magnitude, `positive` only what is above zero. `weighted`: divides by
//! the mask's share of the picture, so that small and large objects compare. `max_share`: masks over a larger share of
//! the picture leave the score undefined, as hitting them proves little; the authors also report at most 0.5 and 0.25.
//!
//! **When it misleads.** Relevance beside the object is counted as wrong though the network may well use the
//! surroundings; check with a deletion curve.
//!
//! **Reference.** Kohlbrenner et al., Towards Best Practice in Explaining Neural Network Decisions with LRP, IJCNN
//! 2020, arXiv:1910.09840.
//!
//! **Parity.** Quantus `AttributionLocalisation`, unweighted. Its `weighted` multiplies by the mask's share (of a
//! slice of the batch) where the paper divides by it.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct AttributionLocalisation;

crate::params! {
    /// Parameters of [`AttributionLocalisation`].
    pub struct AttributionLocalisationParams {
        /// Which part of the relevance counts: its magnitude, or what is above zero.
        sign: String = "absolute", choice("absolute", "positive");
        /// Whether to divide by the mask's share of the picture, so that chance is 1.
        weighted: bool = false, flag;
        /// Masks over a larger share of the picture leave the score undefined.
        max_share: f64 = 1.0, real(0.0, 1.0);
    }
}

impl Metric for AttributionLocalisation {
    type Params = AttributionLocalisationParams;
    const META: MetricMeta = MetricMeta {
        id: "attribution-localisation",
        name: "Attribution localisation",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; by chance the mask's share of the picture",
        summary: "How much of the relevance lies on what is known to matter?",
        caution: "Relevance beside the object counts as wrong, though the network may use the surroundings.",
        sensitive: &["sign", "weighted"],
        reference: "Kohlbrenner et al. 2020, arXiv:1910.09840",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &AttributionLocalisationParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &AttributionLocalisationParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let share = mask.count() as f64 / mask.bits().len() as f64;
            if share > p.max_share {
                return Score::Undefined("the mask is larger than the share of the picture that is allowed".into());
            }
            let values = masked::Part::of(&p.sign).values(&evidence.relevance);
            let Some(inside) = masked::mass_inside(&values, mask) else {
                return Score::Undefined("the map has no relevance of the part that counts".into());
            };
            Score::Value(if p.weighted { inside / share } else { inside })
        })
    }
}
