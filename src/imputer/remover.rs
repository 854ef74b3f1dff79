//! Removal again and again from one picture, as sweeps need it.

use crate::context::Pictures;
use crate::error::InputError;
use crate::exec::{Masks, Mixed};
use crate::{Context, Error, Input, Mask, Tensor};

/// Pictures of which pixels have been removed, as the network is run on them.
#[derive(Clone, Debug)]
pub enum Removed<'a> {
    /// Of one fill, which the device puts in where it can.
    Settled(Mixed<'a>),
    /// `[N, C, H, W]`, each filled by itself.
    Filled(Tensor),
}

impl<'a> From<&'a Removed<'a>> for Pictures<'a> {
    fn from(removed: &'a Removed<'a>) -> Self {
        match removed {
            Removed::Settled(mixed) => Self::Mixed(*mixed),
            Removed::Filled(pictures) => Self::Made(pictures),
        }
    }
}

/// Removes pixels of one picture by the chosen imputer. Where the fill does not depend on the mask it is computed once.
pub struct Remover<'a> {
    cx: &'a Context<'a>,
    input: &'a Input,
    fill: Option<Tensor>,
}

impl<'a> Remover<'a> {
    /// Refuses bad parameters of the imputer, and networks that missing pixels can't be carried through, before any pass.
    pub async fn new(cx: &'a Context<'a>, input: &'a Input) -> Result<Self, Error> {
        let imputer = cx.removal.imputer;
        imputer.resolve(&cx.removal.params)?;
        if imputer.marks_missing() {
            cx.exec.model().network().check_missing()?;
        }
        let [_, height, width] = input.dims();
        let fill = if imputer.meta().needs_kept {
            None
        } else {
            Some(cx.impute(input, &Mask::all(height, width, true)).await?)
        };
        Ok(Self { cx, input, fill })
    }

    /// The picture `[C, H, W]` with the pixels of `removed` filled.
    pub async fn remove(&self, removed: &Mask) -> Result<Tensor, Error> {
        match &self.fill {
            Some(fill) => {
                let pixels = removed.bits().len();
                let filled = fill.data();
                Ok(super::fill(self.input, removed, |c, i| filled[c * pixels + i]))
            }
            None => self.cx.impute(self.input, removed).await,
        }
    }

    /// The picture without the pixels of each of `masks`, for [`Context::scores`] and [`Context::forward`]. Give no more
    /// masks at once than one of [`Context::batches`].
    pub async fn without<'m>(&'m self, masks: &'m [Mask]) -> Result<Removed<'m>, Error> {
        if let Some(fill) = &self.fill {
            let (x, masks) = (&self.input.tensor, Masks::Removed(masks));
            return Ok(Removed::Settled(Mixed { x, fill, masks }));
        }
        let mut pictures = Vec::with_capacity(masks.len());
        for removed in masks {
            pictures.push(self.cx.impute(self.input, removed).await?);
        }
        Ok(Removed::Filled(Tensor::stack(&pictures)))
    }

    /// The picture `[C, H, W]` with every pixel filled; refused for imputers that fill from kept pixels.
    pub fn everything(&self, why: &str) -> Result<&Tensor, Error> {
        self.fill.as_ref().ok_or_else(|| {
            InputError::CannotImpute {
                imputer: self.cx.removal.imputer.meta().id,
                why: why.to_owned(),
            }
            .into()
        })
    }

    /// Whether a picture with no pixel left can be filled.
    pub fn can_remove_everything(&self) -> bool {
        self.fill.is_some()
    }
}
