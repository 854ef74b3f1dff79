//! The processor, one picture at a time: batches of one make results independent of batching, and are the fastest
//! batch size of the engine natively.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::{Device, Executor};
use crate::error::Error;
use crate::graph::Plan;
use crate::program::Program;
use crate::{BoxFuture, Model, Tensor};

/// Plans kept; each holds its own packed weights. The one used longest ago goes when there are more.
const PLANS: usize = 6;

/// A single-threaded engine. Plans are built on first use and kept.
pub struct Cpu {
    model: Arc<Model>,
    plans: RefCell<VecDeque<(Program, Rc<Plan>)>>,
}

impl Cpu {
    /// An engine for `model`.
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            plans: RefCell::default(),
        }
    }

    fn plan(&self, program: &Program) -> Result<Rc<Plan>, Error> {
        let mut plans = self.plans.borrow_mut();
        let known = plans.iter().position(|(p, _)| p == program);
        let entry = match known.and_then(|i| plans.remove(i)) {
            Some(entry) => entry,
            None => (program.clone(), Rc::new(self.model.network().plan(1, program)?)),
        };
        plans.truncate(PLANS - 1);
        let plan = entry.1.clone();
        plans.push_front(entry);
        Ok(plan)
    }

    /// See [`Executor::run`]; synchronous.
    pub fn run_now(&self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let n = super::batch(inputs)?;
        let whole = Program {
            missing: false,
            ..program.clone()
        };
        let rows = (0..n)
            .map(|i| {
                let row: Vec<Tensor> = inputs.iter().map(|t| t.rows(i, i + 1)).collect();
                let missing = program.missing && row[0].data().iter().any(|v| v.is_nan());
                let plan = self.plan(if missing { program } else { &whole })?;
                Ok(plan.run(&row.iter().collect::<Vec<_>>())?)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(super::join(&rows))
    }
}

impl Executor for Cpu {
    fn model(&self) -> &Model {
        &self.model
    }

    fn device(&self) -> Device {
        Device::Cpu { workers: 1 }
    }

    fn preferred_batch(&self) -> usize {
        1
    }

    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(std::future::ready(self.run_now(program, inputs)))
    }
}
