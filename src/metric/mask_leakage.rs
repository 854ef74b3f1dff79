//! # Mask leakage
//!
//! **What it computes.** How much of the class the shape of the removed region gives away by itself: how often the class can
//! be told from the binary masks alone, without a picture or the network.
//!
//! **Formula.** Of every picture of the set and this one, the `share` of pixels that its map ranks highest is a mask of 0 and
//! 1. Each mask is given the class whose masks' mean, itself left out, is nearest (Euclidean). `accuracy = share given their
//! own class`; where `k` classes are equally near and its own is among them, `1 / k` counts. `chance = share of the most
//! frequent class`. `score = (accuracy - chance) / (1 - chance)`.
//!
//! **Shapes and sign.** Relevance is one value a pixel: channels summed, coarse maps resized bilinearly. At most 1, lower is
//! better: 0 or less where masks say no more than the most frequent class, 1 where they say it all. Undefined where all
//! pictures have one class, or no class has two pictures.
//!
//! **Parameters.** `share`: the share of pixels in the mask. Takes one explanation of each picture of the set, for its own
//! class; masks of the set are held in memory together.
//!
//! **When it misleads.** Few pictures give a noisy accuracy. Leakage is no fault of a map by itself: it says how far scores
//! by removal can come from the holes' shape.
//!
//! **Reference.** Rong et al., ICML 2022, arXiv:2202.00449, section on class information leakage; their `mask_leakage.py`
//! trains a residual network on masks of a whole data set, for which the nearest mean stands in here.
//!
//! **Parity.** scikit-learn `NearestCentroid` under `LeaveOneOut` on the masks, exact; the reference's own classifier is a
//! trained network. Ties by hand in `tests/axioms` and here.

use super::curve::{Order, Ranking, steps_of};
use super::together::{self, explain_set};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Mask, Model};

/// See the [module](self).
pub struct MaskLeakage;

crate::params! {
    /// Parameters of [`MaskLeakage`].
    pub struct MaskLeakageParams {
        /// Share of the pixels in the mask.
        share: f64 = 0.3, real(0.01, 0.99);
    }
}

impl Metric for MaskLeakage {
    type Params = MaskLeakageParams;
    const META: MetricMeta = MetricMeta {
        id: "mask-leakage",
        name: "Mask leakage",
        category: Category::Faithfulness,
        direction: Direction::Lower,
        range: "at most 1; 0 or less where masks tell nothing",
        summary: "Can the class be told from the shape of the removed region alone?",
        caution: "With few pictures it is noisy.",
        sensitive: &["share"],
        reference: "after Rong et al. 2022, arXiv:2202.00449",
        needs: &[Need::Explainer, Need::Set],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, _: &MaskLeakageParams) -> Result<Passes, Error> {
        together::passes(model, evidence)
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &MaskLeakageParams,
    ) -> Result<Measurement, Error> {
        let Some(explainer) = &evidence.explainer else {
            return Ok(Measurement::undefined("the method that made the map is not known"));
        };
        let mut classes = vec![cx.target.class];
        classes.extend(evidence.set.iter().map(|e| e.class));
        let mut maps = explain_set(cx, evidence, explainer).await?;
        maps.insert(0, evidence.relevance.clone());
        let masks: Vec<Mask> = maps
            .iter()
            .map(|map| Ranking::new(map, cx.random).first(Order::Morf, steps_of(p.share, map.len())))
            .collect();
        Ok(Measurement::of(leakage(&masks, &classes)))
    }
}

fn leakage(masks: &[Mask], classes: &[usize]) -> Score {
    let mut names = classes.to_vec();
    names.sort_unstable();
    names.dedup();
    let members = |class: usize| classes.iter().filter(|&&c| c == class).count();
    let most = names.iter().map(|&c| members(c)).max().unwrap_or(0);
    if names.len() < 2 {
        return Score::Undefined("all pictures have one class, so that nothing can be given away".into());
    }
    if most < 2 {
        return Score::Undefined("no class has two pictures, so that none can be recognised".into());
    }
    let pixels = masks[0].bits().len();
    let mut sums = vec![vec![0.0f64; pixels]; names.len()];
    let place = |class: usize| names.iter().position(|&c| c == class);
    for (mask, &class) in masks.iter().zip(classes) {
        let Some(at) = place(class) else { continue };
        for (sum, &bit) in sums[at].iter_mut().zip(mask.bits()) {
            *sum += f64::from(u8::from(bit));
        }
    }
    let mut right = 0.0;
    for (mask, &class) in masks.iter().zip(classes) {
        let distances: Vec<f64> = names
            .iter()
            .zip(&sums)
            .map(|(&name, sum)| {
                let own = f64::from(u8::from(name == class));
                let count = members(name) as f64 - own;
                let terms = sum.iter().zip(mask.bits()).map(|(sum, &bit)| {
                    let bit = f64::from(u8::from(bit));
                    ((sum - own * bit) / count - bit).powi(2)
                });
                if count > 0.0 { terms.sum() } else { f64::INFINITY }
            })
            .collect();
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let near = |d: f64| d <= nearest * (1.0 + 1e-12);
        let ties = distances.iter().filter(|&&d| near(d)).count();
        if place(class).is_some_and(|at| near(distances[at])) {
            right += 1.0 / ties as f64;
        }
    }
    let n = masks.len() as f64;
    let chance = most as f64 / n;
    Score::Value((right / n - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(rows: &[[u8; 4]]) -> Vec<Mask> {
        rows.iter()
            .map(|r| Mask::new(2, 2, r.iter().map(|&b| b == 1).collect()))
            .collect()
    }

    #[test]
    fn shapes_of_their_own_give_the_class_away() {
        let split = masks(&[[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]);
        assert_eq!(leakage(&split, &[0, 0, 1, 1]), Score::Value(1.0));
        // Each class' other picture looks like the other class.
        assert_eq!(leakage(&split, &[0, 1, 0, 1]), Score::Value(-1.0));
    }

    #[test]
    fn equal_masks_tell_nothing() {
        let same = masks(&[[1, 0, 0, 1]; 4]);
        assert_eq!(leakage(&same, &[0, 0, 1, 1]), Score::Value(0.0));
    }

    #[test]
    fn one_class_or_no_pair_is_undefined() {
        let same = masks(&[[1, 0, 0, 1]; 2]);
        assert!(matches!(leakage(&same, &[3, 3]), Score::Undefined(_)));
        assert!(matches!(leakage(&same, &[3, 4]), Score::Undefined(_)));
    }
}
