//! Planes of values with a rim of one pixel, so that every pixel has eight neighbours.

use crate::Mask;

/// The part of a picture around its removed pixels, and how its planes lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// First row of the picture.
    pub top: usize,
    /// First column of the picture.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// Kept pixels around the removed ones: as far as equations of bending reach.
const MARGIN: usize = 2;

impl Grid {
    /// Around the removed pixels, of which there must be one.
    pub fn around(removed: &Mask) -> Self {
        let (height, width) = (removed.height(), removed.width());
        let (mut rows, mut columns) = ([height, 0], [width, 0]);
        for (i, _) in removed.bits().iter().enumerate().filter(|&(_, &gone)| gone) {
            let (y, x) = (i / width, i % width);
            rows = [rows[0].min(y), rows[1].max(y)];
            columns = [columns[0].min(x), columns[1].max(x)];
        }
        let first = |[low, _]: [usize; 2]| low.saturating_sub(MARGIN);
        let past = |[_, high]: [usize; 2], all: usize| (high + MARGIN + 1).min(all);
        let (top, left) = (first(rows), first(columns));
        Self {
            top,
            left,
            height: past(rows, height).saturating_sub(top),
            width: past(columns, width).saturating_sub(left),
        }
    }

    /// From a pixel to the one below it.
    pub fn stride(self) -> usize {
        self.width + 2
    }

    /// Values of a plane with its rim.
    pub fn len(self) -> usize {
        self.stride() * (self.height + 2)
    }

    /// Where row `y` begins in a plane, behind the rim.
    pub fn row(self, y: usize) -> usize {
        (y + 1) * self.stride() + 1
    }

    /// Rows of a plane: each's start and the flat index in a picture of that width where it lies.
    pub fn rows(self, picture: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.height).map(move |y| (self.row(y), (self.top + y) * picture + self.left))
    }

    /// Half as many rows and columns, rounded up.
    pub fn halved(self) -> Self {
        Self {
            height: self.height.div_ceil(2),
            width: self.width.div_ceil(2),
            ..self
        }
    }

    /// Gives the rim the values beside it.
    pub fn repeat_rim(self, plane: &mut [f64]) {
        let stride = self.stride();
        for y in 0..self.height {
            let at = self.row(y);
            plane[at - 1] = plane[at];
            plane[at + self.width] = plane[at + self.width - 1];
        }
        plane.copy_within(stride..2 * stride, 0);
        plane.copy_within(
            self.height * stride..(self.height + 1) * stride,
            (self.height + 1) * stride,
        );
    }
}

/// Sums run side by side.
const LANES: usize = 8;

/// The sum of products.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for k in 0..LANES {
            lanes[k] += a[k] * b[k];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// The largest size of a value.
pub(super) fn largest(plane: &[f64]) -> f64 {
    let mut lanes = [0f64; LANES];
    let parts = plane.chunks_exact(LANES);
    let rest = parts.remainder().iter().fold(0f64, |top, v| top.max(v.abs()));
    for part in parts {
        for k in 0..LANES {
            lanes[k] = if part[k].abs() > lanes[k] {
                part[k].abs()
            } else {
                lanes[k]
            };
        }
    }
    lanes.iter().fold(rest, |top, &v| top.max(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_what_is_removed_and_two_pixels_around() {
        let gone = |places: &[usize]| Mask::new(7, 9, (0..63).map(|i| places.contains(&i)).collect());
        let found = Grid::around(&gone(&[3 * 9 + 4, 4 * 9 + 5]));
        assert_eq!((found.top, found.left, found.height, found.width), (1, 2, 6, 6));
        let found = Grid::around(&gone(&[0, 62]));
        assert_eq!((found.top, found.left, found.height, found.width), (0, 0, 7, 9));
        let rows: Vec<_> = Grid::around(&gone(&[3 * 9 + 8])).rows(9).collect();
        assert_eq!(rows, [(6, 15), (11, 24), (16, 33), (21, 42), (26, 51)]);
    }

    #[test]
    fn a_rim_repeats_what_lies_beside_it() {
        let grid = Grid {
            top: 0,
            left: 0,
            height: 2,
            width: 2,
        };
        let mut plane = vec![0.0; grid.len()];
        for (k, at) in [5, 6, 9, 10].into_iter().enumerate() {
            plane[at] = k as f64 + 1.0;
        }
        grid.repeat_rim(&mut plane);
        let rows: [[f64; 4]; 2] = [[1.0, 1.0, 2.0, 2.0], [3.0, 3.0, 4.0, 4.0]];
        assert_eq!(plane, [rows[0], rows[0], rows[1], rows[1]].concat());
    }

    #[test]
    fn sums_and_sizes_by_hand() {
        let values: Vec<f64> = (0..21).map(|k| f64::from(k) - 15.0).collect();
        assert!((dot(&values, &values) - 1295.0).abs() < 1e-9);
        assert!((largest(&values) - 15.0).abs() < 1e-12);
        assert!(largest(&[]) < 1e-300);
    }
}
