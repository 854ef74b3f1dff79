//! # Navier–Stokes
//!
//! **What it computes.** Fills removed pixels from the rim of the hole inwards, each with a mean of the known pixels
//! near it that counts most those in whose direction the picture does not change, so that lines of equal brightness
//! run on into the hole.
//!
//! **Formula.** Pixels are filled in the order of their distance to the kept ones, found by fast marching. In grey
//! levels, over the known pixels `q` within `radius` of `p`, with `r = p - q` and `n` the direction across the slope at
//! `q`, of which only the sizes of the two components are taken, as in OpenCV: `x'[p] = sum w x[q] / sum w`,
//! `w = |cos(r, n)| / (1 + |r|^4)`, the cosine counting as 1e-6 where the product of `r` with the slope is 0.01 or less.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept. Grey
//! levels are 255 times pixel values. Fills lie within the range of the kept values of their channel.
//!
//! **Parameters.** `radius`: how far known pixels are looked for, in pixels.
//!
//! **When it misleads.** Wide holes fill with flat wedges that meet along ridges. Despite the name no flow equation is
//! solved: OpenCV fills in one sweep, and its sizes of components mirror half of all directions.
//!
//! **Reference.** Bertalmio, Bertozzi & Sapiro, Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting, CVPR 2001,
//! doi:10.1109/CVPR.2001.990497.
//!
//! **Parity.** `cv2.inpaint(channel, mask, radius, cv2.INPAINT_NS)` of OpenCV 4.10 to 5.0 on each channel as 32-bit
//! floats of 0 to 255, removed pixels set to the channel's kept mean before (OpenCV reads some near the border); bit for
//! bit. On 8-bit pictures OpenCV rounds every filled pixel, and takes other directions from there (up to 11 grey levels
//! in a wide hole). One row or column, where OpenCV reads outside the picture, has no slopes across.

use super::marching::{Axis, Brush, Front, march};
use super::{ImputeContext, Imputer, ImputerMeta};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct NavierStokes;

crate::params! {
    /// Parameters of [`NavierStokes`].
    pub struct NavierStokesParams {
        /// How far known pixels are looked for, in pixels.
        radius: usize = 3u16, int(1, 50);
    }
}

impl Imputer for NavierStokes {
    type Params = NavierStokesParams;
    const META: ImputerMeta = ImputerMeta {
        id: "navier-stokes",
        name: "Navier–Stokes",
        summary: "Runs lines of equal brightness from the rim on into removed pixels.",
        reference: "Bertalmio et al. 2001, doi:10.1109/CVPR.2001.990497",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &NavierStokesParams,
    ) -> Result<Tensor, Error> {
        let mut isophotes = Isophotes {
            radius: p.radius,
            sums: vec![[0.0; 2]; input.dims()[0]],
        };
        march(cx, input, removed, &mut isophotes).await
    }
}

struct Isophotes {
    radius: usize,
    /// Of each channel: the weighted sum of values and the sum of weights.
    sums: Vec<[f32; 2]>,
}

impl Brush for Isophotes {
    fn outwards(&self) -> Option<usize> {
        None
    }

    fn paint(&mut self, front: &Front, k: usize, planes: &[Vec<f32>], out: &mut [f32]) {
        let (height, width) = front.size();
        self.sums.fill([0.0, 1e-20]);
        for near in front.known_near(k, self.radius) {
            let (ry, rx) = (-(near.down as f32), -(near.right as f32));
            let square = rx * rx + ry * ry;
            let distance = 1.0 / (square * square + 1.0);
            let unknown = &front.unknown;
            let sides = (unknown[near.cell + 1], unknown[near.cell - 1]);
            let ends = (unknown[near.cell + front.width], unknown[near.cell - front.width]);
            let (y, x) = front.place(near.cell);
            let (v, h) = (Axis::of(y, height), Axis::of(x, width));
            for ([sum, weights], plane) in self.sums.iter_mut().zip(planes) {
                let at = |row: usize, column: usize| plane[row * width + column];
                let below = || (at(v.after, h.here) - at(v.there, h.here)).abs();
                let above = || (at(v.there, h.here) - at(v.before, h.here)).abs();
                let right = || (at(v.here, h.after) - at(v.here, h.here)).abs();
                let left = || (at(v.here, h.here) - at(v.here, h.before)).abs();
                let (nx, ny) = (-sizes(ends, below, above), sizes(sides, right, left));
                let along = rx * nx + ry * ny;
                let cosine = if f64::from(along.abs()) <= 0.01 {
                    1e-6
                } else {
                    (along / (square * (nx * nx + ny * ny)).sqrt()).abs()
                };
                let weight = distance * cosine;
                *sum += weight * at(y, x);
                *weights += weight;
            }
        }
        for (level, [sum, weights]) in out.iter_mut().zip(&self.sums) {
            *level = (f64::from(*sum) / f64::from(*weights)) as f32;
        }
    }
}

/// Twice the mean size of the steps after and before a pixel, of those whose end is known.
fn sizes(unknown: (bool, bool), after: impl Fn() -> f32, before: impl Fn() -> f32) -> f32 {
    match unknown {
        (false, false) => after() + before(),
        (false, true) => after() * 2.0,
        (true, false) => before() * 2.0,
        (true, true) => 0.0,
    }
}
