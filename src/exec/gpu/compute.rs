//! What the executor needs of a GPU.

use std::rc::Rc;

use crate::gpu::ir::Graph;
use crate::gpu::{self, Failure, Precision};
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

    /// Makes the kernels and buffers of a graph.
    fn compile<'a>(&'a self, graph: &'a Graph) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>>;
}

/// A graph, ready to run.
pub trait Compiled {
    /// Runs it on values of exactly its inputs' shapes. The work is handed to the device before this returns, so that
    /// several runs can be under way.
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>>;
}

impl Compute for gpu::Gpu {
    fn name(&self) -> String {
        self.adapter().name.clone()
    }

    fn compile<'a>(&'a self, graph: &'a Graph) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>> {
        Box::pin(async move {
            let compiled = gpu::Gpu::compile(self, graph, Precision::Single).await?;
            Ok(Rc::new(compiled) as Rc<dyn Compiled>)
        })
    }
}

impl Compiled for gpu::Compiled {
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        let started = self.start(&inputs);
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
