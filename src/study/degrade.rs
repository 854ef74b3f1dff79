//! Explanations made worse on purpose, so that their order is known.

use crate::Tensor;
use crate::rng::SeedStream;

/// Shares of the pixels that are scrambled, in percent.
pub const LEVELS: [usize; 4] = [20, 40, 60, 80];

/// The name of the map of `method` at a level.
pub fn name(method: &str, level: usize) -> String {
    format!("{method}~{level}")
}

/// `relevance` `[H, W]` with the values of a random `percent` of its pixels shuffled among them; the pixels of a lower level are
/// among those of a higher one.
pub fn scramble(relevance: &Tensor, percent: usize, random: &SeedStream) -> Tensor {
    let order = random.stream("study/scrambled-pixels").permutation(relevance.len());
    let pixels = &order[..relevance.len() * percent / 100];
    let shuffle = random.stream("study/scrambled-values").permutation(pixels.len());
    let mut out = relevance.clone();
    for (&to, from) in pixels.iter().zip(shuffle) {
        out.data_mut()[to] = relevance.data()[pixels[from]];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_and_more_of_the_same_values_move() {
        let map = Tensor::from_fn(&[20, 20], |i| i as f32);
        let random = SeedStream::new(2);
        let mut before = 0;
        for level in LEVELS {
            let found = scramble(&map, level, &random);
            let moved = found
                .data()
                .iter()
                .zip(map.data())
                .filter(|(a, b)| (**a - **b).abs() > 0.5)
                .count();
            assert!(moved > before && moved <= 4 * level, "{level}: {moved}");
            let mut values = found.data().to_vec();
            values.sort_by(f32::total_cmp);
            assert_eq!(values, map.data());
            before = moved;
        }
    }
}
