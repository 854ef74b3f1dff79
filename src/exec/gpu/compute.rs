//! What the executor needs of a GPU.

use std::rc::Rc;

use crate::gpu::ir::Graph;
use crate::gpu::{self, Coming, Failure, Masks, Precision};
use crate::{BoxFuture, Tensor};

/// Why a GPU did not give a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device is gone for good.
    Lost {
        /// What is known.
        why: String,
    },
    /// There was not enough memory; with fewer pictures at a time there may be.
    OutOfMemory {
        /// What is known.
        why: String,
    },
    /// Anything else, of this program alone.
    Failed {
        /// What is known.
        why: String,
    },
}

/// A GPU.
pub trait Compute {
    /// Its name, for people.
    fn name(&self) -> String;

    /// Whether it computes with 16 bits.
    fn half(&self) -> bool;

    /// Makes the kernels and buffers of a graph.
    fn compile<'a>(&'a self, graph: &'a Graph, precision: Precision) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>>;
}

/// A graph, ready to run.
pub trait Compiled {
    /// Runs it on values of exactly its inputs' shapes. The work is handed to the device before this returns, so that
    /// several runs can be under way.
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>>;

    /// Puts masks that come in this form before its one input, to choose between `x` and `fill` `[C, H, W]`.
    fn mixer<'a>(
        &'a self,
        x: &'a Tensor,
        fill: &'a Tensor,
        coming: &'a Coming,
    ) -> BoxFuture<'a, Result<Rc<dyn Mixes>, Fault>>;
}

/// A graph of pictures that are made on the device.
pub trait Mixes {
    /// Runs it on the pictures of up to a batch of masks; with fewer, the first rows are theirs. The work is handed to the
    /// device before this returns.
    fn run(&self, masks: Masks<'_>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>>;
}

impl Compute for gpu::Gpu {
    fn name(&self) -> String {
        self.adapter().name.clone()
    }

    fn half(&self) -> bool {
        self.adapter().half
    }

    fn compile<'a>(&'a self, graph: &'a Graph, precision: Precision) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>> {
        Box::pin(async move {
            let compiled = gpu::Gpu::compile(self, graph, precision).await?;
            Ok(Rc::new(compiled) as Rc<dyn Compiled>)
        })
    }
}

impl Compiled for gpu::Compiled {
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        let started = self.start(&inputs);
        Box::pin(async move { Ok(started?.finish().await?) })
    }

    fn mixer<'a>(
        &'a self,
        x: &'a Tensor,
        fill: &'a Tensor,
        coming: &'a Coming,
    ) -> BoxFuture<'a, Result<Rc<dyn Mixes>, Fault>> {
        Box::pin(async move {
            let mixer = gpu::Compiled::mixer(self, x, fill, coming).await?;
            Ok(Rc::new(mixer) as Rc<dyn Mixes>)
        })
    }
}

impl Mixes for gpu::Mixer {
    fn run(&self, masks: Masks<'_>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        let started = self.start(masks);
        Box::pin(async move { Ok(started?.finish().await?) })
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let why = failure.to_string();
        match failure {
            Failure::Lost { .. } => Self::Lost { why },
            Failure::OutOfMemory { .. } | Failure::TooLarge { .. } => Self::OutOfMemory { why },
            _ => Self::Failed { why },
        }
    }
}
