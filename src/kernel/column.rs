//! Convolution with a single output place, and fully connected layers: every weight is used once, in its own order.

use std::sync::Arc;

use super::conv::{Arrays, Recipe};
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::{Epilogue, Scratch, Window};

/// Vectors of sums side by side.
const CHAINS: usize = 4;

/// Weights `[groups · out, in · kernel]` as given, and the geometry.
#[derive(Clone, Debug)]
pub(super) struct Column {
    isa: Isa,
    window: Window,
    groups: usize,
    channels: [usize; 2],
    weights: Arc<[f32]>,
    bias: Arc<[f32]>,
    bounds: [f32; 2],
}

impl Column {
    pub fn new(recipe: &Recipe<'_>) -> Self {
        Self {
            isa: recipe.isa,
            window: recipe.window,
            groups: recipe.groups,
            channels: recipe.channels,
            weights: recipe.weights.into(),
            bias: recipe.bias.into(),
            bounds: recipe.bounds,
        }
    }

    /// Writes the one place.
    pub fn run(&self, arrays: &mut Arrays<'_>, scratch: &mut Scratch) {
        self.isa.run(Job {
            column: self,
            arrays,
            scratch,
        });
    }
}

struct Job<'a, 'b> {
    column: &'a Column,
    arrays: &'a mut Arrays<'b>,
    scratch: &'a mut Scratch,
}

impl Work for Job<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            column: c,
            arrays,
            scratch,
        } = self;
        let [kh, kw] = c.window.kernel;
        let [h, w] = c.window.input;
        let [from, to] = c.channels;
        let depth = from * kh * kw;
        let [values] = scratch.parts([depth]);
        for group in 0..c.groups {
            let input = &arrays.input[group * from * h * w..][..from * h * w];
            let whole = [kh, kw] == [h, w] && c.window.dilation == [1, 1] && c.window.before == [0, 0];
            let values = if whole {
                input
            } else {
                for (k, value) in values.iter_mut().enumerate() {
                    let (channel, i, j) = (k / (kh * kw), k / kw % kh, k % kw);
                    *value = match (c.window.source(0, 0, i), c.window.source(1, 0, j)) {
                        (Some(v), Some(u)) => input[(channel * h + v) * w + u],
                        _ => 0.0,
                    };
                }
                &*values
            };
            for o in group * to..(group + 1) * to {
                let sum = dot::<L>(&c.weights[o * depth..][..depth], values);
                arrays.output[o] = Epilogue::apply(sum, c.bias[o], arrays.added.map(|a| a[o]), c.bounds);
            }
        }
    }
}

/// The products of two slices of one length, summed.
#[allow(unsafe_code)]
#[inline(always)]
fn dot<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "two slices of one length");
    let mut sums = [L::splat(0.0); CHAINS];
    let whole = a.len() / (CHAINS * L::N) * (CHAINS * L::N);
    let (p, q) = (a.as_ptr(), b.as_ptr());
    let mut k = 0;
    while k < whole {
        for (chain, sum) in sums.iter_mut().enumerate() {
            let at = k + chain * L::N;
            // SAFETY: below `whole`.
            *sum = unsafe { sum.plus_product(L::load(p.add(at)), L::load(q.add(at))) };
        }
        k += CHAINS * L::N;
    }
    let sum = sums[0].plus(sums[1]).plus(sums[2].plus(sums[3]));
    let mut values = [0.0_f32; 16];
    // SAFETY: no vector is wider than sixteen.
    unsafe { sum.store(values[..L::N].as_mut_ptr()) };
    let rest: f32 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
    values[..L::N].iter().sum::<f32>() + rest
}
