//! # Input invariance
//!
//! **What it computes.** How far the map moves when the picture and the network are shifted so that nothing changes:
//! the picture by a constant, the network by taking that constant off again before its first layer.
//!
//! **Formula.** `score = |a'(x + s) - a(x)| / |a(x)|`, `a'` the map of the network `x -> f(x - s)`, Euclidean lengths;
//! gaps up to `tolerance` count as 0. Both networks see the same values everywhere.
//!
//! **Shapes and sign.** The maps are compared value by value, all channels, as the method gives them. 0 for a map that
//! does not move; a map of zeros is undefined, and so is one of another shape than the method's.
//!
//! **Parameters.** `shift`: added to every value, in preprocessed values. `tolerance`: a relative gap that rounding
//! may leave.
//!
//! **When it misleads.** Methods that compare with a baseline move, as the shifted picture lies elsewhere from the
//! same baseline: that is what they mean to measure, and tells only that the baseline matters.
//!
//! **Reference.** Kindermans et al., The (Un)reliability of Saliency Methods, 2017, arXiv:1711.00867.
//!
//! **Parity.** Quantus `InputInvariance` changes the first layer's bias to the same end, which padding of that layer
//! breaks at the edges, and answers whether all values are close. Here the shift is taken off exactly, for any
//! network, and the size of the gap is the score.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, masked, neighbours};
use crate::exec::{Device, Executor};
use crate::job::Passes;
use crate::{BoxFuture, Context, Error, Model, Program, Tensor};

/// See the [module](self).
pub struct InputInvariance;

crate::params! {
    /// Parameters of [`InputInvariance`].
    pub struct InputInvarianceParams {
        /// Added to every value of the picture, in preprocessed values.
        shift: f64 = -1.0, real(-1000.0, 1000.0);
        /// Gaps up to this share of the map's length count as none.
        tolerance: f64 = 0.001, real(0.0, 1.0);
    }
}

/// Runs the network `x -> f(x - shift)`.
struct Shifted<'a> {
    inner: &'a dyn Executor,
    shift: f32,
}

impl Executor for Shifted<'_> {
    fn model(&self) -> &Model {
        self.inner.model()
    }
    fn device(&self) -> Device {
        self.inner.device()
    }
    fn preferred_batch(&self) -> usize {
        self.inner.preferred_batch()
    }
    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(async move {
            let mut inputs = inputs.to_vec();
            inputs[0] = inputs[0].map(|v| v - self.shift);
            self.inner.run(program, &inputs).await
        })
    }
}

impl Metric for InputInvariance {
    type Params = InputInvarianceParams;
    const META: MetricMeta = MetricMeta {
        id: "input-invariance",
        name: "Input invariance",
        category: Category::Axiomatic,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "Does the map stay when picture and network are shifted so that nothing changes?",
        caution: "Methods that compare with a baseline move by design.",
        sensitive: &["shift"],
        reference: "Kindermans et al. 2017, arXiv:1711.00867",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, _: &InputInvarianceParams) -> Result<Passes, Error> {
        let passes = neighbours::explainer(evidence).passes(model)?;
        Ok(if neighbours::length(evidence.map.data()) > 0.0 {
            passes
        } else {
            Passes::default()
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &InputInvarianceParams,
    ) -> Result<Measurement, Error> {
        let length = neighbours::length(evidence.map.data());
        if length <= 0.0 {
            return Ok(Measurement::undefined(masked::ZERO));
        }
        let shift = p.shift as f32;
        let exec = Shifted { inner: cx.exec, shift };
        let shifted = Context {
            exec: &exec,
            job: cx.job,
            random: cx.random,
            target: cx.target,
            removal: cx.removal.clone(),
            weights: cx.weights,
        };
        let input = evidence.input.with(evidence.input.tensor.map(|v| v + shift));
        let map = neighbours::explainer(evidence).explain(&shifted, &input).await?;
        cx.job.step(Passes::default()).await?;
        if map.shape() != evidence.map.shape() {
            return Ok(Measurement::undefined(neighbours::OTHER_SHAPE));
        }
        let gap = neighbours::distance(map.data(), evidence.map.data()) / length;
        Ok(Measurement::of(neighbours::score(Ok(if gap <= p.tolerance {
            0.0
        } else {
            gap
        }))))
    }
}
