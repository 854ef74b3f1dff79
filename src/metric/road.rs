//! # ROAD
//!
//! **What it computes.** Whether removing what the map ranks lowest leaves the target higher than removing what it ranks
//! highest, with removed pixels bridged from their neighbours so that the holes themselves say little.
//!
//! **Formula.** With `n = steps` percentiles `p = 1 / (n + 1) ... n / (n + 1)` (10, 20, ... 90 percent by default), at each of
//! which all but `ceil(p * (pixels - 1))` pixels are removed, the count below NumPy's linear percentile: `MoRF` is the mean
//! of the reading without the most relevant pixels, `LeRF` without the least; `score = (LeRF - MoRF) / 2` (`combined`), or
//! one of both. The reading is the target, or whether the class is still the answer (`accuracy`).
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Higher is better for `combined` and
//! `lerf`, lower for `morf`; combined it is about 0 for a map that knows nothing, and between -0.5 and 0.5 for
//! probabilities. Curves over the share removed.
//!
//! **Parameters.** `steps`: percentiles, one pass each in each order. `order`: `combined`, `morf` or `lerf`. `reads`: `target`
//! or `accuracy`. Noise and solver belong to the imputer; the method's own is `noisy-linear`, any other is allowed, and makes
//! this the same comparison under another removal.
//!
//! **When it misleads.** Bridged holes are smooth, so removing a textured background can still move the answer; the
//! shape of the hole can tell the class; smoothing a map can raise its score without adding knowledge.
//!
//! **Reference.** Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods, ICML 2022,
//! arXiv:2202.00449; the combined score is pytorch-grad-cam's.
//!
//! **Parity.** pytorch-grad-cam `ROADCombined` without noise; within 2e-4. It removes all pixels that tie with the
//! percentile, so that a constant map removes the whole picture and fails; here ties fall by the seed. Quantus' `ROAD` fails
//! on colour pictures, scores the first batch only and has one order: docs/departures.md.

use super::curve::{Order, Ranking, Reading, scores_without};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Road;

crate::params! {
    /// Parameters of [`Road`].
    pub struct RoadParams {
        /// Percentiles at which pixels are removed, equally far apart.
        steps: usize = 9usize, int(1, 1000);
        /// Whether both orders are compared (`combined`), or one is taken alone (`morf`, `lerf`).
        order: String = "combined", choice("combined", "morf", "lerf");
        /// What is read off the answer: the target's value, or whether its class is still the answer (`accuracy`).
        reads: String = "target", choice("target", "accuracy");
    }
}

/// Pixels removed at each percentile, from the smallest removal to the largest.
fn removed(steps: usize, pixels: usize) -> Vec<usize> {
    (1..=steps)
        .rev()
        .map(|p| pixels - (p * (pixels - 1)).div_ceil(steps + 1))
        .collect()
}

impl Road {
    /// The orders that a word asks for.
    fn orders(word: &str) -> Vec<Order> {
        match word {
            "combined" => vec![Order::Morf, Order::Lerf],
            one => vec![Order::of(one)],
        }
    }
}

impl Metric for Road {
    type Params = RoadParams;
    const META: MetricMeta = MetricMeta {
        id: "road",
        name: "ROAD",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-0.5 to 0.5 for probabilities; about 0 by chance",
        summary: "Does removing irrelevant pixels harm the answer less than removing relevant ones?",
        caution: "Smoothing a map can raise its score without adding knowledge.",
        sensitive: &["imputer", "order", "reads"],
        reference: "Rong et al. 2022, arXiv:2202.00449",
        needs: &[Need::Imputer],
        imputer: "noisy-linear",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &RoadParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        super::curve::check_steps(p.steps, height * width - 1)?;
        Ok(Passes {
            forward: (Self::orders(&p.order).len() * p.steps) as u64,
            backward: 0,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &RoadParams) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let ranking = Ranking::new(&evidence.relevance, cx.random);
        let counts = removed(p.steps, ranking.pixels());
        let mut curves = Vec::with_capacity(2);
        for order in Self::orders(&p.order) {
            let mask = |k: usize| ranking.first(order, counts[k]);
            curves.push(Curve {
                label: order.label().to_owned(),
                x: counts
                    .iter()
                    .map(|&count| count as f64 / ranking.pixels() as f64)
                    .collect(),
                y: scores_without(cx, &remover, Reading::of(&p.reads), counts.len(), mask).await?,
            });
        }
        let mean = |curve: &Curve| curve.y.iter().sum::<f64>() / curve.y.len() as f64;
        let score = match &curves[..] {
            [morf, lerf] => (mean(lerf) - mean(morf)) / 2.0,
            [one, ..] => mean(one),
            [] => unreachable!("there is always an order"),
        };
        Ok(Measurement {
            score: Score::finite(score, "the target is too large to average"),
            curves,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by NumPy: `(values >= np.percentile(values, p)).sum()` for distinct values.
    #[test]
    fn percentiles_remove_as_many_as_numpy() {
        assert_eq!(removed(9, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(removed(9, 11), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(removed(9, 900), [90, 180, 270, 360, 450, 540, 630, 720, 810]);
        assert_eq!(removed(4, 100), [20, 40, 60, 80]);
    }
}
