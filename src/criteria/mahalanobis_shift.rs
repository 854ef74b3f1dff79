//! # Mahalanobis shift
//!
//! **What it computes.** How much farther than the picture the filling lies from what the network's features are like on ordinary
//! pictures.
//!
//! **Formula.** `D(y) - D(x)`, with `D(v)^2 = (f(v) - m)^T S^-1 (f(v) - m) / width`: `f` the means over locations of the network's
//! default layer, `m` and `S` mean and covariance of `f` over ordinary pictures, `S` exact along its main directions and the same in
//! all others; the mean over the draws.
//!
//! **Shapes and sign.** Any real number, lower is better: 0 says as ordinary as the picture itself; an ordinary picture has a `D` of
//! about 1. Undefined for networks without `features.npy` (`lucarne study features` makes it).
//!
//! **Parameters.** None.
//!
//! **When it misleads.** One mean for all classes: a picture of a rare class lies far out by itself. A grey filling may lie near the
//! mean of all features and so look ordinary, or more ordinary than the picture.
//!
//! **Reference.** After Lee et al., NeurIPS 2018, arXiv:1807.03888, who take a mean for each class; without classes as Ren et al.
//! 2021, arXiv:2106.09022, take it for their background.
//!
//! **Parity.** numpy's full covariance where all directions are kept, in `tests/axioms`.

use super::{Better, Case, Criterion, CriterionMeta};
use crate::metric::Score;

/// See the [module](self).
pub struct MahalanobisShift;

impl Criterion for MahalanobisShift {
    const META: CriterionMeta = CriterionMeta {
        id: "mahalanobis-shift",
        name: "Mahalanobis shift",
        summary: "How much farther from ordinary pictures do the network's features lie than before?",
        formula: "D(filling) - D(picture), D the Mahalanobis distance of the pooled features over the root of their number",
        better: Better::Lower,
        range: "any number; 0 is as ordinary as the picture",
        reference: "after Lee et al. 2018, arXiv:1807.03888",
        needs_values: true,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        let Some(known) = case.features else {
            return Score::Undefined("what this network's features are like on ordinary pictures is not known".into());
        };
        let distance = |features: &Option<Vec<f64>>| features.as_deref().and_then(|f| known.distance(f));
        let Some(before) = distance(&case.before.features) else {
            return Score::Undefined("the feature statistics are of another network".into());
        };
        case.mean(|_, after| match distance(&after.features) {
            Some(after) => Score::Value(after - before),
            None => Score::Undefined("the feature statistics are of another network".into()),
        })
    }
}
