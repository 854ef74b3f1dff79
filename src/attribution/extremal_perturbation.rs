//! # Extremal perturbation
//!
//! **What it computes.** Of all smooth masks of a given area, the one that matters most: seen alone it keeps the target
//! high, or removed it makes it fall; optimised by gradient.
//!
//! **Formula.** Control points `q` in `[0, 1]` every `spacing` pixels give a mask `m` by a smooth maximum over their
//! bumps: `m[i] = sum_k v[k] softmax(20 v)[k]`, `v[k] = q[k] exp(-2 max(|i - k| / smoothing - 0.5, 0)^2)`. Gradient ascent
//! (rate 0.01, momentum 0.9) from `q = 1` on `r(m) - w mean((sorted m - s)^2)`, where `s` is 1 for the largest share
//! `area` of pixels (a margin of `smoothing` pixels around the picture counts too) and 0 for the others; `w` grows from
//! 300 by 0.35 % a step. `r(m)` is `g(m x + (1 - m) f)` to `preserve`, `-g((1 - m) x + m f)` to `delete`, and their sum for
//! `dual`; `f` is the picture with every pixel filled by the chosen imputer. The gradient flows through `m` only, so that
//! any imputer will do; those that fill from kept pixels fill the white squares of a chessboard from the black ones, and
//! the other way round.
//!
//! **Shapes and sign.** `[1, H, W]` in `[0, 1]`; 1 in the region.
//!
//! **Parameters.** `area`: share of the picture. `game`: `preserve`, `delete` or `dual`. `steps`: one forward and one
//! backward pass each, two for `dual` (the reference takes 800). `spacing`, `smoothing`: in pixels, made for 224 by 224.
//! `flip`: mirror the picture in every second step, so that the mask serves both.
//!
//! **When it misleads.** It has the area that was asked for, whether the evidence has it or not: compare a few areas. With
//! few steps the mask is still grey. Logits are meant: a probability's gradient is too small for the weight.
//!
//! **Reference.** Fong, Patrick & Vedaldi, Understanding Deep Networks via Extremal Perturbations and Smooth Masks, ICCV
//! 2019, arXiv:1910.08485; TorchRay.
//!
//! **Parity.** TorchRay's own `extremal_perturbation` in float64, fading to zeros by two levels instead of a pyramid of
//! blurs, within 1e-4. Masks are sorted to nine digits, then by place: which of two equal pixels counts into the area is
//! otherwise a matter of rounding.

use super::soft_mask::{background, by_mask, map, mixed, narrow};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::imputer::Remover;
use crate::job::{Job, Passes};
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct ExtremalPerturbation;

crate::params! {
    /// Parameters of [`ExtremalPerturbation`].
    pub struct ExtremalPerturbationParams {
        /// Share of the picture that the region takes.
        area: f64 = 0.1, real(0.001, 0.999);
        /// What the region is for: seen alone it keeps the answer, removed it makes it fall, or both.
        game: String = "preserve", choice("preserve", "delete", "dual");
        /// Steps of the optimiser; each takes a forward and a backward pass, two where the game is both.
        steps: usize = 400usize, int(1, 10_000);
        /// Pixels between control points of the mask.
        spacing: usize = 7usize, int(1, 64);
        /// Size of the mask's bumps, in pixels.
        smoothing: usize = 21usize, int(1, 200);
        /// Whether the picture is mirrored in every second step.
        flip: bool = true, flag;
    }
}

const COLDNESS: f64 = 20.0;
const RATE: f64 = 0.01;
const MOMENTUM: f64 = 0.9;

impl Method for ExtremalPerturbation {
    type Params = ExtremalPerturbationParams;
    const META: MethodMeta = MethodMeta {
        id: "extremal-perturbation",
        name: "Extremal perturbation",
        family: Family::Perturbation,
        summary: "Finds the smooth region of a given area that matters most.",
        caution: "The region has the area that was asked for, whether the evidence has it or not.",
        reference: "Fong et al. 2019, arXiv:1910.08485",
        signed: false,
        needs: &[Need::Gradient, Need::Imputer],
        axioms: &[Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &ExtremalPerturbationParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let most = height.min(width);
        for (name, value) in [("spacing", p.spacing), ("smoothing", p.smoothing)] {
            if value > most {
                let why = format!("{value} is not between 1 and the picture's shorter side, {most}");
                return Err(Error::param(name, why));
            }
        }
        let pictures = (p.steps * if p.game == "dual" { 2 } else { 1 }) as u64;
        Ok(Passes {
            forward: pictures,
            backward: pictures,
        })
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &ExtremalPerturbationParams,
    ) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        cx.removal.needs_values("the mask shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fill = background(cx, input, &remover).await?;
        let bumps = Bumps::new(height, width, p.spacing, p.smoothing);
        let mut points = vec![1.0f64; bumps.points[0] * bumps.points[1]];
        let mut speed: Option<Vec<f64>> = None;
        let mut weight = 300.0;
        let mut mask = Vec::new();
        let unseen = |m: &[f64]| m.iter().map(|v| 1.0 - v).collect::<Vec<_>>();
        for step in 0..p.steps {
            let wide = bumps.mask(cx.job, &points).await?;
            mask = bumps.crop(&wide);
            let mirrored = p.flip && step % 2 == 0;
            let mut seen = Vec::with_capacity(2);
            if p.game != "delete" {
                seen.push(narrow(&mask));
            }
            if p.game != "preserve" {
                seen.push(narrow(&unseen(&mask)));
            }
            let mut loss = area_slope(&wide, p.area, weight);
            // One picture a turn, whatever the executor prefers: two at most are at hand.
            for seen in seen {
                let picture = mixed(&seen, &input.tensor, &fill);
                let picture = if mirrored { mirror(&picture) } else { picture };
                let gradient = cx
                    .input_gradients(&Tensor::stack(&[picture]))
                    .await?
                    .reshape(input.tensor.shape());
                let gradient = if mirrored { mirror(&gradient) } else { gradient };
                let by = by_mask(gradient.data(), &input.tensor, &fill, height * width);
                bumps.add_cropped(&mut loss, &by, -1.0);
            }
            let slope = bumps.adjoint(cx.job, &points, &wide, &loss).await?;
            let speed = speed.get_or_insert_with(|| slope.clone());
            for ((q, v), s) in points.iter_mut().zip(speed.iter_mut()).zip(&slope) {
                if step > 0 {
                    *v = MOMENTUM * *v + (1.0 - MOMENTUM) * s;
                }
                *q = (*q - RATE * *v).clamp(0.0, 1.0);
            }
            weight *= 1.0035;
            cx.job.offer(|| map(&mask, height, width));
        }
        Ok(Attribution::on_input(map(&mask, height, width)))
    }
}

/// Left and right exchanged.
fn mirror(picture: &Tensor) -> Tensor {
    let width = picture.shape()[2];
    let mut out = picture.clone();
    out.data_mut().chunks_mut(width).for_each(<[f32]>::reverse);
    out
}

/// The gradient of `weight mean((sorted m - s)^2)` by `m`.
fn area_slope(mask: &[f64], area: f64, weight: f64) -> Vec<f64> {
    let n = mask.len();
    let out = (n as f64 * (1.0 - area)) as usize;
    let rounded: Vec<i64> = mask.iter().map(|m| (m * 1e9).round_ties_even() as i64).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| rounded[i]);
    let mut slope = vec![0.0; n];
    for (rank, i) in order.into_iter().enumerate() {
        let aim = f64::from(u8::from(rank >= out));
        slope[i] = 2.0 * weight * (mask[i] - aim) / n as f64;
    }
    slope
}

/// The smooth maximum over bumps at control points, on the picture and a margin around it.
struct Bumps {
    height: usize,
    width: usize,
    spacing: usize,
    margin: usize,
    /// Control points down and across.
    points: [usize; 2],
    /// Control points that a pixel sees along a side, and how far the first lies before its own.
    taps: usize,
    padding: usize,
    /// Pixels down and across, margin included.
    out: [usize; 2],
    /// By pixel within a spacing (down, across) and by tap (down, across): the bump's height there.
    bump: Vec<f64>,
}

impl Bumps {
    fn new(height: usize, width: usize, spacing: usize, smoothing: usize) -> Self {
        let padding = 1 + (2 * smoothing).div_ceil(spacing);
        let taps = 2 * (1 + smoothing.div_ceil(spacing)) + 1;
        let points = [height.div_ceil(spacing), width.div_ceil(spacing)];
        let out = points.map(|n| spacing * (n + 2 * padding - taps + 1) - spacing + 1);
        let mut bump = Vec::with_capacity(spacing * spacing * taps * taps);
        let offset = |within: usize, tap: usize| {
            within as f64 - (smoothing as f64 + spacing as f64 * (tap as f64 - padding as f64))
        };
        for (y, x) in (0..spacing * spacing).map(|k| (k / spacing, k % spacing)) {
            for (v, u) in (0..taps * taps).map(|k| (k / taps, k % taps)) {
                let distance = offset(y, v).hypot(offset(x, u)) / smoothing as f64;
                bump.push((-2.0 * (distance - 0.5).max(0.0).powi(2)).exp());
            }
        }
        Self {
            height,
            width,
            spacing,
            margin: smoothing,
            points,
            taps,
            padding,
            out,
            bump,
        }
    }

    /// Calls `f` with each tap of a pixel that falls on a control point: its index and the bump's height.
    fn each(&self, pixel: usize, mut f: impl FnMut(usize, f64)) {
        let (y, x) = (pixel / self.out[1], pixel % self.out[1]);
        let place = (y % self.spacing) * self.spacing + x % self.spacing;
        let bump = &self.bump[place * self.taps * self.taps..(place + 1) * self.taps * self.taps];
        let reached = |at: usize, tap: usize, most: usize| {
            (at / self.spacing + tap)
                .checked_sub(self.padding)
                .filter(|&k| k < most)
        };
        for v in 0..self.taps {
            let Some(row) = reached(y, v, self.points[0]) else {
                continue;
            };
            for u in 0..self.taps {
                if let Some(column) = reached(x, u, self.points[1]) {
                    f(row * self.points[1] + column, bump[v * self.taps + u]);
                }
            }
        }
    }

    /// The sums of `exp(20 v)` and of `v exp(20 v)` over all taps; a tap that falls on nothing, or on 0, adds 1 and 0.
    fn sums(&self, pixel: usize, points: &[f64]) -> (f64, f64) {
        let (mut plain, mut weighed) = ((self.taps * self.taps) as f64, 0.0);
        self.each(pixel, |k, bump| {
            let v = bump * points[k];
            if v > 0.0 {
                let e = (COLDNESS * v).exp();
                plain += e - 1.0;
                weighed += v * e;
            }
        });
        (plain, weighed)
    }

    /// The mask with its margin.
    async fn mask(&self, job: &Job<'_>, points: &[f64]) -> Result<Vec<f64>, Error> {
        let mut mask = Vec::with_capacity(self.out[0] * self.out[1]);
        for y in 0..self.out[0] {
            for x in 0..self.out[1] {
                let (plain, weighed) = self.sums(y * self.out[1] + x, points);
                mask.push((weighed / plain).clamp(0.0, 1.0));
            }
            if y % 16 == 0 {
                job.step(Passes::default()).await?;
            }
        }
        Ok(mask)
    }

    /// The gradient by control points from that by the mask with its margin.
    async fn adjoint(&self, job: &Job<'_>, points: &[f64], mask: &[f64], by: &[f64]) -> Result<Vec<f64>, Error> {
        let mut slope = vec![0.0; points.len()];
        for y in 0..self.out[0] {
            for i in y * self.out[1]..(y + 1) * self.out[1] {
                let (plain, _) = self.sums(i, points);
                self.each(i, |k, bump| {
                    let v = bump * points[k];
                    let e = if v > 0.0 { (COLDNESS * v).exp() } else { 1.0 };
                    slope[k] += by[i] * bump * e / plain * (1.0 + COLDNESS * (v - mask[i]));
                });
            }
            if y % 16 == 0 {
                job.step(Passes::default()).await?;
            }
        }
        Ok(slope)
    }

    /// The part of the mask that lies on the picture.
    fn crop(&self, wide: &[f64]) -> Vec<f64> {
        (0..self.height * self.width).map(|i| wide[self.inside(i)]).collect()
    }

    fn inside(&self, i: usize) -> usize {
        (i / self.width + self.margin) * self.out[1] + i % self.width + self.margin
    }

    fn add_cropped(&self, wide: &mut [f64], part: &[f64], factor: f64) {
        for (i, value) in part.iter().enumerate() {
            wide[self.inside(i)] += factor * value;
        }
    }
}
