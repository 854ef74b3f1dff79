//! # Pixel flipping
//!
//! **What it computes.** How fast the target falls as pixels are flipped in fine steps, the most relevant first.
//!
//! **Formula.** `score = area under g(x without the first k pixels)` by trapezoids over the share removed,
//! `round(k / steps * share * pixels)` pixels at step `k = 0 ... steps`; the area is divided by the range of the share.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance is the sum of the map over them, and coarse maps
//! are resized bilinearly. Equal pixels stand in a random order fixed by the seed. With `morf` lower is better, with `lerf`
//! higher.
//!
//! **Parameters.** `steps`: flips, one pass each, and one more for the whole picture; as many as pixels for Bach's one at a
//! time. `order`. `share`: the largest share flipped; the paper looks at the first few percent only, where the picture is
//! still like a picture. The imputer chosen for removal says what a flipped pixel becomes.
//!
//! **When it misleads.** Scattered holes look like noise, to which some networks answer by themselves.
//!
//! **Reference.** Bach et al., On Pixel-wise Explanations by Layer-wise Relevance Propagation, PLoS ONE 2015,
//! doi:10.1371/journal.pone.0130140.
//!
//! **Parity.** Quantus `PixelFlipping` on one channel, with the whole picture put before its curve and its area divided by
//! the number of steps; within 1e-5. Quantus flips single channel values of colour pictures and leaves both out:
//! docs/departures.md.

use super::sweep::{self, Sweep};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct PixelFlipping;

crate::params! {
    /// Parameters of [`PixelFlipping`].
    pub struct PixelFlippingParams {
        /// How many times pixels are flipped.
        steps: usize = 100usize, int(1, 100_000);
        /// Whether the most (`morf`) or the least (`lerf`) relevant pixels go first.
        order: String = "morf", choice("morf", "lerf");
        /// Largest share of the pixels that is flipped.
        share: f64 = 1.0, real(0.01, 1.0);
    }
}

impl PixelFlippingParams {
    fn sweep(&self) -> Sweep<'_> {
        Sweep {
            steps: self.steps,
            order: &self.order,
            share: self.share,
        }
    }
}

impl Metric for PixelFlipping {
    type Params = PixelFlippingParams;
    const META: MetricMeta = MetricMeta {
        id: "pixel-flipping",
        name: "Pixel flipping",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "the target's own range; 0 to 1 for probabilities",
        summary: "How fast the answer falls when pixels are flipped in fine steps, most relevant first.",
        caution: "Scattered holes look like noise, which may lower the answer by itself.",
        sensitive: &["imputer", "order", "share"],
        reference: "Bach et al. 2015, doi:10.1371/journal.pone.0130140",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &PixelFlippingParams) -> Result<Passes, Error> {
        p.sweep().passes(model)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &PixelFlippingParams,
    ) -> Result<Measurement, Error> {
        sweep::removing(cx, evidence, &p.sweep()).await
    }
}
