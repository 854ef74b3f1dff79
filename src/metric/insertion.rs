//! # Insertion
//!
//! **What it computes.** How fast the target rises as the pixels that the map ranks highest are put back into a picture
//! with every pixel removed.
//!
//! **Formula.** `score = area under g(x with only S[k])` by trapezoids over the share of pixels kept, `S[k]` the first
//! `n - round((steps - k) / steps * n)` pixels of the ranking, `n = share * pixels`, `k = 0 ... steps`; the area is divided
//! by the range covered. Read backwards, the curve is that of deletion in the other order.
//!
//! **Shapes and sign.** A pixel comes with all its channels; its relevance is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. With `morf` (most relevant put
//! back first) higher is better, with `lerf` lower.
//!
//! **Parameters.** `steps`: insertions; each takes one pass, and one more for the start. `order`: `morf` or `lerf`.
//! `share`: the largest share put back (Xplique's `max_percentage_perturbed`). The
//! imputer chosen for removal fills what is missing; with one that fills from kept pixels the first point, where none is
//! kept, is left out, and the area is taken over the range reached.
//!
//! **When it misleads.** Maps made of compact patches do well because patches look natural, not because they are faithful;
//! the start matters: a blurred picture already tells much.
//!
//! **Reference.** Petsiuk, Das & Saenko, RISE, BMVC 2018, arXiv:1806.07421.
//!
//! **Parity.** The paper's definition in NumPy, and Xplique `Insertion` with all channels; within 1e-5.

use super::sweep::{self, Sweep};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Insertion;

crate::params! {
    /// Parameters of [`Insertion`].
    pub struct InsertionParams {
        /// How many times pixels are put back between none and the whole picture.
        steps: usize = 32usize, int(1, 10_000);
        /// Whether the most (`morf`) or the least (`lerf`) relevant pixels come back first.
        order: String = "morf", choice("morf", "lerf");
        /// Largest share of the pixels that is put back.
        share: f64 = 1.0, real(0.01, 1.0);
    }
}

impl InsertionParams {
    fn sweep(&self) -> Sweep<'_> {
        Sweep {
            steps: self.steps,
            order: &self.order,
            share: self.share,
        }
    }
}

impl Metric for Insertion {
    type Params = InsertionParams;
    const META: MetricMeta = MetricMeta {
        id: "insertion",
        name: "Insertion",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "the target's own range; 0 to 1 for probabilities",
        summary: "How fast the answer rises when the most relevant pixels are put back first.",
        caution: "Favours maps made of compact patches.",
        sensitive: &["imputer", "order", "share"],
        reference: "Petsiuk et al. 2018, arXiv:1806.07421",
        needs: &[Need::Imputer],
        imputer: "gaussian-blur",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &InsertionParams) -> Result<Passes, Error> {
        p.sweep().passes(model)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &InsertionParams,
    ) -> Result<Measurement, Error> {
        sweep::inserting(cx, evidence, &p.sweep()).await
    }
}
