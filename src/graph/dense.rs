//! Networks from a picture to a picture, of any height and width: the inpainters and the detector, which run beside the
//! network that is explained.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tract_onnx::tract_core::internal::TypedModel;

use super::build::Untyped;
use super::fast::Store;
use super::import::{choose_output, name_apart, real_inputs};
use super::lower::lower;
use super::onnx::{decode, each_tensor, prune, settle, single_precision, unreadable};
use super::{NotLowered, Plan};
use crate::Tensor;
use crate::error::{Error, LoadError, RunError};
use crate::gpu::ir::Graph;
use crate::guard;
use crate::model::Limits;

/// Sizes whose plans are kept; the one used longest ago goes when there are more.
const PLANS: usize = 3;

/// A network with one input `[1, C, H, W]` and one output `[1, K, H', W']`, whose height and width are chosen when it
/// runs.
pub struct Dense {
    untyped: Untyped,
    limits: Limits,
    plans: RefCell<VecDeque<([usize; 4], Rc<Plan>)>>,
    kernels: Store,
}

impl std::fmt::Debug for Dense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dense").finish_non_exhaustive()
    }
}

impl Dense {
    /// Reads an ONNX file with one input and at least one output, the first of which is taken. Sizes are checked against
    /// `limits` before memory is taken.
    pub fn load(onnx: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        let untyped = guard::catch(|| read(onnx, limits)).unwrap_or_else(|why| Err(unreadable(why)))?;
        Ok(Self {
            untyped,
            limits: limits.clone(),
            plans: RefCell::default(),
            kernels: Store::default(),
        })
    }

    /// The first output for `x` `[1, C, H, W]`. The plan of a size is built on first use.
    pub fn run(&self, x: &Tensor) -> Result<Tensor, Error> {
        let plan = self.plan(x)?;
        Ok(plan.run(&[x])?.remove(0))
    }

    /// The network for an input of this shape `[1, C, H, W]`, as a GPU runs it.
    ///
    /// # Errors
    /// Why it can't be; such a network runs on the processor.
    pub fn lowered(&self, shape: &[usize]) -> Result<Graph, NotLowered> {
        let typed = guard::catch(|| self.typed(size(shape)?)).unwrap_or_else(|why| Err(backend(why)));
        let mut graph = lower(&typed.map_err(|why| NotLowered::Invalid { why: why.to_string() })?)?;
        graph.outputs.truncate(1);
        Ok(graph)
    }

    fn plan(&self, x: &Tensor) -> Result<Rc<Plan>, Error> {
        let size = size(x.shape())?;
        let mut plans = self.plans.borrow_mut();
        let known = plans.iter().position(|(s, _)| *s == size);
        let entry = if let Some(entry) = known.and_then(|i| plans.remove(i)) {
            entry
        } else {
            let built = guard::catch(|| self.build(size)).unwrap_or_else(|why| Err(backend(why)));
            (size, Rc::new(built?))
        };
        plans.truncate(PLANS - 1);
        let plan = entry.1.clone();
        plans.push_front(entry);
        Ok(plan)
    }

    fn build(&self, size: [usize; 4]) -> Result<Plan, Error> {
        Plan::new(self.typed(size)?, &self.kernels).map_err(backend)
    }

    fn typed(&self, size: [usize; 4]) -> Result<TypedModel, Error> {
        let mut untyped = self.untyped.clone();
        untyped.analyse(Some(&size), &self.limits)?;
        Ok(untyped.type_all(&size, false, &self.limits)?.model)
    }
}

fn size(shape: &[usize]) -> Result<[usize; 4], Error> {
    <[usize; 4]>::try_from(shape).map_err(|_| backend(format!("its input has the shape {shape:?}, not [1, C, H, W]")))
}

fn backend(why: String) -> Error {
    RunError::Backend { why }.into()
}

fn read(onnx: &[u8], limits: &Limits) -> Result<Untyped, LoadError> {
    let mut model = decode(onnx, limits)?;
    let graph = model.graph.as_mut().expect("checked when decoded");
    let output = choose_output(graph, "")?;
    let outputs = std::slice::from_ref(&output);
    prune(graph, outputs)?;
    each_tensor(graph, &mut |t| settle(t, limits))?;
    single_precision(graph);
    name_apart(graph);
    let inputs = real_inputs(graph);
    let [input] = inputs[..] else {
        return Err(unreadable(format!("it has {} inputs, not one picture", inputs.len())));
    };
    let input = input.name.clone();
    Untyped::build(&model, Some(&input), outputs)
}
