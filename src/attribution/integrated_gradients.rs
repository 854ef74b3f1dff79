//! # Integrated gradients
//!
//! **What it computes.** The change of the target from a baseline picture to this one, shared out among the values by
//! following the straight line between the two.
//!
//! **Formula.** `a = (x - b) * sum_k weight[k] * dg/dx(b + alpha[k] (x - b))`, nodes `alpha` in `[0, 1]` and weights from
//! a quadrature rule; exactly integrated, the map sums to `g(x) - g(b)`. What is missing is reported as the
//! completeness gap, `sum(a) - (g(x) - g(b))`. With several baselines, both are means over them.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the step from the baseline raises the target.
//!
//! **Parameters.** `steps`: nodes. `quadrature`: `gauss-legendre`, or Captum's Riemann sums: `left`, `right` and `middle`
//! have equal weights, and nodes at that place of `steps` equal parts; `trapezoid` has `steps` nodes from 0 to 1 and
//! weights `1 / steps`, halved at both ends, which sum to `1 - 1 / steps` (as Captum has it: a map smaller by as much).
//! `reference`: what `b` is; `constant` (the value `baseline`, in preprocessed space), `black`, `white`, `blurred` (the
//! picture itself under a Gaussian of `blur` pixels), `noise` (uniform between black and white) or `picture` (pictures
//! that were given). `references`: how many of noise or pictures, each with all `steps`; the map is their mean.
//!
//! **When it misleads.** What equals the baseline gets nothing, so a black object on a black baseline is invisible; the
//! line runs through pictures that no network was trained on, whose gradients add noise.
//!
//! **Reference.** Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017, arXiv:1703.01365; on
//! baselines Sturmfels, Lundberg & Lee, Distill 2020, doi:10.23915/distill.00022.
//!
//! **Parity.** Captum `IntegratedGradients(multiply_by_inputs=True)`, one call a baseline; relative error at most 2e-4
//! against float64. Recorded streams: `baseline/noise` (uniform draws), `baseline/pictures`, both `[n, C, H, W]`.

use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;

use super::baselines::Reference;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct IntegratedGradients;

crate::params! {
    /// Parameters of [`IntegratedGradients`].
    pub struct IntegratedGradientsParams {
        /// Points on the line from the baseline; each takes one gradient.
        steps: usize = 50usize, int(1, 1000);
        /// Where the points lie and how they are weighed.
        quadrature: String = "gauss-legendre",
            choice("gauss-legendre", "riemann-left", "riemann-right", "riemann-middle", "riemann-trapezoid");
        /// What the picture is compared with.
        reference: String = "constant", choice("constant", "black", "white", "blurred", "noise", "picture");
        /// The value of every baseline pixel and channel, in preprocessed space; for a constant reference.
        baseline: f64 = 0.0, real(-1000.0, 1000.0);
        /// Standard deviation of the blur, in pixels; for a blurred reference.
        blur: f64 = 10.0, real(0.1, 100.0);
        /// How many noises or given pictures to compare with; the map is the mean over them.
        references: usize = 1usize, int(1, 100);
    }
}

impl IntegratedGradientsParams {
    fn reference(&self) -> Reference<'_> {
        Reference {
            kind: &self.reference,
            value: self.baseline,
            blur: self.blur,
            count: self.references,
        }
    }
}

/// Nodes in `[0, 1]` and their weights, as Captum's `approximation_parameters` gives them.
fn rule(p: &IntegratedGradientsParams) -> Result<Vec<(f64, f64)>, Error> {
    let n = p.steps as f64;
    let equal = |shift: f64| (0..p.steps).map(|k| ((k as f64 + shift) / n, 1.0 / n)).collect();
    if p.quadrature != "gauss-legendre" && p.steps < 2 {
        return Err(Error::param(
            "steps",
            format!("{} needs at least 2 steps", p.quadrature),
        ));
    }
    Ok(match p.quadrature.as_str() {
        "riemann-left" => equal(0.0),
        "riemann-right" => equal(1.0),
        "riemann-middle" => equal(0.5),
        "riemann-trapezoid" => (0..p.steps)
            .map(|k| {
                let end = k == 0 || k == p.steps - 1;
                (k as f64 / (n - 1.0), if end { 0.5 / n } else { 1.0 / n })
            })
            .collect(),
        _ => {
            let degree = NonZeroUsize::new(p.steps).ok_or_else(|| Error::param("steps", "at least 1 is needed"))?;
            let legendre = GaussLegendre::new(degree);
            let pairs = legendre.as_node_weight_pairs();
            pairs
                .iter()
                .map(|(node, weight)| (0.5 * (1.0 + node), 0.5 * weight))
                .collect()
        }
    })
}

impl Method for IntegratedGradients {
    type Params = IntegratedGradientsParams;
    const META: MethodMeta = MethodMeta {
        id: "integrated-gradients",
        name: "Integrated gradients",
        family: Family::Gradient,
        summary: "Adds up gradients on the way from a blank picture to this one.",
        caution: "Pixels that look like the blank picture get nothing, even where they matter.",
        reference: "Sundararajan et al. 2017, arXiv:1703.01365",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[
            Axiom::Completeness,
            Axiom::Dummy,
            Axiom::Symmetry,
            Axiom::Linearity,
            Axiom::ImplementationInvariance,
        ],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &IntegratedGradientsParams) -> Result<Passes, Error> {
        let references = p.reference().count() as u64;
        let nodes = rule(p)?.len() as u64 * references;
        Ok(Passes {
            forward: nodes + references + 1,
            backward: nodes,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &IntegratedGradientsParams,
    ) -> Result<Attribution, Error> {
        let x = &input.tensor;
        let rule = rule(p)?;
        let count = p.reference().count();
        let mut baselines = p.reference().of(cx, input).await?;
        let score = async |picture: &Tensor| {
            let scores = cx.scores(&Tensor::stack(std::slice::from_ref(picture))).await?;
            Ok::<_, Error>(f64::from(scores[0]))
        };
        let mut change = score(x).await?;
        let mut total = vec![0.0f64; x.len()];
        for done in 0..count {
            let b = baselines.next();
            change -= score(&b).await? / count as f64;
            let step: Vec<f64> = x
                .data()
                .iter()
                .zip(b.data())
                .map(|(&x, &b)| f64::from(x) - f64::from(b))
                .collect();
            let mut sum = vec![0.0f64; x.len()];
            let mut seen = 0.0;
            for range in cx.batches(rule.len()) {
                let point =
                    |alpha: f64| Tensor::from_fn(x.shape(), |i| (f64::from(b.data()[i]) + alpha * step[i]) as f32);
                let points: Vec<Tensor> = rule[range.clone()].iter().map(|&(alpha, _)| point(alpha)).collect();
                let gradients = cx.input_gradients(&Tensor::stack(&points)).await?;
                for (row, &(_, weight)) in rule[range].iter().enumerate() {
                    for (sum, &g) in sum.iter_mut().zip(gradients.row(row)) {
                        *sum += weight * f64::from(g);
                    }
                    seen += weight;
                }
                cx.job.offer(|| {
                    let so_far = |i: usize| (total[i] + step[i] * sum[i] / seen) / (done + 1) as f64;
                    Tensor::from_fn(x.shape(), |i| so_far(i) as f32)
                });
            }
            for ((total, step), sum) in total.iter_mut().zip(&step).zip(&sum) {
                *total += step * sum;
            }
        }
        let map = Tensor::from_fn(x.shape(), |i| (total[i] / count as f64) as f32);
        Ok(Attribution {
            completeness_gap: Some(map.sum() - change),
            ..Attribution::on_input(map)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(quadrature: &str, steps: usize) -> Vec<(f64, f64)> {
        rule(&IntegratedGradientsParams {
            steps,
            quadrature: quadrature.into(),
            ..IntegratedGradientsParams::default()
        })
        .unwrap()
    }

    fn close(found: &[(f64, f64)], expected: &[(f64, f64)]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!(
                (f.0 - e.0).abs() < 1e-12 && (f.1 - e.1).abs() < 1e-12,
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn rules_are_captums() {
        close(
            &nodes("riemann-left", 4),
            &[(0.0, 0.25), (0.25, 0.25), (0.5, 0.25), (0.75, 0.25)],
        );
        close(&nodes("riemann-right", 2), &[(0.5, 0.5), (1.0, 0.5)]);
        close(&nodes("riemann-middle", 2), &[(0.25, 0.5), (0.75, 0.5)]);
        close(
            &nodes("riemann-trapezoid", 3),
            &[(0.0, 1.0 / 6.0), (0.5, 1.0 / 3.0), (1.0, 1.0 / 6.0)],
        );
        let far = 0.774_596_669_241_483_4;
        let mut found = nodes("gauss-legendre", 3);
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        close(
            &found,
            &[
                (0.5 - far / 2.0, 5.0 / 18.0),
                (0.5, 4.0 / 9.0),
                (0.5 + far / 2.0, 5.0 / 18.0),
            ],
        );
    }

    #[test]
    fn gauss_legendre_integrates_polynomials_exactly() {
        let integral: f64 = nodes("gauss-legendre", 6).iter().map(|(x, w)| w * x.powi(11)).sum();
        assert!((integral - 1.0 / 12.0).abs() < 1e-14);
    }

    #[test]
    fn riemann_sums_need_two_steps() {
        let p = IntegratedGradientsParams {
            steps: 1,
            quadrature: "riemann-left".into(),
            ..IntegratedGradientsParams::default()
        };
        assert!(rule(&p).unwrap_err().to_string().contains("steps"));
        assert_eq!(nodes("gauss-legendre", 1).len(), 1);
    }
}
