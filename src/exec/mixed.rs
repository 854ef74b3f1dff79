//! Pictures between a picture and what is imputed in its place, by soft masks.

use std::ops::Range;

use crate::Tensor;

/// The pictures `m x + (1 - m) fill`, one for each mask `m`.
#[derive(Clone, Copy, Debug)]
pub struct Mixed<'a> {
    /// The picture, `[C, H, W]`.
    pub x: &'a Tensor,
    /// What is in its place where a mask is 0, `[C, H, W]`.
    pub fill: &'a Tensor,
    /// `[N, 1, H, W]`.
    pub masks: &'a Tensor,
}

impl Mixed<'_> {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.masks.shape()[0]
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pictures of these masks, `[N, C, H, W]`.
    pub fn pictures(&self, range: Range<usize>) -> Tensor {
        let pictures: Vec<Tensor> = range.map(|k| mix(self.masks.row(k), self.x, self.fill)).collect();
        Tensor::stack(&pictures)
    }
}

/// `m x + (1 - m) fill` for a mask `[H, W]`.
pub(crate) fn mix(mask: &[f32], x: &Tensor, fill: &Tensor) -> Tensor {
    let mut seen = Vec::with_capacity(x.len());
    for (x, fill) in x.data().chunks(mask.len()).zip(fill.data().chunks(mask.len())) {
        seen.extend(
            x.iter()
                .zip(fill)
                .zip(mask)
                .map(|((x, fill), m)| m * x + (1.0 - m) * fill),
        );
    }
    Tensor::new(x.shape(), seen)
}
