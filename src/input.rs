//! What is explained: a preprocessed picture and the value space it lives in.

use crate::Tensor;

/// Per-channel affine map between pixel values `v` in `[0, 1]` and network values `x = (v - mean) / std`.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// One mean a channel, in pixel values.
    pub mean: Vec<f32>,
    /// One positive standard deviation a channel, in pixel values.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// The identity over `channels`: network values are the pixel values. Used for tensors given as preprocessed.
    pub fn identity(channels: usize) -> Self {
        Self {
            mean: vec![0.0; channels],
            std: vec![1.0; channels],
        }
    }

    /// Network value of pixel value `v` in channel `c`.
    pub fn forward(&self, c: usize, v: f32) -> f32 {
        (v - self.mean[c]) / self.std[c]
    }

    /// Pixel value of network value `x` in channel `c`.
    pub fn inverse(&self, c: usize, x: f32) -> f32 {
        x * self.std[c] + self.mean[c]
    }
}

/// One preprocessed picture.
#[derive(Clone, Debug)]
pub struct Input {
    /// Network values `[C, H, W]`.
    pub tensor: Tensor,
    /// How network values map to pixel values; the identity for tensors given as preprocessed.
    pub space: Normalisation,
}

impl Input {
    /// A picture given as network values with no known pixel space.
    ///
    /// # Panics
    /// If `tensor` is not of rank 3.
    pub fn preprocessed(tensor: Tensor) -> Self {
        assert_eq!(tensor.shape().len(), 3, "an input is [C, H, W]");
        let space = Normalisation::identity(tensor.shape()[0]);
        Self { tensor, space }
    }

    /// Channels, height and width.
    pub fn dims(&self) -> [usize; 3] {
        let s = self.tensor.shape();
        [s[0], s[1], s[2]]
    }

    /// The same picture with other network values.
    ///
    /// # Panics
    /// If the shape differs.
    #[must_use]
    pub fn with(&self, tensor: Tensor) -> Self {
        assert_eq!(tensor.shape(), self.tensor.shape());
        Self {
            tensor,
            space: self.space.clone(),
        }
    }
}

/// A set of pixels `[H, W]`; `true` means removed (for imputers) or relevant (for ground truth).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    bits: Vec<bool>,
}

impl Mask {
    /// A mask from row-major bits.
    ///
    /// # Panics
    /// If `bits` does not hold `height * width` values.
    pub fn new(height: usize, width: usize, bits: Vec<bool>) -> Self {
        assert_eq!(bits.len(), height * width);
        Self { height, width, bits }
    }

    /// A mask that holds no pixel, or every pixel.
    pub fn all(height: usize, width: usize, value: bool) -> Self {
        Self::new(height, width, vec![value; height * width])
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row-major bits.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }

    /// Row-major bits, for writing.
    pub fn bits_mut(&mut self) -> &mut [bool] {
        &mut self.bits
    }

    /// Number of pixels in the mask.
    pub fn count(&self) -> usize {
        self.bits.iter().filter(|&&b| b).count()
    }

    /// The pixels that this mask does not hold.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::new(self.height, self.width, self.bits.iter().map(|b| !b).collect())
    }
}
