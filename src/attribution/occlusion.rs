//! # Occlusion
//!
//! **What it computes.** How much the target falls when a square window slides over the picture and hides what is there.
//!
//! **Formula.** `a[i] = mean over windows w that cover i of (g(x) - g(x without w))`. Windows start at every `stride`-th
//! row and column until one reaches the border, where it is cut.
//!
//! **Shapes and sign.** `[1, H, W]`, all channels of a pixel hidden together; positive where hiding lowers the target.
//!
//! **Parameters.** `window`: side in pixels, at most the picture's. `stride`: step in pixels, at most the window's side
//! unless one window covers the picture, so that no pixel is left out. The imputer chosen for removal fills the window.
//!
//! **When it misleads.** Evidence larger than the window survives in what is left of it and seems unimportant; a window
//! painted by the imputer can be evidence itself.
//!
//! **Reference.** Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, arXiv:1311.2901.
//!
//! **Parity.** Captum `Occlusion(sliding_window_shapes=(C, window, window), strides=(C, stride, stride), baselines=0)`;
//! relative error at most 1e-4.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// See the [module](self).
pub struct Occlusion;

crate::params! {
    /// Parameters of [`Occlusion`].
    pub struct OcclusionParams {
        /// Side of the square window, in pixels.
        window: usize = 8usize, int(1, 1024);
        /// Step between windows, in pixels.
        stride: usize = 4usize, int(1, 1024);
    }
}

/// Starts and ends of the windows along a side, the last one cut at the border.
fn spans(side: usize, what: &str, p: &OcclusionParams) -> Result<Vec<(usize, usize)>, Error> {
    if p.window > side {
        let why = format!(
            "{} is more than the picture's {what}; it must be between 1 and {side}",
            p.window
        );
        return Err(Error::param("window", why));
    }
    if p.stride > p.window && p.window < side {
        let why = format!(
            "{} skips pixels; it must be between 1 and the window's {}",
            p.stride, p.window
        );
        return Err(Error::param("stride", why));
    }
    let count = (side - p.window).div_ceil(p.stride) + 1;
    Ok((0..count)
        .map(|k| (k * p.stride, (k * p.stride + p.window).min(side)))
        .collect())
}

/// Rows and columns of the windows.
fn windows(height: usize, width: usize, p: &OcclusionParams) -> Result<[Vec<(usize, usize)>; 2], Error> {
    Ok([spans(height, "height", p)?, spans(width, "width", p)?])
}

impl Method for Occlusion {
    type Params = OcclusionParams;
    const META: MethodMeta = MethodMeta {
        id: "occlusion",
        name: "Occlusion",
        family: Family::Perturbation,
        summary: "Hides one window after another and watches the answer fall.",
        caution: "Evidence larger than the window is missed.",
        reference: "Zeiler & Fergus 2014, arXiv:1311.2901",
        signed: true,
        needs: &[Need::Imputer],
        axioms: &[Axiom::Dummy, Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &OcclusionParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let [rows, columns] = windows(height, width, p)?;
        Ok(Passes {
            forward: (rows.len() * columns.len()) as u64 + 1,
            backward: 0,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &OcclusionParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let [rows, columns] = windows(height, width, p)?;
        let remover = Remover::new(cx, input).await?;
        let whole = cx.scores(&Tensor::stack(std::slice::from_ref(&input.tensor))).await?[0];
        let mut sum = vec![0.0f64; height * width];
        let mut covered = vec![0u32; height * width];
        for range in cx.batches(rows.len() * columns.len()) {
            let hidden = |k: usize| {
                let mut mask = Mask::all(height, width, false);
                let window = (rows[k / columns.len()], columns[k % columns.len()]);
                each_pixel(window, width, |i| mask.bits_mut()[i] = true);
                mask
            };
            let masks: Vec<Mask> = range.clone().map(hidden).collect();
            let scores = cx.scores(&remover.without(&masks).await?).await?;
            for (k, score) in range.zip(scores) {
                let window = (rows[k / columns.len()], columns[k % columns.len()]);
                each_pixel(window, width, |i| {
                    sum[i] += f64::from(whole) - f64::from(score);
                    covered[i] += 1;
                });
            }
            cx.job.offer(|| mean(&sum, &covered, height, width));
        }
        Ok(Attribution::on_input(mean(&sum, &covered, height, width)))
    }
}

fn each_pixel((rows, columns): ((usize, usize), (usize, usize)), width: usize, mut f: impl FnMut(usize)) {
    for y in rows.0..rows.1 {
        (y * width + columns.0..y * width + columns.1).for_each(&mut f);
    }
}

/// Pixels that no window has covered yet are zero.
fn mean(sum: &[f64], covered: &[u32], height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[1, height, width], |i| (sum[i] / f64::from(covered[i].max(1))) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(side: usize, window: usize, stride: usize) -> Result<Vec<(usize, usize)>, Error> {
        spans(side, "width", &OcclusionParams { window, stride })
    }

    #[test]
    fn windows_cover_the_side_and_the_last_is_cut() {
        assert_eq!(of(12, 8, 4).unwrap(), [(0, 8), (4, 12)]);
        assert_eq!(of(33, 8, 8).unwrap().last(), Some(&(32, 33)));
        assert_eq!(of(8, 8, 100).unwrap(), [(0, 8)]);
        assert_eq!(of(3, 1, 1).unwrap(), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_and_range() {
        let error = of(7, 8, 4).unwrap_err().to_string();
        assert!(error.contains("window") && error.contains("between 1 and 7"), "{error}");
        let error = of(9, 3, 4).unwrap_err().to_string();
        assert!(error.contains("stride") && error.contains("between 1 and"), "{error}");
    }
}
