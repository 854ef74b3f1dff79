//! Copies of a picture with small noise, explained again: what the stability metrics share.

use super::{Evidence, Measurement, Score, masked};
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Model, Tensor};

/// Why a map of another shape can't be compared.
pub const OTHER_SHAPE: &str = "the map has another shape than the maps of the method that explains again";

/// Why no copy is left.
pub const ALL_CHANGED: &str = "every noisy copy of the picture gets another answer";

/// What is done with each copy.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The random stream, `[samples, C, H, W]` where recorded.
    pub stream: &'static str,
    /// Copies.
    pub samples: usize,
    /// Whether copies whose top class is another are left out.
    pub same_answer: bool,
    /// Whether the logits of each copy, and the values of `layers`, are asked for.
    pub look: bool,
    /// Layers whose values are asked for.
    pub layers: Vec<usize>,
}

/// One copy.
pub struct Neighbour {
    /// The copy `[C, H, W]`.
    pub picture: Tensor,
    /// Its map, of the same shape as the map of the picture.
    pub map: Tensor,
    /// Logits and layers, where asked for.
    pub outputs: Vec<Tensor>,
}

impl Plan {
    fn looks(&self) -> bool {
        self.same_answer || self.look
    }

    /// Passes of [`Plan::run`].
    pub fn passes(&self, model: &Model, evidence: &Evidence<'_>) -> Result<Passes, Error> {
        let one = explainer(evidence).passes(model)?;
        let (samples, looks) = (self.samples as u64, u64::from(self.looks()));
        Ok(Passes {
            forward: samples * (one.forward + looks) + looks,
            backward: samples * one.backward,
        })
    }

    /// `of` each copy that counts, with noise uniform in `±radius` on every value; or why there is none.
    pub async fn each(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        radius: f64,
        of: impl Fn(&Neighbour, &[Tensor]) -> f64,
    ) -> Result<Result<Vec<f64>, &'static str>, Error> {
        let noise = |stream: &mut Stream| radius * (2.0 * f64::from(stream.uniform()) - 1.0);
        let mut found = Vec::new();
        let visited = self
            .run(cx, evidence, noise, |copy, whole| found.push(of(copy, whole)))
            .await?;
        Ok(visited.map(|_| found))
    }

    /// Calls `visit` for each copy that counts with the outputs of the picture itself, and returns how many did; or why
    /// there is nothing to visit. `noise` draws one value's noise.
    pub async fn run(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        noise: impl Fn(&mut Stream) -> f64,
        mut visit: impl FnMut(&Neighbour, &[Tensor]),
    ) -> Result<Result<usize, &'static str>, Error> {
        let (input, explainer) = (evidence.input, explainer(evidence));
        let single = |x: &Tensor| Tensor::stack(std::slice::from_ref(x));
        let whole = if self.looks() {
            cx.forward(&single(&input.tensor), &self.layers).await?
        } else {
            Vec::new()
        };
        let mut stream = cx.random.stream(self.stream);
        let mut visited = 0;
        for _ in 0..self.samples {
            let picture = input.tensor.map(|v| (f64::from(v) + noise(&mut stream)) as f32);
            let outputs = if self.looks() {
                cx.forward(&single(&picture), &self.layers).await?
            } else {
                Vec::new()
            };
            let map = explainer.explain(cx, &input.with(picture.clone())).await?;
            // Methods without passes never look at the job.
            cx.job.step(Passes::default()).await?;
            if map.shape() != evidence.map.shape() {
                return Ok(Err(OTHER_SHAPE));
            }
            if self.same_answer && answer(&outputs[0]) != answer(&whole[0]) {
                continue;
            }
            visit(&Neighbour { picture, map, outputs }, &whole);
            visited += 1;
        }
        Ok(if visited == 0 { Err(ALL_CHANGED) } else { Ok(visited) })
    }
}

crate::params! {
    /// Parameters of the metrics of how far the map moves.
    pub struct SensitivityParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 200usize, int(1, 10_000);
        /// The noise is uniform between this and its negative, in preprocessed values.
        radius: f64 = 0.2, real(0.000_001, 100.0);
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = false, flag;
    }
}

impl SensitivityParams {
    fn plan(&self, stream: &'static str) -> Plan {
        Plan {
            stream,
            samples: self.samples,
            same_answer: self.same_answer,
            look: false,
            layers: Vec::new(),
        }
    }

    /// Passes of [`Self::evaluate`].
    pub fn passes(&self, stream: &'static str, model: &Model, evidence: &Evidence<'_>) -> Result<Passes, Error> {
        let passes = self.plan(stream).passes(model, evidence)?;
        Ok(if length(evidence.map.data()) > 0.0 {
            passes
        } else {
            Passes::default()
        })
    }

    /// `summary` of how far each copy's map lies from the map, as shares of the map's length.
    pub async fn evaluate(
        &self,
        stream: &'static str,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        summary: fn(&[f64]) -> f64,
    ) -> Result<Measurement, Error> {
        let map = evidence.map.data();
        let length = length(map);
        if length <= 0.0 {
            return Ok(Measurement::undefined(masked::ZERO));
        }
        let away = |copy: &Neighbour, _: &[Tensor]| distance(copy.map.data(), map) / length;
        let found = self.plan(stream).each(cx, evidence, self.radius, away).await?;
        Ok(Measurement::of(score(found.map(|away| summary(&away)))))
    }
}

crate::params! {
    /// Parameters of the metrics of how far the map moves for how far something else did.
    pub struct StabilityParams {
        /// Noisy copies of the picture, each explained once.
        samples: usize = 200usize, int(1, 10_000);
        /// The noise is uniform between this and its negative, in preprocessed values.
        radius: f64 = 0.2, real(0.000_001, 100.0);
        /// Whether copies whose top class is another than the picture's are left out; one more pass each.
        same_answer: bool = true, flag;
    }
}

impl StabilityParams {
    /// The plan, which looks at the logits of each copy where `look`.
    pub fn plan(&self, stream: &'static str, look: bool) -> Plan {
        Plan {
            stream,
            samples: self.samples,
            same_answer: self.same_answer,
            look,
            layers: Vec::new(),
        }
    }
}

/// The largest relative change of the map over that of its `cause`, which counts as at least [`LEAST`].
pub async fn stability(
    cx: &Context<'_>,
    evidence: &Evidence<'_>,
    plan: &Plan,
    radius: f64,
    cause: impl Fn(&Neighbour, &[Tensor]) -> f64,
) -> Result<Measurement, Error> {
    let quotient = |copy: &Neighbour, whole: &[Tensor]| {
        relative_change(evidence.map.data(), copy.map.data()) / cause(copy, whole).max(LEAST)
    };
    let found = plan.each(cx, evidence, radius, quotient).await?;
    Ok(Measurement::of(score(found.map(|quotients| largest(&quotients)))))
}

/// The largest of values that are not negative.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The method that made the map, which the evidence has where [`Need::Explainer`](super::Need::Explainer) is declared.
///
/// # Panics
/// If there is none; that is a bug of the caller.
pub fn explainer<'a>(evidence: &'a Evidence<'_>) -> &'a super::Explainer {
    evidence
        .explainer
        .as_ref()
        .expect("the evidence has what the metric needs")
}

/// The class of the largest logit; the first of equal ones.
pub fn answer(logits: &Tensor) -> usize {
    let row = logits.row(0);
    (0..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

/// The Euclidean length of `a - b`.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}

/// The sum of the magnitudes of `a - b`.
pub fn absolute_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (f64::from(*x) - f64::from(*y)).abs())
        .sum()
}

/// The map divided by its largest magnitude; a map of zeros as it is.
pub fn by_largest(map: &Tensor) -> Tensor {
    let top = map.data().iter().fold(0.0f32, |top, v| top.max(v.abs()));
    if top > 0.0 { map.map(|v| v / top) } else { map.clone() }
}

/// What was found as a score.
pub fn score(found: Result<f64, &'static str>) -> Score {
    match found {
        Ok(value) => Score::finite(value, "the maps are too large or too small to compare"),
        Err(why) => Score::Undefined(why.to_owned()),
    }
}

/// The Euclidean length of a map.
pub fn length(a: &[f32]) -> f64 {
    a.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// Smallest divisor of relative changes: `1e-6` stands for values that are zero, and for changes below it.
pub const LEAST: f64 = 1e-6;

/// The Euclidean length of `(a - b) / a`, value by value; zeros of `a` count as [`LEAST`].
pub fn relative_change(a: &[f32], b: &[f32]) -> f64 {
    let square = |(x, y): (&f32, &f32)| {
        let (x, y) = (f64::from(*x), f64::from(*y));
        ((x - y) / if x == 0.0 { LEAST } else { x }).powi(2)
    };
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_by_hand() {
        assert!((distance(&[1.0, 2.0], &[4.0, -2.0]) - 5.0).abs() < 1e-12);
        assert!((length(&[3.0, -4.0]) - 5.0).abs() < 1e-12);
        assert!((relative_change(&[2.0, 4.0], &[1.0, 4.0]) - 0.5).abs() < 1e-12);
        assert!((relative_change(&[0.0], &[1e-6]) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_first_of_equal_answers_counts() {
        assert_eq!(answer(&Tensor::new(&[1, 3], vec![0.0, 2.0, 2.0])), 1);
    }
}
