//! # Model parameter randomisation
//!
//! **What it computes.** How alike the map stays while more and more of the network's weights are drawn anew: a map
//! that explains what was learned must go with it.
//!
//! **Formula.** `score = mean over stages s of S(a of the trained network, a with the first s / steps of the groups
//! drawn anew)`. A group is an operator with weights and the biases, scales and shifts behind it; weights are normal
//! draws with the mean and the deviation of those they replace.
//!
//! **Shapes and sign.** Maps are compared as one relevance a pixel: summed over channels, resized where coarse. Up to
//! 1; lower is better. Stages whose map has no likeness (constant maps) are left out of curve and score; undefined
//! where none is left, and for networks without weights. The curve is the similarity over the share of groups drawn so
//! far.
//!
//! **Parameters.** `steps`: stages, one explanation each. `order`: from the last group down (`top-down`, as the test
//! was first made) or from the first up (`bottom-up`, which later work advises: top-down, the untouched lower layers
//! keep maps alike whatever the method). `similarity`, `absolute`: how maps are compared. `summary`: mean of the
//! stages, or the last, when all is drawn.
//!
//! **When it misleads.** Maps that follow the picture's edges stay alike though they depend on the weights; noisy maps
//! lose likeness for their noise alone. Compare with the controls.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292; on the order,
//! Hedström et al., 2024, arXiv:2405.02383.
//!
//! **Parity.** Quantus `MPRT` with layers that reset to this crate's draws instead of a framework's, within 1e-5. Its own
//! average counts the trained network's likeness to itself, 1, as a layer (docs/departures.md); compared are its scores by
//! layer. The similarities agree with SciPy and scikit-image.

use super::weights::{self, Likenesses, Order};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Mprt;

crate::params! {
    /// Parameters of [`Mprt`].
    pub struct MprtParams {
        /// Stages in which the weights are drawn; at most one for each group of weights.
        steps: usize = 8usize, int(1, 1000);
        /// From which end of the network the weights are drawn anew.
        order: String = "bottom-up", choice("bottom-up", "top-down");
        /// How two maps are compared.
        similarity: String = "spearman", choice("spearman", "ssim", "pearson", "cosine");
        /// Whether magnitudes are compared rather than values.
        absolute: bool = true, flag;
        /// Whether the score is the mean of all stages, or the last of them.
        summary: String = "mean", choice("mean", "last");
    }
}

impl Metric for Mprt {
    type Params = MprtParams;
    const META: MetricMeta = MetricMeta {
        id: "mprt",
        name: "Model parameter randomisation",
        category: Category::Randomisation,
        direction: Direction::Lower,
        range: "up to 1; 1 where the map ignores the weights",
        summary: "Does the map go when what the network learned goes?",
        caution: "Maps that follow the picture's edges stay alike though they depend on the weights.",
        sensitive: &["order", "similarity", "absolute", "steps"],
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &MprtParams) -> Result<Passes, Error> {
        weights::passes(model, evidence, weights::stages(model, p.steps))
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &MprtParams) -> Result<Measurement, Error> {
        let model = cx.exec.model();
        let stages = weights::stages(model, p.steps);
        let seed = weights::seed(cx, "mprt/weights");
        let mut likenesses = Likenesses::new(&p.similarity, p.absolute);
        for stage in 1..=stages {
            let drawn = weights::stage(model, Order::of(&p.order), stage, stages, seed);
            let map = weights::relevance(cx, evidence, drawn).await?;
            likenesses.compare(stage as f64 / stages as f64, &evidence.relevance, &map);
        }
        Ok(likenesses.measurement(p.summary == "last"))
    }
}
