//! # Kernel SHAP
//!
//! **What it computes.** Shapley values of the segments: each segment's mean share in the answer over all orders in which
//! segments can come in; by a weighted fit over sets of segments, exactly where all sets can be tried.
//!
//! **Formula.** The `v` with `sum v = g(x) - g(nothing)` that minimises `sum_z w(z) (g(x[z]) - g(nothing) - v . z)^2`,
//! where `x[z]` has the segments outside of `z` filled by the chosen imputer. Of `n` segments there are `2^n - 2` sets
//! besides none and all: where `samples` suffices all are tried, with the Shapley kernel
//! `w = (n - 1) / (binomial(n, |z|) |z| (n - |z|))`, and `v` is exact. Else sets are drawn with sizes of probability
//! proportional to `1 / (|z| (n - |z|))` and `w = 1`.
//!
//! **Shapes and sign.** `[1, H, W]`, one value on all pixels of a segment; positive where the segment raises the target.
//! The gap counts each segment once.
//!
//! **Parameters.** `samples`: sets that are tried at most, one pass each, besides two for none and all. `paired`: every
//! second set is the complement of the one before, which lowers the noise. Then the segmenter's: see
//! [`segment`](crate::segment).
//!
//! **When it misleads.** Most sets leave torn pictures that the network never saw; what fills the holes decides much of
//! the map. Imputers that fill from kept pixels are refused: nothing is kept in the empty set.
//!
//! **Reference.** Lundberg & Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, arXiv:1705.07874.
//!
//! **Parity.** `shap.KernelExplainer(l1_reg=0)` where all sets are tried; Captum's `KernelShap` on recorded sets
//! `[samples, segments]` (stream `kernel-shap/coalitions`), whose weight of 1e6 on none and all stands for the
//! constraint: within 1e-4.

use super::coalition::{Game, announced, forward, subset};
use super::least_squares::Sums;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct KernelShap;

crate::segmented_params! {
    /// Parameters of [`KernelShap`].
    pub struct KernelShapParams by "slic", 50usize {
        /// Sets of segments that are tried at most; each takes one pass.
        samples: usize = 1000usize, int(2, 100_000);
        /// Whether each drawn set is followed by its complement.
        paired: bool = true, flag;
    }
}

/// Most segments that the fit is made for.
const MOST: usize = 1024;
/// The stream of drawn sets.
const COALITIONS: &str = "kernel-shap/coalitions";

/// Sets between none and all, if they can be counted.
fn all_sets(players: usize) -> Option<usize> {
    (players < 30).then(|| (1 << players) - 2)
}

fn tried(players: usize, samples: usize) -> usize {
    all_sets(players).map_or(samples, |all| all.min(samples))
}

/// Refuses a fit that is open.
fn check(players: usize, samples: usize) -> Result<(), Error> {
    if samples < players.min(tried(players, usize::MAX)) {
        let why = format!("{samples} is not between the number of segments, {players}, and 100000");
        return Err(Error::param("samples", why));
    }
    Ok(())
}

impl Method for KernelShap {
    type Params = KernelShapParams;
    const META: MethodMeta = MethodMeta {
        id: "kernel-shap",
        name: "Kernel SHAP",
        family: Family::Perturbation,
        summary: "Shares the answer out over the segments by fitting it on sets of them.",
        caution: "Most sets leave torn pictures; what fills the holes decides much of the map.",
        reference: "Lundberg & Lee 2017, arXiv:1705.07874",
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

    fn passes(&self, model: &Model, p: &KernelShapParams) -> Result<Passes, Error> {
        let players = announced(model, &p.segmentation())?;
        if p.segmenter == "grid" {
            check(players, p.samples)?;
        }
        Ok(forward(2 + tried(players, p.samples)))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &KernelShapParams) -> Result<Attribution, Error> {
        let passes = |players: usize| forward(2 + tried(players, p.samples));
        let game = Game::new(cx, input, &p.segmentation(), MOST, passes).await?;
        let players = game.players();
        check(players, p.samples)?;
        let sets = tried(players, p.samples);
        let exact = all_sets(players) == Some(sets);
        if !exact {
            game.check_recorded(COALITIONS, sets)?;
        }
        let recorded = !exact && cx.random.recorded(COALITIONS).is_some();
        let mut stream = cx.random.stream(COALITIONS);
        let sizes = sizes(players);
        let (nobody, everybody) = game.ends().await?;
        let mut sums = Sums::new(players);
        let mut last: Vec<bool> = Vec::new();
        for turn in cx.batches(sets) {
            let end = turn.end;
            let mut coalitions = Vec::with_capacity(turn.len());
            for k in turn {
                last = if exact {
                    (0..players).map(|i| (k + 1) >> i & 1 == 1).collect()
                } else if recorded {
                    (0..players).map(|_| stream.index(2) == 1).collect()
                } else if p.paired && k % 2 == 1 {
                    last.iter().map(|present| !present).collect()
                } else {
                    draw(players, &sizes, &mut stream)
                };
                coalitions.push(last.clone());
            }
            for (present, worth) in coalitions.iter().zip(game.worth(&coalitions).await?) {
                let weight = if exact { kernel(players, present) } else { 1.0 };
                sums.add(present, weight, worth - nobody);
            }
            if end >= players && end < sets {
                cx.job
                    .offer(|| game.segments.paint(&sums.summing_to(everybody - nobody)));
            }
        }
        let rise = everybody - nobody;
        Ok(game.attribution(&sums.summing_to(rise), Some(rise)))
    }
}

/// The Shapley kernel of a set that is neither empty nor whole.
fn kernel(players: usize, present: &[bool]) -> f64 {
    let size = present.iter().filter(|&&p| p).count();
    let choose: f64 = (0..size).map(|k| (players - k) as f64 / (k + 1) as f64).product();
    (players - 1) as f64 / (choose * (size * (players - size)) as f64)
}

/// Running sums of the probabilities of the sizes `1..players`.
fn sizes(players: usize) -> Vec<f64> {
    let weight = |size: usize| 1.0 / (size * (players - size)) as f64;
    let total: f64 = (1..players).map(weight).sum();
    let mut sum = 0.0;
    (1..players)
        .map(|size| {
            sum += weight(size) / total;
            sum
        })
        .collect()
}

fn draw(players: usize, sizes: &[f64], stream: &mut Stream) -> Vec<bool> {
    let u = f64::from(stream.uniform());
    let size = 1 + sizes.partition_point(|&sum| sum <= u).min(players - 2);
    subset(players, size, stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    #[test]
    fn sizes_and_members_are_drawn_as_the_kernel_weighs_them() {
        let (players, draws) = (6, 40_000);
        let mut stream = SeedStream::new(3).stream(COALITIONS);
        let sums = sizes(players);
        let (mut by_size, mut by_member) = ([0.0; 7], [0.0; 6]);
        for _ in 0..draws {
            let present = draw(players, &sums, &mut stream);
            by_size[present.iter().filter(|&&p| p).count()] += 1.0 / f64::from(draws);
            for (share, _) in by_member.iter_mut().zip(&present).filter(|(_, p)| **p) {
                *share += 1.0 / f64::from(draws);
            }
        }
        let total: f64 = (1..6).map(|k| 1.0 / f64::from(k * (6 - k))).sum();
        for (size, share) in by_size.iter().enumerate() {
            let expected = if (1..6).contains(&size) {
                1.0 / (size * (6 - size)) as f64 / total
            } else {
                0.0
            };
            assert!((share - expected).abs() < 0.01, "{size}: {share} {expected}");
        }
        assert!(
            by_member.iter().all(|share| (share - 0.5).abs() < 0.01),
            "{by_member:?}"
        );
    }

    #[test]
    fn all_sets_of_one_size_weigh_alike_and_sizes_weigh_as_published() {
        assert!((kernel(4, &[true, false, false, false]) - 3.0 / (4.0 * 3.0)).abs() < 1e-12);
        assert!((kernel(4, &[true, false, true, false]) - 3.0 / (6.0 * 4.0)).abs() < 1e-12);
    }
}
