//! # Feature distance
//!
//! **What it computes.** How far the filling lies from the picture in the eyes of the explained network: the distance of its feature
//! maps, layer by layer, with every location's features brought to length 1.
//!
//! **Formula.** `mean over layers l of mean over locations p of |x[l, p] / |x[l, p]| - y[l, p] / |y[l, p]||^2`, `x` and `y` the
//! channels at a location for the picture and the filling; the mean over the draws. Layers: those that the network's card lists as
//! worth explaining (its default layer where it lists none), each with weight 1.
//!
//! **Shapes and sign.** Between 0 and 4, of rectified features between 0 and 2; lower is nearer, 0 for equal pictures. Undefined for
//! networks without feature maps.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** It is the explained network's view, which counts what that network looks at and no person's: values of two
//! networks can't be compared. Over all locations it also counts those that were kept, so it grows with the removed share.
//!
//! **Reference.** After Zhang et al., LPIPS, CVPR 2018, arXiv:1801.03924, which takes AlexNet or VGG and weights learned from
//! people's judgements; here the layers of the explained network count alike.
//!
//! **Parity.** Its formula with unit weights, computed apart in `tests/axioms`; LPIPS itself has other networks.

use super::{Better, Case, Criterion, CriterionMeta};
use crate::Tensor;
use crate::metric::Score;

/// See the [module](self).
pub struct FeatureDistance;

impl Criterion for FeatureDistance {
    const META: CriterionMeta = CriterionMeta {
        id: "feature-distance",
        name: "Feature distance",
        summary: "How far does the filling lie from the picture in the explained network's own features?",
        formula: "mean over layers and locations of the squared distance of features of length 1",
        better: Better::Lower,
        range: "0 to 4; 0 for equal pictures",
        reference: "after Zhang et al. 2018, arXiv:1801.03924",
        needs_values: true,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        if case.before.layers.is_empty() {
            return Score::Undefined("the network has no feature maps".into());
        }
        case.mean(|_, after| {
            if after.layers.len() != case.before.layers.len() {
                return Score::Undefined("the network was not looked into".into());
            }
            let distances = case
                .before
                .layers
                .iter()
                .zip(&after.layers)
                .map(|(x, y)| distance(x, y));
            Score::Value(distances.sum::<f64>() / case.before.layers.len() as f64)
        })
    }
}

/// Mean over locations of the squared distance of the channels at them, brought to length 1. LPIPS adds 1e-10 to the lengths.
fn distance(x: &Tensor, y: &Tensor) -> f64 {
    let channels = x.shape()[0];
    let locations = x.len() / channels.max(1);
    let value = |t: &Tensor, c: usize, p: usize| f64::from(t.data()[c * locations + p]);
    let length = |t: &Tensor, p: usize| (0..channels).map(|c| value(t, c, p).powi(2)).sum::<f64>().sqrt() + 1e-10;
    let sum: f64 = (0..locations)
        .map(|p| {
            let (a, b) = (length(x, p), length(y, p));
            (0..channels)
                .map(|c| (value(x, c, p) / a - value(y, c, p) / b).powi(2))
                .sum::<f64>()
        })
        .sum();
    sum / locations.max(1) as f64
}
