//! # Top-k intersection
//!
//! **What it computes.** How many of the most relevant pixels lie on what is known to matter.
//!
//! **Formula.** `score = |top k pixels ∩ mask| / k`; with `concept_influence`, times the picture's pixels over the
//! mask's.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1; by chance the mask's share of the picture (1 with `concept_influence`). Pixels that
//! tie for the last places count in equal parts.
//!
//! **Parameters.** `k`: pixels looked at, at most the picture's; where the mask is smaller than `k`, 1 can't be
//! reached. `concept_influence`: divides by the mask's share of the picture. `absolute`: ranks magnitudes.
//!
//! **When it misleads.** It says nothing of the order within the k pixels, and depends on k against the size of the
//! object.
//!
//! **Reference.** Theiner, Müller-Budack & Ewerth, Interpretable Semantic Photo Geolocation, WACV 2022,
//! arXiv:2104.14995.
//!
//! **Parity.** Quantus `TopKIntersection`, which breaks ties by position.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct TopKIntersection;

crate::params! {
    /// Parameters of [`TopKIntersection`].
    pub struct TopKIntersectionParams {
        /// Most relevant pixels that are looked at; at most the picture's.
        k: usize = 1000usize, int(1, 1_000_000);
        /// Whether to divide by the mask's share of the picture, so that chance is 1.
        concept_influence: bool = false, flag;
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for TopKIntersection {
    type Params = TopKIntersectionParams;
    const META: MetricMeta = MetricMeta {
        id: "top-k-intersection",
        name: "Top-k intersection",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; by chance the mask's share of the picture",
        summary: "How many of the most relevant pixels lie on what is known to matter?",
        caution: "It depends on how many pixels are looked at against the size of the object.",
        sensitive: &["k", "concept_influence"],
        reference: "Theiner et al. 2022, arXiv:2104.14995",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &TopKIntersectionParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        if p.k > height * width {
            let why = format!(
                "{} is more than there are pixels; it must be between 1 and {}",
                p.k,
                height * width
            );
            return Err(Error::param("k", why));
        }
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &TopKIntersectionParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let part = if p.absolute {
                masked::Part::Absolute
            } else {
                masked::Part::Signed
            };
            let chosen = masked::top(&part.values(&evidence.relevance), p.k);
            let inside: f64 = chosen
                .iter()
                .zip(mask.bits())
                .filter(|(_, m)| **m)
                .map(|(w, _)| w)
                .sum();
            let share = mask.count() as f64 / mask.bits().len() as f64;
            Score::Value(inside / p.k as f64 / if p.concept_influence { share } else { 1.0 })
        })
    }
}
