//! # XAI-TRIS precision
//!
//! **What it computes.** How many of the pixels of largest magnitude, as many as the mask holds, lie in it; zeros are
//! never among them.
//!
//! **Formula.** `score = |top |M| of |r| > 0, ∩ M| / |M|`, `M` the mask.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. Between 0 and 1; by chance the mask's share of the picture. Pixels that tie for the last places count
//! in equal parts.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Made for pictures whose patterns were planted: on photographs, a mask of the object is no
//! truth about what the network uses.
//!
//! **Reference.** Clark, Wilming & Haufe, XAI-TRIS: Non-linear image benchmarks to quantify false positive post-hoc
//! attribution of feature importance, Machine Learning 2024, arXiv:2306.12816.
//!
//! **Parity.** The authors' `precision` (braindatalab/xai-tris), without ties, which they break by position.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct XaiTrisPrecision;

impl Metric for XaiTrisPrecision {
    type Params = NoParams;
    const META: MetricMeta = MetricMeta {
        id: "xai-tris-precision",
        name: "XAI-TRIS precision",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; by chance the mask's share of the picture",
        summary: "Are the pixels of largest magnitude those that were planted?",
        caution: "A mask of an object in a photograph is no truth about what the network uses.",
        sensitive: &[],
        reference: "Clark et al. 2024, arXiv:2306.12816",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &NoParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(&self, _: &Context<'_>, evidence: &Evidence<'_>, _: &NoParams) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let values = masked::Part::Absolute.values(&evidence.relevance);
            let some = values.iter().filter(|&&v| v > 0.0).count();
            if some == 0 {
                return Score::Undefined(masked::ZERO.into());
            }
            let chosen = masked::top(&values, mask.count().min(some));
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
