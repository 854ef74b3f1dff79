//! Separable resampling of 8-bit pictures as Pillow does it, with which most networks were trained: the filter widens
//! when shrinking, columns are done before rows, weights have 22 fractional bits, and each pass rounds to 8 bits.

use std::ops::Range;

use crate::model::card::Interpolation;

const BITS: u32 = 22;

/// Row-major bytes with interleaved channels.
pub(crate) struct Plane<'a> {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub data: &'a [u8],
}

/// The pixels `columns` × `rows` of the picture resized to `width` × `height`. Only what the window needs is computed,
/// so that the full size may be huge.
pub(crate) fn resize(
    from: &Plane<'_>,
    (width, height): (usize, usize),
    (columns, rows): (Range<usize>, Range<usize>),
    filter: Interpolation,
) -> Vec<u8> {
    let across = taps(from.width, width, &columns, filter);
    let down = taps(from.height, height, &rows, filter);
    let first = down.iter().map(|t| t.start).min().unwrap_or(0);
    let last = down.iter().map(|t| t.start + t.weights.len()).max().unwrap_or(0);
    let c = from.channels;
    let mut middle = Vec::with_capacity((last - first) * across.len() * c);
    for row in from.data.chunks_exact(from.width * c).take(last).skip(first) {
        for tap in &across {
            for k in 0..c {
                middle.push(tap.sum(|i| row[i * c + k]));
            }
        }
    }
    let stride = across.len() * c;
    let mut out = Vec::with_capacity(down.len() * stride);
    for tap in &down {
        for i in 0..stride {
            out.push(tap.sum(|row| middle[(row - first) * stride + i]));
        }
    }
    out
}

/// What one output pixel is made of, along one axis.
struct Tap {
    start: usize,
    weights: Vec<i32>,
}

impl Tap {
    fn sum(&self, at: impl Fn(usize) -> u8) -> u8 {
        if let [1] = self.weights[..] {
            return at(self.start);
        }
        let half = 1i64 << (BITS - 1);
        let sum: i64 = self
            .weights
            .iter()
            .enumerate()
            .map(|(i, &w)| i64::from(w) * i64::from(at(self.start + i)))
            .sum();
        ((sum + half) >> BITS).clamp(0, 255) as u8
    }
}

/// Triangle of half-width 1.
fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Cubic convolution with `a = -0.5` (Catmull–Rom), half-width 2.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// A weight of exactly one whole pixel is `[1]`, which skips rounding; others have [`BITS`] fractional bits.
fn taps(from: usize, to: usize, window: &Range<usize>, filter: Interpolation) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let (kernel, half): (fn(f64) -> f64, f64) = match filter {
        Interpolation::Nearest => {
            let nearest = |x: usize| (((x as f64 + 0.5) * scale) as usize).min(from - 1);
            return window
                .clone()
                .map(|x| Tap {
                    start: nearest(x),
                    weights: vec![1],
                })
                .collect();
        }
        _ if from == to => {
            return window
                .clone()
                .map(|x| Tap {
                    start: x,
                    weights: vec![1],
                })
                .collect();
        }
        Interpolation::Bilinear => (triangle, 1.0),
        Interpolation::Bicubic => (cubic, 2.0),
    };
    let widen = scale.max(1.0);
    let support = half * widen;
    let tap = |x: usize| {
        let centre = (x as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (start..end)
            .map(|i| kernel((i as f64 - centre + 0.5) / widen))
            .collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: &f64| (w / sum * f64::from(1u32 << BITS)).round() as i32;
        Tap {
            start,
            weights: weights.iter().map(fixed).collect(),
        }
    };
    window.clone().map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(data: &[u8]) -> Plane<'_> {
        Plane {
            width: data.len(),
            height: 1,
            channels: 1,
            data,
        }
    }

    #[test]
    fn the_same_size_changes_nothing_and_a_flat_picture_stays_flat() {
        let data: Vec<u8> = (0..=255).collect();
        let flat = [77u8; 100];
        for filter in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic] {
            assert_eq!(resize(&row(&data), (256, 1), (0..256, 0..1), filter), data);
            assert_eq!(resize(&row(&flat), (33, 5), (0..33, 0..5), filter), [77; 165]);
        }
    }

    #[test]
    fn a_window_is_part_of_the_whole() {
        let data: Vec<u8> = (0..40 * 30 * 3).map(|i| (i * 31 % 251) as u8).collect();
        let plane = Plane {
            width: 40,
            height: 30,
            channels: 3,
            data: &data,
        };
        let whole = resize(&plane, (25, 17), (0..25, 0..17), Interpolation::Bicubic);
        let part = resize(&plane, (25, 17), (4..20, 3..9), Interpolation::Bicubic);
        let expected: Vec<u8> = (3..9)
            .flat_map(|y| whole[(y * 25 + 4) * 3..(y * 25 + 20) * 3].to_vec())
            .collect();
        assert_eq!(part, expected);
    }

    #[test]
    fn halving_a_step_by_triangles_spreads_it_over_two_pixels() {
        // Pillow 13: Image.fromarray([[0, 0, 0, 0, 255, 255, 255, 255]]).resize((4, 1), BILINEAR)
        let step = [0, 0, 0, 0, 255, 255, 255, 255];
        assert_eq!(
            resize(&row(&step), (4, 1), (0..4, 0..1), Interpolation::Bilinear),
            [0, 32, 223, 255]
        );
    }
}
