//! # KPCA-CAM
//!
//! **What it computes.** Where the layer's output varies most, by a curved measure: the first kernel principal
//! component over locations.
//!
//! **Formula.** `a[i] = max(0, s[i])`, `s = sqrt(l) u` with `l`, `u` the largest eigenvalue and its unit eigenvector of
//! `H K H`, `H` the centring matrix, `K[i, j] = tanh(x[i] . x[j] / channels + 1)` (sigmoid kernel) or `exp(-|x[i] -
//! x[j]|^2 / channels)` (rbf), `x[i, k] = A[k, i] - mean_j A[k, j]`. Of the two signs that a principal direction has,
//! the one in which the largest magnitude is positive (Chung & Ying, Seg-Eigen-CAM, Appl. Sci. 15(13), 2025, equation
//! 13).
//!
//! **Shapes and sign.** `[1, h, w]` on the layer's locations, never negative.
//!
//! **Parameters.** `layer`: any layer whose output is a feature map `[K, h, w]` or tokens of a grid of patches (tokens
//! without a place, such as the class token, are left out); empty means the model's own default. `kernel`: `sigmoid`,
//! the reference's, or `rbf`.
//!
//! **When it misleads.** It does not know the class. The sigmoid kernel is not positive definite, and saturates where
//! values are large, so that the map then shows only which side of the middle a location is on.
//!
//! **Reference.** Karmani et al., KPCA-CAM, IEEE MMSP 2024, arXiv:2410.00267.
//!
//! **Parity.** pytorch-grad-cam `KPCA_CAM` (scikit-learn's `KernelPCA`, whose sign rule is the same), before its
//! resizing and scaling; relative error at most 1e-4 against float64.

use super::cam::{self, Looked, Maps};
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct KpcaCam;

crate::params! {
    /// Parameters of [`KpcaCam`].
    pub struct KpcaCamParams {
        /// The layer to look at; empty means the model's default.
        layer: String = "", layer;
        /// How alike two locations are: sigmoid or rbf of their values.
        kernel: String = "sigmoid", choice("sigmoid", "rbf");
    }
}

/// Locations beyond which the matrix of all pairs would not fit.
const MOST: usize = 4096;

fn look(model: &Model, layer: &str) -> Result<Looked, Error> {
    let looked = cam::look(model, layer)?;
    let places = looked.grid.places();
    if places > MOST {
        let why =
            format!("it has {places} locations, and KPCA-CAM compares all pairs of at most {MOST}; take a later one");
        return Err(Error::param("layer", why));
    }
    Ok(looked)
}

impl Method for KpcaCam {
    type Params = KpcaCamParams;
    const META: MethodMeta = MethodMeta {
        id: "kpca-cam",
        name: "KPCA-CAM",
        family: Family::Cam,
        summary: "The strongest pattern in a layer by a curved measure, whatever the class.",
        caution: "The same map for every class: it does not look at the answer.",
        reference: "Karmani et al. 2024, arXiv:2410.00267",
        signed: false,
        needs: &[Need::Layer],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &KpcaCamParams) -> Result<Passes, Error> {
        look(model, &p.layer)?;
        Ok(cam::BY_ACTIVATION)
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &KpcaCamParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = look(model, &p.layer)?;
        let maps = looked.activations(cx, input).await?;
        let kernel = centred_kernel(cx, &maps, p.kernel == "rbf").await?;
        let places = maps.places;
        let apply = |u: &[f64]| {
            kernel
                .chunks(places)
                .map(|row| row.iter().zip(u).map(|(k, u)| f64::from(*k) * u).sum())
                .collect()
        };
        Ok(looked.attribution(model, &cam::leading(cx, places, apply).await?))
    }
}

/// The matrix `[places, places]` of kernel values, rows and columns centred.
async fn centred_kernel(cx: &Context<'_>, maps: &Maps, rbf: bool) -> Result<Vec<f32>, Error> {
    let (n, channels) = (maps.places, maps.values.len() / maps.places);
    let means: Vec<f64> = maps.channels().map(|m| m.iter().sum::<f64>() / n as f64).collect();
    let points: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..channels).map(|k| maps.values[k * n + i] - means[k]).collect())
        .collect();
    let of = |a: &[f64], b: &[f64]| {
        if rbf {
            let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
            (-apart / channels as f64).exp()
        } else {
            let along: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            (along / channels as f64 + 1.0).tanh()
        }
    };
    let mut kernel = vec![0.0f32; n * n];
    let mut sums = vec![0.0f64; n];
    for i in 0..n {
        for j in 0..=i {
            let value = of(&points[i], &points[j]);
            kernel[i * n + j] = value as f32;
            kernel[j * n + i] = value as f32;
            sums[i] += value;
            if j < i {
                sums[j] += value;
            }
        }
        if i % 64 == 63 {
            cx.job.step(Passes::default()).await?;
        }
    }
    let rows: Vec<f64> = sums.iter().map(|s| s / n as f64).collect();
    let all = rows.iter().sum::<f64>() / n as f64;
    for (i, row) in kernel.chunks_mut(n).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = (f64::from(*value) - rows[i] - rows[j] + all) as f32;
        }
    }
    Ok(kernel)
}
