//! # Relevance mass accuracy
//!
//! **What it computes.** The share of the relevance that lies on what is known to matter.
//!
//! **Formula.** `score = sum of r inside the mask / sum of r`.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1 for `positive` and `absolute`; by chance the mask's share of the picture. With
//! `signed`, any number: negative relevance outside of the mask pushes it over 1.
//!
//! **Parameters.** `sign`: `positive` counts what is above zero, as the authors' positive pooling; `absolute`
//! magnitudes; `signed` everything, as Quantus does unless told otherwise.
//!
//! **When it misleads.** Little relevance spread over a large background weighs as much as a bright spot; it rises
//! with the size of the mask.
//!
//! **Reference.** Arras, Osman & Samek, CLEVR-XAI: A benchmark dataset for the ground truth evaluation of neural
//! network explanations, Information Fusion 2022, arXiv:2003.07258.
//!
//! **Parity.** Quantus `RelevanceMassAccuracy`; a total that is not above zero is undefined here and a division by it
//! there.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct RelevanceMassAccuracy;

crate::params! {
    /// Parameters of [`RelevanceMassAccuracy`].
    pub struct RelevanceMassAccuracyParams {
        /// Which part of the relevance counts: what is above zero, its magnitude, or all with its sign.
        sign: String = "positive", choice("positive", "absolute", "signed");
    }
}

impl Metric for RelevanceMassAccuracy {
    type Params = RelevanceMassAccuracyParams;
    const META: MetricMeta = MetricMeta {
        id: "relevance-mass-accuracy",
        name: "Relevance mass accuracy",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; by chance the mask's share of the picture",
        summary: "Which share of the relevance lies on what is known to matter?",
        caution: "Little relevance over a large background weighs as much as a bright spot.",
        sensitive: &["sign"],
        reference: "Arras et al. 2022, arXiv:2003.07258",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &RelevanceMassAccuracyParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RelevanceMassAccuracyParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let values = masked::Part::of(&p.sign).values(&evidence.relevance);
            masked::mass_inside(&values, mask).map_or_else(
                || Score::Undefined("the map's relevance does not sum to more than zero".into()),
                Score::Value,
            )
        })
    }
}
