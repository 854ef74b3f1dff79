//! # DeepLIFT
//!
//! **What it computes.** The change of the target from a baseline picture to this one, shared out among the values by
//! one backward pass of differences instead of derivatives, so that saturation hides nothing.
//!
//! **Formula.** `a = (x - b) m`. The multipliers `m` are carried back from the target: through linear operators like
//! gradients; through a non-linearity `y = f(z)` by `(f(z) - f(z')) / (z - z')`, where `z'` is what the baseline has there,
//! and by `f'(z)` where `|z - z'| < 1e-10` (the rescale rule); through a max pool to the winners at the picture and at the
//! baseline. Two factors that both depend on the picture (gates, attention, normalisation by the picture's own statistics)
//! share their product's change as Shapley values, `m_p = m (q + q') / 2`; quotients and maxima alike; a softmax inside of
//! the network is taken as exponentials and a quotient. Then the map sums to `g(x) - g(b)`; the gap says how far it does.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the difference from the baseline raises the target.
//!
//! **Parameters.** `reference`, `baseline`, `blur`: what `b` is, as in integrated gradients; of given pictures the first.
//!
//! **When it misleads.** Two networks that compute the same function may get different maps, since the multipliers follow
//! the operators; close to a difference of zero a multiplier is a quotient of two tiny numbers, and may be huge.
//!
//! **Reference.** Shrikumar, Greenside & Kundaje, Learning Important Features Through Propagating Activation Differences,
//! ICML 2017, arXiv:1704.02685; shares of products as in the DeepExplainer of SHAP (Lundberg & Lee, arXiv:1705.07874).
//!
//! **Parity.** Captum `DeepLift(eps=1e-10)`, relative error at most 1e-4 against float64, on what it defines: linear
//! operators, ReLU, ELU, leaky ReLU, sigmoid, tanh, softplus, max pools without overlap, and a softmax or sigmoid at the
//! end as the target. Elsewhere Captum falls back to the gradient (GELU, SiLU, hard-swish, products, inner softmax), keeps
//! only one of overlapping pool windows, and in 0.9.0 loses the multiplier of a max pool directly after a ReLU, so that its
//! map is not complete; there we agree with a plain oracle in float64 that is held against Captum where Captum is defined.

use super::baselines::Reference;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::model::target::Head;
use crate::program::{Program, Rules, Wrt};
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct DeepLift;

crate::params! {
    /// Parameters of [`DeepLift`].
    pub struct DeepLiftParams {
        /// What the picture is compared with.
        reference: String = "constant", choice("constant", "black", "white", "blurred", "noise", "picture");
        /// The value of every baseline pixel and channel, in preprocessed space; for a constant reference.
        baseline: f64 = 0.0, real(-1000.0, 1000.0);
        /// Standard deviation of the blur, in pixels; for a blurred reference.
        blur: f64 = 10.0, real(0.1, 100.0);
    }
}

/// Passes for `count` baselines: the picture's own answer, then each baseline with the picture. A target that is not
/// linear in the logits needs the baselines' answers beforehand, which is one more pass each, as everywhere.
pub(super) fn passes(count: usize) -> Passes {
    Passes {
        forward: count as u64 + 1,
        backward: count as u64,
    }
}

impl Method for DeepLift {
    type Params = DeepLiftParams;
    const META: MethodMeta = MethodMeta {
        id: "deep-lift",
        name: "DeepLIFT",
        family: Family::Gradient,
        summary: "Carries the difference from a blank picture back through the network, where gradients would vanish.",
        caution: "It follows how the network is written, and tiny differences can give huge multipliers.",
        reference: "Shrikumar et al. 2017, arXiv:1704.02685",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness, Axiom::Dummy],
        stochastic: false,
    };

    fn passes(&self, model: &Model, _: &DeepLiftParams) -> Result<Passes, Error> {
        check(model)?;
        Ok(passes(1))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &DeepLiftParams) -> Result<Attribution, Error> {
        let reference = Reference {
            kind: &p.reference,
            value: p.baseline,
            blur: p.blur,
            count: 1,
        };
        mean_over(cx, input, reference).await
    }
}

/// Refuses networks with an operator that has no rule.
pub(super) fn check(model: &Model) -> Result<(), Error> {
    let program = Program::backward(Rules::DeepLift, &[Wrt::Input]);
    let backward = program.backward.unwrap_or_default();
    Ok(model.network().check_backward(&backward)?)
}

/// The mean of `(x - b) m` over the baselines `b` of `reference`.
pub(super) async fn mean_over(cx: &Context<'_>, input: &Input, reference: Reference<'_>) -> Result<Attribution, Error> {
    let x = &input.tensor;
    let count = reference.count();
    let mut baselines = reference.of(cx, input).await?;
    let model = cx.exec.model();
    let head = model.network().head();
    let kind = head.of_kind(cx.target.kind);
    let program = Program::backward(Rules::DeepLift, &[Wrt::Input]);
    let own = cx
        .forward(&Tensor::stack(std::slice::from_ref(x)), &[])
        .await?
        .remove(0);
    let mut change = f64::from(finite(cx.target.values(head, &own)[0])?);
    let mut sum = vec![0.0f64; x.len()];
    let mean = |sum: &[f64], n: usize| Tensor::from_fn(x.shape(), |i| (sum[i] / n as f64) as f32);
    for range in cx.batches(count) {
        let n = range.len();
        let bases = Tensor::stack(&range.clone().map(|_| baselines.next()).collect::<Vec<_>>());
        let theirs = if kind.is_linear() {
            Tensor::zeros(&[n, model.classes()])
        } else {
            cx.forward(&bases, &[]).await?.remove(0)
        };
        let cotangents: Vec<f32> = (0..n)
            .flat_map(|row| cotangent(kind, own.row(0), theirs.row(row), cx.target.class))
            .collect();
        let pictures = Tensor::stack(&vec![x.clone(); n]);
        let cotangents = Tensor::new(&[n, model.classes()], cotangents);
        let outputs = cx.run(program.clone(), &[pictures, bases.clone(), cotangents]).await?;
        let (multipliers, answers) = (&outputs[1], &outputs[2]);
        if !multipliers.is_finite() {
            return Err(crate::error::RunError::NonFinite {
                what: "multiplier".into(),
            }
            .into());
        }
        for (row, value) in cx.target.values(head, answers).into_iter().enumerate() {
            change -= f64::from(finite(value)?) / count as f64;
            let values = x.data().iter().zip(bases.row(row)).zip(multipliers.row(row));
            for (sum, ((&x, &b), &m)) in sum.iter_mut().zip(values) {
                *sum += (f64::from(x) - f64::from(b)) * f64::from(m);
            }
        }
        cx.job.offer(|| mean(&sum, range.end));
    }
    let map = mean(&sum, count);
    Ok(Attribution {
        completeness_gap: Some(map.sum() - change),
        ..Attribution::on_input(map)
    })
}

fn finite(value: f32) -> Result<f32, Error> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(crate::error::RunError::NonFinite { what: "answer".into() }.into())
    }
}

/// The multipliers of the logits, as Captum has them: a sigmoid by the rescale rule; a softmax by that rule on the
/// class's own logit, less its mean over all classes; a log-softmax by its gradient.
fn cotangent(head: Head, own: &[f32], theirs: &[f32], class: usize) -> Vec<f32> {
    let step = f64::from(own[class]) - f64::from(theirs[class]);
    if matches!(head, Head::Logits | Head::LogSoftmax) || step.abs() < 1e-10 {
        return head.cotangent(own, class);
    }
    let rise = f64::from(head.apply(own)[class]) - f64::from(head.apply(theirs)[class]);
    let share = if head == Head::Softmax {
        1.0 / own.len() as f64
    } else {
        0.0
    };
    (0..own.len())
        .map(|k| (rise / step * (f64::from(u8::from(k == class)) - share)) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_captums_multipliers() {
        let (own, theirs) = ([1.0, 2.0, -1.0], [0.5, -1.0, 0.0]);
        assert_eq!(cotangent(Head::Logits, &own, &theirs, 1), [0.0, 1.0, 0.0]);
        let p = |z: [f32; 3]| f64::from(Head::Softmax.apply(&z)[1]);
        let m = (p(own) - p(theirs)) / 3.0;
        for (found, expected) in
            cotangent(Head::Softmax, &own, &theirs, 1)
                .iter()
                .zip([-m / 3.0, m * 2.0 / 3.0, -m / 3.0])
        {
            assert!((f64::from(*found) - expected).abs() < 1e-6);
        }
        let s = |z: f32| f64::from(Head::Sigmoid.apply(&[z])[0]);
        let found = cotangent(Head::Sigmoid, &own, &theirs, 1);
        assert!(
            (f64::from(found[1]) - (s(2.0) - s(-1.0)) / 3.0).abs() < 1e-6 && found[0].abs() + found[2].abs() < 1e-9
        );
    }
}
