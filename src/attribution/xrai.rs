//! # XRAI
//!
//! **What it computes.** Which regions of the picture hold most attribution for their size: regions of several coarse and
//! fine segmentations, taken in turn by the mean of integrated gradients over what they add.
//!
//! **Formula.** `g` is the mean of integrated gradients from the least and from the largest value of the picture as
//! baseline (`steps` equal weights from end to end), the largest over channels. Felzenszwalb's segmentation at scales 50,
//! 100, 150, 250, 500 and 1200 gives overlapping regions, each grown by 5 pixels. `full`: again and again the region whose
//! new pixels have the largest mean of `g` is taken, and they get that mean; regions with fewer than `min_pixels` new
//! pixels are dropped. `fast`: regions are taken in the order of their own mean. What no region took gets its mean.
//!
//! **Shapes and sign.** `[1, H, W]`, signed: positive where the region raises the target, on the whole.
//!
//! **Parameters.** `steps`: gradients for each of the two baselines. `algorithm`: `full` or `fast`. `min_pixels`: least new
//! pixels of a region that counts.
//!
//! **When it misleads.** It is as coarse as its regions, and a small clue inside of a large region gives all of it credit;
//! on small pictures, growing by 5 pixels makes most regions touch.
//!
//! **Reference.** Kapishnikov et al., XRAI: Better Attributions Through Regions, ICCV 2019, arXiv:1906.02825.
//!
//! **Parity.** PAIR `saliency.XRAI.GetMask` on network values (its own segmentation: stretched to `[-1, 1]`, enlarged to
//! 224 × 224 by cubic splines, `felzenszwalb(sigma=0.8, min_size=150)`, `dilation(disk(5))`); of more than three channels
//! the first three are segmented. Relative error at most 1e-4 against float64.

use super::blur_ig;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::segment::{Pixels, felzenszwalb};
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Xrai;

crate::params! {
    /// Parameters of [`Xrai`].
    pub struct XraiParams {
        /// Points on the way from each of the two baselines; each takes one gradient.
        steps: usize = 100usize, int(2, 1000);
        /// Whether what regions share is taken into account at each choice, or not.
        algorithm: String = "full", choice("full", "fast");
        /// Least new pixels of a region that counts.
        min_pixels: usize = 50usize, int(1, 10_000);
    }
}

const SCALES: [f64; 6] = [50.0, 100.0, 150.0, 250.0, 500.0, 1200.0];
/// Side of the picture that is segmented.
const SIDE: usize = 224;
const SIGMA: f64 = 0.8;
const LEAST: usize = 150;
const GROWTH: isize = 5;

impl Method for Xrai {
    type Params = XraiParams;
    const META: MethodMeta = MethodMeta {
        id: "xrai",
        name: "XRAI",
        family: Family::Gradient,
        summary: "Ranks regions of the picture by the integrated gradients that they hold for their size.",
        caution: "As coarse as its regions: a small clue gives a whole region credit.",
        reference: "Kapishnikov et al. 2019, arXiv:1906.02825",
        signed: true,
        needs: &[Need::Gradient, Need::Segments],
        axioms: &[Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &XraiParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 2 * p.steps as u64,
            backward: 2 * p.steps as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &XraiParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let regions = regions(cx, input).await?;
        let density = gradients(cx, input, p.steps).await?;
        let map = if p.algorithm == "full" {
            full(&regions, &density, p.min_pixels)
        } else {
            fast(&regions, &density, p.min_pixels)
        };
        Ok(Attribution::on_input(Tensor::from_fn(&[1, height, width], |i| {
            map[i] as f32
        })))
    }
}

/// The mean of integrated gradients from both ends of the picture's range, the largest over channels.
async fn gradients(cx: &Context<'_>, input: &Input, steps: usize) -> Result<Vec<f64>, Error> {
    let x = &input.tensor;
    let [channels, height, width] = input.dims();
    let ends = x
        .data()
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &v| {
            [low.min(v), high.max(v)]
        });
    let mut sum = vec![0.0f64; x.len()];
    for end in ends.map(f64::from) {
        for range in cx.batches(steps) {
            let point = |k: usize| {
                let alpha = k as f64 / (steps - 1) as f64;
                x.map(|v| (end + alpha * (f64::from(v) - end)) as f32)
            };
            let points: Vec<Tensor> = range.clone().map(point).collect();
            let gradients = cx.input_gradients(&Tensor::stack(&points)).await?;
            for row in 0..points.len() {
                for ((sum, &g), &v) in sum.iter_mut().zip(gradients.row(row)).zip(x.data()) {
                    *sum += f64::from(g) * (f64::from(v) - end) / (2 * steps) as f64;
                }
            }
        }
    }
    let n = height * width;
    let largest = |i: usize| (0..channels).map(|c| sum[c * n + i]).fold(f64::NEG_INFINITY, f64::max);
    Ok((0..n).map(largest).collect())
}

/// Pixels of each region, ascending.
async fn regions(cx: &Context<'_>, input: &Input) -> Result<Vec<Vec<usize>>, Error> {
    let [channels, height, width] = input.dims();
    let values: Vec<f64> = input.tensor.data().iter().map(|&v| f64::from(v)).collect();
    let ends = values
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &v| {
            [low.min(v), high.max(v)]
        });
    let span = if ends[1] > ends[0] { ends[1] - ends[0] } else { 1.0 };
    let mut planes = Vec::new();
    for plane in values.chunks_exact(height * width).take(channels.min(3)) {
        let stretched = plane.iter().map(|v| (v - ends[0]) / span * 2.0 - 1.0).collect();
        planes.push(enlarged(stretched, [height, width]));
        cx.job.step(Passes::default()).await?;
    }
    let value = |c: usize, i: usize| planes.get(c).map_or(0.0, |plane| plane[i]);
    let pixels = Pixels {
        height: SIDE,
        width: SIDE,
        values: (0..SIDE * SIDE)
            .map(|i| [value(0, i), value(1, i), value(2, i)])
            .collect(),
    };
    let mut regions = Vec::new();
    for scale in SCALES {
        let options = felzenszwalb::Options {
            scale,
            sigma: SIGMA,
            min_size: LEAST,
        };
        let segments = felzenszwalb::segment(cx.job, &pixels, &options).await?;
        let nearest = |i: usize, from: usize| ((i as f64 + 0.5) * SIDE as f64 / from as f64) as usize;
        let label = |i: usize| segments.labels[nearest(i / width, height) * SIDE + nearest(i % width, width)] as usize;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); segments.count];
        for i in 0..height * width {
            members[label(i)].push(i);
        }
        for members in &members {
            regions.push(grown(members, [height, width]));
        }
        cx.job.step(Passes::default()).await?;
    }
    Ok(regions)
}

/// The pixels within [`GROWTH`] of `members`.
fn grown(members: &[usize], [height, width]: [usize; 2]) -> Vec<usize> {
    let mut inside = vec![false; height * width];
    for &i in members {
        let (y, x) = ((i / width) as isize, (i % width) as isize);
        for dy in -GROWTH..=GROWTH {
            for dx in -GROWTH..=GROWTH {
                let (y, x) = (y + dy, x + dx);
                let there = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                if there && dy * dy + dx * dx <= GROWTH * GROWTH {
                    inside[y as usize * width + x as usize] = true;
                }
            }
        }
    }
    (0..height * width).filter(|&i| inside[i]).collect()
}

/// A plane resampled to [`SIDE`] by cubic splines, zeros outside, cut to the range of its values: scikit-image's
/// `resize(order=3, mode="constant", anti_aliasing=True)`.
fn enlarged(mut plane: Vec<f64>, [height, width]: [usize; 2]) -> Vec<f64> {
    let ends = plane
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &v| {
            [low.min(v), high.max(v)]
        });
    let smooth = |from: usize| (from > SIDE).then(|| blur_ig::kernel((from as f64 / SIDE as f64 - 1.0) / 2.0));
    if let Some(kernel) = smooth(height) {
        blur_ig::columns(&mut plane, &kernel, height, width);
    }
    if let Some(kernel) = smooth(width) {
        blur_ig::rows(&mut plane, &kernel, width);
    }
    let rows: Vec<f64> = plane.chunks_exact(width).flat_map(resampled).collect();
    let mut out = vec![0.0; SIDE * SIDE];
    for x in 0..SIDE {
        let column: Vec<f64> = rows.iter().skip(x).step_by(SIDE).copied().collect();
        for (y, value) in resampled(&column).into_iter().enumerate() {
            out[y * SIDE + x] = value.clamp(ends[0], ends[1]);
        }
    }
    out
}

/// A line resampled to [`SIDE`] values: the cubic spline through its values, with zeros around them.
fn resampled(line: &[f64]) -> Vec<f64> {
    const AROUND: usize = 12;
    let mut c = vec![0.0; line.len() + 2 * AROUND];
    for (c, value) in c[AROUND..].iter_mut().zip(line) {
        *c = 6.0 * value;
    }
    // The pole of the cubic spline's inverse filter; both ends of `c` are so far out that they do not matter.
    let pole = 3f64.sqrt() - 2.0;
    for i in 1..c.len() {
        c[i] += pole * c[i - 1];
    }
    let last = c.len() - 1;
    c[last] *= pole / (pole * pole - 1.0);
    for i in (0..last).rev() {
        c[i] = pole * (c[i + 1] - c[i]);
    }
    (0..SIDE)
        .map(|i| {
            let at = (i as f64 + 0.5) * line.len() as f64 / SIDE as f64 - 0.5 + AROUND as f64;
            let t = at - at.floor();
            let s = 1.0 - t;
            let weights = [
                s.powi(3) / 6.0,
                2.0 / 3.0 - 0.5 * t * t * (2.0 - t),
                2.0 / 3.0 - 0.5 * s * s * (2.0 - s),
                t.powi(3) / 6.0,
            ];
            let first = at.floor() as usize - 1;
            weights.iter().zip(&c[first..first + 4]).map(|(w, c)| w * c).sum()
        })
        .collect()
}

fn mean(density: &[f64], pixels: &[usize]) -> f64 {
    pixels.iter().map(|&i| density[i]).sum::<f64>() / pixels.len() as f64
}

/// What no region took gets its mean.
fn filled(map: Vec<Option<f64>>, density: &[f64]) -> Vec<f64> {
    let left: Vec<usize> = (0..map.len()).filter(|&i| map[i].is_none()).collect();
    let rest = mean(density, &left);
    map.into_iter().map(|v| v.unwrap_or(rest)).collect()
}

/// Each choice looks at what every region would add; sums and counts of new pixels are kept up to date.
fn full(regions: &[Vec<usize>], density: &[f64], least: usize) -> Vec<f64> {
    let mut of_pixel: Vec<Vec<u32>> = vec![Vec::new(); density.len()];
    for (k, region) in regions.iter().enumerate() {
        for &i in region {
            of_pixel[i].push(k as u32);
        }
    }
    let mut count: Vec<usize> = regions.iter().map(Vec::len).collect();
    let mut sum: Vec<f64> = regions.iter().map(|r| r.iter().map(|&i| density[i]).sum()).collect();
    let mut open: Vec<usize> = (0..regions.len()).collect();
    let mut map: Vec<Option<f64>> = vec![None; density.len()];
    loop {
        open.retain(|&k| count[k] >= least);
        let mut best: Option<(usize, f64)> = None;
        for &k in &open {
            let gain = sum[k] / count[k] as f64;
            if best.is_none_or(|(_, top)| gain > top) {
                best = Some((k, gain));
            }
        }
        let Some((k, _)) = best else {
            return filled(map, density);
        };
        let new: Vec<usize> = regions[k].iter().copied().filter(|&i| map[i].is_none()).collect();
        let gain = mean(density, &new);
        for &i in &new {
            map[i] = Some(gain);
            for &other in &of_pixel[i] {
                count[other as usize] -= 1;
                sum[other as usize] -= density[i];
            }
        }
        open.retain(|&other| other != k);
    }
}

/// Regions in the order of their own mean, whatever was taken before.
fn fast(regions: &[Vec<usize>], density: &[f64], least: usize) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = (0..regions.len())
        .filter(|&k| !regions[k].is_empty())
        .map(|k| (k, mean(density, &regions[k])))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut map: Vec<Option<f64>> = vec![None; density.len()];
    for (k, _) in order {
        let new: Vec<usize> = regions[k].iter().copied().filter(|&i| map[i].is_none()).collect();
        if new.len() >= least {
            let gain = mean(density, &new);
            for i in new {
                map[i] = Some(gain);
            }
        }
    }
    filled(map, density)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spline_goes_through_its_values() {
        // 224 is 32 times 7: each seventh output, from the fourth, lies on an input.
        let line: Vec<f64> = (0..32).map(|i| f64::from((i * i) % 11)).collect();
        for (value, found) in line.iter().zip(resampled(&line).iter().skip(3).step_by(7)) {
            assert!((value - found).abs() < 1e-6, "{value} {found}");
        }
    }

    #[test]
    fn the_densest_region_comes_first_and_the_rest_shares() {
        let density = [4.0, 0.0, 6.0, 1.0, 1.0, 5.0];
        let regions = [vec![0, 1], vec![1, 2, 3], vec![2]];
        assert_eq!(full(&regions, &density, 1), [2.0, 2.0, 6.0, 1.0, 3.0, 3.0]);
        assert_eq!(fast(&regions, &density, 1), [4.0, 0.5, 6.0, 0.5, 3.0, 3.0]);
        let most = [7.0 / 3.0, 10.0 / 3.0];
        assert_eq!(
            full(&regions, &density, 3),
            [most[1], most[0], most[0], most[0], most[1], most[1]]
        );
    }
}
