//! Convolution of each channel by itself: a stencil over its plane.

#![allow(unsafe_code)]

use std::sync::Arc;

use super::conv::Arrays;
use super::frame::Frame;
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::{Scratch, Span, Window};

/// Values of the frame at once, so that lines are still in the first cache when they are read.
const LINES: usize = 6 * 1024;

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

/// The spans in pieces whose lines fit the cache.
pub(super) fn bands<'a>(spans: &'a [Span], window: &Window) -> impl Iterator<Item = &'a [Span]> {
    let width = window.output[1] * window.stride[1] + window.kernel[1] * window.dilation[1];
    let rows = (LINES / width.max(1) / window.stride[0]).max(window.kernel[0]);
    spans.chunk_by(move |a, b| a.row / rows == b.row / rows)
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
                        width: d.window.output[1],
                        lines,
                        kernel: [kh, kw],
                        weights: &d.weights[o * kh * kw..][..kh * kw],
                        bias: d.bias[o],
                        bounds: d.bounds,
                        output: &mut arrays.output[o * plane..][..plane],
                        added: arrays.added.map(|a| &a[o * plane..][..plane]),
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

/// One output plane.
struct Stencil<'a> {
    frame: &'a Frame,
    width: usize,
    lines: &'a [f32],
    kernel: [usize; 2],
    weights: &'a [f32],
    bias: f32,
    bounds: [f32; 2],
    output: &'a mut [f32],
    added: Option<&'a [f32]>,
}

/// The sums of one span.
trait Sums<L> {
    /// Those of the places from column `x` on.
    ///
    /// # Safety
    /// The vector starts within the span.
    unsafe fn from(&self, x: usize) -> L;
}

/// A kernel and stride known to the compiler; one pointer a row.
struct Fixed<'a, L, const H: usize, const W: usize, const STEP: usize> {
    rows: [*const f32; H],
    weights: &'a [[L; W]; H],
    phase: usize,
}

impl<L: Lanes, const H: usize, const W: usize, const STEP: usize> Sums<L> for Fixed<'_, L, H, W, STEP> {
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

impl<L: Lanes> Sums<L> for Listed<'_> {
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
            self.write(
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
            self.write::<L, _>(*span, &Listed(&taps));
        }
    }

    /// Writes a span of sums with their epilogue.
    #[inline(always)]
    fn write<L: Lanes, S: Sums<L>>(&mut self, span: Span, sums: &S) {
        let row = span.row * self.width;
        let output = &mut self.output[row + span.from..row + span.to];
        let added = self.added.map(|a| &a[row + span.from..row + span.to]);
        let bias = L::splat(self.bias);
        let [low, high] = [L::splat(self.bounds[0]), L::splat(self.bounds[1])];
        let n = output.len();
        if n < L::N {
            let (mut values, mut more) = ([0.0_f32; 16], [0.0_f32; 16]);
            // SAFETY: no vector is wider than sixteen.
            unsafe {
                let mut value = sums.from(span.from).plus(bias);
                if let Some(added) = added {
                    for (more, &added) in more.iter_mut().zip(added) {
                        *more = added;
                    }
                    value = value.plus(L::load(more[..L::N].as_ptr()));
                }
                value.raised(low).lowered(high).store(values[..L::N].as_mut_ptr());
            }
            for (output, value) in output.iter_mut().zip(values) {
                *output = value;
            }
            return;
        }
        let mut x = 0;
        while x < n {
            // The last vector overlaps the one before.
            x = x.min(n - L::N);
            // SAFETY: a whole vector follows `x`.
            unsafe {
                let mut value = sums.from(span.from + x).plus(bias);
                if let Some(added) = added {
                    value = value.plus(L::load(added.as_ptr().add(x)));
                }
                value.raised(low).lowered(high).store(output.as_mut_ptr().add(x));
            }
            x += L::N;
        }
    }
}
