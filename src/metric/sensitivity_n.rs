//! # Sensitivity-n
//!
//! **What it computes.** Whether the relevance of random sets of `n` pixels foretells how far the target falls without
//! them, for small sets and for large ones.
//!
//! **Formula.** For each of `sizes` numbers `n`, equally far apart in logarithm from 1 to `share` of the pixels,
//! `c[n] = Pearson over runs of (sum_{i in S} r[i], g(x) - g(x without S))`, each `S` of `n` pixels drawn without
//! repetition; `score = mean of the c[n] that are defined`.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Between -1 and 1, higher is better; 1 for input × gradient on a linear network with zeros
//! for removed pixels. The curve shows `c[n]` over the share `n / pixels`.
//!
//! **Parameters.** `sizes`: how many numbers `n`; those that round to the same count once.
//! `runs`: sets for each, one pass each, and one more for the whole picture. `share`: the largest `n`. The imputer chosen
//! for removal fills.
//!
//! **When it misleads.** Single pixels move the target hardly, so that the smallest sets may show rounding; large sets
//! leave pictures like no other.
//!
//! **Reference.** Ancona et al., Towards Better Understanding of Gradient-based Attribution Methods, ICLR 2018,
//! arXiv:1711.06104.
//!
//! **Parity.** Quantus `FaithfulnessCorrelation` on one channel for each size, with its recorded sets `[runs, n]` as the
//! streams `sensitivity-n/<n>`; within 1e-5. Quantus' own `SensitivityN` correlates over the pictures of a batch, and the
//! relevance of one step with the fall of all steps so far: docs/departures.md.

use super::curve::whole;
use super::subsets::{Subsets, foretold};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, stats};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct SensitivityN;

crate::params! {
    /// Parameters of [`SensitivityN`].
    pub struct SensitivityNParams {
        /// How many sizes of sets, from one pixel to the largest share.
        sizes: usize = 8usize, int(1, 1000);
        /// Random sets of each size; each takes one pass.
        runs: usize = 50usize, int(2, 100_000);
        /// Largest share of the pixels in a set.
        share: f64 = 0.8, real(0.001, 0.99);
    }
}

/// The distinct sizes, ascending.
fn sizes(p: &SensitivityNParams, pixels: usize) -> Vec<usize> {
    let largest = ((p.share * pixels as f64).floor() as usize).clamp(1, pixels - 1);
    let size = |k: usize| {
        let at = if p.sizes == 1 {
            1.0
        } else {
            k as f64 / (p.sizes - 1) as f64
        };
        (largest as f64).powf(at).round() as usize
    };
    let mut sizes: Vec<usize> = (0..p.sizes).map(size).collect();
    sizes.dedup();
    sizes
}

impl Metric for SensitivityN {
    type Params = SensitivityNParams;
    const META: MetricMeta = MetricMeta {
        id: "sensitivity-n",
        name: "Sensitivity-n",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Does the relevance of random pixels foretell the fall of the answer, for few pixels and for many?",
        caution: "Large sets leave pictures unlike any that the network knows.",
        sensitive: &["imputer", "share", "runs"],
        reference: "Ancona et al. 2018, arXiv:1711.06104",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &SensitivityNParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        if height * width < 2 {
            return Err(Error::param("sizes", "a picture of one pixel has no sets".to_owned()));
        }
        Ok(Passes {
            forward: (sizes(p, height * width).len() * p.runs) as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SensitivityNParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let pixels = height * width;
        let remover = Remover::new(cx, evidence.input).await?;
        let whole = whole(cx, evidence.input).await?;
        let (mut curve, mut undefined) = (
            Curve {
                label: "correlation".into(),
                x: Vec::new(),
                y: Vec::new(),
            },
            None,
        );
        for size in sizes(p, pixels) {
            let mut sets = Subsets::new(cx, &format!("sensitivity-n/{size}"), p.runs, size, pixels)?;
            let (sums, falls) = sets.falls(cx, &remover, &evidence.relevance, whole, p.runs).await?;
            match foretold(stats::pearson, &sums, &falls, whole) {
                Score::Value(value) => {
                    curve.x.push(size as f64 / pixels as f64);
                    curve.y.push(value);
                }
                Score::Undefined(why) => undefined = Some(why),
            }
        }
        let score = match (curve.y.len(), undefined) {
            (0, Some(why)) => Score::Undefined(why),
            (n, _) => Score::Value(curve.y.iter().sum::<f64>() / n as f64),
        };
        Ok(Measurement {
            score,
            curves: vec![curve],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_rise_by_a_factor_and_stand_once() {
        let of = |sizes_: usize, share: f64, pixels| {
            let p = SensitivityNParams {
                sizes: sizes_,
                share,
                ..SensitivityNParams::default()
            };
            sizes(&p, pixels)
        };
        assert_eq!(of(4, 0.8, 1250), [1, 10, 100, 1000]);
        assert_eq!(of(5, 0.5, 8), [1, 2, 3, 4]);
        assert_eq!(of(1, 0.5, 8), [4]);
        assert_eq!(of(3, 0.001, 2), [1]);
    }
}
