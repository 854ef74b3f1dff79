//! What the controls that run another method share: which methods they may run, and how.

use super::{Attribution, DynMethod, METHODS};
use crate::error::InputError;
use crate::params::ParamValues;
use crate::{Context, Error, Input};

/// The controls that run another method; none of them runs another of them.
const WRAPPERS: [&str; 2] = ["blurred", "randomised-network"];

/// Ids of the methods that may be run.
pub(crate) fn choices() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|m| m.meta().id).filter(|id| !WRAPPERS.contains(id))
}

/// The method that the parameter `of` names.
pub(super) fn inner(of: &str) -> Result<&'static dyn DynMethod, Error> {
    let found = METHODS.iter().find(|m| m.meta().id == of && !WRAPPERS.contains(&of));
    found.copied().ok_or_else(|| {
        InputError::Param {
            field: "of".into(),
            why: format!("\"{of}\" is none of {}", choices().collect::<Vec<_>>().join(", ")),
        }
        .into()
    })
}

/// Its attribution with its default parameters; its passes are announced already.
pub(super) async fn attribution(cx: &Context<'_>, input: &Input, of: &str) -> Result<Attribution, Error> {
    inner(of)?.attribute_within(cx, input, &ParamValues::new()).await
}
