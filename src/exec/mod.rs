//! Executors run a network; one implementation per device. Results do not depend on how pictures are batched.

pub mod cpu;
pub mod gpu;
pub mod mixed;
pub mod pool;

use crate::error::{Error, RunError};
use crate::gpu::{Unavailable, ir::Graph};
use crate::program::{Program, Wrt};
use crate::{BoxFuture, Model, Tensor};

pub use cpu::Cpu;
pub use gpu::Gpu;
pub use mixed::{Enlarging, Masks, Mixed};
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
    /// A GPU.
    Gpu {
        /// Its name.
        adapter: String,
        /// What ran the rest, where it did not run everything.
        processor: Option<Box<Device>>,
    },
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu { workers } => write!(f, "cpu x{workers}"),
            Self::Gpu { adapter, processor } => {
                write!(f, "gpu ({adapter})")?;
                processor.as_ref().map_or(Ok(()), |rest| write!(f, " and {rest}"))
            }
        }
    }
}

/// Why something did not run where it was meant to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// An operator that the GPU has no kernel for: the whole program ran on the processor.
    Operator,
    /// Pictures with missing values run on the processor.
    Missing,
    /// The GPU has too little memory for one picture.
    Memory,
    /// The GPU went away; what was left ran on the processor.
    Lost,
    /// The GPU failed at a program, which then ran on the processor.
    Failed,
    /// There is no GPU here.
    None,
    /// What drives a GPU here is a program, slower than the processor.
    Software,
    /// The GPU's limits are too low, or it refused.
    Refused,
    /// The GPU computes a known network otherwise.
    Differs,
    /// The GPU computed with 16 bits, as it was asked to; or why it did not.
    Half,
}

impl NoteKind {
    /// A stable kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Operator => "gpu-operator",
            Self::Missing => "gpu-missing",
            Self::Memory => "gpu-memory",
            Self::Lost => "gpu-lost",
            Self::Failed => "gpu-failed",
            Self::None => "gpu-none",
            Self::Software => "gpu-software",
            Self::Refused => "gpu-refused",
            Self::Differs => "gpu-differs",
            Self::Half => "gpu-f16",
        }
    }
}

/// What an executor has to say of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Of what kind.
    pub kind: NoteKind,
    /// What is known, a clause.
    pub text: String,
}

impl From<&Unavailable> for Note {
    fn from(why: &Unavailable) -> Self {
        Self {
            kind: match why {
                Unavailable::NoAdapter { .. } => NoteKind::None,
                Unavailable::Software { .. } => NoteKind::Software,
                Unavailable::Device { .. } => NoteKind::Refused,
                Unavailable::Differs { .. } => NoteKind::Differs,
            },
            text: why.to_string(),
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

/// What a device may compute beside passes of the network: the work of imputers. Without one they do it themselves.
pub trait Coprocessor {
    /// Runs, in `f32`, what `key` names; `describe` describes it the first time. `None` where the device does not take it or
    /// fails: the caller then computes it itself, and [`Executor::notes`] says why.
    fn compute<'a>(
        &'a self,
        key: &'a str,
        describe: &'a dyn Fn() -> Result<Graph, String>,
        inputs: Vec<Tensor>,
    ) -> BoxFuture<'a, Option<Vec<Tensor>>>;
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

    /// The same for runs of `program` alone.
    fn turn(&self, _program: &Program) -> usize {
        self.preferred_batch()
    }

    /// A new job begins: [`device`](Executor::device) and [`notes`](Executor::notes) tell of it alone.
    fn begin(&self) {}

    /// What did not run on the device that was asked for, and why.
    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    /// What else it computes, where it is a device that does.
    fn coprocessor(&self) -> Option<&dyn Coprocessor> {
        None
    }

    /// Runs `program`; see [`Program`] for its inputs and outputs, all batch first.
    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>>;

    /// Runs a `program` whose only input is the pictures on pictures that are mixed by masks, which a device may do itself.
    fn run_mixed<'a>(&'a self, program: &'a Program, mixed: Mixed<'a>) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(async move { self.run(program, &[mixed.pictures()]).await })
    }

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
