//! The one source of randomness: named streams derived from a seed, or draws recorded by a reference.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sha2::{Digest, Sha256};

use crate::Tensor;

/// Derives independent named random streams from one seed. The same seed and name give the same bits everywhere.
#[derive(Clone, Debug, Default)]
pub struct SeedStream {
    seed: u64,
    repetition: u32,
    recorded: BTreeMap<String, Tensor>,
}

impl SeedStream {
    /// Streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            repetition: 0,
            recorded: BTreeMap::new(),
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Replaces the stream `name` by draws that a reference implementation made, so that results can be compared
    /// without comparing two random generators.
    #[must_use]
    pub fn with_recorded(mut self, name: &str, draws: Tensor) -> Self {
        self.recorded.insert(name.to_owned(), draws);
        self
    }

    /// The recorded draws of stream `name`, if a reference supplied them.
    pub fn recorded(&self, name: &str) -> Option<&Tensor> {
        self.recorded.get(name)
    }

    /// The streams of repetition `k` of the same seed; repetition 0 has the streams of this. Recorded draws stay.
    #[must_use]
    pub fn draw(&self, k: u32) -> Self {
        Self {
            repetition: k,
            ..self.clone()
        }
    }

    /// The stream called `name`, by convention `"<id>/<what>"`, from its beginning.
    pub fn stream(&self, name: &str) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(name.as_bytes());
        if self.repetition > 0 {
            hash.update([0]);
            hash.update(self.repetition.to_le_bytes());
        }
        Stream {
            rng: ChaCha8Rng::from_seed(hash.finalize().into()),
            recorded: self.recorded.get(name).cloned(),
            next: 0,
        }
    }
}

/// A random stream. Recorded draws are returned in order, whichever distribution is asked for.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
    recorded: Option<Tensor>,
    next: usize,
}

impl Stream {
    fn replay(&mut self) -> Option<f32> {
        let draws = self.recorded.as_ref()?.data();
        let value = draws[self.next % draws.len()];
        self.next += 1;
        Some(value)
    }

    /// A uniform draw in `[0, 1)`.
    pub fn uniform(&mut self) -> f32 {
        self.replay().unwrap_or_else(|| self.rng.random::<f32>())
    }

    /// A standard normal draw.
    pub fn normal(&mut self) -> f32 {
        self.replay().unwrap_or_else(|| StandardNormal.sample(&mut self.rng))
    }

    /// A uniform index in `0..n`; `n` must be positive.
    pub fn index(&mut self, n: usize) -> usize {
        match self.replay() {
            Some(value) => (value as usize).min(n - 1),
            None => (self.rng.next_u64() % n as u64) as usize,
        }
    }

    /// A random permutation of `0..n` (Fisher–Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.index(i + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_name_fix_the_stream() {
        let draws = |seed, name: &str| {
            let mut s = SeedStream::new(seed).stream(name);
            (0..8).map(|_| s.uniform()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1, "a"), draws(1, "a"));
        assert_ne!(draws(1, "a"), draws(2, "a"));
        assert_ne!(draws(1, "a"), draws(1, "b"));
    }

    #[test]
    fn a_permutation_holds_each_index_once() {
        let mut order = SeedStream::new(7).stream("p").permutation(100);
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn recorded_draws_replace_a_stream() {
        let seeds = SeedStream::new(0).with_recorded("x", Tensor::new(&[2], vec![0.25, -3.0]));
        let mut s = seeds.stream("x");
        assert_eq!(
            [s.uniform().to_bits(), s.normal().to_bits()],
            [0.25f32, -3.0].map(f32::to_bits)
        );
    }
}
