//! # ROAD
//!
//! **What it computes.** Whether removing what the map ranks lowest leaves the target higher than removing what it ranks
//! highest, with removed pixels bridged from their neighbours so that the holes themselves say little.
//!
//! **Formula.** `score = (mean_p g(x without the least relevant) - mean_p g(x without the most relevant)) / 2` over the
//! percentiles `p = 10, 20, ... 90`; at each, all but `ceil(p / 100 * (pixels - 1))` pixels are removed, which is the
//! count below NumPy's linear percentile.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Higher is better; about 0 for a
//! map that knows nothing; between -0.5 and 0.5 for probabilities. Curves for both orders, over the share removed.
//!
//! **Parameters.** None; noise and solver belong to the imputer. The method's own is `noisy-linear`; any other is
//! allowed, and makes this the same comparison under another removal.
//!
//! **When it misleads.** Bridged holes are smooth, so removing a textured background can still move the answer; the
//! shape of the hole can tell the class; smoothing a map can raise its score without adding knowledge.
//!
//! **Reference.** Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods, ICML 2022,
//! arXiv:2202.00449; the combined score is pytorch-grad-cam's.
//!
//! **Parity.** pytorch-grad-cam `ROADCombined` without noise; within 2e-4. It removes all pixels that tie with the
//! percentile, so that a constant map removes the whole picture and fails; here ties fall by the seed.

use super::curve::{Order, Ranking, sweep};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::params::NoParams;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Road;

/// Percentiles, from the smallest removal to the largest.
const PERCENTILES: [usize; 9] = [90, 80, 70, 60, 50, 40, 30, 20, 10];

/// Pixels removed at a percentile.
fn removed(percentile: usize, pixels: usize) -> usize {
    pixels - (percentile * (pixels - 1)).div_ceil(100)
}

impl Metric for Road {
    type Params = NoParams;
    const META: MetricMeta = MetricMeta {
        id: "road",
        name: "ROAD",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-0.5 to 0.5 for probabilities; about 0 by chance",
        summary: "Does removing irrelevant pixels harm the answer less than removing relevant ones?",
        caution: "Smoothing a map can raise its score without adding knowledge.",
        sensitive: &["imputer"],
        reference: "Rong et al. 2022, arXiv:2202.00449",
        needs: &[Need::Imputer],
        imputer: "noisy-linear",
        stochastic: true,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 2 * PERCENTILES.len() as u64,
            backward: 0,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, _: &NoParams) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let ranking = Ranking::new(&evidence.relevance, cx.random);
        let pixels = ranking.pixels();
        let removals: Vec<(Order, usize)> = [Order::Morf, Order::Lerf]
            .into_iter()
            .flat_map(|order| PERCENTILES.map(|p| (order, removed(p, pixels))))
            .collect();
        let values = sweep(cx, &remover, &ranking, &removals).await?;
        let (morf, lerf) = values.split_at(PERCENTILES.len());
        let mean = |y: &[f64]| y.iter().sum::<f64>() / y.len() as f64;
        let curve = |order: Order, y: &[f64]| Curve {
            label: order.label().to_owned(),
            x: PERCENTILES
                .iter()
                .map(|&p| removed(p, pixels) as f64 / pixels as f64)
                .collect(),
            y: y.to_vec(),
        };
        Ok(Measurement {
            score: Score::finite((mean(lerf) - mean(morf)) / 2.0, "the target is too large to average"),
            curves: vec![curve(Order::Morf, morf), curve(Order::Lerf, lerf)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by NumPy: `(values >= np.percentile(values, p)).sum()` for distinct values.
    #[test]
    fn percentiles_remove_as_many_as_numpy() {
        let counts = |pixels| PERCENTILES.map(|p| removed(p, pixels));
        assert_eq!(counts(10), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(counts(11), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(counts(900), [90, 180, 270, 360, 450, 540, 630, 720, 810]);
    }
}
