//! # Attention rollout
//!
//! **What it computes.** How much of each patch of the picture reaches the answering token of a transformer, if attention is
//! taken for what is passed on, layer after layer.
//!
//! **Formula.** `a = (B[L] ... B[2] B[1])[0, patches]` with `B = (A + I) / 2`, each row divided by its sum, and `A` the
//! attention of a layer, its heads fused and its least entries set to 0. Row 0 is the class token's; in a network without
//! one, the mean of all rows.
//!
//! **Shapes and sign.** `[1, h, w]` on the grid of patches, never negative.
//!
//! **Parameters.** `fusion`: `mean`, `max` or `min` over heads. `discard`: part of the entries of each fused matrix, the least
//! ones, that are set to 0; the class token's attention to itself stays.
//!
//! **When it misleads.** It does not know the class, nor what a value that is attended to says: a patch may be read and
//! then ignored, or speak against the answer. The perceptrons between the layers are left out.
//!
//! **Reference.** Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv:2005.00928; fusion and
//! discarding as github.com/jacobgil/vit-explain.
//!
//! **Parity.** The formula in plain PyTorch in float64; relative error at most 1e-4. vit-explain divides columns by the sums
//! of rows, which is the same only where nothing is discarded; here rows are divided by their own.

use super::rollout;
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct AttentionRollout;

crate::params! {
    /// Parameters of [`AttentionRollout`].
    pub struct AttentionRolloutParams {
        /// How the heads of a layer become one matrix.
        fusion: String = "mean", choice("mean", "max", "min");
        /// Part of the least attentions of each layer that is left out.
        discard: f64 = 0.0, real(0.0, 0.99);
    }
}

impl Method for AttentionRollout {
    type Params = AttentionRolloutParams;
    const META: MethodMeta = MethodMeta {
        id: "attention-rollout",
        name: "Attention rollout",
        family: Family::Attention,
        summary: "How much of each patch reaches the answer of a transformer, by its attention alone.",
        caution: "The same map for every class; what is attended to may be ignored or speak against the answer.",
        reference: "Abnar & Zuidema 2020, arXiv:2005.00928",
        signed: false,
        needs: &[Need::Attention],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, _: &AttentionRolloutParams) -> Result<Passes, Error> {
        rollout::look(model)?;
        Ok(Passes {
            forward: 1,
            backward: 0,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &AttentionRolloutParams,
    ) -> Result<Attribution, Error> {
        let attention = rollout::look(cx.exec.model())?;
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let outputs = cx.forward(&x, &attention.layers).await?;
        let mut layers = Vec::with_capacity(attention.layers.len());
        for values in &outputs[1..] {
            let heads = rollout::heads(values, attention.tokens);
            let count = heads.len() as f64;
            let mut fused = match p.fusion.as_str() {
                "max" => rollout::fused(&heads, |v| v.fold(f64::NEG_INFINITY, f64::max)),
                "min" => rollout::fused(&heads, |v| v.fold(f64::INFINITY, f64::min)),
                _ => rollout::fused(&heads, |v| v.sum::<f64>() / count),
            };
            rollout::discard(&mut fused, p.discard);
            rollout::with_residual(&mut fused, attention.tokens);
            layers.push(fused);
        }
        rollout::followed(cx, &attention, &layers).await
    }
}
