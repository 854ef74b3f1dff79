//! # DeepLIFT-SHAP
//!
//! **What it computes.** DeepLIFT's map, averaged over several baselines: an approximation of Shapley values in which
//! absent means "as in one of the baselines".
//!
//! **Formula.** `a = mean_k (x - b[k]) m[k]`, with DeepLIFT's multipliers `m[k]` between `x` and the baseline `b[k]`. The
//! map sums to `g(x) - mean_k g(b[k])` where DeepLIFT's does; the gap says how far.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the difference from the baselines raises the target.
//!
//! **Parameters.** `references`: how many baselines, of `noise` (uniform between black and white) or of the pictures that
//! were given (`picture`); the other references are one baseline, and the map DeepLIFT's. `baseline`, `blur`: as there.
//!
//! **When it misleads.** Baselines that no network was trained on (noise) make the differences those of a strange picture;
//! shares follow the operators, so they are Shapley values only of networks that are sums of single non-linearities.
//!
//! **Reference.** Lundberg & Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, arXiv:1705.07874.
//!
//! **Parity.** Captum `DeepLiftShap` on the recorded baselines `baseline/noise` or `baseline/pictures`, both
//! `[n, C, H, W]`; relative error at most 1e-4 against float64, within the limits of [DeepLIFT](super::deep_lift).

use super::baselines::Reference;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need, deep_lift};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct DeepLiftShap;

crate::params! {
    /// Parameters of [`DeepLiftShap`].
    pub struct DeepLiftShapParams {
        /// What the picture is compared with.
        reference: String = "noise", choice("constant", "black", "white", "blurred", "noise", "picture");
        /// The value of every baseline pixel and channel, in preprocessed space; for a constant reference.
        baseline: f64 = 0.0, real(-1000.0, 1000.0);
        /// Standard deviation of the blur, in pixels; for a blurred reference.
        blur: f64 = 10.0, real(0.1, 100.0);
        /// How many noises or given pictures to compare with; the map is the mean over them.
        references: usize = 16usize, int(1, 1000);
    }
}

impl DeepLiftShapParams {
    fn reference(&self) -> Reference<'_> {
        Reference {
            kind: &self.reference,
            value: self.baseline,
            blur: self.blur,
            count: self.references,
        }
    }
}

impl Method for DeepLiftShap {
    type Params = DeepLiftShapParams;
    const META: MethodMeta = MethodMeta {
        id: "deep-lift-shap",
        name: "DeepLIFT-SHAP",
        family: Family::Gradient,
        summary: "DeepLIFT, averaged over several blank pictures.",
        caution: "Random baselines are strange pictures, and what counts as absent decides the map.",
        reference: "Lundberg & Lee 2017, arXiv:1705.07874",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness, Axiom::Dummy],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &DeepLiftShapParams) -> Result<Passes, Error> {
        deep_lift::check(model)?;
        Ok(deep_lift::passes(p.reference().count()))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &DeepLiftShapParams) -> Result<Attribution, Error> {
        deep_lift::mean_over(cx, input, p.reference()).await
    }
}
