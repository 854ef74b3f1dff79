//! # Feature ablation
//!
//! **What it computes.** Hides one segment of the picture after the other and notes how far the target falls.
//!
//! **Formula.** `a[i] = g(x) - g(x without segment(i))`: pixels of the segment are filled by the chosen imputer.
//!
//! **Shapes and sign.** `[1, H, W]`, one value on all pixels of a segment; positive where hiding the segment lowers the
//! target.
//!
//! **Parameters.** `segmenter`, `segments` and the options of each segmenter: see [`segment`](crate::segment).
//!
//! **When it misleads.** Segments that say the same hide each other: neither is missed alone. Large segments win because
//! they hide more.
//!
//! **Reference.** Zeiler & Fergus 2014, arXiv:1311.2901, on superpixels as in Ribeiro et al. 2016, arXiv:1602.04938.
//!
//! **Parity.** Captum's `FeatureAblation.attribute(baselines=0, feature_mask=segments)`, within 1e-4.

use super::coalition::{Game, announced, forward};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct FeatureAblation;

crate::segmented_params! {
    /// Parameters of [`FeatureAblation`].
    pub struct FeatureAblationParams by "slic", 50usize {}
}

impl Method for FeatureAblation {
    type Params = FeatureAblationParams;
    const META: MethodMeta = MethodMeta {
        id: "feature-ablation",
        name: "Segment ablation",
        family: Family::Perturbation,
        summary: "Hides one segment of the picture after another and watches the answer fall.",
        caution: "Segments that say the same hide each other: neither is missed alone.",
        reference: "Zeiler & Fergus 2014, arXiv:1311.2901",
        signed: true,
        needs: &[Need::Segments, Need::Imputer],
        axioms: &[Axiom::Dummy, Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &FeatureAblationParams) -> Result<Passes, Error> {
        Ok(forward(announced(model, &p.segmentation())? + 1))
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &FeatureAblationParams,
    ) -> Result<Attribution, Error> {
        let game = Game::new(cx, input, &p.segmentation(), usize::MAX, |n| forward(n + 1)).await?;
        let players = game.players();
        let whole = game.worth(&[vec![true; players]]).await?[0];
        let mut values = vec![0.0; players];
        for turn in cx.batches(players) {
            let coalitions: Vec<Vec<bool>> = turn
                .clone()
                .map(|gone| (0..players).map(|k| k != gone).collect())
                .collect();
            for (k, worth) in turn.zip(game.worth(&coalitions).await?) {
                values[k] = whole - worth;
            }
            cx.job.offer(|| game.segments.paint(&values));
        }
        Ok(game.attribution(&values, None))
    }
}
