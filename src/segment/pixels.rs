//! The picture as segmenters see it.

use crate::Input;

/// A picture in `f64`, row-major, three values a pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// One triple a pixel: RGB in `[0, 1]`, or what it was converted to.
    pub values: Vec<[f64; 3]>,
}

/// How far off `[0, 1]` a value of a known pixel space may be by rounding.
const SLACK: f64 = 1e-3;

impl Pixels {
    /// RGB of `input` in `[0, 1]`. Gray pictures have three equal channels; of more than three the first three count.
    /// A value within a thousandth of a step of an 8-bit level is that level, so that rounding in normalisation breaks
    /// no tie. Network values without a known pixel space that leave `[0, 1]` are brought to it by their least and
    /// largest value.
    pub fn of(input: &Input) -> Self {
        let [channels, height, width] = input.dims();
        let n = height * width;
        let value = |c: usize, i: usize| {
            let c = if channels < 3 { 0 } else { c };
            let x = f64::from(input.tensor.data()[c * n + i]);
            x * f64::from(input.space.std[c]) + f64::from(input.space.mean[c])
        };
        let mut values: Vec<[f64; 3]> = (0..n).map(|i| [value(0, i), value(1, i), value(2, i)]).collect();
        let (low, high) = range(&values);
        let outside = low < -SLACK || high > 1.0 + SLACK;
        let span = if high > low { high - low } else { 1.0 };
        for v in values.as_flattened_mut() {
            if outside {
                *v = (*v - low) / span;
            }
            let level = (*v * 255.0).round();
            if (*v * 255.0 - level).abs() < 1e-3 {
                *v = level * (1.0 / 255.0);
            }
        }
        Self { height, width, values }
    }

    /// Every value moved so that the least is 0 and the largest 1; flat pictures become 0.
    #[must_use]
    pub fn stretched(&self) -> Self {
        let (low, high) = range(&self.values);
        let span = if high > low { high - low } else { 1.0 };
        self.map(|v| v.map(|x| (x - low) / span))
    }

    /// Each pixel through `f`.
    #[must_use]
    pub fn map(&self, f: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        let values = self.values.iter().map(|&v| f(v)).collect();
        Self { values, ..*self }
    }

    /// sRGB to CIE L\*a\*b\* under D65, 2° observer, with scikit-image's constants.
    #[must_use]
    pub fn lab(&self) -> Self {
        self.map(|rgb| {
            let [r, g, b] = rgb.map(|v| {
                if v > 0.040_45 {
                    ((v + 0.055) / 1.055).powf(2.4)
                } else {
                    v / 12.92
                }
            });
            let xyz = [
                (0.412_453 * r + 0.357_58 * g + 0.180_423 * b) / 0.950_47,
                0.212_671 * r + 0.715_16 * g + 0.072_169 * b,
                (0.019_334 * r + 0.119_193 * g + 0.950_227 * b) / 1.088_83,
            ];
            let [x, y, z] = xyz.map(|v| {
                if v > 0.008_856 {
                    v.cbrt()
                } else {
                    7.787 * v + 16.0 / 116.0
                }
            });
            [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
        })
    }

    /// Blurred by a Gaussian of `sigma` pixels, cut at `floor(4 sigma + 0.5)`, mirrored beyond the border:
    /// `scipy.ndimage.gaussian_filter(mode="reflect")` along columns, then rows. 0 changes nothing.
    #[must_use]
    pub fn blurred(&self, sigma: f64) -> Self {
        if sigma <= 0.0 {
            return self.clone();
        }
        let radius = (4.0 * sigma + 0.5) as usize;
        let weights: Vec<f64> = (0..=radius)
            .map(|d| (-0.5 / (sigma * sigma) * (d * d) as f64).exp())
            .collect();
        let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
        let weights: Vec<f64> = weights.into_iter().map(|w| w / total).collect();
        let (h, w) = (self.height, self.width);
        let down = filtered(&self.values, &weights, h, |i, k| k * w + i % w, |i| i / w);
        let values = filtered(&down, &weights, w, |i, k| i / w * w + k, |i| i % w);
        Self { values, ..*self }
    }
}

fn range(values: &[[f64; 3]]) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    values
        .as_flattened()
        .iter()
        .fold(start, |(a, b), &v| (a.min(v), b.max(v)))
}

/// One axis of the blur: `at(i, k)` is the `k`-th pixel of the line of pixel `i`, which is its `place(i)`-th.
fn filtered(
    values: &[[f64; 3]],
    weights: &[f64],
    length: usize,
    at: impl Fn(usize, usize) -> usize,
    place: impl Fn(usize) -> usize,
) -> Vec<[f64; 3]> {
    let n = length as isize;
    let mirror = |k: isize| {
        let phase = k.rem_euclid(2 * n);
        (if phase < n { phase } else { 2 * n - 1 - phase }) as usize
    };
    let pixel = |i: usize| {
        let centre = place(i) as isize;
        let mut sum = values[i].map(|v| v * weights[0]);
        // From the outermost inwards, the order of scipy's symmetric filter.
        for d in (1..weights.len()).rev() {
            let a = values[at(i, mirror(centre - d as isize))];
            let b = values[at(i, mirror(centre + d as isize))];
            for c in 0..3 {
                sum[c] += (a[c] + b[c]) * weights[d];
            }
        }
        sum
    };
    (0..values.len()).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::input::Normalisation;

    #[test]
    fn normalised_pictures_come_back_to_their_8_bit_levels() {
        let space = Normalisation {
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
        };
        let tensor = Tensor::from_fn(&[3, 16, 16], |i| space.forward(i / 256, (i % 256) as f32 / 255.0));
        let pixels = Pixels::of(&Input { tensor, space });
        for (i, v) in pixels.values.iter().enumerate() {
            assert_eq!(v.map(f64::to_bits), [(i as f64 * (1.0 / 255.0)).to_bits(); 3]);
        }
    }

    #[test]
    fn values_without_a_pixel_space_are_stretched_and_gray_is_tripled() {
        let pixels = Pixels::of(&Input::preprocessed(Tensor::new(&[1, 1, 3], vec![-2.0, 0.0, 2.0])));
        assert_eq!(pixels.values[0].map(f64::to_bits), [0f64.to_bits(); 3]);
        assert!((pixels.values[1][2] - 0.5).abs() < 1e-12);
        let flat = Pixels::of(&Input::preprocessed(Tensor::full(&[1, 2, 2], 7.0)));
        assert!(flat.values.as_flattened().iter().all(|v| v.is_finite()));
    }

    /// `skimage.color.rgb2lab([[0.2, 0.5, 0.8]])` of scikit-image 0.26.
    #[test]
    fn lab_is_scikit_images() {
        let one = Pixels {
            height: 1,
            width: 1,
            values: vec![[0.2, 0.5, 0.8]],
        };
        for (a, b) in one.lab().values[0].iter().zip(LAB) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    const LAB: [f64; 3] = [52.252_060_579_045_83, 2.776_022_727_280_502_7, -46.285_713_856_783_06];
}
