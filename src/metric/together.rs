//! The maps of a whole set of pictures, for metrics that compare them.

use super::curve::pixel_relevance;
use super::{Evidence, Explainer};
use crate::job::Passes;
use crate::{Context, Error, Model, Target, Tensor};

/// Passes of [`explain_set`].
pub fn passes(model: &Model, evidence: &Evidence<'_>) -> Result<Passes, Error> {
    let each = evidence
        .explainer
        .as_ref()
        .map_or(Ok(Passes::default()), |e| e.passes(model))?;
    let pictures = evidence.set.len() as u64;
    Ok(Passes {
        forward: each.forward * pictures,
        backward: each.backward * pictures,
    })
}

/// The relevance `[H, W]` of each other picture of the set, explained for its own class by the method that made the map.
pub async fn explain_set(
    cx: &Context<'_>,
    evidence: &Evidence<'_>,
    explainer: &Explainer,
) -> Result<Vec<Tensor>, Error> {
    let mut maps = Vec::with_capacity(evidence.set.len());
    for exhibit in evidence.set {
        let own = Context {
            exec: cx.exec,
            job: cx.job,
            random: cx.random,
            target: Target {
                class: exhibit.class,
                ..cx.target
            },
            removal: cx.removal.clone(),
            weights: cx.weights,
        };
        let map = explainer.explain(&own, &exhibit.input).await?;
        maps.push(pixel_relevance(&exhibit.input, &map)?);
    }
    Ok(maps)
}
