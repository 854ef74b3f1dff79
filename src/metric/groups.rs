//! Pixels that are removed together: runs of a ranking, patches, segments; ranked by their relevance.

use super::curve::{Order, ranked, share};
use crate::rng::SeedStream;
use crate::{Mask, Tensor};

/// Groups of pixels, most relevant first. Equal groups stand in the seeded order of [`ranked`].
#[derive(Clone, Debug)]
pub struct Groups {
    height: usize,
    width: usize,
    members: Vec<Vec<usize>>,
    relevance: Vec<f64>,
}

/// What a group's relevance is made of that of its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

impl Groups {
    /// The pixels in the order of their relevance `[H, W]`, cut into `steps` runs as equal as rounding allows.
    pub fn runs(relevance: &Tensor, steps: usize, random: &SeedStream) -> Self {
        let order = ranked(relevance.data(), random);
        let cut = |k: usize| share(k, steps, order.len());
        let members: Vec<Vec<usize>> = (0..steps).map(|k| order[cut(k)..cut(k + 1)].to_vec()).collect();
        let sums = members.iter().map(|m| sum(relevance, m)).collect();
        Self {
            height: relevance.shape()[0],
            width: relevance.shape()[1],
            members,
            relevance: sums,
        }
    }

    /// The groups that `labels` names pixel by pixel; a label that no pixel has makes no group.
    pub fn labelled(relevance: &Tensor, labels: &[usize], worth: Worth, random: &SeedStream) -> Self {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); labels.iter().max().map_or(0, |top| top + 1)];
        for (i, &label) in labels.iter().enumerate() {
            members[label].push(i);
        }
        members.retain(|m| !m.is_empty());
        let values: Vec<f64> = members
            .iter()
            .map(|m| match worth {
                Worth::Sum => sum(relevance, m),
                Worth::Mean => sum(relevance, m) / m.len() as f64,
            })
            .collect();
        let order = ranked(&values, random);
        Self {
            height: relevance.shape()[0],
            width: relevance.shape()[1],
            members: order.iter().map(|&k| std::mem::take(&mut members[k])).collect(),
            relevance: order.iter().map(|&k| values[k]).collect(),
        }
    }

    /// Squares of `side` pixels by the sum of their relevance; those at the borders are cut equally on both sides.
    pub fn patches(relevance: &Tensor, side: usize, random: &SeedStream) -> Self {
        let (height, width) = (relevance.shape()[0], relevance.shape()[1]);
        Self::labelled(relevance, &patch_labels(height, width, side), Worth::Sum, random)
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn at(&self, order: Order, k: usize) -> usize {
        match order {
            Order::Morf => k,
            Order::Lerf => self.len() - 1 - k,
        }
    }

    /// Relevance of the `k`-th group of an order.
    pub fn relevance(&self, order: Order, k: usize) -> f64 {
        self.relevance[self.at(order, k)]
    }

    /// The pixels of the `k`-th group of an order.
    pub fn only(&self, order: Order, k: usize) -> Mask {
        self.mask(std::iter::once(self.at(order, k)))
    }

    /// The pixels of the first `count` groups of an order.
    pub fn first(&self, order: Order, count: usize) -> Mask {
        self.mask((0..count).map(|k| self.at(order, k)))
    }

    fn mask(&self, groups: impl Iterator<Item = usize>) -> Mask {
        let mut mask = Mask::all(self.height, self.width, false);
        for group in groups {
            for &i in &self.members[group] {
                mask.bits_mut()[i] = true;
            }
        }
        mask
    }

    /// How many pixels the first 0, 1, … `count` groups of an order hold.
    pub fn sizes(&self, order: Order, count: usize) -> Vec<usize> {
        let sizes = (0..count).scan(0, |sum, k| {
            *sum += self.members[self.at(order, k)].len();
            Some(*sum)
        });
        std::iter::once(0).chain(sizes).collect()
    }
}

fn sum(relevance: &Tensor, pixels: &[usize]) -> f64 {
    pixels.iter().map(|&i| f64::from(relevance.data()[i])).sum()
}

/// How many squares of `side` cover a picture.
pub fn patch_count(height: usize, width: usize, side: usize) -> usize {
    height.div_ceil(side) * width.div_ceil(side)
}

/// The square of each pixel, row by row. What is missing to whole squares is missing half before and half after, the
/// odd pixel after.
pub fn patch_labels(height: usize, width: usize, side: usize) -> Vec<usize> {
    let before = |length: usize| (length.div_ceil(side) * side - length) / 2;
    let (top, left, columns) = (before(height), before(width), width.div_ceil(side));
    (0..height * width)
        .map(|i| (i / width + top) / side * columns + (i % width + left) / side)
        .collect()
}

/// The cell of each pixel in a grid of `grid` × `grid` cells stretched over the picture (nearest neighbour, centres).
pub fn grid_labels(height: usize, width: usize, grid: usize) -> Vec<usize> {
    let cell = |at: usize, length: usize| (2 * at + 1) * grid / (2 * length);
    (0..height * width)
        .map(|i| cell(i / width, height) * grid + cell(i % width, width))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_squares_are_shared_between_both_sides() {
        // 5 = 8 - 3: one pixel missing before, two after.
        assert_eq!(patch_labels(1, 5, 4), [0, 0, 0, 1, 1]);
        assert_eq!(patch_labels(4, 4, 2), [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
        assert_eq!(patch_count(5, 9, 4), 6);
    }

    #[test]
    fn grids_are_stretched_by_centres() {
        assert_eq!(grid_labels(1, 5, 2), [2, 2, 3, 3, 3]);
        assert_eq!(grid_labels(2, 2, 2), [0, 1, 2, 3]);
    }

    #[test]
    fn groups_stand_by_their_relevance() {
        let relevance = Tensor::new(&[2, 3], vec![1.0, 0.0, 5.0, 0.0, 2.0, -9.0]);
        let groups = Groups::labelled(&relevance, &[0, 0, 1, 3, 3, 1], Worth::Sum, &SeedStream::new(0));
        assert_eq!(groups.len(), 3);
        let found = [0, 1, 2].map(|k| groups.relevance(Order::Morf, k).to_string());
        assert_eq!(found, ["2", "1", "-4"]);
        assert_eq!(
            groups.only(Order::Lerf, 0).bits(),
            [false, false, true, false, false, true]
        );
        assert_eq!(groups.first(Order::Morf, 2), groups.first(Order::Lerf, 1).complement());
        assert_eq!(groups.sizes(Order::Morf, 3), [0, 2, 4, 6]);
        let runs = Groups::runs(&relevance, 4, &SeedStream::new(0));
        assert_eq!(runs.sizes(Order::Morf, 4), [0, 2, 3, 5, 6]);
        assert_eq!(runs.relevance(Order::Morf, 0).to_bits(), 7f64.to_bits());
    }
}
