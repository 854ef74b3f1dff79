//! # FullGrad
//!
//! **What it computes.** How much of the answer flows through each place of the picture and of every feature map: the
//! input times its gradient, and each bias times the gradient where it is added, enlarged and added up.
//!
//! **Formula.** `a = sum_c N(x dg/dx) + sum_l sum_c U(N(b_l dg/dz_l))`, over the layers `l` with one bias a channel, `b_l`,
//! added to give the feature map `z_l`: convolutions and batch normalisations (with their shift `beta - mean gamma / sd`).
//! `N` takes the magnitude and scales all of a layer to `[0, 1]`, `(|v| - min) / (max - min + 1e-6)`; `U` enlarges
//! bilinearly, corners on corners. Before `N` and `U` the decomposition is exact for networks of linear layers, ReLU and
//! max pools: `g(x) = sum(x dg/dx) + sum_l sum(b_l dg/dz_l)`, biases of dense layers included.
//!
//! **Shapes and sign.** `[1, H, W]`, never negative.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Scaling gives every layer the same say, however little flows through it, and magnitudes add where
//! evidence for and against would cancel; a network with many layers gets a smooth map from coarse layers alone. Dense
//! layers' biases have no place and are left out, and so are those of transformers' tokens.
//!
//! **Reference.** Srinivas & Fleuret, Full-Gradient Representation for Neural Network Visualization, NeurIPS 2019,
//! arXiv:1905.00780.
//!
//! **Parity.** The authors' code (`FullGrad.saliency`), which pytorch-grad-cam departs from: that scales each channel on its
//! own and all layers at the end, and enlarges by OpenCV's rule. Relative error at most 1e-4 against float64.

use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::error::GradientError;
use crate::job::Passes;
use crate::program::{Program, Rules, Wrt};
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct FullGrad;

impl Method for FullGrad {
    type Params = crate::params::NoParams;
    const META: MethodMeta = MethodMeta {
        id: "full-grad",
        name: "FullGrad",
        family: Family::Gradient,
        summary: "Adds what flows through the input and through every layer's biases, all brought to the picture's size.",
        caution: "Every layer has the same say, and evidence for and against adds up instead of cancelling.",
        reference: "Srinivas & Fleuret 2019, arXiv:1905.00780",
        signed: false,
        needs: &[Need::Gradient],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, _: &Self::Params) -> Result<Passes, Error> {
        let program = Program::backward(Rules::FullGradient, &[Wrt::Input]);
        let check = model.network().check_backward(&program.backward.unwrap_or_default());
        check.map_err(|e: GradientError| Error::from(e))?;
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, _: &Self::Params) -> Result<Attribution, Error> {
        let [channels, height, width] = input.dims();
        let program = Program::backward(Rules::FullGradient, &[Wrt::Input]);
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let outputs = cx.backward(program, &[x]).await?;
        let flow = input
            .tensor
            .zip(&outputs[1].clone().reshape(input.tensor.shape()), |x, g| x * g);
        let mut map = vec![0.0f64; height * width];
        add(&mut map, [height, width], flow.data(), [channels, height, width]);
        // Last comes the sum of what has no place.
        for part in &outputs[2..outputs.len() - 1] {
            if let [1, c, h, w] = *part.shape() {
                add(&mut map, [height, width], part.data(), [c, h, w]);
            }
            cx.job.step(Passes::default()).await?;
        }
        Ok(Attribution::on_input(Tensor::from_fn(&[1, height, width], |i| {
            map[i] as f32
        })))
    }
}

/// Scales the magnitudes of a feature map to `[0, 1]`, sums over channels, enlarges to `size` and adds to `map`. Enlarging
/// is linear, so the sum may come first.
fn add(map: &mut [f64], size: [usize; 2], values: &[f32], [channels, height, width]: [usize; 3]) {
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &v| {
        (low.min(f64::from(v.abs())), high.max(f64::from(v.abs())))
    });
    let plane = height * width;
    let small: Vec<f64> = (0..plane)
        .map(|i| {
            let scaled = |c: usize| (f64::from(values[c * plane + i].abs()) - low) / (high - low + 1e-6);
            (0..channels).map(scaled).sum()
        })
        .collect();
    let [rows, columns] = [taps(height, size[0]), taps(width, size[1])];
    for (y, &(top, bottom, down)) in rows.iter().enumerate() {
        for (x, &(left, right, across)) in columns.iter().enumerate() {
            let row = |y: usize| (1.0 - across) * small[y * width + left] + across * small[y * width + right];
            map[y * size[1] + x] += (1.0 - down) * row(top) + down * row(bottom);
        }
    }
}

/// For each output of a bilinear enlargement that keeps the corners: the two inputs, and the weight of the second.
fn taps(from: usize, to: usize) -> Vec<(usize, usize, f64)> {
    let scale = if to > 1 {
        (from - 1) as f64 / (to - 1) as f64
    } else {
        0.0
    };
    (0..to)
        .map(|i| {
            let at = i as f64 * scale;
            let first = (at as usize).min(from - 1);
            (first, (first + 1).min(from - 1), at - first as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_stay_corners() {
        let mut map = vec![0.0; 15];
        add(&mut map, [3, 5], &[0.0, -2.0, 4.0, 1.0], [1, 2, 2]);
        let expected = [
            [0.0, 0.125, 0.25, 0.375, 0.5],
            [0.5, 0.468_75, 0.4375, 0.406_25, 0.375],
            [1.0, 0.8125, 0.625, 0.4375, 0.25],
        ];
        for (found, expected) in map.iter().zip(expected.as_flattened()) {
            assert!((found - expected).abs() < 1e-6, "{map:?}");
        }
    }
}
