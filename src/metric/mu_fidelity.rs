//! # µFidelity
//!
//! **What it computes.** Whether the relevance of a random set of coarse cells foretells how far the target falls without
//! them.
//!
//! **Formula.** A grid of `grid` × `grid` cells is stretched over the picture (nearest cell); in each sample every cell is
//! removed with probability `share`. `score = Spearman over samples of (sum of r over removed pixels, g(x) - g(x without
//! them))`.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Between -1 and 1, higher is better.
//!
//! **Parameters.** `samples`: random sets, one pass each, and one more for the whole picture. `grid`: cells a side, at most
//! the picture's. `share`: the mean share of cells removed. The imputer chosen for removal fills.
//!
//! **When it misleads.** Cells favour coarse maps; a fine map is judged by its sums only.
//!
//! **Reference.** Bhatt, Weller & Moura, IJCAI 2020, arXiv:2005.00631, with the cells of Fel et al., Xplique, 2022,
//! arXiv:2206.04394.
//!
//! **Parity.** Xplique `MuFidelity` with its recorded draws `[samples, grid²]` as the stream `mu-fidelity/cells`; within
//! 1e-5. Xplique scores a correlation that does not exist as 0; here it is undefined.

use super::curve::{Reading, scores_without, whole};
use super::groups::grid_labels;
use super::subsets::foretold;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, stats};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Mask, Model};

/// See the [module](self).
pub struct MuFidelity;

crate::params! {
    /// Parameters of [`MuFidelity`].
    pub struct MuFidelityParams {
        /// Random sets of cells; each takes one pass.
        samples: usize = 200usize, int(2, 100_000);
        /// Cells a side.
        grid: usize = 9usize, int(1, 256);
        /// Mean share of the cells removed.
        share: f64 = 0.2, real(0.01, 0.99);
    }
}

impl Metric for MuFidelity {
    type Params = MuFidelityParams;
    const META: MetricMeta = MetricMeta {
        id: "mu-fidelity",
        name: "µFidelity",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Does the relevance of random coarse cells foretell how far the answer falls without them?",
        caution: "Fine maps are judged by their sums over coarse cells only.",
        sensitive: &["imputer", "grid", "share"],
        reference: "Bhatt et al. 2020, arXiv:2005.00631",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &MuFidelityParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let most = height.min(width);
        if p.grid > most {
            let why = format!(
                "{} is more than the picture's smaller side; it must be between 1 and {most}",
                p.grid
            );
            return Err(Error::param("grid", why));
        }
        Ok(Passes {
            forward: p.samples as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &MuFidelityParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let remover = Remover::new(cx, evidence.input).await?;
        let whole = whole(cx, evidence.input).await?;
        let labels = grid_labels(height, width, p.grid);
        let mut stream = cx.random.stream("mu-fidelity/cells");
        let mut sums = Vec::with_capacity(p.samples);
        let draw = |_| {
            // Of an imputer that fills from kept pixels a draw of all cells would ask the impossible: one cell is kept.
            let mut gone: Vec<bool> = (0..p.grid * p.grid)
                .map(|_| f64::from(stream.uniform()) <= p.share)
                .collect();
            if !remover.can_remove_everything() && gone.iter().all(|&g| g) {
                gone[0] = false;
            }
            let bits: Vec<bool> = labels.iter().map(|&cell| gone[cell]).collect();
            let removed = bits.iter().zip(evidence.relevance.data()).filter(|&(&gone, _)| gone);
            sums.push(removed.map(|(_, &r)| f64::from(r)).sum::<f64>());
            Mask::new(height, width, bits)
        };
        let without = scores_without(cx, &remover, Reading::Target, p.samples, draw).await?;
        let falls: Vec<f64> = without.iter().map(|y| whole - y).collect();
        Ok(Measurement::of(foretold(stats::spearman, &sums, &falls, whole)))
    }
}
