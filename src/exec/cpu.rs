//! The processor, one picture at a time: batches of one make results independent of batching, and are the fastest
//! batch size of the engine natively.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::{Device, Executor, Gradients};
use crate::error::Error;
use crate::graph::{Plan, Wrt};
use crate::{BoxFuture, Model, Tensor};

/// A single-threaded engine. Plans are built on first use and kept.
pub struct Cpu {
    model: Arc<Model>,
    forward: RefCell<BTreeMap<Vec<usize>, Rc<Plan>>>,
    gradient: RefCell<BTreeMap<Vec<Wrt>, Rc<Plan>>>,
}

impl Cpu {
    /// An engine for `model`.
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            forward: RefCell::default(),
            gradient: RefCell::default(),
        }
    }

    /// See [`Executor::forward`]; synchronous.
    pub fn run_forward(&self, x: &Tensor, layers: &[usize]) -> Result<Vec<Tensor>, Error> {
        let cached = self.forward.borrow().get(layers).cloned();
        let plan = if let Some(plan) = cached {
            plan
        } else {
            let plan = Rc::new(self.model.network().forward_plan(1, layers)?);
            self.forward.borrow_mut().insert(layers.to_vec(), plan.clone());
            plan
        };
        each_picture(x, |i| plan.run(&[&x.rows(i, i + 1)]).map_err(Error::from))
    }

    /// See [`Executor::gradient`]; synchronous.
    pub fn run_gradient(&self, x: &Tensor, cotangent: &Tensor, wrt: &[Wrt]) -> Result<Gradients, Error> {
        let cached = self.gradient.borrow().get(wrt).cloned();
        let plan = if let Some(plan) = cached {
            plan
        } else {
            let plan = Rc::new(self.model.network().gradient_plan(1, wrt)?);
            self.gradient.borrow_mut().insert(wrt.to_vec(), plan.clone());
            plan
        };
        let mut outputs = each_picture(x, |i| {
            plan.run(&[&x.rows(i, i + 1), &cotangent.rows(i, i + 1)])
                .map_err(Error::from)
        })?;
        let by = outputs.split_off(1);
        Ok(Gradients {
            logits: outputs.remove(0),
            by,
        })
    }
}

fn each_picture(x: &Tensor, run: impl Fn(usize) -> Result<Vec<Tensor>, Error>) -> Result<Vec<Tensor>, Error> {
    let rows = (0..x.shape()[0]).map(run).collect::<Result<Vec<_>, _>>()?;
    let outputs = rows.first().map_or(0, Vec::len);
    Ok((0..outputs)
        .map(|k| Tensor::concat(&rows.iter().map(|r| r[k].clone()).collect::<Vec<_>>()))
        .collect())
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

    fn forward<'a>(&'a self, x: &'a Tensor, layers: &'a [usize]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(std::future::ready(self.run_forward(x, layers)))
    }

    fn gradient<'a>(
        &'a self,
        x: &'a Tensor,
        cotangent: &'a Tensor,
        wrt: &'a [Wrt],
    ) -> BoxFuture<'a, Result<Gradients, Error>> {
        Box::pin(std::future::ready(self.run_gradient(x, cotangent, wrt)))
    }
}
