//! # Shapley sampling
//!
//! **What it computes.** Shapley values of the segments: lets them come in one by one in random orders, and gives each
//! the mean of what the target gained as it came.
//!
//! **Formula.** `v[s] = mean over orders of g(x[before, s]) - g(x[before])`: `before` are the segments that came before
//! `s`, all others are filled by the chosen imputer.
//!
//! **Shapes and sign.** `[1, H, W]`, one value on all pixels of a segment; positive where the segment raises the target.
//! For every number of orders the values, one a segment, sum to `g(x) - g(nothing)`.
//!
//! **Parameters.** `samples`: orders; each takes a pass for every segment but the last. Then the segmenter's: see
//! [`segment`](crate::segment).
//!
//! **When it misleads.** Few orders give noisy values, and most pictures on the way are torn ones that the network never
//! saw. Imputers that fill from kept pixels are refused: nothing is kept before the first segment comes.
//!
//! **Reference.** Castro, Gómez & Tejada, Polynomial calculation of the Shapley value based on sampling, Computers &
//! Operations Research 2009; Štrumbelj & Kononenko, JMLR 2010.
//!
//! **Parity.** Captum's `ShapleyValueSampling` on recorded orders `[samples, segments]` (stream
//! `shapley-sampling/orders`), within 1e-4. Captum also runs the whole picture again for each order.

use super::coalition::{Game, announced, forward};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct ShapleySampling;

crate::segmented_params! {
    /// Parameters of [`ShapleySampling`].
    pub struct ShapleySamplingParams by "slic", 50usize {
        /// Random orders; each takes a pass for every segment but one.
        samples: usize = 25usize, int(1, 10_000);
    }
}

/// The stream of orders, segment by segment.
const ORDERS: &str = "shapley-sampling/orders";

impl Method for ShapleySampling {
    type Params = ShapleySamplingParams;
    const META: MethodMeta = MethodMeta {
        id: "shapley-sampling",
        name: "Shapley sampling",
        family: Family::Perturbation,
        summary: "Lets segments come in one by one in random orders and credits each with the answer's rise.",
        caution: "Noisy with few orders, and most pictures on the way are torn ones.",
        reference: "Castro et al. 2009; Strumbelj & Kononenko 2010",
        signed: true,
        needs: &[Need::Segments, Need::Imputer],
        axioms: &[
            Axiom::Completeness,
            Axiom::Dummy,
            Axiom::Symmetry,
            Axiom::Linearity,
            Axiom::ImplementationInvariance,
        ],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &ShapleySamplingParams) -> Result<Passes, Error> {
        let players = announced(model, &p.segmentation())?;
        Ok(forward(2 + p.samples * (players - 1)))
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &ShapleySamplingParams,
    ) -> Result<Attribution, Error> {
        let passes = |players: usize| forward(2 + p.samples * (players - 1));
        let game = Game::new(cx, input, &p.segmentation(), usize::MAX, passes).await?;
        let players = game.players();
        game.check_recorded(ORDERS, p.samples)?;
        let recorded = cx.random.recorded(ORDERS).is_some();
        let mut stream = cx.random.stream(ORDERS);
        let (nobody, everybody) = game.ends().await?;
        let mut sums = vec![0.0; players];
        let mean = |sums: &[f64], orders: usize| sums.iter().map(|s| s / orders as f64).collect::<Vec<_>>();
        for done in 0..p.samples {
            let order: Vec<usize> = if recorded {
                (0..players).map(|_| stream.index(players)).collect()
            } else {
                stream.permutation(players)
            };
            let mut before = nobody;
            for turn in cx.batches(players - 1) {
                let coalitions: Vec<Vec<bool>> = turn
                    .clone()
                    .map(|k| {
                        let mut present = vec![false; players];
                        order[..=k].iter().for_each(|&s| present[s] = true);
                        present
                    })
                    .collect();
                for (k, worth) in turn.zip(game.worth(&coalitions).await?) {
                    sums[order[k]] += worth - before;
                    before = worth;
                }
            }
            sums[order[players - 1]] += everybody - before;
            if done + 1 < p.samples {
                cx.job.offer(|| game.segments.paint(&mean(&sums, done + 1)));
            }
        }
        Ok(game.attribution(&mean(&sums, p.samples), Some(everybody - nobody)))
    }
}
