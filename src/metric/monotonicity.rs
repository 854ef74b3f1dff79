//! # Monotonicity
//!
//! **What it computes.** Whether the target rises with every group of pixels that is put back into a picture with every
//! pixel removed, the least relevant first.
//!
//! **Formula.** `y[k] = g(x with only the first k groups)`, `k = 1 ... steps`, the groups being the ranking cut into `steps`
//! runs. `score = 1` if `y[k + 1] >= y[k]` for every `k`, else 0 (`counts` = `all`); or the share of the `k` for which it
//! holds (`counts` = `share`). A fall of at most four roundings of `f32` is none.
//!
//! **Shapes and sign.** A pixel comes with all its channels; its relevance is the sum of the map over them, and coarse maps
//! are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Between 0 and 1, higher is better. The
//! curve shows `y` over the share kept, from nothing kept where the imputer can fill everything.
//!
//! **Parameters.** `steps`: groups, one pass each, and one more for the start. `counts`. `order`: `lerf` as in the paper, or
//! `morf`. `magnitude`: whether pixels rank by the size of their relevance, whatever its sign. The imputer chosen for
//! removal fills what is missing; the paper's base values are a constant.
//!
//! **When it misleads.** One fall among many steps makes it 0; and where all evidence speaks for the class, every order
//! makes the target rise, so that every map has 1.
//!
//! **Reference.** Arya et al., One Explanation Does Not Fit All, 2019, arXiv:1909.03012; `monotonicity_metric` of AIX360.
//!
//! **Parity.** AIX360's definition in NumPy; within 1e-5. Quantus writes the base values into base values, so that its
//! `Monotonicity` is true of every map: docs/departures.md.

use super::curve::{Order, check_steps, removal_curve};
use super::groups::Groups;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Monotonicity;

crate::params! {
    /// Parameters of [`Monotonicity`].
    pub struct MonotonicityParams {
        /// Groups into which the ranking is cut; each takes one pass.
        steps: usize = 32usize, int(2, 100_000);
        /// Whether every step must rise (`all`), or the share of steps that do is the score (`share`).
        counts: String = "all", choice("all", "share");
        /// Whether the least (`lerf`) or the most (`morf`) relevant pixels come back first.
        order: String = "lerf", choice("lerf", "morf");
        /// Whether pixels rank by the size of their relevance, whatever its sign.
        magnitude: bool = false, flag;
    }
}

impl Metric for Monotonicity {
    type Params = MonotonicityParams;
    const META: MetricMeta = MetricMeta {
        id: "monotonicity",
        name: "Monotonicity (Arya)",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 or 1; 0 to 1 where steps are counted",
        summary: "Does the answer rise with every group of pixels put back, least relevant first?",
        caution: "Where all evidence speaks for the answer, every map passes.",
        sensitive: &["imputer", "steps", "counts"],
        reference: "Arya et al. 2019, arXiv:1909.03012",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &MonotonicityParams) -> Result<Passes, Error> {
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
        p: &MonotonicityParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let relevance = if p.magnitude {
            evidence.relevance.map(f32::abs)
        } else {
            evidence.relevance.clone()
        };
        let groups = Groups::runs(&relevance, p.steps, cx.random);
        let order = Order::of(&p.order);
        // What is missing when the first of one order are back are the first of the other.
        let missing = groups.sizes(order.reversed(), p.steps);
        let mask = |k: usize| groups.first(order.reversed(), k);
        let mut curve = removal_curve(cx, &remover, order.label(), &missing, mask).await?;
        curve.x = curve.x.iter().rev().map(|removed| 1.0 - removed).collect();
        curve.y.reverse();
        // The start, before any pixel is back, is shown and not judged.
        let judged = &curve.y[curve.y.len() - p.steps..];
        Ok(Measurement {
            score: Score::Value(rising(judged, &p.counts)),
            curves: vec![curve],
        })
    }
}

fn rising(y: &[f64], counts: &str) -> f64 {
    let slack = 4.0 * f64::from(f32::EPSILON) * y.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    let rises = y.windows(2).filter(|pair| pair[1] >= pair[0] - slack).count();
    let steps = y.len() - 1;
    if counts == "share" {
        rises as f64 / steps as f64
    } else {
        f64::from(u8::from(rises == steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fall_breaks_it_and_rounding_does_not() {
        assert!((rising(&[0.0, 1.0, 1.0, 2.0], "all") - 1.0).abs() < 1e-15);
        assert!((rising(&[0.0, 1.0, 1.0 - 1e-7, 2.0], "all") - 1.0).abs() < 1e-15);
        assert!(rising(&[0.0, 1.0, 0.9, 2.0, 3.0], "all").abs() < 1e-15);
        assert!((rising(&[0.0, 1.0, 0.9, 2.0, 3.0], "share") - 0.75).abs() < 1e-15);
    }
}
