//! # Gaussian blur
//!
//! **What it computes.** Replaces every removed pixel by the blurred picture at that place.
//!
//! **Formula.** `x'[c, i] = (G * x)[c, i]` for removed `i`: `G` is the sampled Gaussian of standard deviation `sigma`
//! pixels, cut at `floor(4 sigma + 0.5)` pixels, summing to 1, applied along columns and then along rows; beyond its
//! border the picture is mirrored (`d c b a | a b c d | d c b a`). The blur sees removed pixels too, so that the fill
//! is the same for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged.
//!
//! **Parameters.** `sigma`: standard deviation in pixels of the network's input.
//!
//! **When it misleads.** It only takes away detail: colour and coarse shape of the removed object remain, so large
//! objects are hardly removed at all unless `sigma` is of their size.
//!
//! **Reference.** Fong & Vedaldi, Interpretable Explanations of Black Boxes by Meaningful Perturbation, ICCV 2017,
//! arXiv:1704.03296; Petsiuk et al. 2018, arXiv:1806.07421 (insertion from a picture blurred with `sigma` 5).
//!
//! **Parity.** `scipy.ndimage.gaussian_filter(sigma, truncate=4, mode="reflect")` per channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::gpu::ir::{Graph, Op, Taps};
use crate::job::Passes;
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct GaussianBlur;

crate::params! {
    /// Parameters of [`GaussianBlur`].
    pub struct GaussianBlurParams {
        /// Standard deviation of the blur, in pixels.
        sigma: f64 = 5.0, real(0.1, 100.0);
    }
}

impl Imputer for GaussianBlur {
    type Params = GaussianBlurParams;
    const META: ImputerMeta = ImputerMeta {
        id: "gaussian-blur",
        name: "Blur",
        summary: "Blurs removed pixels.",
        reference: "Fong & Vedaldi 2017, arXiv:1704.03296",
        stochastic: false,
        needs_kept: false,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &GaussianBlurParams,
    ) -> Result<Tensor, Error> {
        let [channels, height, width] = input.dims();
        let kernel = kernel(p.sigma);
        let blurred = if let Some(blurred) = on_device(cx, input, &kernel, p.sigma).await {
            blurred
        } else {
            let mut blurred = Vec::with_capacity(input.tensor.len());
            for c in 0..channels {
                let columns = filter(input.tensor.row(c), &kernel, height, width, width);
                cx.job.step(Passes::default()).await?;
                blurred.extend(filter(&columns, &kernel, width, height, 1));
                cx.job.step(Passes::default()).await?;
            }
            blurred
        };
        Ok(fill(input, removed, |c, i| blurred[c * height * width + i]))
    }
}

/// The whole picture blurred on the device, if there is one.
async fn on_device(cx: &ImputeContext<'_>, input: &Input, kernel: &[f64], sigma: f64) -> Option<Vec<f32>> {
    let [channels, height, width] = input.dims();
    let describe = || -> Result<Graph, String> {
        let mut graph = Graph::default();
        let mut x = graph.input(&[channels, height, width]);
        for (axis, length) in [(1, height), (2, width)] {
            let taps = Arc::new(taps(kernel, length));
            x = graph
                .push(Op::Taps { axis, taps }, &[x])
                .map_err(|why| why.to_string())?;
        }
        graph.outputs.push(x);
        Ok(graph)
    };
    let key = format!("gaussian blur, {channels} x {height} x {width}, {sigma}");
    let blurred = cx.device?.compute(&key, &describe, vec![input.tensor.clone()]).await?;
    Some(blurred.into_iter().next()?.into_data())
}

/// What [`filter`] does along an axis of this length, with the weights of a place that is seen more than once added up.
fn taps(kernel: &[f64], length: usize) -> Taps {
    let radius = kernel.len() as isize - 1;
    Taps::new((0..length as isize).map(|i| {
        let mut weights = BTreeMap::new();
        for d in -radius..=radius {
            *weights.entry(mirror(i + d, length)).or_insert(0.0) += kernel[d.unsigned_abs()];
        }
        weights.into_iter().map(|(place, weight)| (place, weight as f32))
    }))
}

/// `plane` `[height, width]` under a Gaussian of `[down, across]` standard deviations in its pixels, mirrored beyond its
/// border. A deviation of 0 leaves that direction as it is.
pub(crate) fn blur(plane: &[f32], [height, width]: [usize; 2], [down, across]: [f64; 2]) -> Vec<f32> {
    let mut found = plane.to_vec();
    if down > 0.0 {
        found = filter(&found, &kernel(down), height, width, width);
    }
    if across > 0.0 {
        found = filter(&found, &kernel(across), width, height, 1);
    }
    found
}

/// The weights at distance 0, 1, …, radius; with both sides they sum to 1.
fn kernel(sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp())
        .collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    weights.into_iter().map(|w| w / total).collect()
}

/// Filters `lines` lines of `length` values each; values of a line are `step` apart (1: rows, else columns).
fn filter(data: &[f32], kernel: &[f64], length: usize, lines: usize, step: usize) -> Vec<f32> {
    let radius = kernel.len() - 1;
    let mut out = vec![0.0; data.len()];
    let mut padded = vec![0.0; length + 2 * radius];
    for line in 0..lines {
        let start = if step == 1 { line * length } else { line };
        for (k, value) in padded.iter_mut().enumerate() {
            *value = f64::from(data[start + step * mirror(k as isize - radius as isize, length)]);
        }
        for i in 0..length {
            let centre = i + radius;
            let mut sum = kernel[0] * padded[centre];
            for (d, weight) in kernel.iter().enumerate().skip(1) {
                sum += weight * (padded[centre - d] + padded[centre + d]);
            }
            out[start + step * i] = sum as f32;
        }
    }
    out
}

/// The index that `i` falls on when `0..length` is mirrored about its outer edges, again and again.
fn mirror(i: isize, length: usize) -> usize {
    let n = length as isize;
    let phase = i.rem_euclid(2 * n);
    (if phase < n { phase } else { 2 * n - 1 - phase }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Silent};
    use crate::rng::SeedStream;

    #[test]
    fn mirroring_repeats_the_edge() {
        let seen: Vec<_> = (-4..8).map(|i| mirror(i, 3)).collect();
        assert_eq!(seen, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }

    /// Made by scipy 1.17.1: `gaussian_filter(x, 1.2, mode="reflect", truncate=4)`.
    #[test]
    fn equals_scipy() {
        let x: Vec<f32> = (0..12).map(|i| (i * i % 7) as f32).collect();
        let input = Input::preprocessed(Tensor::new(&[1, 3, 4], x));
        let (job, random) = (Job::new(&Silent), SeedStream::new(0));
        let cx = ImputeContext {
            job: &job,
            random: &random,
            networks: &crate::imputer::Networks::default(),
            device: None,
        };
        let p = GaussianBlurParams { sigma: 1.2 };
        let out = pollster::block_on(GaussianBlur.impute(&cx, &input, &Mask::all(3, 4, true), &p)).unwrap();
        for (a, b) in out.data().iter().zip(SCIPY) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    const SCIPY: [f32; 12] = [
        1.454_950_8,
        1.838_053_7,
        2.029_184_6,
        1.904_604_8,
        1.802_592_4,
        2.052_689_5,
        2.020_318_5,
        1.762_733,
        2.056_885_5,
        2.239_505_4,
        2.081_772_3,
        1.756_709_5,
    ];
}
