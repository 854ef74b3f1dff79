//! The same question of another class, or of a network whose weights were drawn anew, group by group.

use super::similarity::Similarity;
use super::{Curve, Evidence, Measurement, Score, curve, neighbours};
use crate::job::Passes;
use crate::{Context, Error, Model, Target, Tensor, Weights};

/// `cx` with another target and other weights.
pub fn context<'a>(cx: &Context<'a>, target: Target, weights: Weights) -> Context<'a> {
    Context {
        exec: cx.exec,
        job: cx.job,
        random: cx.random,
        target,
        removal: cx.removal.clone(),
        weights,
    }
}

/// Which groups of weights a stage draws anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// More and more groups, from the first.
    BottomUp,
    /// More and more groups, from the last.
    TopDown,
    /// One part of the groups after the other, each alone, from the first.
    Independent,
}

impl Order {
    /// From a parameter's word `bottom-up` or `top-down`.
    pub fn of(word: &str) -> Self {
        if word == "top-down" {
            Self::TopDown
        } else {
            Self::BottomUp
        }
    }
}

/// Why there is nothing to draw anew.
pub const NO_WEIGHTS: &str = "the network has no weights that could be drawn anew";

/// How many stages `model` is randomised in: at most `steps`, and one a group.
pub fn stages(model: &Model, steps: usize) -> usize {
    model.network().weight_groups().len().min(steps)
}

/// The weights of stage `1 … stages`, which ends at its share of the groups, rounded half up. All stages of one `seed`
/// draw the same weights for the same group.
pub fn stage(model: &Model, order: Order, stage: usize, stages: usize, seed: u32) -> Weights {
    let groups = model.network().weight_groups().len();
    let end = |stage: usize| curve::share(stage, stages, groups);
    let (from, to) = match order {
        Order::BottomUp => (0, end(stage)),
        Order::TopDown => (groups - end(stage), groups),
        Order::Independent => (end(stage - 1), end(stage)),
    };
    Weights::Randomised { from, to, seed }
}

/// The seed of the weights, from the stream `name`.
pub fn seed(cx: &Context<'_>, name: &str) -> u32 {
    cx.random.stream(name).index(u32::MAX as usize) as u32
}

/// `n` explanations.
pub fn passes(model: &Model, evidence: &Evidence<'_>, n: usize) -> Result<Passes, Error> {
    let one = neighbours::explainer(evidence).passes(model)?;
    Ok(Passes {
        forward: n as u64 * one.forward,
        backward: n as u64 * one.backward,
    })
}

/// The pixel relevance of the picture for the network with these weights.
pub async fn relevance(cx: &Context<'_>, evidence: &Evidence<'_>, weights: Weights) -> Result<Tensor, Error> {
    let other = context(cx, cx.target, weights);
    let map = neighbours::explainer(evidence).explain(&other, evidence.input).await?;
    cx.job.step(Passes::default()).await?;
    Ok(curve::pixel_relevance(evidence.input, &map)?)
}

/// What stages found: how like the map of the trained network the map is, by the share of groups drawn so far.
pub struct Likenesses {
    similarity: Similarity,
    absolute: bool,
    points: Vec<(f64, f64)>,
    why: &'static str,
}

impl Likenesses {
    /// Nothing yet.
    pub fn new(similarity: &str, absolute: bool) -> Self {
        Self {
            similarity: Similarity::of(similarity),
            absolute,
            points: Vec::new(),
            why: NO_WEIGHTS,
        }
    }

    /// Compares a stage's map; where that is not defined, the stage is left out.
    pub fn compare(&mut self, share: f64, trained: &Tensor, drawn: &Tensor) {
        match self.similarity.between(trained, drawn, self.absolute) {
            Ok(likeness) => self.points.push((share, likeness)),
            Err(why) => self.why = why,
        }
    }

    /// The mean of the stages, or the last one where `last`; and the curve.
    pub fn measurement(self, last: bool) -> Measurement {
        let Some(end) = self.points.last() else {
            return Measurement::undefined(self.why);
        };
        let mean = self.points.iter().map(|p| p.1).sum::<f64>() / self.points.len() as f64;
        let score = Score::finite(
            if last { end.1 } else { mean },
            "the maps are too large or too small to compare",
        );
        let curve = Curve {
            label: "similarity".into(),
            x: self.points.iter().map(|p| p.0).collect(),
            y: self.points.iter().map(|p| p.1).collect(),
        };
        Measurement {
            score,
            curves: vec![curve],
        }
    }
}
