//! # Faithfulness correlation
//!
//! **What it computes.** Whether the relevance of a random set of pixels foretells how far the target falls without them.
//!
//! **Formula.** `score = Pearson over runs of (sum_{i in S} r[i], g(x) - g(x without S))`, each `S` of `subset_size` pixels
//! drawn without repetition.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Between -1 and 1, higher is better; 1 for input × gradient on a linear network with
//! zeros for removed pixels.
//!
//! **Parameters.** `runs`: random sets, one pass each, and one more for the whole picture. `subset_size`: pixels a set,
//! fewer than the picture has. The imputer chosen for removal fills.
//!
//! **When it misleads.** Scattered pixels are easily made up for by their neighbours, so falls are small and the score
//! noisy; it changes with the size of the sets.
//!
//! **Reference.** Bhatt, Weller & Moura, Evaluating and Aggregating Feature-based Model Explanations, IJCAI 2020,
//! arXiv:2005.00631.
//!
//! **Parity.** Quantus `FaithfulnessCorrelation` on one channel, with its recorded sets `[runs, subset_size]` as the stream
//! `faithfulness-correlation/subsets`; within 1e-4. Quantus draws single channel values of colour pictures; here a pixel
//! is one unit.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, stats};
use crate::error::InputError;
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Mask, Model, Tensor};

/// See the [module](self).
pub struct FaithfulnessCorrelation;

const STREAM: &str = "faithfulness-correlation/subsets";

crate::params! {
    /// Parameters of [`FaithfulnessCorrelation`].
    pub struct FaithfulnessCorrelationParams {
        /// Random sets of pixels; each takes one pass.
        runs: usize = 100usize, int(2, 100_000);
        /// Pixels in each set; fewer than the picture has.
        subset_size: usize = 224usize, int(1, 1_000_000);
    }
}

impl Metric for FaithfulnessCorrelation {
    type Params = FaithfulnessCorrelationParams;
    const META: MetricMeta = MetricMeta {
        id: "faithfulness-correlation",
        name: "Faithfulness correlation",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Does the relevance of random pixels foretell how far the answer falls without them?",
        caution: "Scattered pixels are easily made up for by their neighbours, so the score is noisy.",
        sensitive: &["imputer", "subset_size", "runs"],
        reference: "Bhatt et al. 2020, arXiv:2005.00631",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &FaithfulnessCorrelationParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let pixels = height * width;
        if p.subset_size >= pixels {
            let why = format!(
                "{} is not below the picture's {pixels} pixels; it must be between 1 and {}",
                p.subset_size,
                pixels - 1
            );
            return Err(Error::param("subset_size", why));
        }
        Ok(Passes {
            forward: p.runs as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &FaithfulnessCorrelationParams,
    ) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let mut sets = Sets::new(cx, p, height * width)?;
        let remover = Remover::new(cx, evidence.input).await?;
        let picture = Tensor::stack(std::slice::from_ref(&evidence.input.tensor));
        let whole = f64::from(cx.scores(&picture).await?[0]);
        let relevance = evidence.relevance.data();
        let (mut sums, mut falls) = (Vec::with_capacity(p.runs), Vec::with_capacity(p.runs));
        let mut mask = Mask::all(height, width, false);
        for range in cx.batches(p.runs) {
            let mut pictures = Vec::with_capacity(range.len());
            for run in range {
                let set = sets.draw(run);
                for &i in set {
                    mask.bits_mut()[i] = true;
                }
                sums.push(set.iter().map(|&i| f64::from(relevance[i])).sum::<f64>());
                pictures.push(remover.remove(&mask).await?);
                for &i in set {
                    mask.bits_mut()[i] = false;
                }
            }
            let scores = cx.scores(&Tensor::stack(&pictures)).await?;
            falls.extend(scores.into_iter().map(|score| whole - f64::from(score)));
        }
        Ok(Measurement {
            score: correlation(&sums, &falls, whole),
            curves: Vec::new(),
        })
    }
}

/// Undefined where a side varies no more than rounding makes it.
fn correlation(sums: &[f64], falls: &[f64], whole: f64) -> Score {
    let top = |values: &[f64]| values.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    if stats::spread(sums) <= 1e-12 * top(sums) {
        return Score::Undefined(
            "every set of pixels has the same relevance, so nothing can be foretold from it".into(),
        );
    }
    if stats::spread(falls) <= 4.0 * f64::from(f32::EPSILON) * top(falls).max(whole.abs()) {
        return Score::Undefined("the answer falls equally without any of the sets of pixels".into());
    }
    stats::pearson(sums, falls).map_or_else(
        || Score::Undefined("the values are too large or too small to correlate".into()),
        Score::Value,
    )
}

/// Sets of pixels: recorded ones, or drawn by a partial shuffle.
struct Sets<'a> {
    recorded: Option<&'a Tensor>,
    stream: crate::rng::Stream,
    pixels: Vec<usize>,
    size: usize,
}

impl<'a> Sets<'a> {
    fn new(cx: &Context<'a>, p: &FaithfulnessCorrelationParams, pixels: usize) -> Result<Self, Error> {
        let recorded = cx.random.recorded(STREAM);
        if let Some(sets) = recorded {
            if sets.shape() != [p.runs, p.subset_size] {
                return Err(InputError::Shape {
                    what: STREAM.into(),
                    found: sets.shape().to_vec(),
                    expected: format!("[{}, {}]", p.runs, p.subset_size),
                }
                .into());
            }
            if !sets.data().iter().all(|&i| i >= 0.0 && (i as usize) < pixels) {
                return Err(Error::param(
                    STREAM,
                    format!("an index is not between 0 and {}", pixels - 1),
                ));
            }
        }
        Ok(Self {
            recorded,
            stream: cx.random.stream(STREAM),
            pixels: (0..pixels).collect(),
            size: p.subset_size,
        })
    }

    fn draw(&mut self, run: usize) -> &[usize] {
        match self.recorded {
            Some(sets) => {
                for (pixel, &i) in self.pixels.iter_mut().zip(sets.row(run)) {
                    *pixel = i as usize;
                }
            }
            None => {
                for k in 0..self.size {
                    let other = k + self.stream.index(self.pixels.len() - k);
                    self.pixels.swap(k, other);
                }
            }
        }
        &self.pixels[..self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_do_not_vary_leave_it_undefined() {
        assert!(matches!(
            correlation(&[3.0, 3.0], &[1.0, 2.0], 5.0),
            Score::Undefined(_)
        ));
        assert!(matches!(
            correlation(&[3.0, 4.0], &[1.0, 1.0], 5.0),
            Score::Undefined(_)
        ));
        assert!(matches!(
            correlation(&[3.0, 4.0], &[0.0, 1e-7], 9.0),
            Score::Undefined(_)
        ));
        assert!(matches!(correlation(&[3.0, 4.0], &[0.0, 0.1], 9.0), Score::Value(v) if v > 0.999_999));
    }
}
