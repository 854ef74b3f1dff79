//! Layer masking: the graph that carries through the network which places of the picture are missing, so that no value has
//! to be made up for them. See [`layer_masking`](crate::imputer::layer_masking) for what it computes.
//!
//! Every value is followed either as whole, or as a map with a mask of its places. What a map holds at missing places is of
//! no meaning: whatever mixes places sets or leaves out those it reads.

use std::collections::HashMap;

use tract_onnx::tract_core::model::order::eval_order_for_nodes;
use tract_onnx::tract_core::ops::array::{Gather, MultiBroadcastTo, Pad, PadMode, Slice, StridedSlice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::math::mul;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax};
use tract_onnx_opl::lrn::Lrn;

use self::op::{Blank, Masking};
use super::build::cause;
use super::outline::{contracted, moved};
use super::vjp::prelude::*;
use crate::error::{Error, InputError, RunError};
use crate::guard::attempt;

mod op;

/// A value whose places `[h, w]` may be missing.
#[derive(Clone, Copy, Debug)]
struct Map {
    value: OutletId,
    /// `[h, w]`, see [`op`].
    mask: OutletId,
    /// Its axes down and across.
    space: [usize; 2],
}

#[derive(Clone, Copy, Debug)]
enum State {
    Whole(OutletId),
    Map(Map),
}

/// The graph of `model`, one picture at a time, whose first input may hold NaN for missing; and where `wanted` went. Of what
/// is wanted, missing places are 0.
///
/// # Errors
/// [`InputError::CannotCarry`] where an operator mixes places in another way than convolutions and pools do.
pub(super) fn carry(model: &TypedModel, wanted: &[OutletId]) -> Result<(TypedModel, Vec<OutletId>), Error> {
    let fail = |why: String| Error::from(RunError::Backend { why });
    let order = attempt(cause, || {
        let sources: Vec<usize> = model.input_outlets()?.iter().map(|o| o.node).collect();
        let targets: Vec<usize> = wanted.iter().map(|o| o.node).collect();
        eval_order_for_nodes(model.nodes(), &sources, &targets, &[])
    })
    .map_err(fail)?;
    let mut walk = Walk {
        graph: TypedModel::default(),
        states: HashMap::new(),
    };
    attempt(cause, || walk.start(model)).map_err(fail)?;
    for id in order {
        let node = model.node(id);
        if walk.states.contains_key(&OutletId::new(id, 0)) {
            continue;
        }
        let refused = || InputError::CannotCarry {
            op: node.op.name().into_owned(),
            node: node.name.clone(),
        };
        let states = attempt(cause, || walk.node(model, node))
            .map_err(fail)?
            .ok_or_else(refused)?;
        for (slot, state) in states.into_iter().enumerate() {
            walk.states.insert(OutletId::new(id, slot), state);
        }
    }
    let outlets = wanted
        .iter()
        .map(|outlet| attempt(cause, || walk.blank(walk.states[outlet], Blank::Zero)).map_err(fail))
        .collect::<Result<Vec<_>, _>>()?;
    walk.graph.outputs.clone_from(&outlets);
    Ok((walk.graph, outlets))
}

struct Walk {
    graph: TypedModel,
    /// By outlet of the network.
    states: HashMap<OutletId, State>,
}

/// What a rule makes of a node, or nothing where there is none.
type Carried = TractResult<Option<State>>;

impl Walk {
    /// The sources, the first of which is the picture.
    fn start(&mut self, model: &TypedModel) -> TractResult<()> {
        for (k, &outlet) in model.input_outlets()?.iter().enumerate() {
            let node = model.node(outlet.node);
            let fact = model.outlet_fact(outlet)?.without_value();
            let source = self.graph.add_source(&*node.name, fact)?;
            let state = if k == 0 {
                let value = self.wire("values", Masking::Values, &[source])?;
                let mask = self.wire("marks", Masking::Marks, &[source])?;
                self.settled(Map {
                    value,
                    mask,
                    space: [2, 3],
                })?
            } else {
                State::Whole(source)
            };
            self.states.insert(outlet, state);
        }
        Ok(())
    }

    fn wire(&mut self, what: &str, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        let name = format!("lucarne.mask-{what}.{}", self.graph.nodes().len());
        Ok(self.graph.wire_node(name, op, inputs)?[0])
    }

    fn shape(&self, outlet: OutletId) -> TractResult<TVec<usize>> {
        let fact = self.graph.outlet_fact(outlet)?;
        Ok(fact.shape.as_concrete().context("a shape is not known")?.into())
    }

    fn size(&self, map: Map) -> TractResult<[usize; 2]> {
        let shape = self.shape(map.mask)?;
        Ok([shape[0], shape[1]])
    }

    /// A map of a single place is a vector.
    fn settled(&mut self, map: Map) -> TractResult<State> {
        Ok(if self.size(map)? == [1, 1] {
            State::Whole(self.blank(State::Map(map), Blank::Zero)?)
        } else {
            State::Map(map)
        })
    }

    fn blank(&mut self, state: State, blank: Blank) -> TractResult<OutletId> {
        match state {
            State::Whole(value) => Ok(value),
            State::Map(map) => {
                let op = Masking::Blanked {
                    space: map.space,
                    blank,
                };
                self.wire("blanked", op, &[map.value, map.mask])
            }
        }
    }

    fn joined(&mut self, op: Masking, mut masks: Vec<OutletId>) -> TractResult<OutletId> {
        if op == Masking::All {
            masks.sort();
            masks.dedup();
        }
        let shapes = masks.iter().map(|&m| self.shape(m)).collect::<TractResult<Vec<_>>>()?;
        ensure!(
            shapes.windows(2).all(|pair| pair[0] == pair[1]),
            "masks of several sizes"
        );
        if masks.iter().all(|m| *m == masks[0]) {
            return Ok(masks[0]);
        }
        self.wire("joined", op, &masks)
    }

    fn copy(&mut self, node: &TypedNode, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        if node.op_is::<Const>()
            && let Some(konst) = &node.outputs[0].fact.konst
        {
            return Ok(tvec![self.graph.add_const(&*node.name, konst.clone())?]);
        }
        self.graph.wire_node(&*node.name, node.op.clone(), inputs)
    }

    fn node(&mut self, model: &TypedModel, node: &TypedNode) -> TractResult<Option<TVec<State>>> {
        let inputs: TVec<State> = node.inputs.iter().map(|i| self.states[i]).collect();
        let values: TVec<OutletId> = inputs
            .iter()
            .map(|state| match state {
                State::Whole(value) => *value,
                State::Map(map) => map.value,
            })
            .collect();
        let maps: TVec<(usize, Map)> = inputs
            .iter()
            .enumerate()
            .filter_map(|(slot, state)| match state {
                State::Map(map) => Some((slot, *map)),
                State::Whole(_) => None,
            })
            .collect();
        if maps.is_empty() {
            return Ok(Some(self.copy(node, &values)?.into_iter().map(State::Whole).collect()));
        }
        if node.outputs.len() != 1 {
            return Ok(None);
        }
        let found = if let [(0, map)] = maps[..] {
            if let Some(op) = node.op_as::<Conv>() {
                self.conv(node, op, map, &values)?
            } else if let Some(op) = node.op_as::<MaxPool>() {
                self.max_pool(node, op, map)?
            } else if let Some(op) = node.op_as::<SumPool>() {
                self.sum_pool(node, op, map)?
            } else if let Some(op) = node.op_as::<Reduce>() {
                self.reduce(node, op, map)?
            } else if let Some(op) = node.op_as::<AxisOp>() {
                self.rearranged(node, op, map)?
            } else if let Some(op) = node.op_as::<Pad>() {
                self.pad(node, op, map)?
            } else if let Some(op) = node.op_as::<Slice>() {
                self.slice(node, op, map)?
            } else {
                self.in_place(model, node, &maps, &values)?
            }
        } else if let Some(op) = node.op_as::<TypedConcat>() {
            self.concat(node, op, &inputs, &maps)?
        } else {
            self.in_place(model, node, &maps, &values)?
        };
        Ok(found.map(|state| tvec![state]))
    }

    /// Operators whose output at a place is computed from that place alone.
    fn in_place(
        &mut self,
        model: &TypedModel,
        node: &TypedNode,
        maps: &[(usize, Map)],
        values: &[OutletId],
    ) -> Carried {
        let space = maps[0].1.space;
        let shape: TVec<usize> = node.outputs[0]
            .fact
            .shape
            .as_concrete()
            .context("a shape is not known")?
            .into();
        if let Some(op) = node.op_as::<EinSum>() {
            let [(slot, map)] = maps[..] else { return Ok(None) };
            let once = |axis: usize| {
                let shared = op
                    .axes
                    .iter_all_axes()
                    .find(|a| a.inputs.get(slot).is_some_and(|at| at.contains(&axis)))
                    .is_some_and(|a| a.inputs.iter().map(TVec::len).sum::<usize>() == 1);
                contracted(&op.axes, slot, axis).filter(|_| shared)
            };
            let (Some(y), Some(x)) = (once(space[0]), once(space[1])) else {
                return Ok(None);
            };
            let value = self.copy(node, values)?[0];
            return self.map_of(value, map.mask, [y, x]);
        }
        let known = node.op_is::<ElementWiseOp>()
            || node.op_is::<TypedBinOp>()
            || node.op_is::<Cast>()
            || node.op_is::<Identity>()
            || node.op_is::<Iff>()
            || node.op_is::<Lrn>()
            || node.op_is::<MultiBroadcastTo>()
            || node
                .op_as::<Softmax>()
                .is_some_and(|op| !op.axes.iter().any(|a| space.contains(a)))
            || node
                .op_as::<StridedSlice>()
                .is_some_and(|op| beside(model, node, op, space))
            || node.op_as::<Gather>().is_some_and(|op| !space.contains(&op.axis));
        let mut alike = known;
        for (_, map) in maps {
            let [h, w] = self.size(*map)?;
            let rank = self.graph.outlet_fact(map.value)?.rank();
            alike &= map.space == space && rank == shape.len() && shape[space[0]] == h && shape[space[1]] == w;
        }
        if !alike {
            return Ok(None);
        }
        let mask = self.joined(Masking::All, maps.iter().map(|(_, map)| map.mask).collect())?;
        let value = self.copy(node, values)?[0];
        self.map_of(value, mask, space)
    }

    fn map_of(&mut self, value: OutletId, mask: OutletId, space: [usize; 2]) -> Carried {
        self.settled(Map { value, mask, space }).map(Some)
    }

    /// Before a convolution missing places next to known ones are filled from those, as far as its windows reach; it sees a
    /// place where a known one lies in its window.
    fn conv(&mut self, node: &TypedNode, op: &Conv, map: Map, values: &[OutletId]) -> Carried {
        let spec = &op.pool_spec;
        if spec.data_format.c_is_last() || !fits(spec, map) {
            return Ok(None);
        }
        let rounds = (0..2)
            .map(|axis| (spec.kernel_shape[axis] - 1) * spec.dilation(axis) + 1)
            .max();
        let mut values: TVec<OutletId> = values.into();
        if rounds != Some(1) {
            let op = Masking::Filled {
                rounds: rounds.unwrap_or(1),
            };
            values[0] = self.wire("filled", op, &[map.value, map.mask])?;
        }
        let value = self.copy(node, &values)?[0];
        let mask = self.windows(spec, map)?;
        self.map_of(value, mask, map.space)
    }

    fn windows(&mut self, spec: &PoolSpec, map: Map) -> TractResult<OutletId> {
        let same = (0..2).all(|axis| spec.kernel_shape[axis] == 1 && spec.stride(axis) == 1);
        let size = self.size(map)?;
        if same
            && spec
                .computed_padding(&size)
                .iter()
                .all(|p| (p.pad_before, p.pad_after) == (0, 0))
        {
            return Ok(map.mask);
        }
        self.wire("windows", Masking::Windows(spec.clone()), &[map.mask])
    }

    /// The largest of what is not missing.
    fn max_pool(&mut self, node: &TypedNode, op: &MaxPool, map: Map) -> Carried {
        if op.pool_spec.data_format.c_is_last() || !fits(&op.pool_spec, map) {
            return Ok(None);
        }
        let value = self.blank(State::Map(map), Blank::Lowest)?;
        let value = self.copy(node, &[value])?[0];
        let mask = self.windows(&op.pool_spec, map)?;
        self.map_of(value, mask, map.space)
    }

    /// The mean of what is not missing.
    fn sum_pool(&mut self, node: &TypedNode, op: &SumPool, map: Map) -> Carried {
        if op.pool_spec.data_format.c_is_last() || !fits(&op.pool_spec, map) {
            return Ok(None);
        }
        let value = self.blank(State::Map(map), Blank::Zero)?;
        let value = self.copy(node, &[value])?[0];
        let shares = self.wire("shares", Masking::Shares(op.pool_spec.clone()), &[map.mask])?;
        let value = self.wire("shared", mul(), &[value, shares])?;
        let mask = self.windows(&op.pool_spec, map)?;
        self.map_of(value, mask, map.space)
    }

    /// Over all places: of what is not missing, sums as if what is missing were like the rest. Over none: place by place.
    fn reduce(&mut self, node: &TypedNode, op: &Reduce, map: Map) -> Carried {
        match map.space.iter().filter(|axis| op.axes.contains(axis)).count() {
            0 => {
                let value = self.copy(node, &[map.value])?[0];
                return self.map_of(value, map.mask, map.space);
            }
            1 => return Ok(None),
            _ => {}
        }
        let blank = match op.reducer {
            Reducer::Sum | Reducer::MeanOfSquares => Blank::Zero,
            Reducer::Max => Blank::Lowest,
            Reducer::Min => Blank::Highest,
            _ => return Ok(None),
        };
        let value = self.blank(State::Map(map), blank)?;
        let value = self.copy(node, &[value])?[0];
        let value = if blank == Blank::Zero {
            let rank = self.graph.outlet_fact(value)?.rank();
            let share = self.wire("share", Masking::WholeShare { rank }, &[map.mask])?;
            self.wire("shared", mul(), &[value, share])?
        } else {
            let mask = self.wire("any", Masking::Any, &[map.mask])?;
            let whole = Map { value, mask, ..map };
            self.blank(State::Map(whole), Blank::Zero)?
        };
        Ok(Some(State::Whole(value)))
    }

    /// Flattened to one vector, what is missing is 0.
    fn rearranged(&mut self, node: &TypedNode, op: &AxisOp, map: Map) -> Carried {
        let [y, x] = map.space;
        let space = match op {
            AxisOp::Add(at) => map.space.map(|a| if a >= *at { a + 1 } else { a }),
            AxisOp::Rm(at) if !map.space.contains(at) => map.space.map(|a| if a > *at { a - 1 } else { a }),
            AxisOp::Move(from, to) => [moved(y, *from, *to), moved(x, *from, *to)],
            AxisOp::Rm(_) => return Ok(None),
            AxisOp::Reshape(at, from, to) => {
                let same = from.iter().zip(to).take_while(|(from, to)| from == to).count();
                let rest = from[same..].iter().rev().zip(to[same..].iter().rev());
                let same_after = rest.take_while(|(from, to)| from == to).count();
                let changed = at + same..at + from.len() - same_after;
                if changed.contains(&y) || changed.contains(&x) {
                    let shape = &node.outputs[0].fact.shape;
                    let wide = shape.iter().filter(|d| **d != 1.to_dim()).count();
                    if wide > 1 {
                        return Ok(None);
                    }
                    let value = self.blank(State::Map(map), Blank::Zero)?;
                    return Ok(Some(State::Whole(self.copy(node, &[value])?[0])));
                }
                map.space
                    .map(|a| if a >= changed.end { a + to.len() - from.len() } else { a })
            }
        };
        let value = self.copy(node, &[map.value])?[0];
        self.map_of(value, map.mask, space)
    }

    /// What the network pads is not missing, and nothing is filled from it.
    fn pad(&mut self, node: &TypedNode, op: &Pad, map: Map) -> Carried {
        let mode = match &op.mode {
            PadMode::Constant(_) => PadMode::Constant(tensor0(-1f32).into_arc_tensor()),
            other => other.clone(),
        };
        let pads = map.space.map(|axis| op.pads[axis]).to_vec();
        let value = self.copy(node, &[map.value])?[0];
        let mask = self.wire("pad", Pad::new(pads, mode), &[map.mask])?;
        self.map_of(value, mask, map.space)
    }

    fn slice(&mut self, node: &TypedNode, op: &Slice, map: Map) -> Carried {
        let value = self.copy(node, &[map.value])?[0];
        let mask = match map.space.iter().position(|&axis| axis == op.axis) {
            None => map.mask,
            Some(axis) => {
                let slice = Slice {
                    axis,
                    start: op.start.clone(),
                    end: op.end.clone(),
                };
                self.wire("slice", slice, &[map.mask])?
            }
        };
        self.map_of(value, mask, map.space)
    }

    /// Maps over one another: a place is known where most of them are, and those that are not are 0 there.
    fn concat(&mut self, node: &TypedNode, op: &TypedConcat, inputs: &[State], maps: &[(usize, Map)]) -> Carried {
        let space = maps[0].1.space;
        if space.contains(&op.axis) || maps.iter().any(|(_, map)| map.space != space) {
            return Ok(None);
        }
        let masks: Vec<OutletId> = maps.iter().map(|(_, map)| map.mask).collect();
        let mask = self.joined(Masking::Most, masks)?;
        let mut values: TVec<OutletId> = tvec![];
        for input in inputs {
            values.push(match *input {
                State::Map(map) if map.mask == mask => map.value,
                other => self.blank(other, Blank::Zero)?,
            });
        }
        let value = self.copy(node, &values)?[0];
        self.map_of(value, mask, space)
    }
}

fn fits(spec: &PoolSpec, map: Map) -> bool {
    spec.rank() == 2 && map.space == [2, 3]
}

/// Whether a slice leaves both axes of the places alone.
fn beside(model: &TypedModel, node: &TypedNode, op: &StridedSlice, space: [usize; 2]) -> bool {
    let axes = || {
        let slot = op.optional_axes_input?;
        let konst = model.outlet_fact(*node.inputs.get(slot)?).ok()?.konst.clone()?;
        let axes = konst.cast_to::<i64>().ok()?;
        let axes = axes.try_as_plain_ram().ok()?.as_slice::<i64>().ok()?.to_vec();
        let rank = model.outlet_fact(node.inputs[0]).ok()?.rank() as i64;
        Some(
            axes.into_iter()
                .map(|a| a.rem_euclid(rank.max(1)) as usize)
                .collect::<Vec<_>>(),
        )
    };
    op.shrink_axis_mask == 0 && axes().is_some_and(|axes| axes.iter().all(|a| !space.contains(a)))
}
