//! # Detectability
//!
//! **What it computes.** Whether a network that was trained to tell filled from original pixels finds those of this filling.
//!
//! **Formula.** `AUC = P(d[i] > d[j]) + P(d[i] = d[j]) / 2` for a removed pixel `i` and a kept pixel `j`, `d` the detector's logit at
//! a pixel of the filled picture; the mean over the draws.
//!
//! **Shapes and sign.** Between 0 and 1, lower is better: 0.5 is no better than chance, 1 is found everywhere. The detector
//! (`models/detector`) takes the filled picture in pixel values, clipped to between 0 and 1. Undefined where it is not loaded, for
//! pictures without three channels, and where no or every pixel is removed.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** It says what this detector sees: another may see more. Fillings of a kind that it was not trained on may
//! escape it and still be far from any photograph; so below 0.5 says no more than 0.5.
//!
//! **Reference.** After Rong et al., ROAD, ICML 2022, arXiv:2202.00449, whose `imputation_predict.py` trains a network to predict
//! which pixels were imputed.
//!
//! **Parity.** The AUC is scikit-learn's `roc_auc_score`, cases by hand in `tests/axioms`; the detector is our own.

use super::{Better, Case, Criterion, CriterionMeta, pixel_values};
use crate::metric::{Score, stats};
use crate::{Mask, Tensor};

/// See the [module](self).
pub struct Detectability;

/// Id of the network among those that criteria run.
pub const DETECTOR: &str = "detector";

impl Criterion for Detectability {
    const META: CriterionMeta = CriterionMeta {
        id: "detectability",
        name: "Detectability",
        summary: "Can a network that was trained for it tell the filled pixels from the original ones?",
        formula: "AUC of the detector's logits, removed against kept pixels",
        better: Better::Lower,
        range: "0 to 1; 0.5 is chance",
        reference: "after Rong et al. 2022, arXiv:2202.00449",
        needs_values: true,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        if let Some(nothing) = case.nothing() {
            return nothing;
        }
        if case.removed.count() == case.removed.bits().len() {
            return Score::Undefined("every pixel is removed, so there is none to tell the filled ones from".into());
        }
        if !case.networks.has(DETECTOR) {
            return Score::Undefined("the detector is not loaded".into());
        }
        let [channels, height, width] = case.input.dims();
        if channels != 3 {
            return Score::Undefined(format!("the detector takes pictures of three channels, not {channels}"));
        }
        case.mean(|filling, _| {
            let values = pixel_values(case.input, filling);
            let shown = values.iter().map(|&v| v.clamp(0.0, 1.0) as f32).collect();
            match case.networks.run(DETECTOR, &Tensor::new(&[1, 3, height, width], shown)) {
                Ok(logits) => auc(&logits, case.removed),
                Err(error) => Score::Undefined(format!("the detector can't look at it: {error}")),
            }
        })
    }
}

/// The AUC of `logits`, one a pixel, over the pixels of `removed` against the others.
pub fn auc(logits: &Tensor, removed: &Mask) -> Score {
    let (gone, pixels) = (removed.count() as f64, removed.bits().len());
    if logits.len() != pixels || !logits.is_finite() {
        return Score::Undefined(format!(
            "the detector gives {:?}, not one number a pixel",
            logits.shape()
        ));
    }
    let values: Vec<f64> = logits.data().iter().map(|&v| f64::from(v)).collect();
    let ranks = stats::ranks(&values);
    let sum: f64 = ranks
        .iter()
        .zip(removed.bits())
        .filter(|(_, gone)| **gone)
        .map(|(r, _)| r)
        .sum();
    let kept = pixels as f64 - gone;
    Score::finite(
        (sum - gone * (gone + 1.0) / 2.0) / (gone * kept),
        "no or every pixel is removed",
    )
}
