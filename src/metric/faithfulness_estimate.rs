//! # Faithfulness estimate
//!
//! **What it computes.** Whether the relevance of a group of pixels foretells how far the target falls without that group
//! alone.
//!
//! **Formula.** `score = Pearson over groups of (sum_{i in G} r[i], g(x) - g(x without G))`; the groups are the ranking cut
//! into `steps` runs.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance `r` is the sum of the map over them, and coarse
//! maps are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Between -1 and 1, higher is better; 1
//! for input × gradient on a linear network with zeros for removed pixels.
//!
//! **Parameters.** `steps`: groups, one pass each, and one more for the whole picture; as many as pixels for the paper's one
//! at a time. The imputer chosen for removal fills.
//!
//! **When it misleads.** One group lacks where all others are there, so that evidence which is there twice seems not to
//! matter.
//!
//! **Reference.** Alvarez-Melis & Jaakkola, Towards Robust Interpretability with Self-Explaining Neural Networks, NeurIPS
//! 2018, arXiv:1806.07538.
//!
//! **Parity.** Quantus `FaithfulnessEstimate` on one channel; within 1e-5. Quantus takes single channel values of colour
//! pictures; here a pixel is one unit.

use super::curve::{Order, Reading, check_steps, scores_without, whole};
use super::groups::Groups;
use super::subsets::foretold;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, stats};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct FaithfulnessEstimate;

crate::params! {
    /// Parameters of [`FaithfulnessEstimate`].
    pub struct FaithfulnessEstimateParams {
        /// Groups into which the ranking is cut; each takes one pass.
        steps: usize = 100usize, int(2, 100_000);
    }
}

impl Metric for FaithfulnessEstimate {
    type Params = FaithfulnessEstimateParams;
    const META: MetricMeta = MetricMeta {
        id: "faithfulness-estimate",
        name: "Faithfulness estimate",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1 to 1; about 0 by chance",
        summary: "Does a group's relevance foretell how far the answer falls without that group alone?",
        caution: "Evidence that is there twice seems not to matter.",
        sensitive: &["imputer", "steps"],
        reference: "Alvarez-Melis & Jaakkola 2018, arXiv:1806.07538",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &FaithfulnessEstimateParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(p.steps, height * width)?;
        Ok(Passes {
            forward: p.steps as u64 + 1,
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &FaithfulnessEstimateParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let groups = Groups::runs(&evidence.relevance, p.steps, cx.random);
        let whole = whole(cx, evidence.input).await?;
        let mask = |k: usize| groups.only(Order::Morf, k);
        let without = scores_without(cx, &remover, Reading::Target, p.steps, mask).await?;
        let sums: Vec<f64> = (0..p.steps).map(|k| groups.relevance(Order::Morf, k)).collect();
        let falls: Vec<f64> = without.iter().map(|y| whole - y).collect();
        Ok(Measurement::of(foretold(stats::pearson, &sums, &falls, whole)))
    }
}
