//! # Selectivity
//!
//! **What it computes.** How fast the target falls as square regions are removed in the order of their relevance, until
//! none is left.
//!
//! **Formula.** `score = area under g(x without the first k regions)` by trapezoids over the share of pixels removed, divided
//! by its range; `k = 0 ...` all regions.
//!
//! **Shapes and sign.** Squares of `patch` pixels with all their channels; a region's relevance is the sum over its pixels.
//! Squares at the borders are cut, as much on one side as on the other. Equal regions stand in a random order fixed by the
//! seed. With `morf` lower is better, with `lerf` higher.
//!
//! **Parameters.** `patch`: side of a region in pixels, at most the picture's; one pass a region, and one more for the whole
//! picture. `order`: `morf` or `lerf`. The imputer chosen for removal fills; with one that fills from kept pixels the last
//! point, where none is left, is left out.
//!
//! **When it misleads.** The last regions are removed from a picture that is mostly gone; their part of the area says
//! little.
//!
//! **Reference.** Montavon, Samek & Müller, Methods for Interpreting and Understanding Deep Neural Networks, Digital Signal
//! Processing 2018, arXiv:1706.07979.
//!
//! **Parity.** Quantus `Selectivity`, curve within 1e-5 with the whole picture put before it; its area is not divided by the
//! length.

use super::curve::{Order, removal_curve};
use super::groups::{Groups, patch_count};
use super::region_perturbation::check_patch;
use super::sweep::measured;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Selectivity;

crate::params! {
    /// Parameters of [`Selectivity`].
    pub struct SelectivityParams {
        /// Side of a region, in pixels.
        patch: usize = 8usize, int(1, 4096);
        /// Whether the most (`morf`) or the least (`lerf`) relevant regions go first.
        order: String = "morf", choice("morf", "lerf");
    }
}

impl Metric for Selectivity {
    type Params = SelectivityParams;
    const META: MetricMeta = MetricMeta {
        id: "selectivity",
        name: "Selectivity",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "the target's own range; 0 to 1 for probabilities",
        summary: "How fast the answer falls as squares are removed, most relevant first, until none is left.",
        caution: "Much of the area is of pictures that are mostly gone.",
        sensitive: &["imputer", "patch", "order"],
        reference: "Montavon et al. 2018, arXiv:1706.07979",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &SelectivityParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_patch(p.patch, height, width)?;
        Ok(Passes {
            forward: patch_count(height, width, p.patch) as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SelectivityParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let groups = Groups::patches(&evidence.relevance, p.patch, cx.random);
        let order = Order::of(&p.order);
        let sizes = groups.sizes(order, groups.len());
        let curve = removal_curve(cx, &remover, order.label(), &sizes, |k| groups.first(order, k)).await?;
        Ok(measured(curve))
    }
}
