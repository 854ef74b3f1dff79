//! Runs what criteria look at: the fillings, and the network on them.

use super::{CRITERIA, Case, Eye, Features, Look, frame};
use crate::imputer::{self, ImputeContext};
use crate::job::Passes;
use crate::metric::Score;
use crate::{Context, Error, Input, Mask, Tensor};

/// Most draws of a stochastic imputer.
pub const DRAWS: u32 = 64;

/// What all criteria say of one removal.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The class that the network gives the picture.
    pub class: usize,
    /// The first filling, `[C, H, W]`.
    pub filling: Tensor,
    /// What the network sees in the picture.
    pub before: Look,
    /// What it sees in the first filling.
    pub after: Look,
    /// Each criterion's id and value, in the order of the registry.
    pub gauges: Vec<(&'static str, Score)>,
}

/// Fills `removed` in `input` by `cx.removal`, `draws` times where the imputer draws random numbers, looks at everything, and
/// measures every criterion. Announces its passes: one for the picture, one a filling, and one for the picture's bare frame.
/// The target of `cx` is not used.
///
/// # Errors
/// A mask of another size, one that the imputer can't fill, and a number of draws that is not between 1 and [`DRAWS`].
pub async fn judge(
    cx: &Context<'_>,
    input: &Input,
    removed: &Mask,
    draws: u32,
    features: Option<&Features>,
) -> Result<Judged, Error> {
    if !(1..=DRAWS).contains(&draws) {
        return Err(Error::param("draws", format!("{draws} is not between 1 and {DRAWS}")));
    }
    crate::attribution::check_input(cx.exec.model(), input)?;
    let meta = cx.removal.imputer.meta();
    let count = if meta.stochastic { draws } else { 1 };
    let [_, height, width] = input.dims();
    let inside = frame::inside(height, width);
    cx.expect(Passes {
        forward: 1 + u64::from(count) + u64::from(inside.is_some()),
        backward: 0,
    });
    let mut fillings = Vec::with_capacity(count as usize);
    for k in 0..count {
        let random = cx.random.draw(k);
        let with = ImputeContext {
            random: &random,
            ..cx.imputing()
        };
        fillings.push(imputer::impute(cx.removal.imputer, &cx.removal.params, &with, input, removed).await?);
    }
    let eye = Eye::new(cx.exec.model());
    let before = eye.look(cx, std::slice::from_ref(&input.tensor)).await?.remove(0);
    let mut after = eye.look(cx, &fillings).await?;
    let bare = match inside {
        None => Err("the picture is too small to have a frame and an inside"),
        Some(inside) => {
            let filled = cx.impute(input, &inside).await?;
            Ok(eye.look(cx, &[filled]).await?.remove(0))
        }
    };
    let case = Case {
        input,
        removed,
        fillings: &fillings,
        stochastic: meta.stochastic,
        class: before.answer(),
        before: &before,
        after: &after,
        bare: bare.as_ref().map_err(|why| *why),
        features,
        networks: &cx.removal.networks,
    };
    let mut gauges = Vec::with_capacity(CRITERIA.len());
    for criterion in CRITERIA {
        gauges.push((criterion.meta().id, criterion.measure_dyn(&case)));
        cx.job.step(Passes::default()).await?;
    }
    Ok(Judged {
        class: before.answer(),
        filling: fillings.remove(0),
        after: after.remove(0),
        before,
        gauges,
    })
}
