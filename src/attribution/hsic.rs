//! # HSIC
//!
//! **What it computes.** How strongly the answer depends on whether each cell of a grid is seen, by the Hilbert–Schmidt
//! independence criterion: a dependence of any kind, from few pictures with random cells hidden.
//!
//! **Formula.** `a[i] = trace(K[i] H L H) / designs`: `K[i]` is 1.5 for two pictures that agree on cell `i`, else 0.5;
//! `L = exp(-(y - y')^2 / (2 m^2))` of their targets `y`, `m` the median of `y`; `H` takes means away. Cells are seen by a
//! fair coin, balanced over the pictures; hidden ones are filled by the chosen imputer.
//!
//! **Shapes and sign.** `[1, H, W]`: the scores, enlarged by a bicubic; not below 0 up to the bicubic's slight undershoot.
//! No direction.
//!
//! **Parameters.** `designs`: pictures, one pass each. `grid`: cells a side.
//!
//! **When it misleads.** It says that a cell matters, not for which side. Independent cells get small positive scores by
//! chance. The kernel's width is the median *target*, so that a constant added to a logit changes the map. Imputers that
//! fill from kept pixels are shown the first cell where chance hides every one.
//!
//! **Reference.** Novello, Fel & Vigouroux, Making Sense of Dependence, NeurIPS 2022, arXiv:2206.06219.
//!
//! **Parity.** Xplique 1.3 `HsicAttributionMethod` (binary kernel) on its own Sobol sequence, recorded
//! `[designs, grid^2]` (stream `hsic/design`, at least 0.5 is seen), within 1e-4. Our own design is a Latin hypercube, as in
//! the paper and as Xplique offers by SciPy; tests of `sensitivity.rs` hold its distribution over seeds to one: uniform
//! rows, stratified and balanced columns, independent of each other.

use super::coalition::forward;
use super::sensitivity::{bicubic, cells, check, design};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Mask, Model};

/// See the [module](self).
pub struct Hsic;

crate::params! {
    /// Parameters of [`Hsic`].
    pub struct HsicParams {
        /// Pictures with random cells hidden; each takes one pass.
        designs: usize = 500usize, int(4, 2000);
        /// Cells along a side.
        grid: usize = 8usize, int(1, 32);
    }
}

impl Method for Hsic {
    type Params = HsicParams;
    const META: MethodMeta = MethodMeta {
        id: "hsic",
        name: "HSIC",
        family: Family::Perturbation,
        summary: "Hides random cells of a grid and measures how much the answer depends on each.",
        caution: "It says that a cell matters, not whether it speaks for the answer or against it.",
        reference: "Novello et al. 2022, arXiv:2206.06219",
        signed: false,
        needs: &[Need::Imputer],
        axioms: &[Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &HsicParams) -> Result<Passes, Error> {
        check(model, p.grid)?;
        Ok(forward(p.designs))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &HsicParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let variables = p.grid * p.grid;
        let design = design(cx.random, "hsic/design", p.designs, variables)?;
        let remover = Remover::new(cx, input).await?;
        let seen = |row: usize, cell: usize| design.row(row)[cell] >= 0.5;
        let cells = cells(p.grid, height, width);
        let mut answers = Vec::with_capacity(p.designs);
        for turn in cx.batches(p.designs) {
            let removed = |row: usize| {
                let first = !remover.can_remove_everything() && (0..variables).all(|cell| !seen(row, cell));
                let gone = |cell: usize| !(seen(row, cell) || first && cell == 0);
                Mask::new(height, width, cells.iter().map(|&cell| gone(cell)).collect())
            };
            let masks: Vec<Mask> = turn.clone().map(removed).collect();
            let scores = cx.scores(&remover.without(&masks).await?).await?;
            answers.extend(scores.into_iter().map(f64::from));
            if turn.end >= 4 && turn.end < p.designs {
                cx.job.offer(|| {
                    let kernel = centred_kernel(&answers);
                    let score = |cell| dependence(&kernel, answers.len(), |row| seen(row, cell));
                    bicubic(&(0..variables).map(score).collect::<Vec<_>>(), p.grid, height, width)
                });
            }
        }
        let kernel = centred_kernel(&answers);
        let mut scores = Vec::with_capacity(variables);
        for cell in 0..variables {
            scores.push(dependence(&kernel, p.designs, |row| seen(row, cell)));
            cx.job.step(Passes::default()).await?;
        }
        Ok(Attribution::on_input(bicubic(&scores, p.grid, height, width)))
    }
}

/// `H L H` of the answers, `[n, n]`.
fn centred_kernel(answers: &[f64]) -> Vec<f64> {
    let n = answers.len();
    let mut sorted = answers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
    let mut kernel = Vec::with_capacity(n * n);
    for a in answers {
        kernel.extend(answers.iter().map(|b| {
            let square = (a - b).powi(2);
            if square == 0.0 {
                1.0
            } else {
                (-square / (2.0 * median * median)).exp()
            }
        }));
    }
    let means: Vec<f64> = kernel.chunks(n).map(|row| row.iter().sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    for (i, value) in kernel.iter_mut().enumerate() {
        *value += mean - means[i / n] - means[i % n];
    }
    kernel
}

/// The criterion of one cell. Adding a constant to its kernel changes nothing, so that 1 and 0 do for 1.5 and 0.5.
fn dependence(kernel: &[f64], n: usize, seen: impl Fn(usize) -> bool) -> f64 {
    let side: Vec<bool> = (0..n).map(seen).collect();
    let mut sum = 0.0;
    for (row, &a) in kernel.chunks(n).zip(&side) {
        sum += row
            .iter()
            .zip(&side)
            .filter(|(_, b)| **b == a)
            .map(|(v, _)| v)
            .sum::<f64>();
    }
    sum / n as f64
}
