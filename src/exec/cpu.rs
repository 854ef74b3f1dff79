//! The processor, one picture at a time: batches of one make results independent of batching, and are the fastest
//! batch size of the engine natively. Of pictures that differ little, only what differs is computed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::{Device, Executor};
use crate::error::Error;
use crate::graph::{Incremental, Plan};
use crate::program::Program;
use crate::{BoxFuture, Model, Tensor};

/// Plans kept; they share the packed weights of what our kernels run. The one used longest ago goes first.
const PLANS: usize = 6;
/// Pictures of other programs after which the results of one program are forgotten.
const IDLE: usize = 64;

/// A single-threaded engine. Plans are built on first use and kept.
pub struct Cpu {
    model: Arc<Model>,
    plans: RefCell<VecDeque<(Program, Rc<Plan>)>>,
    /// Whether results are kept for the next picture.
    keeps: bool,
    kept: RefCell<Option<Kept>>,
}

/// What is kept of one program.
struct Kept {
    plan: Rc<Plan>,
    /// None if the plan can't be run so.
    runs: Option<Incremental>,
    /// Pictures of other programs since.
    idle: usize,
}

impl Cpu {
    /// An engine for `model`.
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            plans: RefCell::default(),
            keeps: true,
            kept: RefCell::default(),
        }
    }

    /// An engine for `model` that computes every picture from the beginning. The results are those of
    /// [`new`](Self::new), bit for bit; it is there to compare with.
    pub fn dense(model: Arc<Model>) -> Self {
        Self {
            keeps: false,
            ..Self::new(model)
        }
    }

    /// The share of the multiply-adds of plain runs that was computed for the pictures of the program whose results are
    /// kept now; none if there is no such program.
    pub fn share(&self) -> Option<f64> {
        self.kept.borrow().as_ref()?.runs.as_ref()?.share()
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

    /// Runs one picture, from what is kept of the last ones if they were of this plan. The results of one plan are kept
    /// at most, until others have been asked for long enough.
    fn run_one(&self, plan: &Rc<Plan>, keeps: bool, row: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let mut slot = self.kept.borrow_mut();
        if let Some(kept) = slot.as_mut().filter(|kept| !Rc::ptr_eq(&kept.plan, plan)) {
            kept.idle += 1;
            if kept.idle > IDLE {
                *slot = None;
            }
        }
        if keeps && slot.is_none() {
            *slot = Some(Kept {
                plan: plan.clone(),
                runs: Incremental::of(plan),
                idle: 0,
            });
        }
        if let Some(kept) = slot.as_mut().filter(|kept| keeps && Rc::ptr_eq(&kept.plan, plan)) {
            kept.idle = 0;
            if let Some(runs) = &mut kept.runs {
                return Ok(runs.run(plan, &row[0])?);
            }
        }
        Ok(plan.run(&row.iter().collect::<Vec<_>>())?)
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
                let keeps = self.keeps && program.backward.is_none() && program.replaced.is_none() && !missing;
                self.run_one(&plan, keeps, &row)
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
