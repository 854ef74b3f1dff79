//! Executors run a network; one implementation per device. Results do not depend on how pictures are batched.

pub mod cpu;
pub mod pool;

use crate::error::Error;
use crate::graph::Wrt;
use crate::{BoxFuture, Model, Tensor};

pub use cpu::Cpu;
pub use pool::Pool;

/// Where a network runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// The processor, on `workers` single-threaded engines.
    Cpu {
        /// Engines that share the batches.
        workers: usize,
    },
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu { workers } => write!(f, "cpu x{workers}"),
        }
    }
}

/// What a gradient pass gives.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Logits `[N, K]`.
    pub logits: Tensor,
    /// One gradient for each thing asked for, batch first.
    pub by: Vec<Tensor>,
}

/// Runs one model.
pub trait Executor {
    /// The model.
    fn model(&self) -> &Model;

    /// The device, for provenance.
    fn device(&self) -> Device;

    /// How many pictures keep the device busy for one turn; callers hand over batches of about this size so that
    /// progress and cancellation stay responsive.
    fn preferred_batch(&self) -> usize;

    /// Logits `[N, K]` of `x` `[N, C, H, W]`, then the output of each of `layers`, batch first.
    fn forward<'a>(&'a self, x: &'a Tensor, layers: &'a [usize]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>>;

    /// Logits and the gradient of `sum(cotangent * logits)` by each of `wrt`; `cotangent` is `[N, K]`.
    fn gradient<'a>(
        &'a self,
        x: &'a Tensor,
        cotangent: &'a Tensor,
        wrt: &'a [Wrt],
    ) -> BoxFuture<'a, Result<Gradients, Error>>;
}
