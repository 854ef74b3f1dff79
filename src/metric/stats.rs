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
    }

    #[test]
    fn spreads() {
        assert!((spread(&[2.0, -1.0, 0.5]) - 3.0).abs() < 1e-15);
        assert!(spread(&[]).abs() < 1e-15);
    }
}
