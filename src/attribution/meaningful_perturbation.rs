//! # Meaningful perturbation
//!
//! **What it computes.** The smallest smooth region whose removal makes the target fall: a mask, optimised by gradient.
//!
//! **Formula.** The grid `m` in `[0, 1]` that minimises
//! `g(u x + (1 - u) f) + sparsity sum |1 - m| + smoothness sum |differences of neighbours of m|^3`, by Adam from
//! `m = 1`, clipped to `[0, 1]` after each step: `u` is `m` enlarged bilinearly (corners on corners), `f` the picture with
//! every pixel filled by the chosen imputer. The map is `1 - u`. The gradient flows through `u` only, so that any imputer
//! will do; those that fill from kept pixels fill the white squares of a chessboard from the black ones, and the other
//! way round.
//!
//! **Shapes and sign.** `[1, H, W]` in `[0, 1]`; 1 where removal lowers the target most.
//!
//! **Parameters.** `steps`: of Adam, one forward and one backward pass each. `grid`: points a side of `m`, not more than
//! the picture's pixels. `rate`: of Adam. `sparsity`, `smoothness`: as in the formula. Meant for probabilities: a logit's
//! larger scale needs larger weights.
//!
//! **When it misleads.** The optimum may be a pattern that fools the network rather than its evidence; a coarse grid and
//! smoothness guard against it. The weights set the region's size: compare a few.
//!
//! **Reference.** Fong & Vedaldi, Interpretable Explanations of Black Boxes by Meaningful Perturbation, ICCV 2017,
//! arXiv:1704.03296; its weights 1e-4 and 1e-2, 300 steps at 0.1. Its jitter of the picture is left out.
//!
//! **Parity.** The script that the field copies (jacobgil/pytorch-explain-black-box `explain.py`, its means as our sums, no
//! noise, zeros for its blurred picture) in float64, and the authors' own `optimize_mask` (ruthcfong/perturb_explanations,
//! around a network that answers as a Caffe one does) on one point a pixel without smoothness; both within 1e-4. With
//! smoothness the authors' code joins both directions in one length, `(dx^2 + dy^2)^1.5`, where the paper adds them; its
//! coarse masks are enlarged to the nearest point and blurred in 8 bits.

use super::soft_mask::{Adam, Enlarge, background, by_mask, map, mixed, narrow};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need, sensitivity};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct MeaningfulPerturbation;

crate::params! {
    /// Parameters of [`MeaningfulPerturbation`].
    pub struct MeaningfulPerturbationParams {
        /// Steps of the optimiser; each takes a forward and a backward pass.
        steps: usize = 300usize, int(1, 10_000);
        /// Points of the mask along a side; fewer make it smoother.
        grid: usize = 28usize, int(1, 64);
        /// Size of the optimiser's steps.
        rate: f64 = 0.1, real(0.0001, 1.0);
        /// Cost of removing; larger removes less.
        sparsity: f64 = 0.0001, real(0.0, 100.0);
        /// Cost of a ragged mask.
        smoothness: f64 = 0.01, real(0.0, 100.0);
    }
}

impl Method for MeaningfulPerturbation {
    type Params = MeaningfulPerturbationParams;
    const META: MethodMeta = MethodMeta {
        id: "meaningful-perturbation",
        name: "Meaningful perturbation",
        family: Family::Perturbation,
        summary: "Finds the smallest smooth region whose removal makes the answer fall.",
        caution: "The region may fool the network rather than hold its evidence; its size depends on the weights.",
        reference: "Fong & Vedaldi 2017, arXiv:1704.03296",
        signed: false,
        needs: &[Need::Gradient, Need::Imputer],
        axioms: &[Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &MeaningfulPerturbationParams) -> Result<Passes, Error> {
        sensitivity::check(model, p.grid)?;
        Ok(Passes {
            forward: p.steps as u64,
            backward: p.steps as u64,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &MeaningfulPerturbationParams,
    ) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        cx.removal.needs_values("the mask shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fill = background(cx, input, &remover).await?;
        let enlarge = Enlarge::new([p.grid; 2], height, width);
        let mut mask = vec![1.0f64; p.grid * p.grid];
        let mut adam = Adam::new(p.rate, mask.len());
        let removed = |mask: &[f64]| {
            let gone: Vec<f64> = enlarge.enlarge(mask).into_iter().map(|m| 1.0 - m).collect();
            map(&gone, height, width)
        };
        for _ in 0..p.steps {
            let seen = narrow(&enlarge.enlarge(&mask));
            let picture = mixed(&seen, &input.tensor, &fill);
            let gradient = cx.input_gradients(&Tensor::stack(&[picture])).await?;
            let mut slope = enlarge.adjoint(&by_mask(gradient.data(), &input.tensor, &fill, height * width));
            add_costs(&mut slope, &mask, p);
            adam.descend(&mut mask, &slope);
            for m in &mut mask {
                *m = m.clamp(0.0, 1.0);
            }
            cx.job.offer(|| removed(&mask));
        }
        Ok(Attribution::on_input(removed(&mask)))
    }
}

/// Adds the gradient of the two costs.
fn add_costs(slope: &mut [f64], mask: &[f64], p: &MeaningfulPerturbationParams) {
    for (slope, &m) in slope.iter_mut().zip(mask) {
        if m < 1.0 {
            *slope -= p.sparsity;
        }
    }
    let mut between = |a: usize, b: usize| {
        let d = mask[a] - mask[b];
        let pull = 3.0 * p.smoothness * d * d.abs();
        slope[a] += pull;
        slope[b] -= pull;
    };
    for i in 0..mask.len() {
        if i % p.grid + 1 < p.grid {
            between(i, i + 1);
        }
        if i + p.grid < mask.len() {
            between(i, i + p.grid);
        }
    }
}
