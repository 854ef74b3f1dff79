//! # Region perturbation
//!
//! **What it computes.** How far the target falls, on average, as square regions are removed one after another in the order
//! of their relevance.
//!
//! **Formula.** `score = 1 / (L + 1) * sum_{k = 0 ... L} (g(x) - g(x without the first k regions))`, the paper's area over
//! the MoRF perturbation curve (AOPC), `L` the smaller of `regions` and the number of squares.
//!
//! **Shapes and sign.** Squares of `patch` pixels with all their channels; a region's relevance is the sum over its pixels.
//! Squares at the borders are cut, as much on one side as on the other. Equal regions stand in a random order fixed by the
//! seed. With `morf` higher is better, with `lerf` lower, `random` is the control to beat.
//!
//! **Parameters.** `patch`: side of a region in pixels, at most the picture's. `regions`: how many are removed, one pass
//! each, and one more for the whole picture. `order`: `morf`, `lerf` or `random`. The imputer chosen for removal fills; the
//! paper draws uniform noise. A last region after which nothing is left is left out with imputers that fill from kept pixels.
//!
//! **When it misleads.** The sum over a square favours maps that are smooth on its scale; another side ranks maps otherwise.
//!
//! **Reference.** Samek et al., Evaluating the Visualization of What a Deep Neural Network Has Learned, 2017,
//! arXiv:1509.06321.
//!
//! **Parity.** Quantus `RegionPerturbation`, curve within 1e-5; it reports no score, and its flag calls lower better, while
//! a larger area over the curve is better in the paper and here.

use super::curve::{Order, removal_curve};
use super::groups::{Groups, patch_count};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct RegionPerturbation;

crate::params! {
    /// Parameters of [`RegionPerturbation`].
    pub struct RegionPerturbationParams {
        /// Side of a region, in pixels.
        patch: usize = 8usize, int(1, 4096);
        /// How many regions are removed, at most; each takes one pass.
        regions: usize = 100usize, int(1, 100_000);
        /// Whether the most (`morf`) or the least (`lerf`) relevant regions go first, or any (`random`).
        order: String = "morf", choice("morf", "lerf", "random");
    }
}

impl Metric for RegionPerturbation {
    type Params = RegionPerturbationParams;
    const META: MetricMeta = MetricMeta {
        id: "region-perturbation",
        name: "Region perturbation",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "the target's own range; -1 to 1 for probabilities",
        summary: "How far the answer falls on average as the most relevant squares are removed one by one.",
        caution: "Another size of square can rank the same maps otherwise.",
        sensitive: &["imputer", "patch", "regions"],
        reference: "Samek et al. 2017, arXiv:1509.06321",
        needs: &[Need::Imputer],
        imputer: "uniform-noise",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &RegionPerturbationParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_patch(p.patch, height, width)?;
        Ok(Passes {
            forward: p.regions.min(patch_count(height, width, p.patch)) as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RegionPerturbationParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let (groups, order) = if p.order == "random" {
            let mut stream = cx.random.stream("region-perturbation/order");
            let drawn = Tensor::from_fn(evidence.relevance.shape(), |_| stream.uniform());
            (Groups::patches(&drawn, p.patch, cx.random), Order::Morf)
        } else {
            (
                Groups::patches(&evidence.relevance, p.patch, cx.random),
                Order::of(&p.order),
            )
        };
        let sizes = groups.sizes(order, p.regions.min(groups.len()));
        let label = if p.order == "random" { "random" } else { order.label() };
        let curve = removal_curve(cx, &remover, label, &sizes, |k| groups.first(order, k)).await?;
        let fall: f64 = curve.y.iter().map(|y| curve.y[0] - y).sum();
        Ok(Measurement {
            score: Score::finite(fall / curve.y.len() as f64, "the target is too large to average"),
            curves: vec![curve],
        })
    }
}

/// Refuses squares larger than the picture.
pub(super) fn check_patch(patch: usize, height: usize, width: usize) -> Result<(), Error> {
    let most = height.min(width);
    if patch > most {
        let why = format!("{patch} is more than the picture's smaller side; it must be between 1 and {most}");
        return Err(Error::param("patch", why));
    }
    Ok(())
}
