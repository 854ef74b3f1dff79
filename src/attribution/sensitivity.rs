//! What methods of global sensitivity analysis share: cells of a grid as random variables.

use crate::error::InputError;
use crate::rng::{SeedStream, Stream};
use crate::{Error, Model, Tensor};

/// Refuses a grid finer than the picture.
pub(super) fn check(model: &Model, grid: usize) -> Result<(), Error> {
    let [_, height, width] = model.input_dims();
    let most = height.min(width);
    if (1..=most).contains(&grid) {
        return Ok(());
    }
    Err(Error::param(
        "grid",
        format!("{grid} is not between 1 and the picture's shorter side, {most}"),
    ))
}

/// The cell of each pixel, of a grid of `grid * grid`: the one whose centre is nearest.
pub(super) fn cells(grid: usize, height: usize, width: usize) -> Vec<usize> {
    let axis = |i: usize, side: usize| (((2 * i + 1) * grid) / (2 * side)).min(grid - 1);
    (0..height * width)
        .map(|i| axis(i / width, height) * grid + axis(i % width, width))
        .collect()
}

/// A design `[rows, columns]` in `[0, 1)`: recorded under `stream`, or a Latin hypercube: each column has one value in
/// each of `rows` equal intervals.
pub(super) fn design(random: &SeedStream, stream: &str, rows: usize, columns: usize) -> Result<Tensor, Error> {
    if let Some(recorded) = random.recorded(stream) {
        if recorded.shape() != [rows, columns] {
            return Err(InputError::Shape {
                what: stream.to_owned(),
                found: recorded.shape().to_vec(),
                expected: format!("[{rows}, {columns}]"),
            }
            .into());
        }
        return Ok(recorded.clone());
    }
    Ok(latin_hypercube(&mut random.stream(stream), rows, columns))
}

fn latin_hypercube(stream: &mut Stream, rows: usize, columns: usize) -> Tensor {
    let mut values = vec![0.0; rows * columns];
    for c in 0..columns {
        for (r, place) in stream.permutation(rows).into_iter().enumerate() {
            let value = (place as f32 + stream.uniform()) / rows as f32;
            values[r * columns + c] = value.min(1.0 - f32::EPSILON);
        }
    }
    Tensor::new(&[rows, columns], values)
}

/// A grid's values enlarged to `[1, H, W]` by Keys' cubic (-0.5) between cell centres, as TensorFlow's `tf.image.resize`
/// does it: places rounded to 1024ths of a cell, weights beyond the border left out and the others scaled up.
pub(super) fn bicubic(values: &[f64], grid: usize, height: usize, width: usize) -> Tensor {
    let (rows, columns) = (weights(grid, height), weights(grid, width));
    Tensor::from_fn(&[1, height, width], |i| {
        let (row, column) = (&rows[i / width], &columns[i % width]);
        let across = |y: usize| column.iter().map(|&(x, w)| w * values[y * grid + x]).sum::<f64>();
        row.iter().map(|&(y, w)| w * across(y)).sum::<f64>() as f32
    })
}

/// The cells that each pixel of a side takes its value from.
fn weights(grid: usize, side: usize) -> Vec<Vec<(usize, f64)>> {
    let near = |t: f64| ((1.5 * t - 2.5) * t) * t + 1.0;
    let far = |t: f64| ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
    (0..side)
        .map(|i| {
            let at = (i as f64 + 0.5) * grid as f64 / side as f64 - 0.5;
            let cell = at.floor();
            let t = ((at - cell) * 1024.0).round_ties_even() / 1024.0;
            let four = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
            let inside = |(k, w): (usize, f64)| {
                let index = cell as isize + k as isize - 1;
                (0..grid as isize).contains(&index).then_some((index as usize, w))
            };
            let kept: Vec<(usize, f64)> = four.into_iter().enumerate().filter_map(inside).collect();
            let total: f64 = kept.iter().map(|(_, w)| w).sum();
            kept.into_iter().map(|(k, w)| (k, w / total)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_of_every_column_is_met_once() {
        let design = latin_hypercube(&mut SeedStream::new(1).stream("d"), 16, 5);
        for c in 0..5 {
            let mut places: Vec<usize> = (0..16).map(|r| (design.data()[r * 5 + c] * 16.0) as usize).collect();
            places.sort_unstable();
            assert_eq!(places, (0..16).collect::<Vec<_>>());
        }
    }

    /// Designs of `rows` by two columns over many seeds, as HSIC draws them.
    fn designs(rows: usize, seeds: u64) -> impl Iterator<Item = (Vec<f64>, Vec<f64>)> {
        (0..seeds).map(move |seed| {
            let drawn = design(&SeedStream::new(seed), "hsic/design", rows, 2).unwrap();
            let column = |c: usize| (0..rows).map(|r| f64::from(drawn.row(r)[c])).collect();
            (column(0), column(1))
        })
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn variance(values: &[f64]) -> f64 {
        let mean = mean(values);
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    }

    /// The largest distance between the share of values below a point and the point itself, times the root of their number;
    /// above 1.63 by chance once in a hundred.
    fn kolmogorov(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        let n = values.len() as f64;
        let gap = |(i, v): (usize, &f64)| (v - i as f64 / n).abs().max(((i + 1) as f64 / n - v).abs());
        values.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
    }

    #[test]
    fn one_row_of_a_design_is_uniform_and_so_is_the_place_within_its_interval() {
        let rows = 12;
        let (mut first, mut within) = (Vec::new(), Vec::new());
        for (a, _) in designs(rows, 4000) {
            first.push(a[0]);
            within.push(a[5] * rows as f64 % 1.0);
        }
        assert!(kolmogorov(first.clone()) < 1.63, "{}", kolmogorov(first));
        assert!(kolmogorov(within.clone()) < 1.63, "{}", kolmogorov(within));
    }

    /// The mean of a Latin hypercube's column varies by `1 / 12 n^3`, `n^2` times less than that of independent draws.
    #[test]
    fn columns_of_a_design_are_stratified_and_independent_draws_are_not() {
        let rows = 12;
        let cube = rows as f64 * 12.0 * (rows as f64).powi(2);
        let means: Vec<f64> = designs(rows, 4000).map(|(a, _)| mean(&a)).collect();
        assert!(
            (variance(&means) * cube - 1.0).abs() < 0.1,
            "{}",
            variance(&means) * cube
        );
        let alone = (0..4000).map(|seed| {
            let mut stream = SeedStream::new(seed).stream("alone");
            mean(&(0..rows).map(|_| f64::from(stream.uniform())).collect::<Vec<_>>())
        });
        let alone = variance(&alone.collect::<Vec<_>>());
        assert!(alone * cube > 100.0, "{}", alone * cube);
    }

    /// Two columns of `n` rows, each half seen, are both seen in `n / 4` rows on average, with the hypergeometric variance
    /// `n^2 / 16 (n - 1)`; the correlation of their places has mean 0 and variance `1 / (n - 1)`.
    #[test]
    fn columns_of_a_design_are_independent_of_each_other() {
        let rows = 12;
        let (mut both, mut alike) = (Vec::new(), Vec::new());
        for (a, b) in designs(rows, 4000) {
            let seen = |column: &[f64]| column.iter().filter(|v| **v >= 0.5).count();
            assert_eq!((seen(&a), seen(&b)), (rows / 2, rows / 2));
            both.push(a.iter().zip(&b).filter(|(a, b)| **a >= 0.5 && **b >= 0.5).count() as f64);
            let place = |v: &f64| (v * rows as f64).floor() - (rows - 1) as f64 / 2.0;
            let spread = (rows * (rows * rows - 1)) as f64 / 12.0;
            alike.push(a.iter().zip(&b).map(|(a, b)| place(a) * place(b)).sum::<f64>() / spread);
        }
        let n = rows as f64;
        let expected = n * n / (16.0 * (n - 1.0));
        assert!((mean(&both) - n / 4.0).abs() < 0.05, "{}", mean(&both));
        assert!((variance(&both) / expected - 1.0).abs() < 0.1, "{}", variance(&both));
        assert!(mean(&alike).abs() < 0.02, "{}", mean(&alike));
        assert!((variance(&alike) * (n - 1.0) - 1.0).abs() < 0.1, "{}", variance(&alike));
    }

    #[test]
    fn cells_cover_the_picture_evenly_and_enlarging_keeps_a_constant() {
        let cells = cells(3, 6, 7);
        assert_eq!(&cells[..7], [0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(cells[41], 8);
        for v in bicubic(&[2.5; 9], 3, 7, 11).data() {
            assert!((v - 2.5).abs() < 1e-6);
        }
    }
}
