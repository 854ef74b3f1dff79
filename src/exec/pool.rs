//! A coordinator that shares each turn's pictures with sibling engines. Every picture is run alone wherever it runs,
//! so results do not depend on how many siblings there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Cpu, Device, Executor};
use crate::error::{Error, RunError};
use crate::program::Program;
use crate::{BoxFuture, Model, Tensor};

/// Work for one sibling: a program and its inputs, batch first.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What to run.
    pub program: Program,
    /// On what.
    pub inputs: Vec<Tensor>,
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
        local.run_now(&batch.program, &batch.inputs)
    }

    async fn share(&self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let n = super::batch(inputs)?;
        let cut = |from: usize, to: usize| Batch {
            program: program.clone(),
            inputs: inputs.iter().map(|t| t.rows(from, to)).collect(),
        };
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
        Ok(super::join(&parts))
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

    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(self.share(program, inputs))
    }
}
