//! # Gradient × attention rollout
//!
//! **What it computes.** How much of each patch reaches the answering token of a transformer by the attention that raises
//! the target: each attention weighs by its gradient.
//!
//! **Formula.** With `A[h]` the attention of a layer's heads and `G[h] = dg/dA[h]`: `relevance`:
//! `a = (R[L] ... R[1])[0, patches]`, `R = I + mean_h max(0, G[h] A[h])`. `rollout`: as attention rollout, with
//! `max(0, mean_h G[h] A[h])` in the place of the attention. Row 0 is the class token's; in a network without one, the
//! mean of all rows.
//!
//! **Shapes and sign.** `[1, h, w]` on the grid of patches, never negative.
//!
//! **Parameters.** `rule`: `relevance` (Chefer et al.) or `rollout` (vit-explain). `discard`: with `rollout`, part of the
//! entries of each fused matrix, the least ones, that are set to 0; the class token's attention to itself stays.
//!
//! **When it misleads.** Only attention is followed: the perceptrons and the values that attention mixes count as if they
//! passed everything on. Heads and entries that lower the target are cut away, not counted against it.
//!
//! **Reference.** Chefer, Gur & Wolf, Generic Attention-model Explainability, ICCV 2021, arXiv:2103.15679;
//! github.com/jacobgil/vit-explain.
//!
//! **Parity.** The formula in plain PyTorch in float64; relative error at most 1e-4. vit-explain divides columns by the sums
//! of rows; here rows are divided by their own.

use super::rollout;
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::program::{Backward, Program, Wrt};
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct GradientAttentionRollout;

crate::params! {
    /// Parameters of [`GradientAttentionRollout`].
    pub struct GradientAttentionRolloutParams {
        /// How the layers are joined: relevance that is added up, or a rollout.
        rule: String = "relevance", choice("relevance", "rollout");
        /// With the rule rollout: part of the least entries of each layer that is left out.
        discard: f64 = 0.0, real(0.0, 0.99);
    }
}

impl Method for GradientAttentionRollout {
    type Params = GradientAttentionRolloutParams;
    const META: MethodMeta = MethodMeta {
        id: "gradient-attention-rollout",
        name: "Gradient × attention",
        family: Family::Attention,
        summary: "How much of each patch reaches the answer of a transformer by the attention that raises it.",
        caution: "Only attention is followed: what the layers between make of it is left out.",
        reference: "Chefer, Gur & Wolf 2021, arXiv:2103.15679",
        signed: false,
        needs: &[Need::Gradient, Need::Attention],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, _: &GradientAttentionRolloutParams) -> Result<Passes, Error> {
        rollout::look(model)?;
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &GradientAttentionRolloutParams,
    ) -> Result<Attribution, Error> {
        let attention = rollout::look(cx.exec.model())?;
        let program = Program {
            layers: attention.layers.clone(),
            backward: Some(Backward {
                wrt: attention.layers.iter().map(|&i| Wrt::Layer(i)).collect(),
                ..Backward::default()
            }),
            ..Program::default()
        };
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let outputs = cx.backward(program, &[x]).await?;
        let (values, slopes) = outputs[1..].split_at(attention.layers.len());
        let mut layers = Vec::with_capacity(attention.layers.len());
        for (values, slopes) in values.iter().zip(slopes) {
            let products = rollout::heads(&values.zip(slopes, |a, g| a * g), attention.tokens);
            let count = products.len() as f64;
            layers.push(if p.rule == "rollout" {
                let mut fused = rollout::fused(&products, |v| (v.sum::<f64>() / count).max(0.0));
                rollout::discard(&mut fused, p.discard);
                rollout::with_residual(&mut fused, attention.tokens);
                fused
            } else {
                let mut fused = rollout::fused(&products, |v| v.map(|v| v.max(0.0)).sum::<f64>() / count);
                rollout::plus_identity(&mut fused, attention.tokens);
                fused
            });
        }
        rollout::followed(cx, &attention, &layers).await
    }
}
