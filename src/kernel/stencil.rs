//! What depthwise convolution and pooling share: a row of outputs, each from its window of the same plane.

#![allow(unsafe_code)]

use super::lanes::Lanes;
use super::{Span, Window};

/// Values of the frame at once, so that lines are still in the first cache when they are read.
const LINES: usize = 6 * 1024;

/// The results of one span, by vectors.
pub(super) trait Vectors<L> {
    /// Those of the places from column `x` on.
    ///
    /// # Safety
    /// The vector starts within the span.
    unsafe fn from(&self, x: usize) -> L;
}

/// One output plane, and what is done before a result is written to it.
pub(super) struct Plane<'a> {
    /// Its width.
    pub width: usize,
    pub bias: f32,
    pub added: Option<&'a [f32]>,
    /// Lowest and highest value.
    pub bounds: [f32; 2],
    pub output: &'a mut [f32],
}

impl Plane<'_> {
    /// Writes a span.
    #[inline(always)]
    pub fn write<L: Lanes>(&mut self, span: Span, results: &impl Vectors<L>) {
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
                let mut value = results.from(span.from).plus(bias);
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
                let mut value = results.from(span.from + x).plus(bias);
                if let Some(added) = added {
                    value = value.plus(L::load(added.as_ptr().add(x)));
                }
                value.raised(low).lowered(high).store(output.as_mut_ptr().add(x));
            }
            x += L::N;
        }
    }
}

/// The spans in pieces whose lines fit the cache.
pub(super) fn bands<'a>(spans: &'a [Span], window: &Window) -> impl Iterator<Item = &'a [Span]> {
    let width = window.output[1] * window.stride[1] + window.kernel[1] * window.dilation[1];
    let rows = (LINES / width.max(1) / window.stride[0]).max(window.kernel[0]);
    spans.chunk_by(move |a, b| a.row / rows == b.row / rows)
}
