//! Superpixels: a picture cut into segments, for methods and metrics that treat them as one feature.
//!
//! Segments are found on the picture as people see it (RGB in `[0, 1]`, by [`Input::space`]), not on network values.
//! They are a function of the picture and the parameters alone: the one draw there is (quickshift's tie noise) comes
//! from a fixed seed, as in scikit-image, so that maps of two seeds are of the same segments.

pub mod felzenszwalb;
pub mod grid;
mod pixels;
pub mod quickshift;
pub mod slic;

pub use pixels::Pixels;

use crate::error::InputError;
use crate::{Context, Error, Input, Mask, Tensor};

/// The segmenters, by the names that parameters take.
pub const SEGMENTERS: [&str; 4] = ["slic", "quickshift", "felzenszwalb", "grid"];

/// How a picture is cut. [`segmented_params!`](crate::segmented_params!) declares these as parameters of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// One of [`SEGMENTERS`].
    pub segmenter: String,
    /// About how many segments: cells of `grid`, seeds of `slic`. The others find their own number.
    pub segments: usize,
    /// SLIC: how much nearness in the picture counts against nearness of colour.
    pub compactness: f64,
    /// Quickshift: standard deviation of the density's kernel, in pixels.
    pub kernel: f64,
    /// Quickshift: weight of colour against distance.
    pub ratio: f64,
    /// Felzenszwalb: larger gives larger segments.
    pub scale: f64,
    /// Felzenszwalb: least pixels of a segment.
    pub min_size: usize,
}

impl Default for Segmentation {
    /// SLIC with about 50 segments; the others as LIME and XRAI call them.
    fn default() -> Self {
        Self {
            segmenter: "slic".into(),
            segments: 50,
            compactness: 10.0,
            kernel: 4.0,
            ratio: 0.2,
            scale: 100.0,
            min_size: 20,
        }
    }
}

impl Segmentation {
    /// Refuses what does not fit a picture of this size, by name and range.
    pub fn check(&self, height: usize, width: usize) -> Result<(), Error> {
        let pixels = height * width;
        if !SEGMENTERS.contains(&self.segmenter.as_str()) {
            let why = format!("\"{}\" is none of {}", self.segmenter, SEGMENTERS.join(", "));
            return Err(Error::param("segmenter", why));
        }
        let counted = matches!(self.segmenter.as_str(), "slic" | "grid");
        if counted && !(1..=pixels).contains(&self.segments) {
            let why = format!("{} is not between 1 and the picture's {pixels} pixels", self.segments);
            return Err(Error::param("segments", why));
        }
        if self.segmenter == "felzenszwalb" && self.min_size > pixels {
            let why = format!("{} is not between 1 and the picture's {pixels} pixels", self.min_size);
            return Err(Error::param("min_size", why));
        }
        Ok(())
    }

    /// The number of segments to announce for a picture of this size: exact for `grid`, whose count does not depend on
    /// the picture; the number asked for otherwise. [`Job::expect_instead`](crate::Job::expect_instead) corrects it
    /// once the segments are known.
    pub fn nominal(&self, height: usize, width: usize) -> usize {
        if self.segmenter == "grid" {
            let (rows, columns) = grid::shape(self.segments, height, width);
            rows * columns
        } else {
            self.segments
        }
    }
}

/// A picture cut into segments `0..count`, each of at least one pixel, numbered in the order of their first pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Row-major labels `[H, W]`.
    pub labels: Vec<u32>,
    /// Number of segments.
    pub count: usize,
    height: usize,
    width: usize,
}

impl Segments {
    /// Segments from any labelling; labels are renumbered in the order of their first pixels.
    ///
    /// # Panics
    /// If `labels` does not hold `height * width` values.
    pub fn new(height: usize, width: usize, labels: &[usize]) -> Self {
        assert_eq!(labels.len(), height * width);
        let mut names = std::collections::HashMap::new();
        let labels: Vec<u32> = labels
            .iter()
            .map(|l| {
                let next = names.len() as u32;
                *names.entry(*l).or_insert(next)
            })
            .collect();
        Self {
            labels,
            count: names.len(),
            height,
            width,
        }
    }

    /// Rows and columns of the picture.
    pub fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// The pixels of the segments for which `member` says so, `[H, W]`.
    pub fn mask(&self, member: impl Fn(usize) -> bool) -> Mask {
        let bits = self.labels.iter().map(|&l| member(l as usize)).collect();
        Mask::new(self.height, self.width, bits)
    }

    /// Pixels of each segment.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for &label in &self.labels {
            sizes[label as usize] += 1;
        }
        sizes
    }

    /// The sum over channels and pixels of `map` `[C, H, W]` in each segment.
    pub fn sums(&self, map: &Tensor) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for plane in map.data().chunks(self.labels.len()) {
            for (&label, &value) in self.labels.iter().zip(plane) {
                sums[label as usize] += f64::from(value);
            }
        }
        sums
    }

    /// The mean over pixels of `map` `[C, H, W]`, summed over channels, in each segment.
    pub fn means(&self, map: &Tensor) -> Vec<f64> {
        let sums = self.sums(map).into_iter().zip(self.sizes());
        sums.map(|(sum, size)| sum / size as f64).collect()
    }

    /// A map `[1, H, W]` with each segment's value on all of its pixels.
    pub fn paint(&self, values: &[f64]) -> Tensor {
        let shape = [1, self.height, self.width];
        Tensor::from_fn(&shape, |i| values[self.labels[i] as usize] as f32)
    }

    /// `picture` `[C, H, W]` with every channel of every segment at the segment's mean.
    pub fn flatten(&self, picture: &Tensor) -> Tensor {
        let sizes = self.sizes();
        let mut flat = Vec::with_capacity(picture.len());
        for plane in picture.data().chunks(self.labels.len()) {
            let sums = self.sums(&Tensor::new(&[1, self.height, self.width], plane.to_vec()));
            flat.extend(
                self.labels
                    .iter()
                    .map(|&l| (sums[l as usize] / sizes[l as usize] as f64) as f32),
            );
        }
        Tensor::new(picture.shape(), flat)
    }
}

/// The segments of `input` by the segmenter that `how` names. Runs no pass.
pub async fn by(cx: &Context<'_>, input: &Input, how: &Segmentation) -> Result<Segments, Error> {
    let [_, height, width] = input.dims();
    how.check(height, width)?;
    if how.segmenter == "grid" {
        return Ok(grid::segment(how.segments, height, width));
    }
    let pixels = Pixels::of(input);
    match how.segmenter.as_str() {
        "quickshift" => {
            let options = quickshift::Options {
                kernel: how.kernel,
                ratio: how.ratio,
                ..quickshift::Options::default()
            };
            quickshift::segment(cx.job, cx.random, &pixels, &options).await
        }
        "felzenszwalb" => {
            let options = felzenszwalb::Options {
                scale: how.scale,
                min_size: how.min_size,
                ..felzenszwalb::Options::default()
            };
            felzenszwalb::segment(cx.job, &pixels, &options).await
        }
        _ => {
            let options = slic::Options {
                segments: how.segments,
                compactness: how.compactness,
                ..slic::Options::default()
            };
            slic::segment(cx.job, &pixels, &options).await
        }
    }
}

/// Refuses a segmentation in one piece, where a method compares segments.
pub fn at_least_two(segments: &Segments) -> Result<(), InputError> {
    if segments.count >= 2 {
        return Ok(());
    }
    Err(InputError::Param {
        field: "segmenter".into(),
        why: "the picture came out in one piece; take more segments, or another segmenter".into(),
    })
}

/// Declares a parameter struct as [`params!`](crate::params!) does, with the parameters of a [`Segmentation`] after its
/// own, and `segmentation()` that gives them. `segmenter` and `segments` are the defaults of these two.
#[macro_export]
macro_rules! segmented_params {
    ($(#[$meta:meta])* pub struct $name:ident by $segmenter:literal, $segments:literal { $($own:tt)* }) => {
        $crate::params! {
            $(#[$meta])*
            pub struct $name {
                $($own)*
                /// How the picture is cut: `slic` and `quickshift` find superpixels, `felzenszwalb` regions, `grid` cells.
                segmenter: String = $segmenter, choice("slic", "quickshift", "felzenszwalb", "grid");
                /// About how many segments; `slic` and `grid` only, the others find their own number.
                segments: usize = $segments, int(1, 4096);
                /// `slic`: how much nearness counts against colour; larger gives squarer superpixels.
                compactness: f64 = 10.0, real(0.01, 1000.0);
                /// `quickshift`: standard deviation of the density's kernel in pixels; larger gives fewer superpixels.
                kernel: f64 = 4.0, real(1.0, 30.0);
                /// `quickshift`: weight of colour against distance.
                ratio: f64 = 0.2, real(0.0, 1.0);
                /// `felzenszwalb`: larger gives larger regions.
                scale: f64 = 100.0, real(1.0, 10_000.0);
                /// `felzenszwalb`: least pixels of a region.
                min_size: usize = 20usize, int(1, 100_000);
            }
        }
        impl $name {
            /// How the picture is cut.
            pub fn segmentation(&self) -> $crate::segment::Segmentation {
                $crate::segment::Segmentation {
                    segmenter: self.segmenter.clone(),
                    segments: self.segments,
                    compactness: self.compactness,
                    kernel: self.kernel,
                    ratio: self.ratio,
                    scale: self.scale,
                    min_size: self.min_size,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_renumbered_and_helpers_agree() {
        let s = Segments::new(2, 3, &[7, 7, 2, 9, 2, 2]);
        assert_eq!((s.labels.as_slice(), s.count), ([0, 0, 1, 2, 1, 1].as_slice(), 3));
        assert_eq!(s.sizes(), [2, 3, 1]);
        let map = Tensor::from_fn(&[2, 2, 3], |i| i as f32);
        assert_eq!(s.sums(&map), [14.0, 40.0, 12.0]);
        assert_eq!(s.means(&map)[0].to_bits(), 7f64.to_bits());
        assert_eq!(s.paint(&[1.0, 2.0, 3.0]).data(), [1.0, 1.0, 2.0, 3.0, 2.0, 2.0]);
        assert_eq!(s.mask(|k| k == 1).count(), 3);
        assert_eq!(s.flatten(&map).data()[..2], [0.5, 0.5]);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let how = |segmenter: &str, segments| Segmentation {
            segmenter: segmenter.into(),
            segments,
            ..Segmentation::default()
        };
        for (how, field) in [
            (how("slic", 0), "segments"),
            (how("grid", 26), "segments"),
            (how("voronoi", 2), "segmenter"),
        ] {
            let error = how.check(5, 5).expect_err(field).to_string();
            assert!(error.contains(field), "{error}");
        }
        assert_eq!(how("quickshift", 4096).check(5, 5), Ok(()));
    }
}
