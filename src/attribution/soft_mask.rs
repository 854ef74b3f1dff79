//! Masks between seen and removed: mixing a picture with what is imputed, and what optimising such a mask needs.

pub(super) use crate::exec::mixed::mix as mixed;
use crate::imputer::Remover;
use crate::{Context, Error, Input, Mask, Tensor};

/// The gradient by the mask of [`mixed`], from the gradient by the mixed picture `[C, H, W]`: it flows through the mask
/// alone, whatever the imputer did to fill.
pub(super) fn by_mask(gradient: &[f32], x: &Tensor, fill: &Tensor, pixels: usize) -> Vec<f64> {
    let mut by = vec![0.0; pixels];
    let planes = gradient.chunks(pixels).zip(x.data().chunks(pixels));
    for ((gradient, x), fill) in planes.zip(fill.data().chunks(pixels)) {
        for (i, by) in by.iter_mut().enumerate() {
            *by += f64::from(gradient[i]) * (f64::from(x[i]) - f64::from(fill[i]));
        }
    }
    by
}

/// Values of a mask as the pictures take them.
pub(super) fn narrow(mask: &[f64]) -> Vec<f32> {
    mask.iter().map(|&m| m as f32).collect()
}

/// The chosen imputer's fill of every pixel. Imputers that fill from kept pixels fill the white squares of a chessboard
/// of eight by eight from the black ones, and the other way round.
pub(super) async fn background(cx: &Context<'_>, input: &Input, remover: &Remover<'_>) -> Result<Tensor, Error> {
    let [_, height, width] = input.dims();
    if remover.can_remove_everything() {
        return remover.remove(&Mask::all(height, width, true)).await;
    }
    let (rows, columns) = (height.min(8), width.min(8));
    let white = |i: usize| (i / width * rows / height + i % width * columns / width).is_multiple_of(2);
    let white = Mask::new(height, width, (0..height * width).map(white).collect());
    let mut filled = cx.impute(input, &white).await?;
    let black = cx.impute(input, &white.complement()).await?;
    for (plane, other) in filled
        .data_mut()
        .chunks_mut(height * width)
        .zip(black.data().chunks(height * width))
    {
        for (i, value) in plane.iter_mut().enumerate() {
            if !white.bits()[i] {
                *value = other[i];
            }
        }
    }
    Ok(filled)
}

/// Bilinear enlargement of a grid whose outer points lie on the outer pixels (`align_corners`).
pub(super) struct Enlarge {
    grid: [usize; 2],
    rows: Vec<(usize, usize, f64)>,
    columns: Vec<(usize, usize, f64)>,
}

impl Enlarge {
    pub(super) fn new(grid: [usize; 2], height: usize, width: usize) -> Self {
        let axis = |points: usize, side: usize| {
            let step = if side > 1 {
                (points - 1) as f64 / (side - 1) as f64
            } else {
                0.0
            };
            (0..side)
                .map(|i| {
                    let at = i as f64 * step;
                    let below = (at as usize).min(points - 1);
                    (below, (below + 1).min(points - 1), at - below as f64)
                })
                .collect()
        };
        Self {
            grid,
            rows: axis(grid[0], height),
            columns: axis(grid[1], width),
        }
    }

    /// The four corners of each pixel and their weights.
    fn each(&self, mut f: impl FnMut(usize, [(usize, f64); 4])) {
        let across = self.grid[1];
        for (y, &(above, below, down)) in self.rows.iter().enumerate() {
            for (x, &(left, right, along)) in self.columns.iter().enumerate() {
                let corners = [
                    (above * across + left, (1.0 - down) * (1.0 - along)),
                    (above * across + right, (1.0 - down) * along),
                    (below * across + left, down * (1.0 - along)),
                    (below * across + right, down * along),
                ];
                f(y * self.columns.len() + x, corners);
            }
        }
    }

    /// Values of pixels from those of grid points.
    pub(super) fn enlarge(&self, points: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.rows.len() * self.columns.len()];
        self.each(|i, corners| out[i] = corners.iter().map(|&(k, w)| w * points[k]).sum());
        out
    }

    /// The gradient by grid points from that by pixels.
    pub(super) fn adjoint(&self, by_pixels: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.grid[0] * self.grid[1]];
        self.each(|i, corners| {
            for (k, w) in corners {
                out[k] += w * by_pixels[i];
            }
        });
        out
    }
}

/// Kingma & Ba's optimiser with its usual decay rates, 0.9 and 0.999.
pub(super) struct Adam {
    /// Size of the steps; may change between them.
    pub(super) rate: f64,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    pub(super) fn new(rate: f64, parameters: usize) -> Self {
        Self {
            rate,
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            steps: 0,
        }
    }

    /// One step down the gradient.
    pub(super) fn descend(&mut self, values: &mut [f64], gradient: &[f64]) {
        self.steps += 1;
        let (one, two) = (1.0 - 0.9f64.powi(self.steps), 1.0 - 0.999f64.powi(self.steps));
        for (k, (value, &g)) in values.iter_mut().zip(gradient).enumerate() {
            self.first[k] = 0.9 * self.first[k] + 0.1 * g;
            self.second[k] = 0.999 * self.second[k] + 0.001 * g * g;
            *value -= self.rate * (self.first[k] / one) / ((self.second[k] / two).sqrt() + 1e-8);
        }
    }
}

/// A mask in `[0, 1]` as a map `[1, H, W]`.
pub(super) fn map(mask: &[f64], height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[1, height, width], |i| mask[i] as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.nn.functional.interpolate([[1, 2, 4]], size=(1, 5), mode="bilinear", align_corners=True)`.
    #[test]
    fn enlargement_meets_the_corners_and_the_adjoint_is_its_transpose() {
        let wide = Enlarge::new([1, 3], 1, 5).enlarge(&[1.0, 2.0, 4.0]);
        assert_eq!(wide, [1.0, 1.5, 2.0, 3.0, 4.0]);
        let both = Enlarge::new([3, 4], 7, 5);
        let points: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
        let pixels: Vec<f64> = (0..35).map(|i| f64::from(i % 5) - 1.5).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (left, right) = (
            dot(&both.enlarge(&points), &pixels),
            dot(&points, &both.adjoint(&pixels)),
        );
        assert!((left - right).abs() < 1e-9, "{left} {right}");
        assert_eq!(Enlarge::new([1, 1], 2, 2).enlarge(&[3.0]), [3.0; 4]);
    }

    #[test]
    fn adam_takes_steps_of_its_rate_at_first() {
        let mut values = [1.0, -1.0];
        Adam::new(0.1, 2).descend(&mut values, &[5.0, -0.01]);
        assert!(
            (values[0] - 0.9).abs() < 1e-6 && (values[1] + 0.9).abs() < 1e-6,
            "{values:?}"
        );
    }
}
