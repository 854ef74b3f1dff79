//! Convolution of each channel by itself: a stencil over its plane.

#![allow(unsafe_code)]

use std::sync::Arc;

use super::conv::Arrays;
use super::frame::Frame;
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::stencil::{Plane, Vectors, bands};
use super::{Scratch, Span, Window};

/// Weights `[channel, multiplier, kernel]` and the geometry.
#[derive(Clone, Debug)]
pub(super) struct Depthwise {
    isa: Isa,
    window: Window,
    channels: usize,
    multiplier: usize,
    weights: Arc<[f32]>,
    bias: Arc<[f32]>,
    bounds: [f32; 2],
}

impl Depthwise {
    /// Every one of `channels` planes makes `multiplier` planes.
    pub fn new(
        isa: Isa,
        window: &Window,
        [channels, multiplier]: [usize; 2],
        weights: &[f32],
        bias: &[f32],
        bounds: [f32; 2],
    ) -> Self {
        Self {
            isa,
            window: *window,
            channels,
            multiplier,
            weights: weights.into(),
            bias: bias.into(),
            bounds,
        }
    }

    /// Writes the places of `spans`.
    pub fn run(&self, spans: &[Span], arrays: &mut Arrays<'_>, scratch: &mut Scratch) {
        self.isa.run(Job {
            stencil: self,
            spans,
            arrays,
            scratch,
        });
    }
}

struct Job<'a, 'b> {
    stencil: &'a Depthwise,
    spans: &'a [Span],
    arrays: &'a mut Arrays<'b>,
    scratch: &'a mut Scratch,
}

impl Work for Job<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            stencil: d,
            spans,
            arrays,
            scratch,
        } = self;
        let [kh, kw] = d.window.kernel;
        let source = d.window.input[0] * d.window.input[1];
        let plane = d.window.output[0] * d.window.output[1];
        let even = d.window.dilation == [1, 1];
        for band in bands(spans, &d.window) {
            let frame = Frame::new(&d.window, band.iter().copied());
            let [lines] = scratch.parts([frame.len()]);
            for c in 0..d.channels {
                frame.fill::<L>(&arrays.input[c * source..][..source], 0.0, lines);
                for o in c * d.multiplier..(c + 1) * d.multiplier {
                    let s = Stencil {
                        frame: &frame,
                        lines,
                        kernel: [kh, kw],
                        weights: &d.weights[o * kh * kw..][..kh * kw],
                        plane: Plane {
                            width: d.window.output[1],
                            bias: d.bias[o],
                            added: arrays.added.map(|a| &a[o * plane..][..plane]),
                            bounds: d.bounds,
                            output: &mut arrays.output[o * plane..][..plane],
                        },
                    };
                    match (d.window.kernel, d.window.stride[1]) {
                        ([3, 3], 1) if even => s.fixed::<L, 3, 3, 1>(band),
                        ([3, 3], 2) if even => s.fixed::<L, 3, 3, 2>(band),
                        ([5, 5], 1) if even => s.fixed::<L, 5, 5, 1>(band),
                        ([5, 5], 2) if even => s.fixed::<L, 5, 5, 2>(band),
                        ([7, 7], 1) if even => s.fixed::<L, 7, 7, 1>(band),
                        _ => s.listed::<L>(band),
                    }
                }
            }
        }
    }
}

/// The planes of one channel.
struct Stencil<'a> {
    frame: &'a Frame,
    lines: &'a [f32],
    kernel: [usize; 2],
    weights: &'a [f32],
    plane: Plane<'a>,
}

/// A kernel and stride known to the compiler; one pointer a row.
struct Fixed<'a, L, const H: usize, const W: usize, const STEP: usize> {
    rows: [*const f32; H],
    weights: &'a [[L; W]; H],
    phase: usize,
}

impl<L: Lanes, const H: usize, const W: usize, const STEP: usize> Vectors<L> for Fixed<'_, L, H, W, STEP> {
    #[inline(always)]
    unsafe fn from(&self, x: usize) -> L {
        let mut sum = L::splat(0.0);
        for i in 0..H {
            for j in 0..W {
                // SAFETY: within the line, or the frame's slack.
                let value = unsafe { L::load(self.rows[i].add(j % STEP * self.phase + j / STEP + x)) };
                sum = sum.plus_product(self.weights[i][j], value);
            }
        }
        sum
    }
}

/// Any other; one pointer and weight a tap.
struct Listed<'a>(&'a [(*const f32, f32)]);

impl<L: Lanes> Vectors<L> for Listed<'_> {
    #[inline(always)]
    unsafe fn from(&self, x: usize) -> L {
        let mut sum = L::splat(0.0);
        for &(row, weight) in self.0 {
            // SAFETY: within the line, or the frame's slack.
            sum = sum.plus_product(L::splat(weight), unsafe { L::load(row.add(x)) });
        }
        sum
    }
}

impl Stencil<'_> {
    #[inline(always)]
    fn fixed<L: Lanes, const H: usize, const W: usize, const STEP: usize>(mut self, spans: &[Span]) {
        assert!(self.weights.len() == H * W && self.lines.len() >= self.frame.len());
        let mut weights = [[L::splat(0.0); W]; H];
        for (row, values) in weights.iter_mut().zip(self.weights.chunks_exact(W)) {
            for (weight, &value) in row.iter_mut().zip(values) {
                *weight = L::splat(value);
            }
        }
        for (index, span) in spans.iter().enumerate() {
            let mut rows = [std::ptr::null(); H];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = self.lines[self.frame.tap(index, i, 0)..].as_ptr();
            }
            self.plane.write(
                *span,
                &Fixed::<L, H, W, STEP> {
                    rows,
                    weights: &weights,
                    phase: self.frame.phase(),
                },
            );
        }
    }

    #[inline(always)]
    fn listed<L: Lanes>(mut self, spans: &[Span]) {
        assert!(self.weights.len() == self.kernel[0] * self.kernel[1] && self.lines.len() >= self.frame.len());
        let mut taps = Vec::new();
        for (index, span) in spans.iter().enumerate() {
            taps.clear();
            for (t, &weight) in self.weights.iter().enumerate() {
                let [i, j] = [t / self.kernel[1], t % self.kernel[1]];
                taps.push((self.lines[self.frame.tap(index, i, j)..].as_ptr(), weight));
            }
            self.plane.write::<L>(*span, &Listed(&taps));
        }
    }
}
