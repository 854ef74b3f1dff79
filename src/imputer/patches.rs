//! What imputers that copy patches share: pictures with known and unknown pixels, and how many of a rectangle are known.

use crate::{Input, Mask, Tensor};

/// A picture of which some pixels are known, channels next to each other.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// `[H, W, C]`, 0 where unknown; and [`LANES`] more, so that sums may read past the end.
    pub values: Vec<f32>,
    /// `[H, W]`.
    pub known: Vec<bool>,
}

impl Canvas {
    pub fn new(input: &Input, removed: &Mask) -> Self {
        let [channels, height, width] = input.dims();
        let pixels = height * width;
        let mut values = vec![0.0; pixels * channels + LANES];
        let pictured = &mut values[..pixels * channels];
        for (i, pixel) in pictured.chunks_exact_mut(channels.max(1)).enumerate() {
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
            values: vec![0.0; height * width * self.channels + LANES],
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

/// Sums run side by side.
pub(super) const LANES: usize = 8;
/// Sums under way.
pub(super) type Lanes = [f32; LANES];

/// All lanes together.
pub(super) fn total(lanes: &Lanes) -> f32 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// `value` where the mask has bits, else 0, whatever the value.
fn masked(value: f32, mask: u32) -> f32 {
    f32::from_bits(value.to_bits() & mask)
}

/// A row of a patch in lanes: its values, and all bits for those that count, else none.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    values: &'a [[f32; LANES]],
    masks: &'a [[u32; LANES]],
}

impl<'a> Row<'a> {
    /// Both of the same length, a multiple of [`LANES`].
    pub fn new(values: &'a [f32], masks: &'a [u32]) -> Self {
        Self {
            values: values.as_chunks().0,
            masks: masks.as_chunks().0,
        }
    }

    /// Adds to `sums` the squared differences of values that count in both.
    #[inline]
    pub fn squares(self, other: Row<'_>, sums: &mut Lanes) {
        let others = other.values.iter().zip(other.masks);
        for ((a, of_a), (b, of_b)) in self.values.iter().zip(self.masks).zip(others) {
            for k in 0..LANES {
                let d = masked(a[k] - b[k], of_a[k] & of_b[k]);
                sums[k] += d * d;
            }
        }
    }
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
        assert_eq!(half.values[..4], [4.0, 4.0, 0.0, 0.0]);
        assert_eq!(half.known, [true, true, false, false]);
    }

    #[test]
    fn rings_grow_from_the_known_ones() {
        let mut c = canvas(&[2.0, 0.0, 0.0, 0.0, 6.0], &[true, false, false, false, true], 5);
        assert_eq!(c.steps_to_known(), [0, 1, 2, 1, 0]);
        c.peel();
        assert_eq!(c.values[..5], [2.0, 2.0, 4.0, 6.0, 6.0]);
    }

    #[test]
    fn counts_and_squares_by_hand() {
        let counts = Counts::new(&[true, false, true, true, true, false], 3);
        assert_eq!(counts.within(0, 0, 2, 3), 4);
        assert_eq!(counts.within(1, 1, 1, 2), 1);
        let a: Vec<f32> = (0..24u8).map(f32::from).collect();
        let first: Vec<u32> = (0..24).map(|k| if k < 19 { u32::MAX } else { 0 }).collect();
        let even: Vec<u32> = (0..24).map(|k| if k % 2 == 0 { u32::MAX } else { 0 }).collect();
        let mut sums = Lanes::default();
        Row::new(&a, &first).squares(Row::new(&[0.0; 24], &first), &mut sums);
        assert!((total(&sums) - 2109.0).abs() < 1e-3);
        let mut sums = Lanes::default();
        Row::new(&a, &first).squares(Row::new(&[0.0; 24], &even), &mut sums);
        assert!((total(&sums) - 1140.0).abs() < 1e-3);
    }
}
