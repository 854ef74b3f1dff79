//! # Independent randomisation
//!
//! **What it computes.** How alike the map stays when one part of the network's weights is drawn anew and the rest is
//! kept: which part the map depends on.
//!
//! **Formula.** `score = mean over parts s of S(a of the trained network, a with part s of the groups drawn anew)`. A
//! group is an operator with weights and the biases, scales and shifts behind it; weights are normal draws with the
//! mean and the deviation of those they replace.
//!
//! **Shapes and sign.** Maps are compared as one relevance a pixel: summed over channels, resized where coarse. Up to
//! 1; lower is better. Stages whose map has no likeness (constant maps) are left out of curve and score; undefined
//! where none is left, and for networks without weights. The curve is the similarity over the share of groups up to
//! the end of the part.
//!
//! **Parameters.** `steps`: parts, one explanation each. `similarity`, `absolute`: how maps are compared.
//!
//! **When it misleads.** One redrawn layer may be made up for by the next: high likeness for a single part is no proof
//! of blindness. Maps that follow edges stay alike.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292 (independent
//! randomisation).
//!
//! **Parity.** Quantus `MPRT(layer_order="independent")` with layers that reset to this crate's draws instead of a
//! framework's, within 1e-5. The similarities agree with SciPy and scikit-image.

use super::weights::{self, Likenesses, Order};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct ModelRandomisation;

crate::params! {
    /// Parameters of [`ModelRandomisation`].
    pub struct ModelRandomisationParams {
        /// Parts whose weights are drawn one after the other; at most one for each group of weights.
        steps: usize = 8usize, int(1, 1000);
        /// How two maps are compared.
        similarity: String = "spearman", choice("spearman", "ssim", "pearson", "cosine");
        /// Whether magnitudes are compared rather than values.
        absolute: bool = true, flag;
    }
}

impl Metric for ModelRandomisation {
    type Params = ModelRandomisationParams;
    const META: MetricMeta = MetricMeta {
        id: "model-randomisation",
        name: "Independent randomisation",
        category: Category::Randomisation,
        direction: Direction::Lower,
        range: "up to 1; 1 where the map ignores the weights",
        summary: "Which part of the network does the map depend on?",
        caution: "One redrawn layer may be made up for by the next.",
        sensitive: &["similarity", "absolute", "steps"],
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &ModelRandomisationParams) -> Result<Passes, Error> {
        weights::passes(model, evidence, weights::stages(model, p.steps))
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &ModelRandomisationParams,
    ) -> Result<Measurement, Error> {
        let model = cx.exec.model();
        let stages = weights::stages(model, p.steps);
        let seed = weights::seed(cx, "model-randomisation/weights");
        let mut likenesses = Likenesses::new(&p.similarity, p.absolute);
        for stage in 1..=stages {
            let drawn = weights::stage(model, Order::Independent, stage, stages, seed);
            let map = weights::relevance(cx, evidence, drawn).await?;
            likenesses.compare(stage as f64 / stages as f64, &evidence.relevance, &map);
        }
        Ok(likenesses.measurement(false))
    }
}
