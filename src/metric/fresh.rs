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
        let Self {
            cx,
            input,
            settled,
            seeds,
        } = self;
        if let Some(remover) = settled {
            return remover.without(masks).await;
        }
        let mut pictures = Vec::with_capacity(masks.len());
        for removed in masks {
            pictures.push(freshly(cx, input, seeds, removed).await?);
        }
        Ok(Removed::Filled(Tensor::stack(&pictures)))
    }

    /// The picture `[C, H, W]` with the pixels of `removed` filled.
    pub async fn remove(&mut self, removed: &Mask) -> Result<Tensor, Error> {
        match &self.settled {
            Some(remover) => remover.remove(removed).await,
            None => freshly(self.cx, self.input, &mut self.seeds, removed).await,
        }
    }
}

async fn freshly(cx: &Context<'_>, input: &Input, seeds: &mut Stream, removed: &Mask) -> Result<Tensor, Error> {
    let seed = seeds.index(1 << 31) as u64;
    let random = SeedStream::new(seed);
    let with = ImputeContext {
        random: &random,
        ..cx.imputing()
    };
    let Removal { imputer, params, .. } = &cx.removal;
    imputer::impute(*imputer, params, &with, input, removed).await
}
