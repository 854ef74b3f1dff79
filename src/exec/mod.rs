//! Executors run a network; one implementation per device. Results do not depend on how pictures are batched.

pub mod cpu;
pub mod pool;

use crate::error::{Error, RunError};
use crate::program::{Program, Wrt};
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

    /// Runs `program`; see [`Program`] for its inputs and outputs, all batch first.
    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>>;

    /// Logits `[N, K]` of `x` `[N, C, H, W]`, then the output of each of `layers`, batch first.
    fn forward<'a>(&'a self, x: &'a Tensor, layers: &'a [usize]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        let program = Program::forward(layers);
        Box::pin(async move { self.run(&program, std::slice::from_ref(x)).await })
    }

    /// Logits and the gradient of `sum(cotangent * logits)` by each of `wrt`; `cotangent` is `[N, K]`.
    fn gradient<'a>(
        &'a self,
        x: &'a Tensor,
        cotangent: &'a Tensor,
        wrt: &'a [Wrt],
    ) -> BoxFuture<'a, Result<Gradients, Error>> {
        let program = Program::gradient(wrt);
        Box::pin(async move {
            let mut outputs = self.run(&program, &[x.clone(), cotangent.clone()]).await?;
            let by = outputs.split_off(1);
            Ok(Gradients {
                logits: outputs.remove(0),
                by,
            })
        })
    }
}

/// The batch that all inputs share.
fn batch(inputs: &[Tensor]) -> Result<usize, RunError> {
    let n = inputs.first().and_then(|t| t.shape().first()).copied().unwrap_or(0);
    if inputs.iter().all(|t| t.shape().first() == Some(&n)) {
        Ok(n)
    } else {
        let shapes: Vec<_> = inputs.iter().map(Tensor::shape).collect();
        Err(RunError::Backend {
            why: format!("the inputs {shapes:?} are not of one batch"),
        })
    }
}

/// Joins the outputs of runs along the batch.
pub(crate) fn join(runs: &[Vec<Tensor>]) -> Vec<Tensor> {
    let outputs = runs.first().map_or(0, Vec::len);
    (0..outputs)
        .map(|k| Tensor::concat(&runs.iter().map(|r| r[k].clone()).collect::<Vec<_>>()))
        .collect()
}
