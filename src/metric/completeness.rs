//! # Completeness gap
//!
//! **What it computes.** How far the sum of the map is from the change of the target that it should add up to.
//!
//! **Formula.** `score = |sum of a - (g(x) - g(x0))| / |g(x) - g(x0)|`, `x0` the picture with every pixel removed;
//! gaps up to `tolerance` count as 0.
//!
//! **Shapes and sign.** The sum runs over the map as the method gives it, all channels. 0 for a complete map.
//! Undefined where the target does not change, and refused for imputers that fill from kept pixels, which have no
//! empty picture.
//!
//! **Parameters.** `tolerance`: a relative gap that rounding or few steps may leave. The imputer chosen for removal
//! makes the empty picture, which must be the method's own baseline.
//!
//! **When it misleads.** Only methods that promise completeness, from this very baseline, are meant to pass: a heat
//! map in other units fails and may still rank pixels well.
//!
//! **Reference.** Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017, arXiv:1703.01365.
//!
//! **Parity.** Quantus `Completeness` asks the same with `==` on floating-point numbers, so that exact maps fail; its
//! default divides the map by its largest value first, so that nothing passes. Here the size of the gap is the score.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct Completeness;

crate::params! {
    /// Parameters of [`Completeness`].
    pub struct CompletenessParams {
        /// Gaps up to this share of the change count as none.
        tolerance: f64 = 0.00001, real(0.0, 1.0);
    }
}

impl Metric for Completeness {
    type Params = CompletenessParams;
    const META: MetricMeta = MetricMeta {
        id: "completeness",
        name: "Completeness gap",
        category: Category::Axiomatic,
        direction: Direction::Lower,
        range: "0 (complete) upwards",
        summary: "Does the map add up to the change of the answer?",
        caution: "Only methods that promise completeness, from this very empty picture, are meant to pass.",
        sensitive: &["imputer", "tolerance"],
        reference: "Sundararajan et al. 2017, arXiv:1703.01365",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &CompletenessParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 2,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &CompletenessParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let empty = remover.everything("completeness compares with a picture of which no pixel is kept")?;
        let (mut pair, mut values) = ([evidence.input.tensor.clone(), empty.clone()], Vec::new());
        for picture in &mut pair {
            values.push(f64::from(
                cx.scores(&Tensor::stack(std::slice::from_ref(picture))).await?[0],
            ));
        }
        let change = values[0] - values[1];
        if change.abs() <= 4.0 * f64::from(f32::EPSILON) * values[0].abs().max(values[1].abs()) {
            return Ok(Measurement::undefined("the answer is the same for the empty picture"));
        }
        let gap = (evidence.map.sum() - change).abs() / change.abs();
        let gap = if gap <= p.tolerance { 0.0 } else { gap };
        Ok(Measurement::of(Score::finite(gap, "the map is too large to sum")))
    }
}
