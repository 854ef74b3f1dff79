//! # GradientSHAP
//!
//! **What it computes.** The change of the target from typical baselines to this picture, shared out among the values by
//! gradients at random points between the two: integrated gradients in expectation over baselines, also known as
//! expected gradients.
//!
//! **Formula.** `a = mean_k (y[k] - b[k]) * dg/dx(b[k] + u[k] (y[k] - b[k]))`, with `b[k]` a baseline by chance, `u[k]`
//! uniform in `[0, 1)` and `y[k] = x + s n[k]`, `n` standard normal and `s = noise_level * (max(x) - min(x))`. The
//! completeness gap is `sum(a) - (g(x) - mean_k g(b[k]))`.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the step from the baselines raises the target.
//!
//! **Parameters.** `samples`: points, one gradient each. `noise_level`: noise on the picture as a share of its range; 0
//! is expected gradients. `reference`: as in integrated gradients; `noise` is drawn anew for each point, of `picture`
//! one of the first `references` given ones is drawn.
//!
//! **When it misleads.** One random point stands for a whole path, so that few samples give a grainy map whose sum is
//! far from the change (see the gap); and the baselines decide what counts as absent.
//!
//! **Reference.** Lundberg & Lee, NeurIPS 2017, arXiv:1705.07874 (SHAP); Erion et al., Improving performance of deep
//! learning models with axiomatic attribution priors and expected gradients, 2021, arXiv:1906.10670.
//!
//! **Parity.** Captum `GradientShap` (its `InputBaselineXGradient` on recorded baselines, coefficients and noise: the
//! streams `baseline/noise` `[samples, C, H, W]` or `baseline/pictures` and `gradient-shap/choice` `[samples]`,
//! `gradient-shap/coefficient` `[samples]` and `gradient-shap/noise` `[samples, C, H, W]`); relative error at most 2e-4.

use super::baselines::Reference;
use super::noise::deviation;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct GradientShap;

crate::params! {
    /// Parameters of [`GradientShap`].
    pub struct GradientShapParams {
        /// Random points between baselines and picture; each takes one gradient.
        samples: usize = 50usize, int(1, 10_000);
        /// Standard deviation of noise on the picture, as a share of its range of values.
        noise_level: f64 = 0.0, real(0.0, 1.0);
        /// What the picture is compared with.
        reference: String = "noise", choice("constant", "black", "white", "blurred", "noise", "picture");
        /// The value of every baseline pixel and channel, in preprocessed space; for a constant reference.
        baseline: f64 = 0.0, real(-1000.0, 1000.0);
        /// Standard deviation of the blur, in pixels; for a blurred reference.
        blur: f64 = 10.0, real(0.1, 100.0);
        /// How many given pictures to choose from.
        references: usize = 1usize, int(1, 100);
    }
}

impl GradientShapParams {
    fn reference(&self) -> Reference<'_> {
        Reference {
            kind: &self.reference,
            value: self.baseline,
            blur: self.blur,
            count: self.references,
        }
    }

    /// Passes for the mean answer to the baselines.
    fn ends(&self) -> usize {
        if self.reference().is_many() { self.samples } else { 1 }
    }
}

impl Method for GradientShap {
    type Params = GradientShapParams;
    const META: MethodMeta = MethodMeta {
        id: "gradient-shap",
        name: "GradientSHAP",
        family: Family::Gradient,
        summary: "Averages gradients at random points between random baselines and the picture.",
        caution: "Few samples give a grainy map, and the baselines decide what counts as absent.",
        reference: "Lundberg & Lee 2017, arXiv:1705.07874; Erion et al. 2021, arXiv:1906.10670",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[
            Axiom::Completeness,
            Axiom::Dummy,
            Axiom::Linearity,
            Axiom::ImplementationInvariance,
        ],
        stochastic: true,
    };

    fn passes(&self, _: &Model, p: &GradientShapParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: (p.samples + p.ends() + 1) as u64,
            backward: p.samples as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &GradientShapParams) -> Result<Attribution, Error> {
        let x = &input.tensor;
        let deviation = deviation(x, p.noise_level);
        let mut baselines = p.reference().of(cx, input).await?;
        let [mut noise, mut coefficient, mut choice] =
            ["noise", "coefficient", "choice"].map(|name| cx.random.stream(&format!("gradient-shap/{name}")));
        let mut change = f64::from(cx.scores(&Tensor::stack(std::slice::from_ref(x))).await?[0]);
        let mut sum = vec![0.0f64; x.len()];
        let mean = |sum: &[f64], n: usize| Tensor::from_fn(x.shape(), |i| (sum[i] / n as f64) as f32);
        for range in cx.batches(p.samples) {
            let (mut points, mut steps, mut ends) = (Vec::new(), Vec::new(), Vec::new());
            for _ in range.clone() {
                let b = baselines.draw(&mut choice);
                let noisy = |v: f32, n: f32| (f64::from(v) + deviation * f64::from(n)) as f32;
                let y = if deviation > 0.0 {
                    x.map(|v| noisy(v, noise.normal()))
                } else {
                    x.clone()
                };
                let u = f64::from(coefficient.uniform());
                points.push(y.zip(&b, |y, b| (u * f64::from(y) + (1.0 - u) * f64::from(b)) as f32));
                steps.push(y.zip(&b, |y, b| y - b));
                ends.push(b);
            }
            ends.truncate(p.ends().saturating_sub(range.start));
            if !ends.is_empty() {
                let scores = cx.scores(&Tensor::stack(&ends)).await?;
                change -= scores.iter().map(|&s| f64::from(s)).sum::<f64>() / p.ends() as f64;
            }
            let gradients = cx.input_gradients(&Tensor::stack(&points)).await?;
            for (row, step) in steps.iter().enumerate() {
                for ((sum, &g), &step) in sum.iter_mut().zip(gradients.row(row)).zip(step.data()) {
                    *sum += f64::from(g) * f64::from(step);
                }
            }
            cx.job.offer(|| mean(&sum, range.end));
        }
        let map = mean(&sum, p.samples);
        Ok(Attribution {
            completeness_gap: Some(map.sum() - change),
            ..Attribution::on_input(map)
        })
    }
}
