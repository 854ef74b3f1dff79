//! A coordinator that shares each turn's pictures with sibling engines. Every picture is run alone wherever it runs,
//! so results do not depend on how many siblings there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Cpu, Device, Executor, Gradients};
use crate::error::{Error, RunError};
use crate::graph::Wrt;
use crate::{BoxFuture, Model, Tensor};

/// Work for one sibling.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Pictures `[n, C, H, W]` to logits and the outputs of these layers.
    Forward {
        /// Pictures.
        x: Tensor,
        /// Layers.
        layers: Vec<usize>,
    },
    /// Pictures and cotangents `[n, K]` to logits and gradients.
    Gradient {
        /// Pictures.
        x: Tensor,
        /// Cotangents of the logits.
        cotangent: Tensor,
        /// What to differentiate by.
        wrt: Vec<Wrt>,
    },
}

/// Sibling engines that hold the same model.
pub trait Lanes {
    /// How many there are now.
    fn count(&self) -> usize;
    /// Sends a batch to sibling `lane`; the work starts before the future is first polled.
    fn send(&self, lane: usize, batch: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>>;
    /// Milliseconds of a clock that only moves forward.
    fn now(&self) -> f64;
}

/// Milliseconds that one turn should take: short enough to cancel well, long enough to hide the messages.
const TURN: f64 = 40.0;
/// Pictures an engine gets in one turn at most, which bounds memory.
const MOST: usize = 32;

/// Runs the first share of each turn here and the rest on the siblings.
pub struct Pool {
    local: Cpu,
    lanes: Rc<dyn Lanes>,
    per_engine: Cell<usize>,
    notes: RefCell<Vec<String>>,
}

impl Pool {
    /// A pool around this thread's engine.
    pub fn new(local: Cpu, lanes: Rc<dyn Lanes>) -> Self {
        Self {
            local,
            lanes,
            per_engine: Cell::new(1),
            notes: RefCell::default(),
        }
    }

    /// This thread's engine.
    pub fn local(&self) -> &Cpu {
        &self.local
    }

    /// Why siblings were lost since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    /// Runs one batch on this thread's engine, as a sibling does.
    pub fn run(local: &Cpu, batch: &Batch) -> Result<Vec<Tensor>, Error> {
        match batch {
            Batch::Forward { x, layers } => local.run_forward(x, layers),
            Batch::Gradient { x, cotangent, wrt } => {
                let Gradients { logits, by } = local.run_gradient(x, cotangent, wrt)?;
                Ok(std::iter::once(logits).chain(by).collect())
            }
        }
    }

    async fn share(&self, n: usize, cut: impl Fn(usize, usize) -> Batch) -> Result<Vec<Tensor>, Error> {
        let engines = (1 + self.lanes.count()).min(n.max(1));
        let edge = |k: usize| k * n / engines;
        let sent: Vec<_> = (1..engines)
            .map(|k| {
                let batch = cut(edge(k), edge(k + 1));
                (batch.clone(), self.lanes.send(k - 1, batch))
            })
            .collect();
        let own = edge(1);
        let start = self.lanes.now();
        let mut parts = vec![Self::run(&self.local, &cut(0, own))?];
        self.adapt((self.lanes.now() - start) / own.max(1) as f64);
        for (batch, answer) in sent {
            parts.push(match answer.await {
                Err(Error::Run(RunError::WorkerLost { why })) => {
                    self.notes.borrow_mut().push(why);
                    Self::run(&self.local, &batch)?
                }
                other => other?,
            });
        }
        let outputs = parts[0].len();
        Ok((0..outputs)
            .map(|k| Tensor::concat(&parts.iter().map(|p| p[k].clone()).collect::<Vec<_>>()))
            .collect())
    }

    fn adapt(&self, per_picture: f64) {
        let fitting = if per_picture > 0.0 {
            (TURN / per_picture).floor() as usize
        } else {
            MOST
        };
        self.per_engine.set(fitting.clamp(1, MOST));
    }
}

impl Executor for Pool {
    fn model(&self) -> &Model {
        self.local.model()
    }

    fn device(&self) -> Device {
        Device::Cpu {
            workers: 1 + self.lanes.count(),
        }
    }

    fn preferred_batch(&self) -> usize {
        self.per_engine.get() * (1 + self.lanes.count())
    }

    fn forward<'a>(&'a self, x: &'a Tensor, layers: &'a [usize]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(self.share(x.shape()[0], move |from, to| Batch::Forward {
            x: x.rows(from, to),
            layers: layers.to_vec(),
        }))
    }

    fn gradient<'a>(
        &'a self,
        x: &'a Tensor,
        cotangent: &'a Tensor,
        wrt: &'a [Wrt],
    ) -> BoxFuture<'a, Result<Gradients, Error>> {
        Box::pin(async move {
            let mut outputs = self
                .share(x.shape()[0], |from, to| Batch::Gradient {
                    x: x.rows(from, to),
                    cotangent: cotangent.rows(from, to),
                    wrt: wrt.to_vec(),
                })
                .await?;
            let by = outputs.split_off(1);
            Ok(Gradients {
                logits: outputs.remove(0),
                by,
            })
        })
    }
}
