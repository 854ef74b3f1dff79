//! What imputers that copy patches share: pictures with known and unknown pixels, and how many of a rectangle are known.

use crate::{Input, Mask, Tensor};

/// A picture of which some pixels are known, channels next to each other.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// `[H, W, C]`; 0 where unknown.
    pub values: Vec<f32>,
    /// `[H, W]`.
    pub known: Vec<bool>,
}

impl Canvas {
    pub fn new(input: &Input, removed: &Mask) -> Self {
        let [channels, height, width] = input.dims();
        let pixels = height * width;
        let mut values = vec![0.0; pixels * channels];
        for (i, pixel) in values.chunks_exact_mut(channels.max(1)).enumerate() {
            if !removed.bits()[i] {
                for (c, value) in pixel.iter_mut().enumerate() {
                    *value = input.tensor.data()[c * pixels + i];
                }
            }
        }
        Self {
            height,
            width,
            channels,
            values,
            known: removed.bits().iter().map(|gone| !gone).collect(),
        }
    }

    pub fn pixel(&self, i: usize) -> &[f32] {
        &self.values[i * self.channels..][..self.channels]
    }

    /// Sets pixel `i` to the mean of others. Means of equal values are those values, bit for bit.
    fn average(&mut self, i: usize, of: &[usize], from: Option<&Self>) {
        for c in 0..self.channels {
            let at = |&k: &usize| from.unwrap_or(self).values[k * self.channels + c];
            let first = at(&of[0]);
            let rest: f32 = of.iter().map(|k| at(k) - first).sum();
            self.values[i * self.channels + c] = first + rest / of.len() as f32;
        }
    }

    /// Half the size: a pixel is the mean of those of its four (at odd borders fewer) that are known, unknown where none is.
    pub fn halved(&self) -> Self {
        let (height, width) = (self.height.div_ceil(2), self.width.div_ceil(2));
        let mut half = Self {
            height,
            width,
            channels: self.channels,
            values: vec![0.0; height * width * self.channels],
            known: vec![false; height * width],
        };
        for i in 0..height * width {
            let (y, x) = (i / width * 2, i % width * 2);
            let rows = y..(y + 2).min(self.height);
            let parts: Vec<usize> = rows
                .flat_map(|y| (x..(x + 2).min(self.width)).map(move |x| y * self.width + x))
                .filter(|&k| self.known[k])
                .collect();
            if !parts.is_empty() {
                half.average(i, &parts, Some(self));
                half.known[i] = true;
            }
        }
        half
    }

    /// Gives unknown pixels the mean of their neighbours that have a value by then, ring by ring from the known ones.
    pub fn peel(&mut self) {
        let mut valued = self.known.clone();
        let mut open: Vec<usize> = (0..valued.len()).filter(|&i| !valued[i]).collect();
        while !open.is_empty() {
            let ring: Vec<(usize, Vec<usize>)> = open
                .iter()
                .map(|&i| (i, self.around(i).into_iter().filter(|&k| valued[k]).collect::<Vec<_>>()))
                .filter(|(_, of)| !of.is_empty())
                .collect();
            if ring.is_empty() {
                return;
            }
            for (i, of) in &ring {
                self.average(*i, of, None);
            }
            for (i, _) in ring {
                valued[i] = true;
            }
            open.retain(|&i| !valued[i]);
        }
    }

    fn around(&self, i: usize) -> Vec<usize> {
        let (y, x) = (i / self.width, i % self.width);
        let rows = y.saturating_sub(1)..(y + 2).min(self.height);
        rows.flat_map(|row| (x.saturating_sub(1)..(x + 2).min(self.width)).map(move |column| row * self.width + column))
            .filter(|&k| k != i)
            .collect()
    }

    /// Steps up, down, left and right from each pixel to the nearest known one.
    pub fn steps_to_known(&self) -> Vec<u32> {
        let mut steps: Vec<u32> = self.known.iter().map(|&k| if k { 0 } else { u32::MAX }).collect();
        let mut front: Vec<usize> = (0..steps.len()).filter(|&i| self.known[i]).collect();
        let mut depth = 0;
        while !front.is_empty() {
            depth += 1;
            let mut next = Vec::new();
            for i in front {
                for k in beside(i, self.height, self.width) {
                    if steps[k] == u32::MAX {
                        steps[k] = depth;
                        next.push(k);
                    }
                }
            }
            front = next;
        }
        steps
    }

    /// 1 for each value of a pixel of `of`, else 0; `[H, W, C]`.
    pub fn weights(&self, of: &[bool]) -> Vec<f32> {
        let values = of
            .iter()
            .flat_map(|&k| std::iter::repeat_n(f32::from(u8::from(k)), self.channels));
        values.collect()
    }

    /// As `[C, H, W]`.
    pub fn planes(&self) -> Tensor {
        let pixels = self.height * self.width;
        Tensor::from_fn(&[self.channels, self.height, self.width], |i| {
            self.values[i % pixels * self.channels + i / pixels]
        })
    }
}

/// The pixels above, below, left and right of `i`.
pub(super) fn beside(i: usize, height: usize, width: usize) -> impl Iterator<Item = usize> {
    let (y, x) = (i / width, i % width);
    let up = (y > 0).then(|| i - width);
    let down = (y + 1 < height).then(|| i + width);
    let left = (x > 0).then(|| i - 1);
    let right = (x + 1 < width).then(|| i + 1);
    [up, down, left, right].into_iter().flatten()
}

/// Sum of squared differences.
pub(super) fn squares(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut sum = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>();
    for (a, b) in a.zip(b) {
        for k in 0..8 {
            let d = a[k] - b[k];
            lanes[k] += d * d;
        }
    }
    for lane in lanes {
        sum += lane;
    }
    sum
}

/// Sum of squared differences, each times both weights; and the sum of the weights' products.
pub(super) fn weighed(a: &[f32], b: &[f32], of_a: &[f32], of_b: &[f32]) -> (f32, f32) {
    let (mut sums, mut weights) = ([0f32; 8], [0f32; 8]);
    let whole = a.len() / 8 * 8;
    let parts = a[..whole].chunks_exact(8).zip(b.chunks_exact(8));
    let parts = parts.zip(of_a.chunks_exact(8)).zip(of_b.chunks_exact(8));
    for (((a, b), of_a), of_b) in parts {
        for k in 0..8 {
            let (d, w) = (a[k] - b[k], of_a[k] * of_b[k]);
            sums[k] += w * d * d;
            weights[k] += w;
        }
    }
    for k in whole..a.len() {
        let (d, w) = (a[k] - b[k], of_a[k] * of_b[k]);
        sums[0] += w * d * d;
        weights[0] += w;
    }
    (sums.iter().sum(), weights.iter().sum())
}

/// How many pixels of a rectangle are known.
pub(super) struct Counts {
    width: usize,
    sums: Vec<u32>,
}

impl Counts {
    pub fn new(known: &[bool], width: usize) -> Self {
        let mut sums = vec![0u32; (known.len() / width.max(1) + 1) * (width + 1)];
        for (y, row) in known.chunks_exact(width).enumerate() {
            let mut line = 0;
            for (x, &k) in row.iter().enumerate() {
                line += u32::from(k);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + line;
            }
        }
        Self { width, sums }
    }

    /// Of `height` rows from `top` and `width` columns from `left`.
    pub fn within(&self, top: usize, left: usize, height: usize, width: usize) -> u32 {
        let at = |y: usize, x: usize| self.sums[y * (self.width + 1) + x];
        at(top + height, left + width) + at(top, left) - at(top, left + width) - at(top + height, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(values: &[f32], known: &[bool], width: usize) -> Canvas {
        let height = known.len() / width;
        let input = Input::preprocessed(Tensor::new(&[1, height, width], values.to_vec()));
        Canvas::new(&input, &Mask::new(height, width, known.iter().map(|k| !k).collect()))
    }

    #[test]
    fn halves_average_what_is_known() {
        let known = [true, false, true, true, true, true, false, false, false];
        let half = canvas(&[1.0, 9.0, 3.0, 4.0, 7.0, 5.0, 9.0, 9.0, 9.0], &known, 3).halved();
        assert_eq!((half.height, half.width), (2, 2));
        assert_eq!(half.values, [4.0, 4.0, 0.0, 0.0]);
        assert_eq!(half.known, [true, true, false, false]);
    }

    #[test]
    fn rings_grow_from_the_known_ones() {
        let mut c = canvas(&[2.0, 0.0, 0.0, 0.0, 6.0], &[true, false, false, false, true], 5);
        assert_eq!(c.steps_to_known(), [0, 1, 2, 1, 0]);
        c.peel();
        assert_eq!(c.values, [2.0, 2.0, 4.0, 6.0, 6.0]);
    }

    #[test]
    fn counts_and_squares_by_hand() {
        let counts = Counts::new(&[true, false, true, true, true, false], 3);
        assert_eq!(counts.within(0, 0, 2, 3), 4);
        assert_eq!(counts.within(1, 1, 1, 2), 1);
        let (a, b): (Vec<f32>, Vec<f32>) = ((0..19u8).map(f32::from).collect(), vec![0.0; 19]);
        assert!((squares(&a, &b) - 2109.0).abs() < 1e-3);
        let even: Vec<f32> = (0..19u8).map(|k| f32::from(1 - k % 2)).collect();
        let (sum, weight) = weighed(&a, &b, &even, &[1.0; 19]);
        assert!(
            (sum - 1140.0).abs() < 1e-3 && (weight - 10.0).abs() < 1e-6,
            "{sum} {weight}"
        );
    }
}
