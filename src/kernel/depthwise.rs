//! Convolution of each channel by itself: a stencil over its plane.

use std::sync::Arc;

use super::conv::{Arrays, Recipe};
use super::frame::Frame;
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::stencil::{Blocks, Plane, Taps, bands};
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
    /// Every plane makes as many planes as a group has channels out.
    pub fn new(recipe: &Recipe<'_>) -> Self {
        Self {
            isa: recipe.isa,
            window: recipe.window,
            channels: recipe.groups,
            multiplier: recipe.channels[1],
            weights: recipe.weights.into(),
            bias: recipe.bias.into(),
            bounds: recipe.bounds,
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
        let taps = d.window.kernel[0] * d.window.kernel[1];
        let source = d.window.input[0] * d.window.input[1];
        let plane = d.window.output[0] * d.window.output[1];
        for band in bands(spans, &d.window) {
            let frame = Frame::new(&d.window, band.iter().copied());
            let blocks = Blocks::new(band, &frame, &d.window);
            let [lines] = scratch.parts([frame.len()]);
            frame.pad(0.0, lines);
            for c in 0..d.channels {
                frame.fill::<L>(&arrays.input[c * source..][..source], lines);
                for o in c * d.multiplier..(c + 1) * d.multiplier {
                    let weighted = Weighted {
                        weights: &d.weights[o * taps..][..taps],
                        bias: d.bias[o],
                    };
                    let mut plane = Plane {
                        width: d.window.output[1],
                        added: arrays.added.map(|a| &a[o * plane..][..plane]),
                        bounds: d.bounds,
                        output: &mut arrays.output[o * plane..][..plane],
                    };
                    blocks.run::<L>(lines, &weighted, &mut plane);
                }
            }
        }
    }
}

/// The kernel of one channel.
struct Weighted<'a> {
    weights: &'a [f32],
    bias: f32,
}

impl<L: Lanes> Taps<L> for Weighted<'_> {
    #[inline(always)]
    fn start(&self) -> L {
        L::splat(self.bias)
    }

    #[inline(always)]
    fn weight(&self, tap: usize) -> L {
        L::splat(self.weights[tap])
    }

    #[inline(always)]
    fn take(&self, made: L, weight: L, value: L) -> L {
        made.plus_product(weight, value)
    }

    #[inline(always)]
    fn end(&self, made: L, _row: usize, _column: usize) -> L {
        made
    }
}
