//! A grid of nearly equal cells, whatever the picture shows.

use super::Segments;

/// Rows and columns of about `segments` nearly square cells; never more cells than pixels along a side.
pub fn shape(segments: usize, height: usize, width: usize) -> (usize, usize) {
    let rows = (segments as f64 * height as f64 / width as f64).sqrt().round() as usize;
    let rows = rows.clamp(1, height);
    let columns = (segments as f64 / rows as f64).round() as usize;
    (rows, columns.clamp(1, width))
}

/// The cells. Row `y` belongs to the row of cells `floor(y rows / height)`, and columns likewise.
pub fn segment(segments: usize, height: usize, width: usize) -> Segments {
    let (rows, columns) = shape(segments, height, width);
    let cell = |i: usize| (i / width * rows / height) * columns + i % width * columns / width;
    let labels: Vec<usize> = (0..height * width).map(cell).collect();
    Segments::new(height, width, &labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_cells_as_the_shape_says() {
        for (n, h, w) in [
            (1, 5, 7),
            (16, 32, 32),
            (50, 224, 224),
            (35, 5, 7),
            (9, 1, 4),
            (49, 30, 33),
        ] {
            let (rows, columns) = shape(n, h, w);
            let found = segment(n, h, w);
            assert_eq!(found.count, rows * columns, "{n} in {h} x {w}");
            let sizes = found.sizes();
            assert!(sizes.iter().all(|&s| s > 0));
        }
        assert_eq!(shape(16, 32, 32), (4, 4));
        assert_eq!(shape(35, 5, 7), (5, 7));
    }
}
