//! # Smooth parameter randomisation
//!
//! **What it computes.** Model parameter randomisation of maps that are averaged over noisy copies of the picture
//! first, so that noise in the map does not pass for dependence on the weights.
//!
//! **Formula.** `score = mean over stages s of S(m of the trained network, m with the first s / steps of the groups
//! drawn anew)`, `m = mean over k of a(x + e[k])`, `e[k]` normal with deviation `noise_level * (max x - min x)`. A
//! group is an operator with weights and the biases, scales and shifts behind it; weights are normal draws with the
//! mean and the deviation of those they replace.
//!
//! **Shapes and sign.** Maps are compared as one relevance a pixel: summed over channels, resized where coarse. Up to
//! 1; lower is better. Stages whose map has no likeness (constant maps) are left out of curve and score; undefined
//! where none is left, and for networks without weights. The curve is the similarity over the share of groups drawn so
//! far.
//!
//! **Parameters.** `samples`: noisy copies, each explained once a stage, the same for all stages. `noise_level`: their
//! noise. `steps`, `order`, `similarity`, `absolute`, `summary`: as for model parameter randomisation.
//!
//! **When it misleads.** Averages are of smoother maps, which are alike more easily: compare methods, not with the
//! plain test.
//!
//! **Reference.** Hedström et al., A Fresh Look at Sanity Checks for Saliency Maps, 2024, arXiv:2405.02383.
//!
//! **Parity.** Quantus `SmoothMPRT` with layers that reset to this crate's draws instead of a framework's, and recorded
//! noise `[samples, C, H, W]` as the stream `smooth-mprt/noise`, within 1e-5. It takes its last copy without noise.

use super::weights::{self, Likenesses, Order};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, curve, neighbours};
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor, Weights};

/// See the [module](self).
pub struct SmoothMprt;

crate::params! {
    /// Parameters of [`SmoothMprt`].
    pub struct SmoothMprtParams {
        /// Stages in which the weights are drawn; at most one for each group of weights.
        steps: usize = 4usize, int(1, 1000);
        /// Noisy copies, each explained once a stage.
        samples: usize = 20usize, int(1, 10_000);
        /// Standard deviation of the noise, as a share of the picture's range of values.
        noise_level: f64 = 0.1, real(0.0, 1.0);
        /// From which end of the network the weights are drawn anew.
        order: String = "bottom-up", choice("bottom-up", "top-down");
        /// How two maps are compared.
        similarity: String = "spearman", choice("spearman", "ssim", "pearson", "cosine");
        /// Whether magnitudes are compared rather than values.
        absolute: bool = true, flag;
        /// Whether the score is the mean of all stages, or the last of them.
        summary: String = "mean", choice("mean", "last");
    }
}

impl Metric for SmoothMprt {
    type Params = SmoothMprtParams;
    const META: MetricMeta = MetricMeta {
        id: "smooth-mprt",
        name: "Smooth parameter randomisation",
        category: Category::Randomisation,
        direction: Direction::Lower,
        range: "up to 1; 1 where the map ignores the weights",
        summary: "Does the map, freed of its noise, go when what the network learned goes?",
        caution: "Averages are of smoother maps, which are alike more easily.",
        sensitive: &["order", "similarity", "absolute", "samples", "noise_level"],
        reference: "Hedström et al. 2024, arXiv:2405.02383",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &SmoothMprtParams) -> Result<Passes, Error> {
        let stages = weights::stages(model, p.steps);
        weights::passes(model, evidence, if stages == 0 { 0 } else { (stages + 1) * p.samples })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SmoothMprtParams,
    ) -> Result<Measurement, Error> {
        let model = cx.exec.model();
        let stages = weights::stages(model, p.steps);
        let mut likenesses = Likenesses::new(&p.similarity, p.absolute);
        if stages > 0 {
            let seed = weights::seed(cx, "smooth-mprt/weights");
            let trained = smooth(cx, evidence, p, cx.weights).await?;
            for stage in 1..=stages {
                let drawn = weights::stage(model, Order::of(&p.order), stage, stages, seed);
                let map = smooth(cx, evidence, p, drawn).await?;
                likenesses.compare(stage as f64 / stages as f64, &trained, &map);
            }
        }
        Ok(likenesses.measurement(p.summary == "last"))
    }
}

/// The mean pixel relevance over noisy copies, for the network with these weights.
async fn smooth(
    cx: &Context<'_>,
    evidence: &Evidence<'_>,
    p: &SmoothMprtParams,
    weights: Weights,
) -> Result<Tensor, Error> {
    let (input, other) = (evidence.input, weights::context(cx, cx.target, weights));
    let (low, high) = input
        .tensor
        .data()
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let deviation = p.noise_level * (f64::from(high) - f64::from(low));
    let mut stream = cx.random.stream("smooth-mprt/noise");
    let mut sum = vec![0.0f64; evidence.relevance.len()];
    for _ in 0..p.samples {
        let noisy = input
            .tensor
            .map(|v| (f64::from(v) + deviation * f64::from(stream.normal())) as f32);
        let noisy = input.with(noisy);
        let map = neighbours::explainer(evidence).explain(&other, &noisy).await?;
        cx.job.step(Passes::default()).await?;
        for (sum, &v) in sum.iter_mut().zip(curve::pixel_relevance(&noisy, &map)?.data()) {
            *sum += f64::from(v);
        }
    }
    let mean = |i: usize| (sum[i] / p.samples as f64) as f32;
    Ok(Tensor::from_fn(evidence.relevance.shape(), mean))
}
