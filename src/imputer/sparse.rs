//! Sparse matrices, by rows, that work on several fields at once.

use crate::Error;
use crate::job::{Job, Passes};

/// Fields worked on at once: a picture's channels.
pub(super) const LANES: usize = 4;
/// One value of each field.
pub(super) type Lanes = [f64; LANES];

/// Rows between two looks at the job while matrices are multiplied: a few milliseconds.
const PATIENCE: usize = 4096;

/// A matrix that holds what is not zero, row after row.
pub(super) struct Sparse {
    width: usize,
    /// Where each row starts, and where the last one ends.
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Sparse {
    /// No rows yet, of `width` columns.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            starts: vec![0],
            columns: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Adds an entry to the row under way.
    pub fn push(&mut self, column: usize, value: f64) {
        self.columns.push(column as u32);
        self.values.push(value);
    }

    /// Ends the row under way.
    pub fn end_row(&mut self) {
        self.starts.push(self.columns.len() as u32);
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of row `i`.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let span = self.starts[i] as usize..self.starts[i + 1] as usize;
        let values = &self.values[span.clone()];
        self.columns[span].iter().zip(values).map(|(&j, &v)| (j as usize, v))
    }

    /// Row `i` times `x`.
    fn dot(&self, i: usize, x: &[Lanes]) -> Lanes {
        let mut sum = [0.0; LANES];
        for (j, v) in self.row(i) {
            for (sum, x) in sum.iter_mut().zip(&x[j]) {
                *sum += v * x;
            }
        }
        sum
    }

    /// `out = A x`.
    pub fn apply(&self, x: &[Lanes], out: &mut [Lanes]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.dot(i, x);
        }
    }

    /// `out += A x`.
    pub fn add(&self, x: &[Lanes], out: &mut [Lanes]) {
        for (i, out) in out.iter_mut().enumerate() {
            for (out, sum) in out.iter_mut().zip(self.dot(i, x)) {
                *out += sum;
            }
        }
    }

    /// `out = r - A x`.
    pub fn residual(&self, x: &[Lanes], r: &[Lanes], out: &mut [Lanes]) {
        for (i, (out, r)) in out.iter_mut().zip(r).enumerate() {
            *out = self.dot(i, x);
            for (out, r) in out.iter_mut().zip(r) {
                *out = r - *out;
            }
        }
    }

    /// What stands at row `i`, column `i`.
    pub fn diagonal(&self, i: usize) -> f64 {
        self.row(i).filter(|&(j, _)| j == i).map(|(_, v)| v).sum()
    }

    /// Rows and columns exchanged.
    pub fn transpose(&self) -> Self {
        let mut starts = vec![0u32; self.width + 1];
        for &j in &self.columns {
            starts[j as usize + 1] += 1;
        }
        for j in 0..self.width {
            starts[j + 1] += starts[j];
        }
        let mut next = starts.clone();
        let mut turned = Self {
            width: self.height(),
            starts,
            columns: vec![0; self.columns.len()],
            values: vec![0.0; self.values.len()],
        };
        for i in 0..self.height() {
            for (j, v) in self.row(i) {
                let at = next[j] as usize;
                next[j] += 1;
                turned.columns[at] = i as u32;
                turned.values[at] = v;
            }
        }
        turned
    }

    /// This matrix times `other`; the entries of a row are in no order.
    pub async fn times(&self, other: &Self, job: &Job<'_>) -> Result<Self, Error> {
        let mut product = Self::new(other.width);
        // By column: the sum of the row under way, and the last row that touched it.
        let mut sums = vec![0.0; other.width];
        let mut touched = vec![u32::MAX; other.width];
        let mut used = Vec::new();
        for i in 0..self.height() {
            if i % PATIENCE == 0 {
                job.step(Passes::default()).await?;
            }
            for (k, a) in self.row(i) {
                for (j, b) in other.row(k) {
                    if touched[j] != i as u32 {
                        touched[j] = i as u32;
                        sums[j] = 0.0;
                        used.push(j);
                    }
                    sums[j] += a * b;
                }
            }
            for j in used.drain(..) {
                product.push(j, sums[j]);
            }
            product.end_row();
        }
        Ok(product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Silent;

    /// `[[1, 0, 2], [0, 0, 3]]`.
    fn small() -> Sparse {
        let mut m = Sparse::new(3);
        m.push(0, 1.0);
        m.push(2, 2.0);
        m.end_row();
        m.push(2, 3.0);
        m.end_row();
        m
    }

    #[test]
    fn products_and_transposes() {
        let m = small();
        let job = Job::new(&Silent);
        let square = pollster::block_on(m.times(&m.transpose(), &job)).unwrap();
        let rows: Vec<Vec<_>> = (0..2).map(|i| square.row(i).collect()).collect();
        assert_eq!(rows, [vec![(0, 5.0), (1, 6.0)], vec![(0, 6.0), (1, 9.0)]]);
        let field = |values: [f64; 3]| values.map(|v| [v, 0.0, -v, 0.0]);
        let mut out = [[0.0; LANES]; 2];
        m.residual(&field([1.0, 7.0, 2.0]), &field([10.0, 10.0, 0.0])[..2], &mut out);
        assert_eq!(out, [[5.0, 0.0, -5.0, 0.0], [4.0, 0.0, -4.0, 0.0]]);
    }
}
