//! Removal with fresh noise each time, for metrics that average over it.

use crate::imputer::{self, ImputeContext, Removed, Remover};
use crate::rng::{SeedStream, Stream};
use crate::{Context, Error, Input, Mask, Removal, Tensor};

/// Like [`Remover`], but an imputer that draws random numbers draws new ones for every removal, from seeds that the
/// stream called `name` gives.
pub struct Fresh<'a> {
    cx: &'a Context<'a>,
    input: &'a Input,
    settled: Option<Remover<'a>>,
    seeds: Stream,
}

impl<'a> Fresh<'a> {
    /// Refuses bad parameters of the imputer before any pass.
    pub async fn new(cx: &'a Context<'a>, input: &'a Input, name: &str) -> Result<Self, Error> {
        let settled = Remover::new(cx, input).await?;
        Ok(Self {
            cx,
            input,
            settled: (!cx.removal.imputer.meta().stochastic).then_some(settled),
            seeds: cx.random.stream(name),
        })
    }

    /// See [`Remover::without`].
    pub async fn without<'m>(&'m mut self, masks: &'m [Mask]) -> Result<Removed<'m>, Error> {
        if self.settled.is_none() {
            let mut pictures = Vec::with_capacity(masks.len());
            for removed in masks {
                pictures.push(self.remove(removed).await?);
            }
            return Ok(Removed::Filled(Tensor::stack(&pictures)));
        }
        let settled = self.settled.as_ref().expect("looked at above");
        settled.without(masks).await
    }

    /// The picture `[C, H, W]` with the pixels of `removed` filled.
    pub async fn remove(&mut self, removed: &Mask) -> Result<Tensor, Error> {
        if let Some(remover) = &self.settled {
            return remover.remove(removed).await;
        }
        let seed = self.seeds.index(1 << 31) as u64;
        let random = SeedStream::new(seed);
        let cx = ImputeContext {
            random: &random,
            ..self.cx.imputing()
        };
        let Removal { imputer, params, .. } = &self.cx.removal;
        imputer::impute(*imputer, params, &cx, self.input, removed).await
    }
}
