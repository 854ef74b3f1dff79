//! # Degraded ranking
//!
//! **What it computes.** Whether another metric can tell the map from worse versions of itself: how well its scores order
//! maps of which a growing share was scrambled. It judges the metric on this picture more than the map.
//!
//! **Formula.** In version `l = 0 ... levels - 1` the relevance of a random share `l / levels` of the pixels is shuffled among
//! them; shares contain one another. `score = Spearman of (-l, s[l])`, `s[l]` the other metric's score of version `l`, with its
//! sign turned where lower is better.
//!
//! **Shapes and sign.** Relevance is one value a pixel: channels summed, coarse maps resized bilinearly. Between -1 and 1,
//! higher is better: 1 where each degradation lowers the score. The curve shows the other metric's own score over the share
//! scrambled.
//!
//! **Parameters.** `metric`: the metric that is put to the test, with its defaults. `levels`: versions, each with that metric's
//! passes. `steps`: that metric's steps. The imputer chosen for removal fills.
//!
//! **When it misleads.** A map that knows nothing cannot be degraded: a low score may blame the map instead of the metric.
//! Five versions have few orders.
//!
//! **Reference.** After Zheng et al., F-Fidelity, ICLR 2025, arXiv:2410.02970, who judge metrics by explanations degraded on
//! purpose. They train on removals before; this does not.
//!
//! **Parity.** None: the paper's metric is another. Cases by hand in `tests/axioms`.

use super::abpc::{Abpc, AbpcParams};
use super::deletion::{Deletion, DeletionParams};
use super::insertion::{Insertion, InsertionParams};
use super::road::{Road, RoadParams};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, stats};
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct DegradedRanking;

crate::params! {
    /// Parameters of [`DegradedRanking`].
    pub struct DegradedRankingParams {
        /// The metric that is put to the test.
        metric: String = "deletion", choice("deletion", "insertion", "abpc", "road");
        /// Versions of the map, the first of them whole.
        levels: usize = 5usize, int(3, 100);
        /// Steps of that metric.
        steps: usize = 16usize, int(1, 10_000);
    }
}

/// One of the metrics that can be tested, with its parameters.
macro_rules! with {
    ($p:expr, |$metric:ident, $params:ident| $body:expr) => {{
        let steps = $p.steps;
        match $p.metric.as_str() {
            "insertion" => {
                let ($metric, $params) = (
                    &Insertion,
                    InsertionParams {
                        steps,
                        ..Default::default()
                    },
                );
                $body
            }
            "abpc" => {
                let ($metric, $params) = (
                    &Abpc,
                    AbpcParams {
                        steps,
                        ..Default::default()
                    },
                );
                $body
            }
            "road" => {
                let ($metric, $params) = (
                    &Road,
                    RoadParams {
                        steps,
                        ..Default::default()
                    },
                );
                $body
            }
            _ => {
                let ($metric, $params) = (
                    &Deletion,
                    DeletionParams {
                        steps,
                        ..Default::default()
                    },
                );
                $body
            }
        }
    }};
}

fn direction_of<M: Metric>(_: &M) -> Direction {
    M::META.direction
}

impl Metric for DegradedRanking {
    type Params = DegradedRankingParams;
    const META: MetricMeta = MetricMeta {
        id: "degraded-ranking",
        name: "Degraded ranking",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 where the metric cannot tell",
        summary: "Can another metric tell the map from versions of it that are scrambled more and more?",
        caution: "A map that knows nothing cannot be made worse.",
        sensitive: &["imputer", "metric", "levels"],
        reference: "after Zheng et al. 2025, arXiv:2410.02970",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &DegradedRankingParams) -> Result<Passes, Error> {
        let each = with!(p, |metric, params| metric.passes(model, evidence, &params))?;
        Ok(Passes {
            forward: each.forward * p.levels as u64,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &DegradedRankingParams,
    ) -> Result<Measurement, Error> {
        let better = with!(p, |metric, _params| direction_of(metric));
        let mut curve = Curve {
            label: p.metric.clone(),
            x: Vec::with_capacity(p.levels),
            y: Vec::with_capacity(p.levels),
        };
        let &[height, width] = evidence.relevance.shape() else {
            unreachable!("relevance is [H, W]")
        };
        let pixels = height * width;
        let scrambled = cx.random.stream("degraded-ranking/pixels").permutation(pixels);
        for level in 0..p.levels {
            let count = level * pixels / p.levels;
            let map = scramble(&evidence.relevance, &scrambled[..count], cx).reshape(&[1, height, width]);
            let version = Evidence::new(evidence.input, &map, None)?;
            let found = with!(p, |metric, params| metric.evaluate(cx, &version, &params).await)?;
            match found.score {
                Score::Value(score) => {
                    curve.x.push(count as f64 / pixels as f64);
                    curve.y.push(score);
                }
                undefined @ Score::Undefined(_) => return Ok(Measurement::of(undefined)),
            }
        }
        let falling: Vec<f64> = (0..p.levels).map(|level| -(level as f64)).collect();
        let sign = if better == Direction::Lower { -1.0 } else { 1.0 };
        let scores: Vec<f64> = curve.y.iter().map(|y| sign * y).collect();
        let score = if super::blend::shares(&evidence.relevance, "min-max").is_none() {
            Score::Undefined("the map prefers no pixel, so that scrambling changes nothing".into())
        } else {
            stats::spearman(&falling, &scores).map_or_else(
                || Score::Undefined("the tested metric gives every version the same score".into()),
                Score::Value,
            )
        };
        Ok(Measurement {
            score,
            curves: vec![curve],
        })
    }
}

/// The relevance with that of `pixels` shuffled among them.
fn scramble(relevance: &Tensor, pixels: &[usize], cx: &Context<'_>) -> Tensor {
    let mut out = relevance.clone();
    let shuffle = cx.random.stream("degraded-ranking/shuffle").permutation(pixels.len());
    for (&to, from) in pixels.iter().zip(shuffle) {
        out.data_mut()[to] = relevance.data()[pixels[from]];
    }
    out
}
