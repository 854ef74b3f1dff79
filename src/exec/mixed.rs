//! Pictures between a picture and what is imputed in its place, described so that a device can make them itself.

use std::ops::Range;

pub use crate::gpu::{Enlarging, Masks};
use crate::{Mask, Tensor};

/// Pictures that show `x` through masks, one for each mask.
#[derive(Clone, Copy, Debug)]
pub struct Mixed<'a> {
    /// The picture, `[C, H, W]`.
    pub x: &'a Tensor,
    /// What is in its place where it is not shown, `[C, H, W]`.
    pub fill: &'a Tensor,
    /// Over its pixels.
    pub masks: Masks<'a>,
}

impl Mixed<'_> {
    fn pixels(&self) -> usize {
        self.x.shape()[1..].iter().product()
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.masks.len(self.pixels())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        Self {
            masks: self.masks.part(range, self.pixels()),
            ..self
        }
    }

    /// The pictures, `[N, C, H, W]`.
    pub fn pictures(&self) -> Tensor {
        let Self { x, fill, masks } = self;
        let pixels = self.pixels();
        let mut data = Vec::with_capacity(self.len() * x.len());
        match masks {
            Masks::Shares(shares) | Masks::Cells { shares, .. } => {
                shares
                    .chunks(pixels)
                    .for_each(|mask| mix_onto(&mut data, mask, x, fill));
            }
            Masks::Fine(shares) => {
                for mask in shares.chunks(pixels) {
                    let values = x.data().iter().zip(fill.data()).enumerate();
                    data.extend(values.map(|(i, (&x, &fill))| {
                        let m = mask[i % pixels];
                        (m * f64::from(x) + (1.0 - m) * f64::from(fill)) as f32
                    }));
                }
            }
            Masks::Removed(masks) => masks.iter().for_each(|mask| fill_onto(&mut data, mask, x, fill)),
        }
        Tensor::new(&[&[self.len()], x.shape()].concat(), data)
    }
}

/// `m x + (1 - m) fill` for a mask `[H, W]`.
pub(crate) fn mix(mask: &[f32], x: &Tensor, fill: &Tensor) -> Tensor {
    let mut seen = Vec::with_capacity(x.len());
    mix_onto(&mut seen, mask, x, fill);
    Tensor::new(x.shape(), seen)
}

fn mix_onto(seen: &mut Vec<f32>, mask: &[f32], x: &Tensor, fill: &Tensor) {
    for (x, fill) in x.data().chunks(mask.len()).zip(fill.data().chunks(mask.len())) {
        seen.extend(
            x.iter()
                .zip(fill)
                .zip(mask)
                .map(|((x, fill), m)| m * x + (1.0 - m) * fill),
        );
    }
}

fn fill_onto(filled: &mut Vec<f32>, removed: &Mask, x: &Tensor, fill: &Tensor) {
    let gone = removed.bits();
    for (x, fill) in x.data().chunks(gone.len()).zip(fill.data().chunks(gone.len())) {
        filled.extend(
            x.iter()
                .zip(fill)
                .zip(gone)
                .map(|((x, fill), &gone)| if gone { *fill } else { *x }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_by_hand() {
        let x = Tensor::new(&[2, 1, 2], vec![1.0, -0.0, 3.0, 4.0]);
        let fill = Tensor::new(&[2, 1, 2], vec![f32::NAN, 10.0, 11.0, f32::INFINITY]);
        let of = |masks| Mixed {
            x: &x,
            fill: &fill,
            masks,
        };
        let bits = |t: &Tensor| t.data().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let removed = [Mask::all(1, 2, false), Mask::new(1, 2, vec![true, false])];
        let pictures = of(Masks::Removed(&removed)).pictures();
        assert_eq!(pictures.shape(), [2, 2, 1, 2]);
        // Bit for bit, also where the other side is no number.
        assert_eq!(bits(&pictures.rows(0, 1)), bits(&x));
        assert_eq!(
            bits(&pictures.rows(1, 2)),
            [f32::NAN, -0.0, 11.0, 4.0].map(f32::to_bits)
        );

        let fill = Tensor::new(&[2, 1, 2], vec![9.0, 10.0, 11.0, 12.0]);
        let of = |masks| Mixed {
            x: &x,
            fill: &fill,
            masks,
        };
        let shares = [1.0, 0.0, 0.25, 0.5];
        let found = of(Masks::Shares(&shares)).pictures();
        assert_eq!(found.data(), [1.0, 10.0, 3.0, 12.0, 7.0, 5.0, 9.0, 8.0]);
        let fine = shares.map(f64::from);
        let mixed = of(Masks::Fine(&fine));
        assert_eq!(mixed.pictures(), found);
        assert_eq!((mixed.len(), mixed.part(1..2).len()), (2, 1));
        assert_eq!(mixed.part(1..2).pictures(), found.rows(1, 2));
        assert_eq!(
            of(Masks::Removed(&removed)).part(1..2).pictures().data(),
            [9.0, -0.0, 11.0, 4.0]
        );
    }
}
