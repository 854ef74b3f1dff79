//! # Area between perturbation curves
//!
//! **What it computes.** How far apart the target stays when the least relevant pixels are removed first and when the most
//! relevant are: one number in which what holes do to every map cancels.
//!
//! **Formula.** `score = area under LeRF - area under MoRF`, each by trapezoids over the share of pixels removed,
//! `k / steps * share` for `k = 0 ... steps`, divided by the range of the share.
//!
//! **Shapes and sign.** A pixel goes with all its channels; its relevance is the sum of the map over them, and coarse maps
//! are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Higher is better; 0 by chance, and the
//! reversed map has exactly minus the score.
//!
//! **Parameters.** `steps`: removals in each order, two passes each, and two more for both starts. `share`: the largest
//! share of pixels removed. The imputer chosen for removal fills; with one that fills from kept pixels a last point where
//! none is left is left out.
//!
//! **When it misleads.** A map that ranks evidence against the class lowest gains from it twice: its LeRF curve may rise
//! above the whole picture. What the imputer makes of half a picture still matters, if less than for one curve.
//!
//! **Reference.** Šimić, Sabol & Veas, Perturbation Effect, CIKM 2022, arXiv:2208.09180 (decaying degradation between both
//! orders); Schulz et al., Restricting the Flow, ICLR 2020, arXiv:2001.00396 (LeRF minus MoRF).
//!
//! **Parity.** Quantus `RegionPerturbation` with patches of one pixel on one channel, `lerf` against `morf`, with the whole
//! picture put before; within 1e-5.

use super::curve::{Order, Ranking, check_steps, removal_curve, steps_of};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct Abpc;

crate::params! {
    /// Parameters of [`Abpc`].
    pub struct AbpcParams {
        /// How many times pixels are removed in each order.
        steps: usize = 32usize, int(1, 10_000);
        /// Largest share of the pixels that is removed.
        share: f64 = 1.0, real(0.01, 1.0);
    }
}

impl Metric for Abpc {
    type Params = AbpcParams;
    const META: MetricMeta = MetricMeta {
        id: "abpc",
        name: "Area between curves",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "the target's own range, both signs; about 0 by chance",
        summary: "How much sooner the answer falls without the most relevant pixels than without the least relevant.",
        caution: "Evidence against the class, ranked lowest, counts twice.",
        sensitive: &["imputer", "share"],
        reference: "Schulz et al. 2020, arXiv:2001.00396",
        needs: &[Need::Imputer],
        imputer: "constant",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &AbpcParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(p.steps, steps_of(p.share, height * width))?;
        Ok(Passes {
            forward: 2 * (p.steps as u64 + 1),
            backward: 0,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &AbpcParams) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let ranking = Ranking::new(&evidence.relevance, cx.random);
        let counts = ranking.counts(p.steps, p.share);
        let mut curves = Vec::with_capacity(2);
        for order in [Order::Morf, Order::Lerf] {
            let mask = |k: usize| ranking.first(order, counts[k]);
            curves.push(removal_curve(cx, &remover, order.label(), &counts, mask).await?);
        }
        Ok(Measurement {
            score: Score::finite(
                curves[1].auc() - curves[0].auc(),
                "the curves have a single point; take more steps or an imputer that can fill the whole picture",
            ),
            curves,
        })
    }
}
