//! Means with the interval that other samples of pictures might have given.

use crate::rng::SeedStream;

/// How often pictures are drawn anew.
pub const ROUNDS: usize = 1000;

/// A statistic of a sample of pictures, with the middle 95 % of its values on samples drawn from it with replacement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Of all pictures.
    pub value: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// `statistic` of pictures `0..count`, each given as often as it was drawn; `None` where it is not defined for all of them.
/// Draws on which it is not defined are left out.
pub fn bootstrap(count: usize, name: &str, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<Estimate> {
    let all: Vec<usize> = (0..count).collect();
    let value = statistic(&all).filter(|v| v.is_finite())?;
    let mut stream = SeedStream::new(0).stream(&format!("study/{name}"));
    let mut found: Vec<f64> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let drawn: Vec<usize> = (0..count).map(|_| stream.index(count)).collect();
        found.extend(statistic(&drawn).filter(|v| v.is_finite()));
    }
    found.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (found.len().max(1) - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let low = found.get(below).copied().unwrap_or(value);
        low + part * (found.get(below + 1).copied().unwrap_or(low) - low)
    };
    Some(Estimate {
        value,
        low: at(0.025),
        high: at(0.975),
    })
}

/// The mean of the values there are; `None` for none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

/// [`bootstrap`] of the mean of one value a picture.
pub fn of_mean(values: &[f64], name: &str) -> Option<Estimate> {
    bootstrap(values.len(), name, |drawn| mean(drawn.iter().map(|&i| values[i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_on_each_side() {
        let mut stream = SeedStream::new(1).stream("test");
        let values: Vec<f64> = (0..400).map(|_| 3.0 + 2.0 * f64::from(stream.normal())).collect();
        let found = of_mean(&values, "test").unwrap();
        assert!((found.value - 3.0).abs() < 0.3);
        assert!(
            ((found.high - found.low) / (2.0 * 1.96 * 0.1) - 1.0).abs() < 0.2,
            "{found:?}"
        );
        assert!(found.low < found.value && found.value < found.high);
        assert_eq!(found, of_mean(&values, "test").unwrap());
        assert_ne!(found, of_mean(&values, "other").unwrap());
        assert_eq!(of_mean(&[], "none"), None);
        let same = of_mean(&[2.0; 5], "same").unwrap();
        assert!(
            [same.value, same.low, same.high]
                .iter()
                .all(|v| (v - 2.0).abs() < 1e-12)
        );
    }
}
