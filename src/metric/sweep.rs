//! Pixels removed, or put back, in the order of their relevance: what deletion, insertion and pixel flipping share.

use super::curve::{Order, Ranking, check_steps, removal_curve, steps_of};
use super::{Curve, Evidence, Measurement, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model};

/// How far, in how many steps, from which end.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// Steps after the start; one pass each, and one for the start.
    pub steps: usize,
    /// `morf` or `lerf`.
    pub order: &'a str,
    /// Largest share of the pixels that is reached.
    pub share: f64,
}

impl Sweep<'_> {
    /// Passes of [`removing`] and [`inserting`]; refuses more steps than pixels.
    pub fn passes(&self, model: &Model) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        check_steps(self.steps, steps_of(self.share, height * width))?;
        Ok(Passes {
            forward: self.steps as u64 + 1,
            backward: 0,
        })
    }
}

/// The area under the target over the share of pixels removed, the first of the order first.
pub async fn removing(cx: &Context<'_>, evidence: &Evidence<'_>, sweep: &Sweep<'_>) -> Result<Measurement, Error> {
    let remover = Remover::new(cx, evidence.input).await?;
    let ranking = Ranking::new(&evidence.relevance, cx.random);
    let (order, counts) = (Order::of(sweep.order), ranking.counts(sweep.steps, sweep.share));
    let mask = |k: usize| ranking.first(order, counts[k]);
    Ok(measured(
        removal_curve(cx, &remover, order.label(), &counts, mask).await?,
    ))
}

/// The area under the target over the share of pixels put back into a picture without any, the first of the order first.
pub async fn inserting(cx: &Context<'_>, evidence: &Evidence<'_>, sweep: &Sweep<'_>) -> Result<Measurement, Error> {
    let remover = Remover::new(cx, evidence.input).await?;
    let ranking = Ranking::new(&evidence.relevance, cx.random);
    let order = Order::of(sweep.order);
    let pixels = ranking.pixels();
    // What is missing when the first of one order are back are the first of the other; fewest missing first.
    let back = ranking.counts(sweep.steps, sweep.share);
    let most = back[sweep.steps];
    let missing: Vec<usize> = back.iter().map(|&count| pixels - most + count).collect();
    let mask = |k: usize| ranking.first(order.reversed(), missing[k]);
    let mut curve = removal_curve(cx, &remover, order.label(), &missing, mask).await?;
    curve.x = missing[..curve.x.len()]
        .iter()
        .rev()
        .map(|&count| (pixels - count) as f64 / pixels as f64)
        .collect();
    curve.y.reverse();
    Ok(measured(curve))
}

/// The area under a curve as the score.
pub(super) fn measured(curve: Curve) -> Measurement {
    Measurement {
        score: Score::finite(
            curve.auc(),
            "the curve has a single point; take more steps or an imputer that can fill the whole picture",
        ),
        curves: vec![curve],
    }
}
