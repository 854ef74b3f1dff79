//! # Sufficiency and necessity
//!
//! **What it computes.** Whether what the map calls relevant is enough for the target by itself, whether the target falls
//! without it, and whether it is small; what the map says of the rest is not asked.
//!
//! **Formula.** `s` is the map as shares of 0 to 1, `R = {s >= threshold}`, `q` its share of all pixels. Over kept and removed
//! fractions `f = j / steps * q`, `j = 0 ... steps`, `K(f) = g(x with only the f most relevant pixels)` and
//! `D(f) = g(x without them)`. `separation = K(q) - D(q)`; `areas = area under K - area under D` by trapezoids over 0 to 1,
//! each curve held at its last value beyond `q`.
//! `score = separation_weight * separation + (1 - separation_weight) * areas - penalty * q`.
//!
//! **Shapes and sign.** A pixel goes with all its channels; relevance is the sum of the map over them, and coarse maps are
//! resized bilinearly. Equal pixels stand in a random order fixed by the seed. Between `-1 - penalty` and 1 for probabilities,
//! higher is better. Undefined for a map that prefers no pixel. Curves: `keep only` over the share kept, `remove` over the
//! share removed, both end at `q`.
//!
//! **Parameters.** `threshold`: from which share of the largest relevance a pixel counts as relevant. `steps`: fractions
//! on each curve; two passes each, and two for their starts. `separation_weight`; `penalty`: how much a map that calls every
//! pixel relevant loses. `scale`: how the map becomes shares. The imputer chosen for removal fills; with one that fills from
//! kept pixels points where none is kept are left out.
//!
//! **When it misleads.** The threshold decides what is judged: compare scores at several. Of two explanations of which each
//! is enough, neither is necessary, so that naming one alone gives half of what naming a necessary one gives.
//!
//! **Reference.** Our own score. It is inspired by what abstracts and summaries say of Singh et al., Learning Quantifiable
//! Visual Explanations Without Ground-Truth, 2026, arXiv:2605.18681 (curves truncated at a threshold, and a compactness
//! penalty), and is not their formula.
//!
//! **Parity.** None, for it is ours; exact values by hand, and the cases in which insertion and deletion misjudge, in
//! `tests/axioms/planted.rs`.

use super::blend::{NO_SHARES, shares};
use super::curve::{Order, Ranking, check_steps, removal_curve, share};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct SufficiencyNecessity;

crate::params! {
    /// Parameters of [`SufficiencyNecessity`].
    pub struct SufficiencyNecessityParams {
        /// From which share of the largest relevance a pixel counts as relevant.
        threshold: f64 = 0.25, real(0.001, 1.0);
        /// Fractions of the relevant pixels at which the answer is read, kept alone and removed.
        steps: usize = 8usize, int(1, 10_000);
        /// Weight of what all relevant pixels do together, against the areas on the way there.
        separation_weight: f64 = 0.5, real(0.0, 1.0);
        /// What a map loses that calls every pixel relevant.
        penalty: f64 = 0.5, real(0.0, 10.0);
        /// How the map becomes shares: `positive` drops negative relevance, `min-max` stretches it to 0 to 1.
        scale: String = "positive", choice("positive", "min-max");
    }
}

impl Metric for SufficiencyNecessity {
    type Params = SufficiencyNecessityParams;
    const META: MetricMeta = MetricMeta {
        id: "sufficiency-necessity",
        name: "Sufficiency and necessity",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "-1.5 to 1 for probabilities, with the default penalty",
        summary: "Is what the map calls relevant enough by itself, missed when removed, and small?",
        caution: "The threshold decides what is judged.",
        sensitive: &["imputer", "threshold", "penalty", "scale"],
        reference: "our own, inspired by Singh et al. 2026, arXiv:2605.18681",
        needs: &[Need::Imputer],
        imputer: "gaussian-blur",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &SufficiencyNecessityParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(p.steps, height * width)?;
        Ok(Passes {
            forward: 2 * (p.steps as u64 + 1),
            backward: 0,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &SufficiencyNecessityParams,
    ) -> Result<Measurement, Error> {
        let remover = Remover::new(cx, evidence.input).await?;
        let Some(worth) = shares(&evidence.relevance, &p.scale) else {
            return Ok(Measurement::undefined(NO_SHARES));
        };
        let ranking = Ranking::new(&evidence.relevance, cx.random);
        let pixels = ranking.pixels();
        let relevant = worth.iter().filter(|&&s| s >= p.threshold).count();
        let counts: Vec<usize> = (0..=p.steps).map(|j| share(j, p.steps, relevant)).collect();
        let remove = removal_curve(cx, &remover, "remove", &counts, |j| {
            ranking.first(Order::Morf, counts[j])
        });
        let remove = remove.await?;
        // Fewest missing first, as the helper wants it.
        let missing: Vec<usize> = counts.iter().rev().map(|&kept| pixels - kept).collect();
        let keep = removal_curve(cx, &remover, "keep only", &missing, |j| {
            ranking.first(Order::Lerf, missing[j])
        });
        let mut keep = keep.await?;
        keep.y.reverse();
        keep.x = counts[counts.len() - keep.y.len()..]
            .iter()
            .map(|&kept| kept as f64 / pixels as f64)
            .collect();
        let last = |curve: &Curve| curve.y.last().copied();
        let (Some(kept), Some(gone)) = (last(&keep), last(&remove)) else {
            return Ok(Measurement::undefined(
                "no point of the curves can be filled by this imputer",
            ));
        };
        let q = relevant as f64 / pixels as f64;
        let areas = held_area(&keep) - held_area(&remove);
        let score = p.separation_weight * (kept - gone) + (1.0 - p.separation_weight) * areas - p.penalty * q;
        Ok(Measurement {
            score: Score::finite(score, "the target is too large to add up"),
            curves: vec![keep, remove],
        })
    }
}

/// The area over 0 to 1 of a curve that is held before its first and beyond its last point.
fn held_area(curve: &Curve) -> f64 {
    let last = curve.x.len() - 1;
    let inside = (1..=last).map(|i| (curve.x[i] - curve.x[i - 1]) * f64::midpoint(curve.y[i], curve.y[i - 1]));
    curve.x[0] * curve.y[0] + inside.sum::<f64>() + (1.0 - curve.x[last]) * curve.y[last]
}
