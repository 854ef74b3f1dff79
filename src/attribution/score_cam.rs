//! # Score-CAM
//!
//! **What it computes.** Shows the picture through each channel of a layer, and weighs the channels by the target that
//! the network then gives.
//!
//! **Formula.** `a[i] = max(0, sum_k w[k] A[k, i])` with `w` the softmax over channels of `g(m[k] x + (1 - m[k]) f)`,
//! `f` the picture with every pixel removed by the chosen imputer (0 by default), and `m[k]` the map `A[k]` enlarged
//! bilinearly to the picture (corners on corners), less its minimum, over its range plus 1e-8.
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default. It takes one pass for
//! each channel of the layer.
//!
//! **When it misleads.** The softmax lets the one or two channels with the highest target decide when the target is a
//! logit, and none when it is a probability. Half-shown pictures are unlike any that the network was trained on.
//!
//! **Reference.** Wang et al., Score-CAM, CVPR Workshops 2020, arXiv:1910.01279.
//!
//! **Parity.** pytorch-grad-cam `ScoreCAM` before its resizing and scaling; relative error at most 1e-4 against
//! float64.

use super::cam::{self, LayerParams};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::exec::{Masks, Mixed};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct ScoreCam;

impl Method for ScoreCam {
    type Params = LayerParams;
    const META: MethodMeta = MethodMeta {
        id: "score-cam",
        name: "Score-CAM",
        family: Family::Cam,
        summary: "Shows the picture through each channel of a layer and keeps the channels that raise the answer.",
        caution: "A softmax of logits lets one or two channels decide the whole map.",
        reference: "Wang et al. 2020, arXiv:1910.01279",
        signed: false,
        needs: &[Need::Layer, Need::Imputer],
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
        let [_, height, width] = input.dims();
        cx.removal.needs_values("Score-CAM shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fill = remover.everything("Score-CAM shows pixels partly, so no pixel is kept to fill from")?;
        let maps = looked.activations(cx, input).await?;
        let (rows, columns) = (between(looked.grid.height, height), between(looked.grid.width, width));
        let mut scores = Vec::with_capacity(looked.grid.channels);
        for range in cx.batches(looked.grid.channels) {
            let shares: Vec<f64> = maps
                .channels()
                .skip(range.start)
                .take(range.len())
                .flat_map(|map| opened(&enlarged(map, &rows, &columns, looked.grid.width)))
                .collect();
            let mixed = Mixed {
                x: &input.tensor,
                fill,
                masks: Masks::Fine(&shares),
            };
            scores.extend(cx.scores(mixed).await?.into_iter().map(f64::from));
            cx.job.offer(|| looked.rectified(&maps.weighed(&softmax(&scores))));
        }
        Ok(looked.attribution(model, &maps.weighed(&softmax(&scores))))
    }
}

/// For each of `to` pixels, the two nearest of `from` cells and the share of the second; the outer cells lie on the
/// outer pixels.
fn between(from: usize, to: usize) -> Vec<(usize, usize, f64)> {
    let scale = if to > 1 {
        (from - 1) as f64 / (to - 1) as f64
    } else {
        0.0
    };
    let at = |i: usize| {
        let place = i as f64 * scale;
        let cell = (place as usize).min(from - 1);
        (cell, (cell + 1).min(from - 1), place - cell as f64)
    };
    (0..to).map(at).collect()
}

/// A map, `across` cells a row, enlarged to the pixels of `rows` and `columns`.
fn enlarged(map: &[f64], rows: &[(usize, usize, f64)], columns: &[(usize, usize, f64)], across: usize) -> Vec<f64> {
    let mut found = Vec::with_capacity(rows.len() * columns.len());
    for &(up, down, v) in rows {
        for &(left, right, u) in columns {
            let line = |y: usize| (1.0 - u) * map[y * across + left] + u * map[y * across + right];
            found.push((1.0 - v) * line(up) + v * line(down));
        }
    }
    found
}

/// A mask from 0 at the least value to 1 at the greatest.
fn opened(map: &[f64]) -> Vec<f64> {
    let least = map.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = map.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    map.iter().map(|v| (v - least) / (greatest - least + 1e-8)).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|r| r / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_enlarged_corner_on_corner_and_opened() {
        let found = enlarged(&[0.0, 2.0, 4.0, 6.0], &between(2, 3), &between(2, 3), 2);
        assert_eq!(found, [0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0]);
        let mask = opened(&found);
        assert!(mask[0].abs() < 1e-12 && (mask[8] - 1.0).abs() < 1e-8 && (mask[4] - 0.5).abs() < 1e-8);
        assert!(
            opened(&[3.0; 4]).iter().all(|m| m.abs() < 1e-12),
            "a constant map shows nothing"
        );
        assert_eq!(between(1, 3), [(0, 0, 0.0); 3]);
    }

    #[test]
    fn the_softmax_sums_to_one_whatever_the_scale() {
        let shares = softmax(&[1000.0, 1001.0, -1000.0]);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12 && shares[1] > shares[0]);
    }
}
