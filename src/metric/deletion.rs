//! # Deletion
//!
//! **What it computes.** How fast the target falls as the pixels that the map ranks highest are removed.
//!
//! **Formula.** `score = area under g(x without S[k])` by trapezoids over the share of pixels removed, `S[k]` the first
//! `round(k / steps * share * pixels)` pixels of the ranking, `k = 0 ... steps`; the area is divided by the range covered.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. With `morf` lower is better,
//! with `lerf` (least relevant first) higher is better.
//!
//! **Parameters.** `steps`: removals; each takes one pass, and one more for the whole picture. `order`: `morf` or `lerf`.
//! `share`: the largest share of the pixels removed (Xplique's `max_percentage_perturbed`). The imputer chosen for removal fills; with one that fills from kept pixels the last point, where none is left, is
//! left out, and the area is taken over the range reached.
//!
//! **When it misleads.** Pictures with holes are unlike anything the network was trained on: a fast fall may show that
//! the holes confuse it. Compare imputers, compare both orders, and compare with the random control.
//!
//! **Reference.** Petsiuk, Das & Saenko, RISE, BMVC 2018, arXiv:1806.07421; Samek et al. 2017, arXiv:1509.06321.
//!
//! **Parity.** The paper's definition in NumPy, and Quantus `PixelFlipping` on one channel with the whole picture as its
//! first point, Xplique `Deletion` with all channels; within 1e-5. Quantus removes single channel values of colour pictures; here a pixel is one unit.

use super::sweep::{self, Sweep};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Deletion;

crate::params! {
    /// Parameters of [`Deletion`].
    pub struct DeletionParams {
        /// How many times pixels are removed between the whole picture and none.
        steps: usize = 32usize, int(1, 10_000);
        /// Whether the most (`morf`) or the least (`lerf`) relevant pixels go first.
        order: String = "morf", choice("morf", "lerf");
        /// Largest share of the pixels that is removed.
        share: f64 = 1.0, real(0.01, 1.0);
    }
}

impl DeletionParams {
    fn sweep(&self) -> Sweep<'_> {
        Sweep {
            steps: self.steps,
            order: &self.order,
            share: self.share,
        }
    }
}

impl Metric for Deletion {
    type Params = DeletionParams;
    const META: MetricMeta = MetricMeta {
        id: "deletion",
        name: "Deletion",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "the target's own range; 0 to 1 for probabilities",
        summary: "How fast the answer falls when the most relevant pixels are removed first.",
        caution: "Holes are strange to the network, and may lower the answer by themselves.",
        sensitive: &["imputer", "order", "share"],
        reference: "Petsiuk et al. 2018, arXiv:1806.07421",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &DeletionParams) -> Result<Passes, Error> {
        p.sweep().passes(model)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &DeletionParams,
    ) -> Result<Measurement, Error> {
        sweep::removing(cx, evidence, &p.sweep()).await
    }
}
