//! Weighted least squares over coalitions, from running sums: memory is that of one matrix of players, whatever the
//! number of samples.

/// Running sums of `weight`, `weight row`, `weight row row'`, and of the same times the value, for rows of zeros and ones.
pub(super) struct Sums {
    players: usize,
    weight: f64,
    value: f64,
    rows: Vec<f64>,
    gram: Vec<f64>,
    moment: Vec<f64>,
}

impl Sums {
    pub(super) fn new(players: usize) -> Self {
        Self {
            players,
            weight: 0.0,
            value: 0.0,
            rows: vec![0.0; players],
            gram: vec![0.0; players * players],
            moment: vec![0.0; players],
        }
    }

    /// One sample: who is in, how much it counts, and what came out.
    pub(super) fn add(&mut self, present: &[bool], weight: f64, value: f64) {
        let members: Vec<usize> = (0..self.players).filter(|&k| present[k]).collect();
        self.weight += weight;
        self.value += weight * value;
        for &a in &members {
            self.rows[a] += weight;
            self.moment[a] += weight * value;
            for &b in &members {
                self.gram[a * self.players + b] += weight;
            }
        }
    }

    /// Coefficients of the weighted ridge regression with an intercept that is not shrunk: they minimise
    /// `sum weight (value - intercept - coefficients . row)^2 + alpha |coefficients|^2`.
    pub(super) fn ridge(&self, alpha: f64) -> Vec<f64> {
        let n = self.players;
        let total = self.weight.max(f64::MIN_POSITIVE);
        let mut matrix = self.gram.clone();
        for a in 0..n {
            for b in 0..n {
                matrix[a * n + b] -= self.rows[a] * self.rows[b] / total;
            }
            matrix[a * n + a] += alpha;
        }
        let centred = |a: usize| self.moment[a] - self.rows[a] * self.value / total;
        solve(&matrix, &[(0..n).map(centred).collect()]).remove(0)
    }

    /// Coefficients without an intercept that minimise `sum weight (value - coefficients . row)^2` among those that sum
    /// to `total`.
    pub(super) fn summing_to(&self, total: f64) -> Vec<f64> {
        let mut solved = solve(&self.gram, &[self.moment.clone(), vec![1.0; self.players]]);
        let (ones, mut free) = (solved.remove(1), solved.remove(0));
        let excess = free.iter().sum::<f64>() - total;
        let scale = excess / ones.iter().sum::<f64>();
        for (value, one) in free.iter_mut().zip(ones) {
            *value -= scale * one;
        }
        free
    }
}

/// Solves `matrix x = right` for each right side by Cholesky's factorisation. A matrix that is singular up to rounding
/// gets the least multiple of the identity, of a few sizes tried, that makes it regular: nearly the smallest solution.
fn solve(matrix: &[f64], rights: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = rights[0].len();
    let top = (0..n).fold(f64::MIN_POSITIVE, |top, k| top.max(matrix[k * n + k]));
    let factor = [0.0, 1e-12, 1e-10, 1e-8]
        .into_iter()
        .find_map(|ridge| cholesky(matrix, n, ridge * top, 1e-14 * top))
        .or_else(|| cholesky(matrix, n, 1e-6 * top, 0.0));
    let Some(lower) = factor else {
        return rights.iter().map(|r| vec![0.0; r.len()]).collect();
    };
    let mut solved = rights.to_vec();
    for x in &mut solved {
        for i in 0..n {
            let known: f64 = (0..i).map(|k| lower[i * n + k] * x[k]).sum();
            x[i] = (x[i] - known) / lower[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - known) / lower[i * n + i];
        }
    }
    solved
}

/// The lower factor of `matrix + ridge`, or nothing where a pivot is not above `least`.
fn cholesky(matrix: &[f64], n: usize, ridge: f64, least: f64) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (a, b) = (&lower[i * n..i * n + j], &lower[j * n..j * n + j]);
            let done: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let rest = matrix[i * n + j] - done;
            if i == j {
                let pivot = rest + ridge;
                if pivot.is_nan() || pivot <= least {
                    return None;
                }
                lower[i * n + i] = pivot.sqrt();
            } else {
                lower[i * n + j] = rest / lower[j * n + j];
            }
        }
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-9, "{found:?} {expected:?}");
        }
    }

    /// Made by scikit-learn: `Ridge(alpha=1).fit(X, y, sample_weight=w).coef_`.
    #[test]
    fn ridge_is_scikit_learns() {
        let rows = [[true, false], [true, true], [false, true], [false, false]];
        let mut sums = Sums::new(2);
        for ((row, weight), value) in rows.iter().zip([1.0, 0.5, 0.25, 2.0]).zip([1.0, 4.0, 2.0, -1.0]) {
            sums.add(row, weight, value);
        }
        close(&sums.ridge(1.0), &RIDGE);
    }

    const RIDGE: [f64; 2] = [1.133_333_333_333_333_3, 1.233_333_333_333_333_3];

    #[test]
    fn additive_values_are_found_under_the_constraint_and_too_few_samples_stay_finite() {
        let weights = [1.5, -2.0, 0.25];
        let mut sums = Sums::new(3);
        for bits in 1..7u32 {
            let row: Vec<bool> = (0..3).map(|k| bits >> k & 1 == 1).collect();
            let value = (0..3).filter(|&k| row[k]).map(|k| weights[k]).sum();
            sums.add(&row, 1.0, value);
        }
        close(&sums.summing_to(-0.25), &weights);
        let mut few = Sums::new(5);
        few.add(&[true, true, false, false, false], 1.0, 3.0);
        let found = few.summing_to(3.0);
        assert!(found.iter().all(|v| v.is_finite()), "{found:?}");
        assert!((found.iter().sum::<f64>() - 3.0).abs() < 1e-6);
    }
}
