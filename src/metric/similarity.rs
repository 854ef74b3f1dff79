//! How alike two pixel maps `[H, W]` are.

use super::stats;
use crate::Tensor;

/// A measure of likeness; 1 for equal maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Similarity {
    /// Spearman's correlation of the values.
    Spearman,
    /// Pearson's correlation of the values.
    Pearson,
    /// Structural similarity of the maps, each divided by its largest magnitude.
    Ssim,
    /// Cosine of the angle between the maps.
    Cosine,
}

impl Similarity {
    /// From a parameter's word `spearman`, `pearson`, `ssim` or `cosine`.
    pub fn of(word: &str) -> Self {
        match word {
            "pearson" => Self::Pearson,
            "ssim" => Self::Ssim,
            "cosine" => Self::Cosine,
            _ => Self::Spearman,
        }
    }

    /// The likeness of two maps of one shape, of their magnitudes where `absolute`; or why it is not defined.
    pub fn between(self, a: &Tensor, b: &Tensor, absolute: bool) -> Result<f64, &'static str> {
        let wide = |t: &Tensor| -> Vec<f64> {
            let part = if absolute {
                super::masked::Part::Absolute
            } else {
                super::masked::Part::Signed
            };
            part.values(t)
        };
        let (x, y) = (wide(a), wide(b));
        let flat = "a map with the same value everywhere has no correlation";
        match self {
            Self::Spearman => stats::spearman(&x, &y).ok_or(flat),
            Self::Pearson => stats::pearson(&x, &y).ok_or(flat),
            Self::Cosine => cosine(&x, &y).ok_or("a map of zeros has no direction"),
            Self::Ssim => {
                let &[height, width] = a.shape() else {
                    unreachable!("pixel maps are [H, W]")
                };
                ssim(&by_largest(x), &by_largest(y), height, width)
                    .ok_or("both maps are constant, or too small for windows of 3 × 3")
            }
        }
    }
}

fn by_largest(values: Vec<f64>) -> Vec<f64> {
    let top = values.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    if top > 0.0 {
        values.into_iter().map(|v| v / top).collect()
    } else {
        values
    }
}

fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let scale = dot(a, a).sqrt() * dot(b, b).sqrt();
    (scale > 0.0 && scale.is_finite()).then(|| (dot(a, b) / scale).clamp(-1.0, 1.0))
}

/// Structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861) as scikit-image has it by default: uniform
/// windows of side 7 (the largest odd side that fits, where the picture is smaller), sample covariances, the range of
/// both maps together, mean over the windows that lie inside. `None` where the range is zero or no window of 3 fits.
pub fn ssim(a: &[f64], b: &[f64], height: usize, width: usize) -> Option<f64> {
    let (low, high) = a
        .iter()
        .chain(b)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let found = windows(a, b, height, width, high - low)?;
    Some(found.values.iter().sum::<f64>() / found.values.len() as f64)
}

/// The structural similarity of each window.
pub struct Windows {
    /// Side of a window.
    pub side: usize,
    /// Windows across; the window `i` begins in column `i % columns` and row `i / columns`.
    pub columns: usize,
    /// One value a window.
    pub values: Vec<f64>,
}

/// The windows of [`ssim`], for values of a given range. `None` where that is not positive or no window of 3 fits.
pub fn windows(a: &[f64], b: &[f64], height: usize, width: usize, range: f64) -> Option<Windows> {
    let short = height.min(width);
    let side = 7.min(short.saturating_sub(usize::from(short.is_multiple_of(2))));
    if side < 3 || range <= 0.0 || !range.is_finite() {
        return None;
    }
    let (rows, columns) = (height - side + 1, width - side + 1);
    let count = (side * side) as f64;
    let sample = count / (count - 1.0);
    let (c1, c2) = ((0.01 * range).powi(2), (0.03 * range).powi(2));
    // Means over windows, separably: along rows, then down columns.
    let means = |f: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut along = vec![0.0; height * columns];
        for y in 0..height {
            for x in 0..columns {
                along[y * columns + x] = (x..x + side).map(|k| f(y * width + k)).sum();
            }
        }
        (0..rows * columns)
            .map(|i| (0..side).map(|k| along[i + k * columns]).sum::<f64>() / count)
            .collect()
    };
    let (ua, ub) = (means(&|i| a[i]), means(&|i| b[i]));
    let (uaa, ubb, uab) = (
        means(&|i| a[i] * a[i]),
        means(&|i| b[i] * b[i]),
        means(&|i| a[i] * b[i]),
    );
    let values = (0..rows * columns)
        .map(|i| {
            let (va, vb) = (sample * (uaa[i] - ua[i] * ua[i]), sample * (ubb[i] - ub[i] * ub[i]));
            let vab = sample * (uab[i] - ua[i] * ub[i]);
            let over = (2.0 * ua[i] * ub[i] + c1) * (2.0 * vab + c2);
            over / ((ua[i] * ua[i] + ub[i] * ub[i] + c1) * (va + vb + c2))
        })
        .collect();
    Some(Windows { side, columns, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(height: usize, width: usize, step: usize) -> Vec<f64> {
        (0..height * width)
            .map(|i| ((i * step) % 23) as f64 / 7.0 - 1.0)
            .collect()
    }

    /// From scikit-image 0.26: `structural_similarity(a, b, data_range=max - min of both)`; for the last `win_size=5`.
    #[test]
    fn structural_similarity_as_by_scikit_image() {
        for (height, width, steps, expected) in SSIM {
            let found = ssim(
                &wave(height, width, steps.0),
                &wave(height, width, steps.1),
                height,
                width,
            )
            .unwrap();
            assert!((found - expected).abs() < 1e-12, "{height}×{width}: {found} {expected}");
        }
    }

    const SSIM: [(usize, usize, (usize, usize), f64); 3] = [
        (12, 17, (5, 9), -0.238_072_734_364_926_54),
        (7, 30, (3, 4), 0.053_159_755_080_948_2),
        (6, 9, (2, 7), -0.103_150_057_838_411_66),
    ];

    #[test]
    fn equal_maps_are_alike_by_every_measure() {
        let map = Tensor::from_fn(&[9, 8], |i| ((i * 29) % 31) as f32 - 9.0);
        for word in ["spearman", "pearson", "ssim", "cosine"] {
            let found = Similarity::of(word).between(&map, &map, false).unwrap();
            assert!((found - 1.0).abs() < 1e-12, "{word}: {found}");
            let negative = map.map(|v| -v);
            let found = Similarity::of(word).between(&map, &negative, false).unwrap();
            // Where brightness and structure both turn over, structural similarity sees them alike.
            assert!(found < -0.9 || word == "ssim", "{word}: {found}");
            let found = Similarity::of(word).between(&map, &negative, true).unwrap();
            assert!((found - 1.0).abs() < 1e-12, "{word}: {found}");
        }
    }

    #[test]
    fn flat_maps_have_no_likeness() {
        let flat = Tensor::zeros(&[9, 8]);
        for word in ["spearman", "pearson", "ssim", "cosine"] {
            assert!(Similarity::of(word).between(&flat, &flat, false).is_err(), "{word}");
        }
        assert_eq!(ssim(&[0.0, 1.0], &[1.0, 0.0], 1, 2), None);
    }
}
