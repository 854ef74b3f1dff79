//! Kernels that are in use, by what they compute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::kernel::{Conv, Deconv, Epilogue, Window};

/// What a convolution, or its adjoint, is made from.
pub(super) struct Recipe<'a> {
    pub window: Window,
    /// `[in, out]` of the convolution.
    pub channels: [usize; 2],
    pub groups: usize,
    /// `[out, in / groups, kernel h, kernel w]`.
    pub weights: &'a [f32],
    pub epilogue: Epilogue,
}

/// Kernels of one kind, by what they are made from.
type Shelf<K> = Mutex<BTreeMap<[u64; 2], Weak<K>>>;

/// Kernels of the plans of one network. A kernel lives as long as a plan that uses it.
#[derive(Debug, Default)]
pub(in crate::graph) struct Store {
    convolutions: Shelf<Conv>,
    transposed: Shelf<Deconv>,
}

impl Store {
    /// A convolution as [`Conv::new`] makes it; the one that is in use, if there is one.
    pub(super) fn conv(&self, recipe: Recipe) -> Arc<Conv> {
        taken(&self.convolutions, recipe, |r| {
            Conv::new(r.window, r.channels, r.groups, r.weights, r.epilogue)
        })
    }

    /// An adjoint as [`Deconv::new`] makes it; the one that is in use, if there is one.
    pub(super) fn deconv(&self, recipe: Recipe) -> Arc<Deconv> {
        taken(&self.transposed, recipe, |r| {
            Deconv::new(r.window, r.channels, r.groups, r.weights, r.epilogue)
        })
    }

    /// Number of convolutions in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let known = self.convolutions.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|kernel| kernel.strong_count() > 0).count()
    }
}

fn taken<K>(shelf: &Shelf<K>, recipe: Recipe, make: impl FnOnce(Recipe) -> K) -> Arc<K> {
    let digest = Digest::of(&recipe);
    let mut known = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kernel) = known.get(&digest).and_then(Weak::upgrade) {
        return kernel;
    }
    known.retain(|_, kernel| kernel.strong_count() > 0);
    let kernel = Arc::new(make(recipe));
    known.insert(digest, Arc::downgrade(&kernel));
    kernel
}

/// 128 bits that differ between different contents, but for chance.
#[derive(Default)]
struct Digest([u64; 2]);

impl Digest {
    fn of(recipe: &Recipe) -> [u64; 2] {
        let mut digest = Self::default();
        let Window {
            input,
            output,
            kernel,
            stride,
            dilation,
            before,
        } = recipe.window;
        for pair in [input, output, kernel, stride, dilation, before, recipe.channels] {
            digest.number(pair[0]);
            digest.number(pair[1]);
        }
        digest.number(recipe.groups);
        let Epilogue { bias, low, high } = &recipe.epilogue;
        digest.values(&[*low, *high]);
        digest.values(bias.as_deref().unwrap_or_default());
        digest.values(recipe.weights);
        digest.0
    }

    fn word(&mut self, word: u64) {
        // Two multiplicative hashes with odd factors (of SplitMix64 and of Knuth's generator), each with a rotation, so
        // that every bit reaches all others after a few words.
        self.0[0] = (self.0[0] ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29);
        self.0[1] = (self.0[1].rotate_left(23) ^ word).wrapping_mul(0x5851_f42d_4c95_7f2d);
    }

    fn number(&mut self, number: usize) {
        self.word(number as u64 + 1);
    }

    fn values(&mut self, values: &[f32]) {
        let mut pairs = values.chunks_exact(2);
        for pair in &mut pairs {
            self.word(u64::from(pair[0].to_bits()) << 32 | u64::from(pair[1].to_bits()));
        }
        for value in pairs.remainder() {
            self.word(u64::from(value.to_bits()));
        }
        self.number(values.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(channels: [usize; 2], weights: &[f32], epilogue: Epilogue) -> Recipe<'_> {
        let window = Window {
            input: [4, 4],
            output: [4, 4],
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
        };
        Recipe {
            window,
            channels,
            groups: 1,
            weights,
            epilogue,
        }
    }

    #[test]
    fn equal_kernels_are_one_and_others_are_not() {
        let store = Store::default();
        let of = |weights: &[f32], high: f32| {
            let epilogue = Epilogue {
                high,
                ..Epilogue::default()
            };
            store.conv(recipe([2, 1], weights, epilogue))
        };
        let first = of(&[1.0, 2.0], 6.0);
        assert!(Arc::ptr_eq(&first, &of(&[1.0, 2.0], 6.0)));
        assert!(!Arc::ptr_eq(&first, &of(&[2.0, 1.0], 6.0)));
        assert!(!Arc::ptr_eq(&first, &of(&[1.0, 2.0], 5.0)));
        assert!(!Arc::ptr_eq(&first, &of(&[1.0, -2.0], 6.0)));
    }

    #[test]
    fn a_kernel_that_no_plan_uses_is_let_go() {
        let store = Store::default();
        let kernel = store.conv(recipe([1, 1], &[1.0], Epilogue::default()));
        let gone = Arc::downgrade(&kernel);
        drop(kernel);
        assert_eq!(gone.strong_count(), 0);
        let _other = store.conv(recipe([1, 1], &[2.0], Epilogue::default()));
        assert_eq!(store.convolutions.lock().unwrap().len(), 1);
    }
}
