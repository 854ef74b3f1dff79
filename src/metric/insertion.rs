//! # Insertion
//!
//! **What it computes.** How fast the target rises as the pixels that the map ranks highest are put back into a picture
//! with every pixel removed.
//!
//! **Formula.** `score = area under g(x with only S[k])` by trapezoids over the share of pixels kept, `S[k]` the first
//! `pixels - round((steps - k) / steps * pixels)` pixels of the ranking, `k = 0 ... steps`; the area is divided by the
//! range of the share. Read backwards, the curve is that of deletion in the other order.
//!
//! **Shapes and sign.** A pixel comes with all its channels; its relevance is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. With `morf` (most relevant put
//! back first) higher is better, with `lerf` lower.
//!
//! **Parameters.** `steps`: insertions; each takes one pass, and one more for the start. `order`: `morf` or `lerf`. The
//! imputer chosen for removal fills what is missing; with one that fills from kept pixels the first point, where none is
//! kept, is left out, and the area is taken over the range reached.
//!
//! **When it misleads.** Maps made of compact patches do well because patches look natural, not because they are faithful;
//! the start matters: a blurred picture already tells much.
//!
//! **Reference.** Petsiuk, Das & Saenko, RISE, BMVC 2018, arXiv:1806.07421.
//!
//! **Parity.** The paper's definition in NumPy; within 1e-4.

use super::curve::{Order, Ranking, check_steps, share, sweep};
use super::deletion::measured;
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::imputer::Remover;
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
        sensitive: &["imputer", "order"],
        reference: "Petsiuk et al. 2018, arXiv:1806.07421",
        needs: &[Need::Imputer],
        imputer: "gaussian-blur",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &InsertionParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(p.steps, height * width)?;
        Ok(Passes {
            forward: p.steps as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &InsertionParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let ranking = Ranking::new(&evidence.relevance, cx.random);
        let order = Order::of(&p.order);
        let pixels = ranking.pixels();
        let most = if remover.can_remove_everything() {
            pixels
        } else {
            pixels - 1
        };
        // What is missing when the first of one order are back are the first of the other.
        let removals: Vec<(Order, usize)> = (0..=p.steps)
            .map(|k| (order.reversed(), share(p.steps - k, p.steps, pixels)))
            .filter(|&(_, count)| count <= most)
            .collect();
        let curve = Curve {
            label: order.label().to_owned(),
            y: sweep(cx, &remover, &ranking, &removals).await?,
            x: removals
                .iter()
                .map(|&(_, count)| (pixels - count) as f64 / pixels as f64)
                .collect(),
        };
        Ok(measured(curve))
    }
}
