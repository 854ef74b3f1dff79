//! # Ablation-CAM
//!
//! **What it computes.** Sets one channel of a layer after the other to zero and weighs it by how much the target
//! falls.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `w[k] = (g - g[k]) / g`, `g` the target and `g[k]` the target
//! with channel `k` of the layer set to 0 at every location.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default. It takes one pass for
//! each channel of the layer; in tokens a channel is zeroed in all of them, the class token's included.
//!
//! **When it misleads.** Channels that only work together each change little alone, and get nothing. The weights are
//! relative: where the target is negative (a logit can be) their sign turns, and channels that raise it are cut away;
//! use the probability there.
//!
//! **Reference.** Desai & Ramaswamy, Ablation-CAM, WACV 2020, doi:10.1109/WACV45572.2020.9093360.
//!
//! **Parity.** pytorch-grad-cam `AblationCAM` before its resizing and scaling, where the layer's least value is 0
//! (after a ReLU); relative error at most 1e-4 against float64. Where values can be negative the reference sets a
//! channel to the layer's minimum less 1e7 (and, as it takes that minimum anew, lower still for each next channel of a
//! batch) instead of the paper's 0; here it is 0 always.

use super::cam::{self, LayerParams};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::error::RunError;
use crate::graph::Grid;
use crate::job::Passes;
use crate::program::Program;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct AblationCam;

impl Method for AblationCam {
    type Params = LayerParams;
    const META: MethodMeta = MethodMeta {
        id: "ablation-cam",
        name: "Ablation-CAM",
        family: Family::Cam,
        summary: "Switches off one channel of a layer after the other and watches the answer fall.",
        caution: "Channels that only work together each look unimportant.",
        reference: "Desai & Ramaswamy 2020, doi:10.1109/WACV45572.2020.9093360",
        signed: false,
        needs: &[Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &LayerParams) -> Result<Passes, Error> {
        let looked = cam::look(model, &p.layer)?;
        Ok(Passes {
            forward: 1 + looked.grid.channels as u64,
            backward: 0,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LayerParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = cam::look(model, &p.layer)?;
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let outputs = cx.forward(&x, &[looked.index]).await?;
        let whole = values(cx, &outputs[0])?[0];
        if whole == 0.0 {
            let what = "relative drop (the answer is 0 before anything is switched off)".into();
            return Err(RunError::NonFinite { what }.into());
        }
        let maps = looked.maps(&outputs[1]);
        let program = Program {
            replaced: Some(looked.index),
            ..Program::default()
        };
        let mut weights = Vec::with_capacity(looked.grid.channels);
        for range in cx.batches(looked.grid.channels) {
            let pictures = Tensor::concat(&vec![x.clone(); range.len()]);
            let ablated: Vec<Tensor> = range.map(|k| without(&outputs[1], &looked.grid, k)).collect();
            let logits = cx.run(program.clone(), &[pictures, Tensor::concat(&ablated)]).await?;
            weights.extend(values(cx, &logits[0])?.iter().map(|left| (whole - left) / whole));
            cx.job.offer(|| looked.rectified(&maps.weighed(&weights)));
        }
        Ok(looked.attribution(model, &maps.weighed(&weights)))
    }
}

/// The target of each row of `logits`.
fn values(cx: &Context<'_>, logits: &Tensor) -> Result<Vec<f64>, Error> {
    let values = cx.target.values(cx.exec.model().network().head(), logits);
    if values.iter().all(|v| v.is_finite()) {
        Ok(values.into_iter().map(f64::from).collect())
    } else {
        Err(RunError::NonFinite { what: "answer".into() }.into())
    }
}

/// A layer's values `[1, ..]` with channel `k` set to 0.
fn without(values: &Tensor, grid: &Grid, k: usize) -> Tensor {
    let mut left = values.clone();
    let len = left.len();
    let data = left.data_mut();
    grid.channel(k, len).for_each(|at| data[at] = 0.0);
    left
}
