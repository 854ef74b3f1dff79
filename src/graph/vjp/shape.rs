//! Operators that only move values: axes, concatenation, slices, padding, broadcasts, casts.

use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{
    FiniteReshape, MultiBroadcastTo, Pad, PadMode, Slice, StridedSlice, Tile, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::cast::{Cast, cast};
use tract_onnx::tract_core::ops::identity::Identity;

use super::linear_axis::LinearAxis;
use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable, first};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Identity>("identity", |a, _| first(a.cotangent()?))
        .with_rule_for::<Cast>("cast", |a, _| {
            let (g, dt) = (a.cotangent()?, a.fact(a.inputs[0])?.datum_type);
            first(a.wire(cast(dt), &[g])?)
        })
        .with_rule_for::<AxisOp>("axis", axis_op)
        .with_rule_for::<FiniteReshape>("reshape", |a, _| {
            let (g, shape) = (a.cotangent()?, a.shape(a.inputs[0])?);
            first(a.wire(FiniteReshape::new(shape), &[g])?)
        })
        .with_rule_for::<MultiBroadcastTo>("broadcast", |a, _| {
            let (g, shape) = (a.cotangent()?, a.shape(a.inputs[0])?);
            first(a.sum_to(g, &shape)?)
        })
        .with_rule_for::<Tile>("tile", tile)
        .with_rule_for::<TypedConcat>("concat", concat)
        .with_rule_for::<Slice>("slice", |a, op| {
            let (start, end) = (op.start.to_usize()?, op.end.to_usize()?);
            let g = a.cotangent()?;
            first(placed(a, g, op.axis, start, end)?)
        })
        .with_rule_for::<StridedSlice>("strided-slice", strided_slice)
        .with_rule_for::<Downsample>("downsample", downsample)
        .with_rule_for::<Pad>("pad", pad)
        .with_rule_for::<Trilu>("trilu", |a, op| {
            let g = a.cotangent()?;
            first(a.wire(op.clone(), &[g, a.inputs[1]])?)
        })
}

fn axis_op(a: &mut Adjoint, op: &AxisOp) -> Cotangents {
    let g = a.cotangent()?;
    first(a.wire(op.recip(), &[g])?)
}

/// `g` as the part `start..end` of the first input along `axis`, zeros around it.
pub(super) fn placed(a: &mut Adjoint, g: OutletId, axis: usize, start: usize, end: usize) -> TractResult<OutletId> {
    let shape = a.shape(a.inputs[0])?;
    let mut pads = vec![(0, 0); shape.len()];
    pads[axis] = (start, shape[axis] - end);
    if pads[axis] == (0, 0) {
        return Ok(g);
    }
    a.wire(Pad::new(pads, PadMode::default()), &[g])
}

fn concat(a: &mut Adjoint, op: &TypedConcat) -> Cotangents {
    let g = a.cotangent()?;
    let mut start = 0;
    let mut result = tvec![];
    for slot in 0..a.inputs.len() {
        let end = start + a.shape(a.inputs[slot])?[op.axis];
        result.push(if a.wanted[slot] {
            Some(a.wire(Slice::new(op.axis, start, end), &[g])?)
        } else {
            None
        });
        start = end;
    }
    Ok(result)
}

/// Each repetition adds: `[.., m * d, ..]` is summed as `[.., m, d, ..]`.
fn tile(a: &mut Adjoint, op: &Tile) -> Cotangents {
    let mut wire = a.cotangent()?;
    let shape = a.shape(a.inputs[0])?;
    for (axis, multiplier) in op.multipliers.iter().enumerate() {
        let (times, extent) = (multiplier.to_usize()?, shape[axis]);
        if times != 1 {
            let (from, to) = (tvec![(times * extent).to_dim()], tvec![times.to_dim(), extent.to_dim()]);
            wire = a.wire(AxisOp::Reshape(axis, from, to), &[wire])?;
            wire = a.sum(wire, &[axis])?;
            wire = a.wire(AxisOp::Rm(axis), &[wire])?;
        }
    }
    first(wire)
}

fn strided_slice(a: &mut Adjoint, op: &StridedSlice) -> Cotangents {
    ensure!(op.shrink_axis_mask == 0, "it drops axes");
    let mut wire = a.f32_cotangent()?;
    let shape = a.shape(a.inputs[0])?;
    let bound = |a: &Adjoint, slot: usize| -> TractResult<Arc<Tensor>> {
        a.konst(a.inputs[slot])?.context("its bounds depend on the input")
    };
    let list = |a: &Adjoint, slot: usize| -> TractResult<Vec<i32>> {
        let tensor = bound(a, slot)?.cast_to::<i32>()?.into_owned();
        Ok(tensor.try_as_plain_ram()?.as_slice::<i32>()?.to_vec())
    };
    let (begin, end) = (bound(a, 1)?, bound(a, 2)?);
    let steps = op
        .optional_steps_input
        .map_or_else(|| Ok(vec![1; shape.len()]), |slot| list(a, slot))?;
    let axes = match op.optional_axes_input {
        Some(slot) => list(a, slot)?,
        None => (0..shape.len() as i32).collect(),
    };
    let outputs = a.shape(a.outputs[0])?;
    for (index, axis) in axes.into_iter().enumerate() {
        let axis = if axis < 0 {
            shape.len() - axis.unsigned_abs() as usize
        } else {
            axis as usize
        };
        let dim = op.prepare_one_dim(index, &shape[axis].to_dim(), &begin, &end, &steps)?;
        let (start, step) = (dim.begin.to_i64()?, i64::from(dim.stride));
        let sources = (0..outputs[axis] as i64).map(|o| (start + o * step) as usize);
        let map = LinearAxis::copies(axis, shape[axis], sources);
        if !map.is_identity() {
            wire = a.wire(map, &[wire])?;
        }
    }
    first(wire)
}

fn downsample(a: &mut Adjoint, op: &Downsample) -> Cotangents {
    let g = a.f32_cotangent()?;
    let len = a.shape(a.inputs[0])?[op.axis];
    let first_taken = if op.stride > 0 {
        op.modulo as isize
    } else {
        len as isize - 1 - op.modulo as isize
    };
    let outputs = a.shape(g)?[op.axis] as isize;
    let sources = (0..outputs).map(|o| (first_taken + o * op.stride) as usize);
    first(a.wire(LinearAxis::copies(op.axis, len, sources), &[g])?)
}

fn pad(a: &mut Adjoint, op: &Pad) -> Cotangents {
    let mut wire = a.f32_cotangent()?;
    let shape = a.shape(a.inputs[0])?;
    for (axis, &(before, after)) in op.pads.iter().enumerate() {
        if (before, after) == (0, 0) {
            continue;
        }
        let len = shape[axis];
        wire = match op.mode {
            PadMode::Constant(_) => a.wire(Slice::new(axis, before, before + len), &[wire])?,
            PadMode::Edge | PadMode::Reflect => {
                let reflects = op.mode == PadMode::Reflect;
                let source = |o: usize| match (o.checked_sub(before), reflects) {
                    (Some(inside), _) if inside < len => inside,
                    (None, true) => before - o,
                    (None, false) => 0,
                    (Some(inside), true) => 2 * (len - 1) - inside,
                    (Some(_), false) => len - 1,
                };
                a.wire(
                    LinearAxis::copies(axis, len, (0..before + len + after).map(source)),
                    &[wire],
                )?
            }
        };
    }
    first(wire)
}
