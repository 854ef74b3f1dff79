//! The results of one picture, which those of the next are made from.

use tract_onnx::tract_core::plan;

use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::nodes::{Change, Node, Nodes};
use crate::kernel::Region;

/// What is done with results that no change of places can bring up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// They are computed, for the outputs.
    Run,
    /// They are forgotten: only what is kept for later pictures matters.
    Forget,
}

/// What the last pass did to a result.
enum Entry {
    /// These places had these values.
    Places { id: usize, region: Region, old: Vec<f32> },
    /// It was not there.
    Fresh { id: usize },
    /// It was computed, but not kept.
    Stale { id: usize },
}

/// The results of one picture, the *base*, and of the picture that was run last, the *current* one, as the places that
/// differ.
pub(super) struct Anchor {
    state: TypedSimpleState,
    values: Vec<Option<TVec<TValue>>>,
    /// From the current picture back to the base.
    log: Vec<Entry>,
}

impl Anchor {
    pub fn new(plan: &Arc<TypedSimplePlan>) -> TractResult<Self> {
        Ok(Self {
            state: plan.spawn()?,
            values: vec![None; plan.model().nodes.len()],
            log: Vec::new(),
        })
    }

    /// Loses a result that the next picture needs.
    #[cfg(test)]
    pub fn lose(&mut self) {
        self.log.clear();
        self.log.push(Entry::Places {
            id: 0,
            region: Region::full([1, 1]),
            old: Vec::new(),
        });
        self.values.fill(None);
    }

    /// Whether the result of a node is there.
    pub fn keeps(&self, id: usize) -> bool {
        self.values[id].is_some()
    }

    /// Makes the current picture the base.
    pub fn commit(&mut self) {
        for entry in self.log.drain(..) {
            if let Entry::Stale { id } = entry {
                self.values[id] = None;
            }
        }
    }

    /// Makes the base the current picture.
    pub fn undo(&mut self, nodes: &Nodes) -> TractResult<()> {
        for entry in std::mem::take(&mut self.log).into_iter().rev() {
            match entry {
                Entry::Fresh { id } => self.values[id] = None,
                Entry::Stale { .. } => {}
                Entry::Places { id, region, old } => {
                    let layout = layout(&nodes.list[id])?;
                    change(&mut self.values[id], |values| {
                        layout.scatter(&old, &region, region.count(), values);
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Runs `picture`, which differs from the current one (which is the base) as `changes` say. After an error nothing
    /// that is kept can be relied on.
    pub fn run(&mut self, nodes: &Nodes, changes: &[Change], picture: TValue, rest: Rest) -> TractResult<TVec<TValue>> {
        let Self { state, values, log } = self;
        let eval =
            |ctx: &EvalContext, state: Option<&mut (dyn OpState + 'static)>, node: &TypedNode, inputs: TVec<TValue>| {
                let id = node.id;
                let whole = |state: Option<&mut (dyn OpState + 'static)>, inputs| plan::eval(ctx, state, node, inputs);
                match &changes[id] {
                    Change::None => {
                        if values[id].is_none() {
                            values[id] = Some(whole(state, inputs)?);
                        }
                        values[id].clone().context("a result is missing")
                    }
                    Change::Places(region) => {
                        let known = &nodes.list[id];
                        let layout = layout(known)?;
                        change(&mut values[id], |values| {
                            let old = layout.gather(values, region, region.count());
                            log.push(Entry::Places {
                                id,
                                region: region.clone(),
                                old,
                            });
                            if let Some(partial) = &known.partial {
                                return partial.run_into(&inputs, values, region);
                            }
                            // The picture.
                            layout.copy(inputs[0].try_as_plain_ram()?.as_slice::<f32>()?, region, values);
                            Ok(())
                        })?;
                        values[id].clone().context("a result is missing")
                    }
                    Change::All if rest == Rest::Forget => {
                        log.push(Entry::Stale { id });
                        values[id].clone().map_or_else(|| empty(node), Ok)
                    }
                    Change::All => {
                        let results = whole(state, inputs)?;
                        if values[id].is_none() {
                            values[id] = Some(results.clone());
                            log.push(Entry::Fresh { id });
                        } else {
                            log.push(Entry::Stale { id });
                        }
                        Ok(results)
                    }
                }
            };
        state.run_plan_with_eval(tvec!(picture), eval)
    }
}

fn layout(node: &Node) -> TractResult<&Layout> {
    node.layout.as_ref().context("a plane is expected")
}

/// Changes the values of a result with one output, in place where nothing else holds them.
fn change(result: &mut Option<TVec<TValue>>, with: impl FnOnce(&mut [f32]) -> TractResult<()>) -> TractResult<()> {
    let mut values = result.take().context("a result is missing")?;
    let mut tensor = values.remove(0).into_tensor();
    with(tensor.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?)?;
    *result = Some(tvec!(tensor.into_tvalue()));
    Ok(())
}

/// Something of the right shape.
fn empty(node: &TypedNode) -> TractResult<TVec<TValue>> {
    let zeros = |output: &Outlet<TypedFact>| {
        let shape = output.fact.shape.as_concrete().context("a shape is not known")?;
        Ok(Tensor::zero_dt(output.fact.datum_type, shape)?.into_tvalue())
    };
    node.outputs.iter().map(zeros).collect()
}
