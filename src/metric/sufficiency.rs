//! # Sufficiency (Dasgupta)
//!
//! **What it computes.** Whether pictures that get nearly the same map get the same answer: how many of the set's pictures
//! whose map is near to this one have its class.
//!
//! **Formula.** Maps `a[j]` of all pictures, this one included, as `|r|`. Distances are
//! Euclidean with every pixel divided by its standard deviation over the set (SciPy's `seuclidean`; pixels that do not vary
//! are left out), divided by the largest between any two. `score = share of the pictures within `threshold` of this one whose
//! predicted class is this picture's`.
//!
//! **Shapes and sign.** Relevance is one value a pixel: channels summed, coarse maps resized bilinearly. Between 0 and 1,
//! higher is better. Undefined where no picture of the set is near enough.
//!
//! **Parameters.** `threshold`: how near, as a share of the largest distance. Takes one explanation of each picture of the
//! set, for its own class, and one pass for each answer. Maps of the set are held in memory together.
//!
//! **When it misleads.** It says nothing of one picture: it is a statement about the method on the set, and a method that
//! gives every class its own constant map has 1.
//!
//! **Reference.** Dasgupta, Frost & Moshkovitz, Framework for Evaluating Faithfulness of Local Explanations, ICML 2022,
//! arXiv:2202.00734.
//!
//! **Parity.** Quantus `Sufficiency` on sets whose maps vary at every pixel, exact. Where a pixel does not vary, as at the
//! border of many maps, its distances are not numbers and it gives 0: docs/departures.md. It gives 0 as well where no
//! picture is near, which here is undefined.

use super::curve::answer;
use super::together::{self, explain_set};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct Sufficiency;

crate::params! {
    /// Parameters of [`Sufficiency`].
    pub struct SufficiencyParams {
        /// How near a map must be, as a share of the largest distance between two.
        threshold: f64 = 0.6, real(0.0, 1.0);
    }
}

impl Metric for Sufficiency {
    type Params = SufficiencyParams;
    const META: MetricMeta = MetricMeta {
        id: "sufficiency",
        name: "Sufficiency (Dasgupta)",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "Do pictures that get nearly the same map get the same answer?",
        caution: "It speaks of the method on the whole set, not of one picture.",
        sensitive: &["threshold"],
        reference: "Dasgupta et al. 2022, arXiv:2202.00734",
        needs: &[Need::Explainer, Need::Set],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, _: &SufficiencyParams) -> Result<Passes, Error> {
        let maps = together::passes(model, evidence)?;
        Ok(Passes {
            forward: maps.forward + evidence.set.len() as u64 + 1,
            ..maps
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SufficiencyParams,
    ) -> Result<Measurement, Error> {
        let Some(explainer) = &evidence.explainer else {
            return Ok(Measurement::undefined("the method that made the map is not known"));
        };
        let mut answers = Vec::with_capacity(evidence.set.len() + 1);
        for input in std::iter::once(evidence.input).chain(evidence.set.iter().map(|e| &e.input)) {
            let logits = cx
                .forward(&Tensor::stack(std::slice::from_ref(&input.tensor)), &[])
                .await?
                .remove(0);
            answers.push(answer(logits.row(0)));
        }
        let mut maps = vec![evidence.relevance.clone()];
        maps.extend(explain_set(cx, evidence, explainer).await?);
        Ok(Measurement::of(share_alike(&maps, &answers, p.threshold)))
    }
}

/// The share of the maps within `threshold` of the first whose answer is the first's.
fn share_alike(maps: &[Tensor], answers: &[usize], threshold: f64) -> Score {
    let rows: Vec<Vec<f64>> = maps
        .iter()
        .map(|map| map.data().iter().map(|v| f64::from(v.abs())).collect())
        .collect();
    let n = rows.len() as f64;
    let weights: Vec<f64> = (0..rows[0].len())
        .map(|i| {
            let mean = rows.iter().map(|r| r[i]).sum::<f64>() / n;
            let variance = rows.iter().map(|r| (r[i] - mean).powi(2)).sum::<f64>() / (n - 1.0);
            if variance > 0.0 { 1.0 / variance } else { 0.0 }
        })
        .collect();
    let distance = |a: &[f64], b: &[f64]| {
        let terms = a.iter().zip(b).zip(&weights);
        terms
            .map(|((a, b), weight)| weight * (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let mut largest = 0.0f64;
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[..i] {
            largest = largest.max(distance(a, b));
        }
    }
    let near: Vec<usize> = (1..rows.len())
        .filter(|&j| distance(&rows[0], &rows[j]) <= threshold * largest)
        .collect();
    if near.is_empty() {
        return Score::Undefined("no picture of the set has a map near enough to this one".into());
    }
    let alike = near.iter().filter(|&&j| answers[j] == answers[0]).count();
    Score::Value(alike as f64 / near.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: [[f32; 4]; 6] = [
        [1.11, 1.12, 0.53, 0.07],
        [-0.39, 0.27, 0.32, -0.41],
        [-0.4, 1.5, 0.8, -0.03],
        [1.16, 1.17, 0.58, 0.12],
        [-0.43, 0.3, 0.35, -0.45],
        [0.61, 0.04, 1.26, -0.37],
    ];
    const ANSWERS: [usize; 6] = [0, 1, 0, 0, 0, 1];

    /// Made by Quantus 0.6.0: `Sufficiency(threshold=0.85)`, its other defaults.
    #[test]
    fn shares_as_by_quantus() {
        let maps = MAPS.map(|m| Tensor::new(&[2, 2], m.to_vec()));
        for (i, expected) in [1.0, 0.5, 1.0, 1.0, 0.0, 0.5].into_iter().enumerate() {
            let mut order: Vec<usize> = (0..MAPS.len()).collect();
            order.swap(0, i);
            let maps: Vec<Tensor> = order.iter().map(|&k| maps[k].clone()).collect();
            let answers: Vec<usize> = order.iter().map(|&k| ANSWERS[k]).collect();
            assert_eq!(share_alike(&maps, &answers, 0.85), Score::Value(expected), "{i}");
        }
    }

    #[test]
    fn without_a_near_map_it_is_undefined() {
        let maps = MAPS.map(|m| Tensor::new(&[2, 2], m.to_vec()));
        assert!(matches!(share_alike(&maps, &ANSWERS, 0.0), Score::Undefined(_)));
    }

    #[test]
    fn equal_maps_are_all_near() {
        let maps = vec![Tensor::full(&[2, 2], 1.0); 3];
        assert_eq!(share_alike(&maps, &[1, 1, 0], 0.6), Score::Value(0.5));
    }
}
