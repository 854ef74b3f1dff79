//! Small statistics shared by metrics.

/// Pearson's correlation of two equally long samples, or `None` where either side does not vary.
///
/// # Panics
/// If the lengths differ; that is a bug of the caller.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "a correlation needs pairs");
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = aa.sqrt() * bb.sqrt();
    (scale > 0.0 && scale.is_finite()).then(|| (ab / scale).clamp(-1.0, 1.0))
}

/// One rank a value, from 1 for the smallest; equal values share the mean of their ranks. Values must not be NaN.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // `total_cmp` would tell zeros of both signs apart.
    order.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap_or(std::cmp::Ordering::Equal));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let mut to = from + 1;
        while to < order.len() && values[order[to]] <= values[order[from]] {
            to += 1;
        }
        let mean = (from + 1 + to) as f64 / 2.0;
        for &i in &order[from..to] {
            ranks[i] = mean;
        }
        from = to;
    }
    ranks
}

/// Spearman's correlation: Pearson's of the ranks, ties sharing their mean rank (SciPy's `spearmanr`), or `None` where
/// either side does not vary.
///
/// # Panics
/// If the lengths differ; that is a bug of the caller.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

/// Kendall's tau-b (SciPy's `kendalltau`): concordant minus discordant pairs, over the geometric mean of the pairs that
/// are not tied on either side; or `None` where either side does not vary. Takes `n log n` steps.
///
/// # Panics
/// If the lengths differ; that is a bug of the caller.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "a correlation needs pairs");
    let n = a.len();
    // Knight's algorithm: sorted by `a`, then `b`, each discordant pair is an inversion of the ranks of `b`.
    let (a, b) = (ranks(a), ranks(b));
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i].total_cmp(&a[j]).then(b[i].total_cmp(&b[j])));
    let sorted = |v: &[f64]| order.iter().map(|&i| v[i]).collect::<Vec<_>>();
    let (a, mut b) = (sorted(&a), sorted(&b));
    let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
    let runs = |same: &dyn Fn(usize) -> bool| {
        let (mut run, mut tied) = (1, 0.0);
        for i in 1..=n {
            if i < n && same(i) {
                run += 1;
            } else {
                tied += pairs(run);
                run = 1;
            }
        }
        tied
    };
    if n == 0 {
        return None;
    }
    let tied_a = runs(&|i| a[i] <= a[i - 1]);
    let tied_both = runs(&|i| a[i] <= a[i - 1] && b[i] <= b[i - 1]);
    let discordant = inversions(&mut b);
    let tied_b = runs(&|i| b[i] <= b[i - 1]);
    let all = pairs(n);
    let scale = (all - tied_a).sqrt() * (all - tied_b).sqrt();
    let concordant = all - tied_a - tied_b + tied_both - discordant;
    (scale > 0.0).then(|| ((concordant - discordant) / scale).clamp(-1.0, 1.0))
}

/// Pairs of `values` that stand in falling order; sorts them.
fn inversions(values: &mut [f64]) -> f64 {
    let n = values.len();
    let (mut found, mut merged) = (0.0, values.to_vec());
    let mut width = 1;
    while width < n {
        for start in (0..n).step_by(2 * width) {
            let (middle, end) = ((start + width).min(n), (start + 2 * width).min(n));
            let (mut left, mut right) = (start, middle);
            for slot in &mut merged[start..end] {
                if right == end || (left < middle && values[left] <= values[right]) {
                    *slot = values[left];
                    left += 1;
                } else {
                    *slot = values[right];
                    right += 1;
                    found += (middle - left) as f64;
                }
            }
        }
        values.copy_from_slice(&merged);
        width *= 2;
    }
    found
}

/// Largest minus smallest value; zero for none.
pub fn spread(values: &[f64]) -> f64 {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    (high - low).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_by_hand() {
        let cases = [
            ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], 1.0),
            ([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, -1.0, -2.0], -1.0),
            ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 5.0], 5.5 / (5.0f64 * 8.75).sqrt()),
        ];
        for (a, b, expected) in cases {
            let found = pearson(&a, &b).unwrap();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert_eq!(pearson(&[2.0, 2.0], &[1.0, 3.0]), None);
        assert_eq!(pearson(&[], &[]), None);
        for correlation in [spearman, kendall] {
            assert_eq!(correlation(&[2.0, 2.0, 2.0], &[1.0, 3.0, 2.0]), None);
            assert_eq!(correlation(&[1.0, 3.0, 2.0], &[0.0, -0.0, 0.0]), None);
            assert_eq!(correlation(&[], &[]), None);
            assert_eq!(correlation(&[1.0], &[1.0]), None);
        }
    }

    #[test]
    fn equal_values_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, -1.0, 3.0, 0.0, 3.0, -0.0]), [5.0, 1.0, 5.0, 2.5, 5.0, 2.5]);
    }

    /// Made by SciPy 1.17: `scipy.stats.spearmanr`, `scipy.stats.kendalltau`.
    #[test]
    fn rank_correlations_as_by_scipy() {
        let a = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0];
        let b = [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0, 8.0, 2.0, 8.0, 4.0];
        assert!((spearman(&a, &b).unwrap() - 0.138_456_765_146_769_5).abs() < 1e-14);
        assert!((kendall(&a, &b).unwrap() - 0.147_572_957_474_524_34).abs() < 1e-14);
    }

    #[test]
    fn kendall_counts_pairs() {
        let mut state = 1u64;
        let mut draw = |levels: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % levels) as f64
        };
        for n in 2..40 {
            let (a, b): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (draw(7), draw(5))).unzip();
            let (mut sum, mut aa, mut bb) = (0.0, 0.0, 0.0);
            for i in 0..n {
                for j in 0..i {
                    let sign = |v: &[f64]| v[i].partial_cmp(&v[j]).map_or(0.0, |o| f64::from(o as i8));
                    let (x, y) = (sign(&a), sign(&b));
                    sum += x * y;
                    aa += x * x;
                    bb += y * y;
                }
            }
            match kendall(&a, &b) {
                Some(found) => assert!((found - sum / f64::sqrt(aa * bb)).abs() < 1e-12, "{a:?} {b:?}"),
                None => assert!(aa * bb == 0.0),
            }
        }
    }

    #[test]
    fn spreads() {
        assert!((spread(&[2.0, -1.0, 0.5]) - 3.0).abs() < 1e-15);
        assert!(spread(&[]).abs() < 1e-15);
    }
}
