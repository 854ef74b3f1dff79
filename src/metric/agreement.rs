//! The agreement of two maps in their most relevant pixels.

use super::{Evidence, Score, masked, stats};
use crate::Tensor;

/// How a map stands to one pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stand {
    /// Twice the rank of its magnitude among all pixels; equal ones share the mean.
    pub rank: usize,
    /// -1, 0 or 1.
    pub sign: i8,
    /// How far it belongs to the top, 0 to 1.
    top: f64,
}

/// The second map, which the evidence has where [`Need::Other`](super::Need::Other) is declared.
///
/// # Panics
/// If there is none; that is a bug of the caller.
pub fn other<'a>(evidence: &'a Evidence<'_>) -> &'a Tensor {
    evidence.other.as_ref().expect("the evidence has what the metric needs")
}

/// Why a map that ranks nothing can't agree.
pub const FLAT: &str = "a map with the same relevance everywhere ranks no pixel before another";

/// The share of the top pixels that both maps have and in which they agree as `same` says.
pub fn of_top(evidence: &Evidence<'_>, share: f64, same: impl Fn(&Stand, &Stand) -> bool) -> Score {
    let pixels = evidence.relevance.len();
    let k = ((share * pixels as f64).round() as usize).clamp(1, pixels);
    match (stands(&evidence.relevance, k), stands(other(evidence), k)) {
        (Some(a), Some(b)) => {
            let agreed = a.iter().zip(&b).filter(|(a, b)| same(a, b));
            Score::Value(agreed.map(|(a, b)| a.top.min(b.top)).sum::<f64>() / k as f64)
        }
        _ => Score::Undefined(FLAT.into()),
    }
}

fn stands(map: &Tensor, k: usize) -> Option<Vec<Stand>> {
    let values = masked::Part::Absolute.values(map);
    if stats::spread(&values) <= 0.0 && values.len() > 1 {
        return None;
    }
    let (ranks, top) = (stats::ranks(&values), masked::top(&values, k));
    let sign = |v: f32| i8::from(v > 0.0) - i8::from(v < 0.0);
    let stand = |i: usize| Stand {
        rank: (2.0 * ranks[i]) as usize,
        sign: sign(map.data()[i]),
        top: top[i],
    };
    Some((0..values.len()).map(stand).collect())
}
