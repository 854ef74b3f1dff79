//! # Sobol
//!
//! **What it computes.** How much of the answer's variance each cell of a grid is party to, alone or together with
//! others, when every cell fades at random: the total-order Sobol index.
//!
//! **Formula.** `S[i] = sum_k (g(A[k]) - g(C[i][k]))^2 / (2 designs var g(A))`, Jansen's estimator: rows of the designs
//! `A` and `B` hold one value a cell in `[0, 1)`, `C[i]` is `A` with column `i` of `B`, and `g(m)` is the target for
//! `m x + (1 - m) f`, where `f` is the picture with every pixel removed by the chosen imputer and a pixel takes the value
//! of its cell.
//!
//! **Shapes and sign.** `[1, H, W]`: the indices, enlarged by a bicubic; 0 where the answer does not depend on the cell,
//! up to the bicubic's slight undershoot. No direction: a cell that lowers the target has a high index too.
//!
//! **Parameters.** `designs`: rows; `designs (grid^2 + 1)` passes. `grid`: cells a side.
//!
//! **When it misleads.** It says that a cell matters, not for which side. With few rows it is noisy. Imputers that fill
//! from kept pixels are refused, since half-faded pixels have no kept part.
//!
//! **Reference.** Fel et al., Look at the Variance!, NeurIPS 2021, arXiv:2111.04138; Jansen 1999.
//!
//! **Parity.** Xplique 1.3 `SobolAttributionMethod` on its own Sobol sequence, recorded `[designs, 2 grid^2]` (stream
//! `sobol/design`, `A` before `B`), within 1e-4. Our own design is a Latin hypercube, which Xplique also offers; `B` alone
//! is not run, since the estimator does not use it.

use super::coalition::forward;
use super::sensitivity::{bicubic, cells, check, design};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::exec::{Masks, Mixed};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct Sobol;

crate::params! {
    /// Parameters of [`Sobol`].
    pub struct SobolParams {
        /// Rows of the design; each takes a pass for every cell, and one more.
        designs: usize = 32usize, int(2, 1024);
        /// Cells along a side.
        grid: usize = 8usize, int(1, 32);
    }
}

impl Method for Sobol {
    type Params = SobolParams;
    const META: MethodMeta = MethodMeta {
        id: "sobol",
        name: "Sobol",
        family: Family::Perturbation,
        summary: "Fades the cells of a grid at random and finds those that the answer's variance comes from.",
        caution: "It says that a cell matters, not whether it speaks for the answer or against it.",
        reference: "Fel et al. 2021, arXiv:2111.04138",
        signed: false,
        needs: &[Need::Imputer],
        axioms: &[Axiom::Dummy, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &SobolParams) -> Result<Passes, Error> {
        check(model, p.grid)?;
        Ok(forward(p.designs * (p.grid * p.grid + 1)))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &SobolParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let variables = p.grid * p.grid;
        let design = design(cx.random, "sobol/design", p.designs, 2 * variables)?;
        cx.removal.needs_values("Sobol shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fill = remover.everything("Sobol shows pixels partly, so no pixel is kept to fill from")?;
        let cells = cells(p.grid, height, width);
        let mut first = Vec::with_capacity(p.designs);
        let mut changes = vec![0.0f64; variables];
        for turn in cx.batches(p.designs * (variables + 1)) {
            let shares = |t: usize| {
                let (block, row) = (t / p.designs, design.row(t % p.designs));
                let value = |cell: usize| {
                    if cell + 1 == block {
                        row[variables + cell]
                    } else {
                        row[cell]
                    }
                };
                cells.iter().map(|&cell| value(cell)).collect::<Vec<f32>>()
            };
            let shares: Vec<f32> = turn.clone().flat_map(shares).collect();
            let mixed = Mixed {
                x: &input.tensor,
                fill,
                masks: Masks::Shares(&shares),
            };
            let end = turn.end;
            for (t, score) in turn.zip(cx.scores(mixed).await?) {
                match t / p.designs {
                    0 => first.push(f64::from(score)),
                    block => changes[block - 1] += (first[t % p.designs] - f64::from(score)).powi(2),
                }
            }
            if end > p.designs {
                cx.job
                    .offer(|| bicubic(&indices(&first, &changes), p.grid, height, width));
            }
        }
        Ok(Attribution::on_input(bicubic(
            &indices(&first, &changes),
            p.grid,
            height,
            width,
        )))
    }
}

/// Jansen's estimator; all zero where the answers do not vary.
fn indices(first: &[f64], changes: &[f64]) -> Vec<f64> {
    let n = first.len() as f64;
    let mean = first.iter().sum::<f64>() / n;
    let variance = first.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let index = |change: &f64| {
        if variance > 0.0 {
            change / (2.0 * n * variance)
        } else {
            0.0
        }
    };
    changes.iter().map(index).collect()
}
