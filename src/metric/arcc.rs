//! # ARCC
//!
//! **What it computes.** One number for three wishes: the map stays the same when the picture is seen through it, it is
//! small, and removal confirms it.
//!
//! **Formula.** `score = 3 / (1 / coherency + 1 / (1 - complexity) + 1 / road)`, the harmonic mean; 0 where one of the three
//! is 0. `coherency = (Pearson(m, map of m x) + 1) / 2`, `complexity = mean(m)`, `road = 2 * ROAD combined` at 20, 40, 60 and
//! 80 percent, cut off at 0 and 1; `m` is the map stretched to 0 to 1.
//!
//! **Shapes and sign.** Relevance is one value a pixel: channels summed, coarse maps resized bilinearly. Between 0 and 1 for
//! probabilities, higher is better. Undefined for a constant map, or where the second map is constant. The curves are ROAD's.
//!
//! **Parameters.** `scale`: how the map becomes `m`: `min-max` as in the reference, or `positive`. Takes eight passes and one
//! explanation. The imputer chosen for removal fills in ROAD; `m x` is over zeros, as in the reference.
//!
//! **When it misleads.** Smallness counts as much as truth: of two maps that are confirmed alike, the smaller wins, also where
//! the whole picture matters.
//!
//! **Reference.** pytorch-grad-cam `ARCC`, arXiv:2605.14641; after Poppi et al., Revisiting the Evaluation of Class
//! Activation Mapping, CVPRW 2021, arXiv:2104.10252.
//!
//! **Parity.** pytorch-grad-cam `ARCC` with a gradient in the place of a CAM and without ROAD's noise, within 2e-4. Its
//! docstring says geometric mean, it takes the harmonic one, as Poppi et al. do. Its epsilons of 1e-8 are left out.

use super::blend::{NO_SHARES, SeenParams, over_zeros, shares};
use super::curve::pixel_relevance;
use super::road::{Road, RoadParams};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, stats};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Arcc;

fn removal() -> RoadParams {
    RoadParams {
        steps: 4,
        ..RoadParams::default()
    }
}

impl Metric for Arcc {
    type Params = SeenParams;
    const META: MetricMeta = MetricMeta {
        id: "arcc",
        name: "ARCC",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "Is the map coherent, small and confirmed by removal, all three at once?",
        caution: "Smallness counts as much as truth.",
        sensitive: &["imputer", "scale"],
        reference: "pytorch-grad-cam, arXiv:2605.14641",
        needs: &[Need::Imputer, Need::Explainer],
        imputer: "noisy-linear",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, _: &SeenParams) -> Result<Passes, Error> {
        let again = evidence
            .explainer
            .as_ref()
            .map_or(Ok(Passes::default()), |e| e.passes(model))?;
        let road = Road.passes(model, evidence, &removal())?;
        Ok(Passes {
            forward: again.forward + road.forward,
            backward: again.backward,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &SeenParams) -> Result<Measurement, Error> {
        let Some(keep) = shares(&evidence.relevance, &p.scale) else {
            return Ok(Measurement::undefined(NO_SHARES));
        };
        let Some(explainer) = &evidence.explainer else {
            return Ok(Measurement::undefined("the method that made the map is not known"));
        };
        let part = evidence.input.with(over_zeros(cx, evidence.input, &keep).await?);
        let again = pixel_relevance(&part, &explainer.explain(cx, &part).await?)?;
        let road = Road.evaluate(cx, evidence, &removal()).await?;
        let wide: Vec<f64> = again.data().iter().map(|&v| f64::from(v)).collect();
        let score = match (stats::pearson(&keep, &wide), &road.score) {
            (None, _) => Score::Undefined("the map of the picture seen through the map prefers no pixel".into()),
            (Some(same), Score::Value(road)) => {
                let complexity = keep.iter().sum::<f64>() / keep.len() as f64;
                Score::Value(harmonic([
                    f64::midpoint(same, 1.0),
                    1.0 - complexity,
                    (2.0 * road).clamp(0.0, 1.0),
                ]))
            }
            (_, undefined) => undefined.clone(),
        };
        Ok(Measurement {
            score,
            curves: road.curves,
        })
    }
}

fn harmonic(parts: [f64; 3]) -> f64 {
    if parts.iter().any(|&v| v <= 0.0) {
        return 0.0;
    }
    3.0 / parts.iter().map(|v| 1.0 / v).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_zero_makes_it_zero() {
        assert!(harmonic([0.9, 0.0, 1.0]).abs() < 1e-15);
        assert!((harmonic([1.0, 1.0, 1.0]) - 1.0).abs() < 1e-15);
        assert!((harmonic([0.5, 1.0, 0.25]) - 3.0 / 7.0).abs() < 1e-15);
    }
}
