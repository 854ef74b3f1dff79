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
