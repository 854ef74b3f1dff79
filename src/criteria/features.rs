//! What a network's feature vectors are like on ordinary pictures: their mean, their main directions, and how far they
//! spread. Kept beside a bundled network as `features.npy`.

use crate::error::{Error, InputError};
use crate::{Tensor, npy};

/// Largest file, bytes.
pub const BYTES: usize = 300_000;

/// Statistics of feature vectors of `width` values: a mean, `rank` orthonormal directions with a standard deviation each,
/// and one standard deviation for everything across them (probabilistic principal components).
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// `[1 + rank, width + 1]`: row 0 is the mean and the standard deviation across the directions, every other row a
    /// direction and the standard deviation along it.
    table: Tensor,
}

impl Features {
    /// From `features.npy`: a float32 array `[1 + rank, width + 1]` as [`Features::to_npy`] writes it.
    ///
    /// # Errors
    /// Bytes that are no such array, by what is wrong with them.
    pub fn from_npy(bytes: &[u8]) -> Result<Self, Error> {
        let table = npy::read(bytes)?;
        let &[rows, columns] = table.shape() else {
            return Err(InputError::Shape {
                what: "the table of feature statistics".into(),
                found: table.shape().to_vec(),
                expected: "[1 + directions, features + 1]".into(),
            }
            .into());
        };
        let wrong = |why: &str| {
            Error::param(
                "features",
                format!("{why}; `lucarne study features` writes such a file"),
            )
        };
        if rows < 1 || columns < 2 || rows > columns {
            return Err(wrong("it has no feature, or more directions than features"));
        }
        if !table.is_finite() {
            return Err(InputError::NotFinite {
                what: "the table of feature statistics".into(),
            }
            .into());
        }
        if (0..rows).any(|i| table.row(i)[columns - 1] <= 0.0) {
            return Err(wrong("a standard deviation is not positive"));
        }
        Ok(Self { table })
    }

    /// As [`Features::from_npy`] reads it.
    pub fn to_npy(&self) -> Vec<u8> {
        npy::write(&self.table)
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.table.shape()[1] - 1
    }

    /// Number of directions.
    pub fn rank(&self) -> usize {
        self.table.shape()[0] - 1
    }

    /// Statistics of `samples`, each of the same length, along the `rank` directions in which they vary most. The variance
    /// across them is the mean of what is left (Tipping and Bishop 1999, doi:10.1111/1467-9868.00196).
    ///
    /// # Errors
    /// Fewer samples than `rank + 2`, or samples that do not vary.
    pub fn of(samples: &[Vec<f64>], rank: usize) -> Result<Self, Error> {
        let (count, width) = (samples.len(), samples.first().map_or(0, Vec::len));
        let rank = rank.min(width.saturating_sub(1));
        if count < rank + 2 || width == 0 {
            let why = format!("{rank} directions take {} pictures at least, not {count}", rank + 2);
            return Err(Error::param("rank", why));
        }
        let mean: Vec<f64> = (0..width)
            .map(|k| samples.iter().map(|s| s[k]).sum::<f64>() / count as f64)
            .collect();
        let centred: Vec<Vec<f64>> = samples
            .iter()
            .map(|s| s.iter().zip(&mean).map(|(v, m)| v - m).collect())
            .collect();
        let total = centred.iter().flatten().map(|v| v * v).sum::<f64>() / (count - 1) as f64;
        let found = directions(&centred, rank);
        let along: f64 = found.iter().map(|(variance, _)| variance).sum();
        let across = (total - along) / (width - rank) as f64;
        if across.is_nan() || across <= 0.0 || found.iter().any(|(variance, _)| *variance <= 0.0) {
            return Err(Error::param("features", "they do not vary in so many directions"));
        }
        let mut table: Vec<f32> = Vec::with_capacity((rank + 1) * (width + 1));
        table.extend(mean.iter().map(|&v| v as f32));
        table.push(across.sqrt() as f32);
        for (variance, direction) in found {
            table.extend(direction.iter().map(|&v| v as f32));
            table.push(variance.sqrt() as f32);
        }
        Ok(Self {
            table: Tensor::new(&[rank + 1, width + 1], table),
        })
    }

    /// The Mahalanobis distance of `features` from the mean, over the root of their number: about 1 for an ordinary
    /// picture. `None` where they are of another length.
    pub fn distance(&self, features: &[f64]) -> Option<f64> {
        let width = self.width();
        if features.len() != width {
            return None;
        }
        let deviation = |row: usize| f64::from(self.table.row(row)[width]);
        let d: Vec<f64> = features
            .iter()
            .zip(self.table.row(0))
            .map(|(v, &m)| v - f64::from(m))
            .collect();
        let (mut inside, mut rest) = (0.0, d.iter().map(|v| v * v).sum::<f64>());
        for row in 1..=self.rank() {
            let along: f64 = d.iter().zip(self.table.row(row)).map(|(v, &u)| v * f64::from(u)).sum();
            inside += (along / deviation(row)).powi(2);
            rest -= along * along;
        }
        Some(((inside + rest.max(0.0) / deviation(0).powi(2)) / width as f64).sqrt())
    }
}

/// The `rank` leading eigenvectors of the sample covariance of `centred`, with their eigenvalues, largest first: subspace
/// iteration with Gram-Schmidt, from a start that is fixed.
fn directions(centred: &[Vec<f64>], rank: usize) -> Vec<(f64, Vec<f64>)> {
    const ROUNDS: usize = 60;
    let (count, width) = (centred.len(), centred[0].len());
    let mut random = crate::rng::SeedStream::new(0).stream("features/start");
    // A few more than asked for, so that the last ones asked for settle.
    let held = (rank + 8).min(width).min(count - 1);
    let mut basis: Vec<Vec<f64>> = (0..held)
        .map(|_| (0..width).map(|_| f64::from(random.normal())).collect())
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mut variances = vec![0.0; held];
    for _ in 0..ROUNDS {
        for (u, variance) in basis.iter_mut().zip(&mut variances) {
            let mut next = vec![0.0; width];
            for row in centred {
                let along = dot(row, u);
                for (n, v) in next.iter_mut().zip(row) {
                    *n += along * v;
                }
            }
            *variance = dot(&next, &next).sqrt() / (count - 1) as f64;
            *u = next;
        }
        let mut order: Vec<usize> = (0..held).collect();
        order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
        basis = order.iter().map(|&i| std::mem::take(&mut basis[i])).collect();
        for i in 0..held {
            let (done, rest) = basis.split_at_mut(i);
            for _ in 0..2 {
                for u in &*done {
                    let along = dot(u, &rest[0]);
                    for (v, k) in rest[0].iter_mut().zip(u) {
                        *v -= along * k;
                    }
                }
            }
            let length = dot(&rest[0], &rest[0]).sqrt();
            if length > 0.0 {
                rest[0].iter_mut().for_each(|v| *v /= length);
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = basis
        .into_iter()
        .map(|u| {
            let spread = centred.iter().map(|row| dot(row, &u).powi(2)).sum::<f64>();
            (spread / (count - 1) as f64, u)
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(rank);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    /// Normal vectors with these standard deviations along the axes, turned in the plane of the first two.
    fn samples(count: usize, deviations: &[f64]) -> Vec<Vec<f64>> {
        let mut random = SeedStream::new(3).stream("test");
        (0..count)
            .map(|_| {
                let mut v: Vec<f64> = deviations.iter().map(|s| s * f64::from(random.normal())).collect();
                let (a, b) = (v[0], v[1]);
                (v[0], v[1]) = (0.6 * a - 0.8 * b + 5.0, 0.8 * a + 0.6 * b);
                v
            })
            .collect()
    }

    #[test]
    fn directions_and_deviations_are_found_again() {
        let found = Features::of(&samples(4000, &[9.0, 3.0, 1.0, 1.0, 1.0, 1.0]), 2).unwrap();
        assert_eq!((found.rank(), found.width()), (2, 6));
        for (row, expected) in [(0, 1.0), (1, 9.0), (2, 3.0)] {
            let deviation = f64::from(found.table.row(row)[6]);
            assert!((deviation / expected - 1.0).abs() < 0.05, "{row}: {deviation}");
        }
        assert!(f64::from(found.table.row(1)[0]).abs() - 0.6 < 0.02);
    }

    #[test]
    fn distances_are_one_on_average_and_grow_by_the_deviation() {
        let all = samples(4000, &[9.0, 3.0, 1.0, 1.0, 1.0, 1.0]);
        let found = Features::of(&all, 2).unwrap();
        let mean: f64 = all.iter().map(|s| found.distance(s).unwrap().powi(2)).sum::<f64>() / 4000.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        // Nine along the first direction is one deviation: one over the root of six.
        let far = [5.0 + 0.6 * 9.0, 0.8 * 9.0, 0.0, 0.0, 0.0, 0.0];
        assert!((found.distance(&far).unwrap() * 6f64.sqrt() - 1.0).abs() < 0.1);
        let odd = [5.0, 0.0, 9.0, 0.0, 0.0, 0.0];
        assert!((found.distance(&odd).unwrap() * 6f64.sqrt() / 9.0 - 1.0).abs() < 0.1);
        assert_eq!(found.distance(&[0.0; 5]), None);
    }

    #[test]
    fn files_are_read_as_written_and_others_refused() {
        let found = Features::of(&samples(50, &[9.0, 3.0, 1.0, 1.0]), 2).unwrap();
        assert_eq!(Features::from_npy(&found.to_npy()).unwrap(), found);
        let bad = |table: Tensor| Features::from_npy(&npy::write(&table)).unwrap_err().to_string();
        assert!(bad(Tensor::zeros(&[3])).contains("shape"));
        assert!(bad(Tensor::zeros(&[2, 3])).contains("positive"));
        assert!(bad(Tensor::full(&[5, 3], 1.0)).contains("directions"));
        assert!(Features::from_npy(b"no array").is_err());
        assert!(Features::of(&samples(3, &[1.0, 1.0, 1.0]), 2).is_err());
        assert!(Features::of(&vec![vec![1.0; 4]; 30], 2).is_err());
    }
}
