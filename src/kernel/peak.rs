//! How fast this processor multiplies and adds: what the other kernels are measured against.

use super::isa::{Isa, Work};
use super::lanes::Lanes;

/// Sums side by side: enough that none waits for the one before.
const CHAINS: usize = 12;

/// Does `rounds` rounds of multiplications and additions in registers alone, with the instructions that the kernels
/// use. Returns how many operations these were, two for each multiplication with its addition.
pub fn multiply_adds(rounds: usize) -> usize {
    let mut values = [1e-6; 16];
    let mut lanes = 0;
    Isa::best().run(Loop {
        rounds,
        values: &mut values,
        lanes: &mut lanes,
    });
    std::hint::black_box(values);
    rounds * CHAINS * lanes * 2
}

struct Loop<'a> {
    rounds: usize,
    values: &'a mut [f32; 16],
    lanes: &'a mut usize,
}

impl Work for Loop<'_> {
    #[allow(unsafe_code)]
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let [a, b] = [L::splat(self.values[0]), L::splat(self.values[1])];
        let mut sums = [L::splat(0.5); CHAINS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = sum.plus_product(a, b);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = total.plus(*sum);
        }
        // SAFETY: no vector is wider than sixteen.
        unsafe { total.store(self.values[..L::N].as_mut_ptr()) };
        *self.lanes = L::N;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_counted() {
        assert_eq!(multiply_adds(20), 2 * multiply_adds(10));
        assert!(multiply_adds(1) >= 2 * CHAINS * 4);
    }
}
