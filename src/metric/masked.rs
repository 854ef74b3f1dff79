//! What metrics share that look at the map itself: the known mask, which sign counts, and the top pixels with ties.

use super::{Evidence, Measurement, Score};
use crate::error::InputError;
use crate::{Error, Mask, Tensor};

/// Why a mask without pixels leaves a score undefined.
pub const EMPTY: &str = "the mask holds no pixel, so there is nothing to find";

/// Why a map of zeros leaves a score undefined.
pub const ZERO: &str = "the map is zero everywhere";

/// The known mask, which the evidence has where [`Need::Truth`](super::Need::Truth) is declared; refused where it is of
/// another size than the picture.
///
/// # Panics
/// If there is none; that is a bug of the caller.
pub fn truth<'a>(evidence: &Evidence<'a>) -> Result<&'a Mask, Error> {
    let mask = evidence.truth.expect("the evidence has what the metric needs");
    let [_, height, width] = evidence.input.dims();
    if (mask.height(), mask.width()) == (height, width) {
        return Ok(mask);
    }
    Err(InputError::Shape {
        what: "the mask".into(),
        found: vec![mask.height(), mask.width()],
        expected: format!("[{height}, {width}]"),
    }
    .into())
}

/// The score of the map against the known mask, or undefined where the mask is empty.
pub fn located(evidence: &Evidence<'_>, score: impl FnOnce(&Mask) -> Score) -> Result<Measurement, Error> {
    let mask = truth(evidence)?;
    Ok(if mask.count() == 0 {
        Measurement::undefined(EMPTY)
    } else {
        Measurement::of(score(mask))
    })
}

/// Which part of a signed relevance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The relevance as it is.
    Signed,
    /// Its magnitude.
    Absolute,
    /// What is above zero.
    Positive,
}

impl Part {
    /// From a parameter's word `signed`, `absolute` or `positive`.
    pub fn of(word: &str) -> Self {
        match word {
            "signed" => Self::Signed,
            "positive" => Self::Positive,
            _ => Self::Absolute,
        }
    }

    /// That part of each value.
    pub fn values(self, relevance: &Tensor) -> Vec<f64> {
        let part = |v: f64| match self {
            Self::Signed => v,
            Self::Absolute => v.abs(),
            Self::Positive => v.max(0.0),
        };
        relevance.data().iter().map(|&v| part(f64::from(v))).collect()
    }
}

/// The magnitudes of the pixel relevance as shares of the largest, or `None` where all are zero.
pub fn shares_of_largest(relevance: &Tensor) -> Option<Vec<f64>> {
    let values = Part::Absolute.values(relevance);
    let top = values.iter().copied().fold(0.0, f64::max);
    (top > 0.0).then(|| values.into_iter().map(|v| v / top).collect())
}

/// For each value how far it belongs to the `k` largest: 1 above the `k`-th, 0 below it, and an equal share each of the
/// places that are left for those that equal it. The shares sum to `k`, which is at most the number of values.
pub fn top(values: &[f64], k: usize) -> Vec<f64> {
    if k == 0 {
        return vec![0.0; values.len()];
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let cut = sorted[k - 1];
    let above = values.iter().filter(|&&v| v > cut).count();
    let equal = values.iter().filter(|&&v| v >= cut).count() - above;
    let share = (k - above) as f64 / equal as f64;
    let of = |v: f64| {
        if v > cut {
            1.0
        } else {
            f64::from(u8::from(v >= cut)) * share
        }
    };
    values.iter().map(|&v| of(v)).collect()
}

/// Sum of the values inside of the mask over the sum of all, or `None` where that is not above zero.
pub fn mass_inside(values: &[f64], mask: &Mask) -> Option<f64> {
    let total: f64 = values.iter().sum();
    let inside: f64 = values
        .iter()
        .zip(mask.bits())
        .filter(|(_, m)| **m)
        .map(|(v, _)| v)
        .sum();
    (total > 0.0).then(|| inside / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_shares_out_ties() {
        assert_eq!(top(&[3.0, 1.0, 2.0], 2), [1.0, 0.0, 1.0]);
        assert_eq!(
            top(&[1.0, 2.0, 1.0, 1.0, 0.0], 2),
            [1.0 / 3.0, 1.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]
        );
        assert_eq!(top(&[0.0, -0.0], 1), [0.5, 0.5]);
        assert_eq!(top(&[0.0, 1.0], 0), [0.0, 0.0]);
        assert_eq!(top(&[5.0, 1.0], 2), [1.0, 1.0]);
    }

    #[test]
    fn parts_of_a_map() {
        let map = Tensor::new(&[1, 3], vec![-2.0, 0.0, 1.0]);
        assert_eq!(Part::of("signed").values(&map), [-2.0, 0.0, 1.0]);
        assert_eq!(Part::of("absolute").values(&map), [2.0, 0.0, 1.0]);
        assert_eq!(Part::of("positive").values(&map), [0.0, 0.0, 1.0]);
        assert_eq!(shares_of_largest(&map).unwrap(), [1.0, 0.0, 0.5]);
        assert_eq!(shares_of_largest(&Tensor::zeros(&[1, 3])), None);
        let mask = Mask::new(1, 3, vec![true, false, false]);
        assert_eq!(mass_inside(&[2.0, 0.0, 1.0], &mask), Some(2.0 / 3.0));
        assert_eq!(mass_inside(&[-2.0, 0.0, 1.0], &mask), None);
    }
}
