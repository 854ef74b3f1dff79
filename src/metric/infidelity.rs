//! # Infidelity
//!
//! **What it computes.** How wrong the map is about what a random removal does to the target.
//!
//! **Formula.** `score = mean over samples of (beta * I . map - (g(x) - g(x - I)))^2`, `I = x - x without a square`, of
//! `patch` pixels at a random place. `beta` is 1, or with `scaled` the factor that makes the score least,
//! `mean(I . map * fall) / mean((I . map)^2)`. With `reads` = `contribution` the product `I . map` is the sum of the map
//! over the removed pixels instead.
//!
//! **Shapes and sign.** All channels of a pixel go together; a map `[C, H, W]` is multiplied value by value, a map of one
//! channel is resized bilinearly and holds for every channel. At least 0, lower is better, in the target's unit squared; 0
//! for the gradient of a linear network whatever the imputer.
//!
//! **Parameters.** `samples`: random squares, one pass each, and one more for the whole picture. `patch`: their side in
//! pixels. `reads`: `gradient`, a map that says how much a small change of a pixel does; or `contribution`, one that shares
//! the answer out (input × gradient, integrated gradients, occlusion, Shapley values). `scaled`: whether a factor is
//! forgiven. The imputer chosen for removal fills; one that draws random numbers draws new ones for every sample.
//!
//! **When it misleads.** Without `scaled` maps with other units lose by their unit, and a map of zeros may beat a good one
//! that is twice too large.
//!
//! **Reference.** Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019, arXiv:1901.09392.
//!
//! **Parity.** Captum `infidelity`, plain and with `normalize`, with the recorded corners of the squares (row, column, row,
//! …) as the stream `infidelity/squares`; within 1e-5. Quantus repeats one computation, and its squares pile up:
//! docs/departures.md.

use super::curve::{Reading, read, whole};
use super::fresh::Fresh;
use super::region_perturbation::check_patch;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Mask, Model, Tensor};

/// See the [module](self).
pub struct Infidelity;

crate::params! {
    /// Parameters of [`Infidelity`].
    pub struct InfidelityParams {
        /// Random squares; each takes one pass.
        samples: usize = 100usize, int(1, 100_000);
        /// Side of a square, in pixels.
        patch: usize = 4usize, int(1, 4096);
        /// Whether the map says what a small change does (`gradient`), or shares the answer out (`contribution`).
        reads: String = "gradient", choice("gradient", "contribution");
        /// Whether the map is first multiplied by the factor that fits best.
        scaled: bool = false, flag;
    }
}

impl Metric for Infidelity {
    type Params = InfidelityParams;
    const META: MetricMeta = MetricMeta {
        id: "infidelity",
        name: "Infidelity",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "0 or more, in the target's unit squared",
        summary: "How wrong the map is about what removing random squares does to the answer.",
        caution: "A map in other units loses by its unit, unless a factor is forgiven.",
        sensitive: &["imputer", "reads", "scaled", "patch"],
        reference: "Yeh et al. 2019, arXiv:1901.09392",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &InfidelityParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_patch(p.patch, height, width)?;
        Ok(Passes {
            forward: p.samples as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &InfidelityParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let mut squares = cx.random.stream("infidelity/squares");
        if p.reads != "contribution" {
            cx.removal
                .needs_values("the map is multiplied by the change of values")?;
        }
        let mut remover = Fresh::new(cx, evidence.input, "infidelity/fills").await?;
        let whole = whole(cx, evidence.input).await?;
        let (mut foretold, mut falls) = (Vec::with_capacity(p.samples), Vec::with_capacity(p.samples));
        for range in cx.batches(p.samples) {
            let mut pictures = Vec::with_capacity(range.len());
            for _ in range {
                let mut mask = Mask::all(height, width, false);
                let (top, left) = (squares.index(height - p.patch + 1), squares.index(width - p.patch + 1));
                for row in top..top + p.patch {
                    mask.bits_mut()[row * width + left..row * width + left + p.patch].fill(true);
                }
                let picture = remover.remove(&mask).await?;
                foretold.push(foretell(evidence, &picture, &mask, &p.reads));
                pictures.push(picture);
            }
            let scores = read(cx, &Tensor::stack(&pictures), Reading::Target).await?;
            falls.extend(scores.into_iter().map(|score| whole - score));
        }
        let n = p.samples as f64;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let power = dot(&foretold, &foretold);
        let beta = if !p.scaled {
            1.0
        } else if power > 0.0 {
            dot(&foretold, &falls) / power
        } else {
            0.0
        };
        let errors = foretold.iter().zip(&falls).map(|(f, fall)| (beta * f - fall).powi(2));
        let score = Score::finite(errors.sum::<f64>() / n, "the map or the target is too large to square");
        Ok(Measurement::of(score))
    }
}

/// What the map says that the removal takes from the target.
fn foretell(evidence: &Evidence<'_>, picture: &Tensor, mask: &Mask, reads: &str) -> f64 {
    let relevance = evidence.relevance.data();
    let removed = || {
        mask.bits()
            .iter()
            .enumerate()
            .filter(|&(_, &gone)| gone)
            .map(|(i, _)| i)
    };
    if reads == "contribution" {
        return removed().map(|i| f64::from(relevance[i])).sum();
    }
    let (x, pixels) = (&evidence.input.tensor, relevance.len());
    let of_map = if evidence.map.shape() == x.shape() {
        evidence.map.data()
    } else {
        relevance
    };
    let mut sum = 0.0;
    for c in 0..x.shape()[0] {
        for i in removed() {
            let at = c * pixels + i;
            sum += f64::from(of_map[at % of_map.len()]) * (f64::from(x.data()[at]) - f64::from(picture.data()[at]));
        }
    }
    sum
}
