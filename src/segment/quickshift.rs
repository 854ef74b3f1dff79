//! Quickshift: each pixel climbs to the nearest pixel of higher density in colour and place; the tops are segments.
//!
//! Vedaldi & Soatto, Quick Shift and Kernel Methods for Mode Seeking, ECCV 2008. Equal to
//! `skimage.segmentation.quickshift` 0.26 (in Lab, gray ones with three equal channels), given its tie noise as the
//! recorded stream `segments/ties`; our own noise has the same size and a fixed seed.

use super::slic::difference;
use super::{Pixels, Segments};
use crate::Error;
use crate::job::{Job, Passes};
use crate::rng::SeedStream;

/// How to segment; the defaults are those of LIME.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Standard deviation of the density's kernel, in pixels; it ends at three of them.
    pub kernel: f64,
    /// Longest climb, in the metric of colour and place.
    pub reach: f64,
    /// Weight of colour against place.
    pub ratio: f64,
    /// Blur before, in pixels; 0 for none.
    pub sigma: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kernel: 4.0,
            reach: 200.0,
            ratio: 0.2,
            sigma: 0.0,
        }
    }
}

/// The name of the stream of standard normal draws, one a pixel, that break ties between densities.
pub const TIES: &str = "segments/ties";

/// scikit-image's seed for the same purpose.
const SEED: u64 = 42;

/// The superpixels of `pixels`. Of `random` only recorded draws are used: see the [module above](super).
pub async fn segment(
    job: &Job<'_>,
    random: &SeedStream,
    pixels: &Pixels,
    options: &Options,
) -> Result<Segments, Error> {
    let (height, width) = (pixels.height, pixels.width);
    let colours = pixels
        .lab()
        .blurred(options.sigma)
        .map(|v| v.map(|x| x * options.ratio));
    let colours = &colours.values;
    let mut ties = match random.recorded(TIES) {
        Some(_) => random.stream(TIES),
        None => SeedStream::new(SEED).stream(TIES),
    };
    let around = (3.0 * options.kernel).ceil() as usize;
    let near = |at: usize, side: usize| at.saturating_sub(around)..(at + around + 1).min(side);
    let distance = |y: usize, x: usize, v: usize, u: usize| {
        let (dy, dx) = (y.abs_diff(v) as f64, x.abs_diff(u) as f64);
        difference(&colours[y * width + x], &colours[v * width + u]) + dy * dy + dx * dx
    };
    let exponent = -0.5 / (options.kernel * options.kernel);
    let mut density: Vec<f64> = (0..height * width).map(|_| f64::from(ties.normal()) * 1e-5).collect();
    for y in 0..height {
        for x in 0..width {
            let mut sum = density[y * width + x];
            for v in near(y, height) {
                for u in near(x, width) {
                    sum += (distance(y, x, v, u) * exponent).exp();
                }
            }
            density[y * width + x] = sum;
        }
        job.step(Passes::default()).await?;
    }
    let mut above: Vec<usize> = (0..height * width).collect();
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let mut closest = f64::MAX;
            for v in near(y, height) {
                for u in near(x, width) {
                    if density[v * width + u] > density[i] {
                        let found = distance(y, x, v, u);
                        if found < closest {
                            closest = found;
                            above[i] = v * width + u;
                        }
                    }
                }
            }
            if closest.sqrt() > options.reach {
                above[i] = i;
            }
        }
        job.step(Passes::default()).await?;
    }
    // Densities rise along the way, so that every way ends.
    let top = |mut i: usize| {
        while above[i] != i {
            i = above[i];
        }
        i
    };
    let labels: Vec<usize> = (0..height * width).map(top).collect();
    Ok(Segments::new(height, width, &labels))
}
