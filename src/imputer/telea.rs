//! # Telea fast marching
//!
//! **What it computes.** Fills removed pixels from the rim of the hole inwards, each with a weighted mean of the known
//! pixels near it, moved along the slope of the picture there.
//!
//! **Formula.** Pixels are filled in the order of their distance `T` to the kept ones, found by fast marching (`T` is
//! negative outside the hole). In grey levels, over the known pixels `q` within `radius` of `p`, with `r = p - q`,
//! `w = |r . grad T(p)| / (|r|^3 (1 + |T(q) - T(p)|))`, where a factor `r . grad T` of 0.01 or less counts as 1e-6:
//! `x'[p] = sum w x[q] / sum w + (J_x + J_y) / |J|`, `J = -sum w (grad x[q] * r)` by components. This is OpenCV's
//! formula; in Telea's the slope adds to each term. The last term is left out where `|J| <= 0.001 sum w`.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept. Grey
//! levels are 255 times pixel values; the last term makes the result depend on that scale.
//!
//! **Parameters.** `radius`: how far known pixels are looked for, in pixels.
//!
//! **When it misleads.** Streaks run from the rim into the hole, which a network may read as edges; and since a step of
//! up to 1.4 grey levels is added at each pixel, wide holes can drift away from the colours around them.
//!
//! **Reference.** Telea, An Image Inpainting Technique Based on the Fast Marching Method, Journal of Graphics Tools 2004,
//! doi:10.1080/10867651.2004.10487596.
//!
//! **Parity.** `cv2.inpaint(channel, mask, radius, cv2.INPAINT_TELEA)` of OpenCV 4.10 to 5.0 on each channel as 32-bit
//! floats of 0 to 255, removed pixels set to the channel's kept mean before (OpenCV reads some near the border); bit for
//! bit, except in flat places, where OpenCV makes steps of up to 1.4 grey levels out of rounding errors (it does not
//! give a constant picture back). On 8-bit pictures OpenCV also rounds every filled pixel, and mostly up, which wide
//! holes add up to 17 grey levels. One row or column, where OpenCV reads outside the picture, has no slopes across.

use super::marching::{Axis, Brush, Front, march};
use super::{ImputeContext, Imputer, ImputerMeta};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Telea;

/// Mean slope, in grey levels, below which it is taken for rounding.
const FLAT: f32 = 1e-3;

crate::params! {
    /// Parameters of [`Telea`].
    pub struct TeleaParams {
        /// How far known pixels are looked for, in pixels.
        radius: usize = 3u16, int(1, 50);
    }
}

impl Imputer for Telea {
    type Params = TeleaParams;
    const META: ImputerMeta = ImputerMeta {
        id: "telea",
        name: "Telea",
        summary: "Fills removed pixels from the rim inwards along the slopes of the picture.",
        reference: "Telea 2004, doi:10.1080/10867651.2004.10487596",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &TeleaParams,
    ) -> Result<Tensor, Error> {
        let mut slopes = Slopes {
            radius: p.radius,
            sums: vec![Sums::default(); input.dims()[0]],
        };
        march(cx, input, removed, &mut slopes).await
    }
}

/// What is summed up for one channel of one pixel.
#[derive(Clone, Copy, Default)]
struct Sums {
    value: f32,
    right: f32,
    down: f32,
}

struct Slopes {
    radius: usize,
    sums: Vec<Sums>,
}

impl Brush for Slopes {
    fn outwards(&self) -> Option<usize> {
        Some(self.radius)
    }

    fn paint(&mut self, front: &Front, k: usize, planes: &[Vec<f32>], out: &mut [f32]) {
        let (across, down) = slope_of_time(front, k);
        let (height, width) = front.size();
        self.sums.fill(Sums::default());
        let mut weights = 1e-20f32;
        for near in front.known_near(k, self.radius) {
            let (ry, rx) = (-(near.down as f32), -(near.right as f32));
            let weight = weight(front, [k, near.cell], [rx, ry], [across, down]);
            weights += weight;
            let unknown = &front.unknown;
            let sides = (unknown[near.cell + 1], unknown[near.cell - 1]);
            let ends = (unknown[near.cell + front.width], unknown[near.cell - front.width]);
            let (y, x) = front.place(near.cell);
            let (v, h) = (Axis::of(y, height), Axis::of(x, width));
            for (sums, plane) in self.sums.iter_mut().zip(planes) {
                let at = |row: usize, column: usize| plane[row * width + column];
                let right = match sides {
                    (false, false) => (at(v.here, h.after) - at(v.here, h.before)) * 2.0,
                    (false, true) => at(v.here, h.after) - at(v.here, h.here),
                    (true, false) => at(v.here, h.there) - at(v.here, h.before),
                    (true, true) => 0.0,
                };
                let down = match ends {
                    (false, false) => (at(v.after, h.here) - at(v.before, h.here)) * 2.0,
                    (false, true) => at(v.after, h.here) - at(v.here, h.here),
                    (true, false) => at(v.there, h.here) - at(v.before, h.here),
                    (true, true) => 0.0,
                };
                sums.value += weight * at(y, x);
                sums.right -= weight * (right * rx);
                sums.down -= weight * (down * ry);
            }
        }
        for (level, sums) in out.iter_mut().zip(&self.sums) {
            let slope = (sums.right * sums.right + sums.down * sums.down).sqrt();
            *level = sums.value / weights;
            if slope > FLAT * weights {
                *level += (sums.right + sums.down) / (slope + 1e-20);
            }
        }
    }
}

/// The weight of the second of two cells for the first, `r` away, where time has that slope.
fn weight(front: &Front, [k, cell]: [usize; 2], [rx, ry]: [f32; 2], [across, down]: [f32; 2]) -> f32 {
    let square = rx * rx + ry * ry;
    let distance = (1.0 / f64::from(square * square.sqrt())) as f32;
    let apart = (front.time[cell] - front.time[k]).abs();
    let level = (1.0 / (1.0 + f64::from(apart))) as f32;
    let along = rx * across + ry * down;
    let along = if f64::from(along.abs()) <= 0.01 { 1e-6 } else { along };
    (distance * level * along).abs()
}

/// The slope of the time of arrival at `k`, to the right and down, by known neighbours.
fn slope_of_time(front: &Front, k: usize) -> (f32, f32) {
    let t = &front.time;
    let slope = |before: usize, after: usize| match (front.unknown[after], front.unknown[before]) {
        (false, false) => (t[after] - t[before]) * 0.5,
        (false, true) => t[after] - t[k],
        (true, false) => t[k] - t[before],
        (true, true) => 0.0,
    };
    (slope(k - 1, k + 1), slope(k - front.width, k + front.width))
}
