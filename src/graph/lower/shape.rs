//! Operators that only move values, and those that are linear along single axes.

use std::any::Any;

use tract_onnx::tract_core::internal::{
    AxisOp, DimLike, Tensor, ToDim, TractErrorContext, TractResult, bail, ensure, format_err,
};
use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{
    CumSum, FiniteReshape, Gather, MultiBroadcastTo, Pad, PadMode, Slice, StridedSlice, Tile, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::nn::resize::{NearestUpsample, Resize};
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize::Resize as OnnxResize;

use super::super::vjp::broadcast::Repeat;
use super::super::vjp::linear_axis::LinearAxis;
use super::super::vjp::resize;
use super::Site;
use crate::gpu::ir::{Binary, Op, Taps, Unary, ValueId};

/// Positions that a cumulative sum may have: its taps are the square of them.
const CUMULATED: usize = 1024;

pub(super) fn wire(s: &mut Site, op: &dyn Any) -> TractResult<Option<ValueId>> {
    let wired = if let Some(op) = op.downcast_ref::<AxisOp>() {
        axis_op(s, op)
    } else if op.is::<Identity>() {
        s.input(0)
    } else if op.is::<FiniteReshape>() {
        let (x, shape) = (s.input(0)?, s.shape_out()?);
        s.reshape(x, &shape)
    } else if op.is::<MultiBroadcastTo>() || op.is::<Repeat>() {
        let (x, shape) = (s.input(0)?, s.shape_out()?);
        s.broadcast(x, &shape)
    } else if let Some(op) = op.downcast_ref::<TypedConcat>() {
        let inputs = s.inputs()?;
        s.push(Op::Concat { axis: op.axis }, &inputs)
    } else if let Some(op) = op.downcast_ref::<Slice>() {
        let (start, end) = (op.start.to_usize()?, op.end.to_usize()?);
        let x = s.input(0)?;
        s.copies(x, op.axis, &(start..end).collect::<Vec<_>>())
    } else if let Some(op) = op.downcast_ref::<StridedSlice>() {
        strided_slice(s, op)
    } else if let Some(op) = op.downcast_ref::<Downsample>() {
        let (x, len) = (s.input(0)?, s.shape_in(0)?[op.axis]);
        let first = if op.stride > 0 { op.modulo } else { len - 1 };
        let outputs = s.shape_out()?[op.axis];
        let place = |o: usize| (first as isize + o as isize * op.stride) as usize;
        s.copies(x, op.axis, &(0..outputs).map(place).collect::<Vec<_>>())
    } else if let Some(op) = op.downcast_ref::<Tile>() {
        tile(s, op)
    } else if let Some(op) = op.downcast_ref::<Pad>() {
        pad(s, op)
    } else if let Some(op) = op.downcast_ref::<Gather>() {
        gather(s, op)
    } else if let Some(op) = op.downcast_ref::<Trilu>() {
        trilu(s, op)
    } else if let Some(op) = op.downcast_ref::<CumSum>() {
        cumulated(s, op)
    } else if let Some(op) = op.downcast_ref::<LinearAxis>() {
        let x = s.input(0)?;
        s.taps(x, op.axis, forward(op).adjoint(op.len))
    } else if let Some(op) = op.downcast_ref::<Resize>() {
        let (from, to) = (s.shape_in(0)?, s.shape_out()?);
        let scales = scales(s, op.optional_scales_input)?;
        let axes: Vec<usize> = (0..from.len()).collect();
        let maps = resize::maps(&from, &to, &axes, scales.as_ref(), |scale, len_in, len_out| {
            Ok(op.plan_axis(scale, len_in, len_out))
        })?;
        resampled(s, &maps)
    } else if let Some(op) = op.downcast_ref::<OnnxResize>() {
        let (from, to) = (s.shape_in(0)?, s.shape_out()?);
        let scales = scales(s, op.optional_scales_input)?;
        let maps = resize::onnx_maps(op, &from, &to, scales.as_ref())?;
        resampled(s, &maps)
    } else if let Some(op) = op.downcast_ref::<NearestUpsample>() {
        let mut x = s.input(0)?;
        for (axis, &scale) in op.scales.iter().enumerate().filter(|(_, scale)| **scale != 1) {
            let sources: Vec<usize> = (0..s.shape(x)[axis] * scale).map(|o| o / scale).collect();
            x = s.copies(x, axis, &sources)?;
        }
        Ok(x)
    } else if let Some(op) = op.downcast_ref::<Lrn>() {
        lrn(s, op)
    } else {
        return Ok(None);
    };
    wired.map(Some)
}

/// The weighted copies that a map along an axis takes forward.
fn forward(map: &LinearAxis) -> Taps {
    Taps::new(map.taps.iter().map(|taps| taps.iter().copied()))
}

fn resampled(s: &mut Site, maps: &[LinearAxis]) -> TractResult<ValueId> {
    let mut x = s.input(0)?;
    for map in maps {
        x = s.taps(x, map.axis, forward(map))?;
    }
    Ok(x)
}

/// The constant input of a resize that holds its scales.
fn scales(s: &Site, slot: Option<usize>) -> TractResult<Option<std::sync::Arc<Tensor>>> {
    let Some(slot) = slot.filter(|slot| *slot < s.node.inputs.len()) else {
        return Ok(None);
    };
    Ok(Some(s.konst(slot)?.context("its scales depend on the picture")?))
}

fn axis_op(s: &mut Site, op: &AxisOp) -> TractResult<ValueId> {
    let x = s.input(0)?;
    let AxisOp::Move(from, to) = op else {
        let shape = s.shape_out()?;
        return s.reshape(x, &shape);
    };
    let mut permutation: Vec<usize> = (0..s.shape(x).len()).filter(|axis| axis != from).collect();
    permutation.insert(*to, *from);
    // Moving sizes of 1 changes no order in memory.
    let shape = s.shape(x);
    let wide = |order: &[usize]| {
        order
            .iter()
            .copied()
            .filter(|&axis| shape[axis] != 1)
            .collect::<Vec<_>>()
    };
    if wide(&permutation).is_sorted() {
        let shape = s.shape_out()?;
        return s.reshape(x, &shape);
    }
    s.push(Op::Transpose { permutation }, &[x])
}

fn strided_slice(s: &mut Site, op: &StridedSlice) -> TractResult<ValueId> {
    let bound = |s: &Site, slot: usize| s.konst(slot)?.context("its bounds depend on the picture");
    let (begin, end) = (bound(s, 1)?, bound(s, 2)?);
    let from = s.shape_in(0)?;
    let list = |s: &Site, slot: Option<usize>| slot.map(|slot| s.integers(slot)).transpose();
    let steps: Vec<i32> = list(s, op.optional_steps_input)?.map_or_else(
        || vec![1; from.len()],
        |steps| steps.into_iter().map(|v| v as i32).collect(),
    );
    let axes = list(s, op.optional_axes_input)?.unwrap_or_else(|| (0..from.len() as i64).collect());
    let mut x = s.input(0)?;
    for (index, axis) in axes.into_iter().enumerate() {
        let axis = place(axis, from.len())?;
        let dim = op.prepare_one_dim(index, &from[axis].to_dim(), &begin, &end, &steps)?;
        let (start, stop, step) = (dim.begin.to_i64()?, dim.end.to_i64()?, i64::from(dim.stride));
        let len = (stop - start).abs().div_euclid(step.abs()) + i64::from((stop - start) % step != 0);
        let sources: Vec<usize> = (0..len).map(|o| (start + o * step) as usize).collect();
        x = s.copies(x, axis, &sources)?;
    }
    let shape = s.shape_out()?;
    s.reshape(x, &shape)
}

/// An index that may count from the end.
fn place(index: i64, len: usize) -> TractResult<usize> {
    let at = if index < 0 { index + len as i64 } else { index };
    usize::try_from(at)
        .ok()
        .filter(|&at| at < len)
        .ok_or_else(|| format_err!("the index {index} leaves the {len} positions"))
}

fn tile(s: &mut Site, op: &Tile) -> TractResult<ValueId> {
    let mut x = s.input(0)?;
    for (axis, times) in op.multipliers.iter().enumerate() {
        let (times, len) = (times.to_usize()?, s.shape(x)[axis]);
        x = s.copies(x, axis, &(0..times * len).map(|o| o % len).collect::<Vec<_>>())?;
    }
    Ok(x)
}

fn pad(s: &mut Site, op: &Pad) -> TractResult<ValueId> {
    let mut x = s.input(0)?;
    if let PadMode::Constant(value) = &op.mode {
        let (before, after) = op.pads.iter().copied().unzip();
        let value = value.cast_to_scalar::<f32>()?;
        return s.push(Op::Pad { before, after, value }, &[x]);
    }
    let reflects = op.mode == PadMode::Reflect;
    for (axis, &(before, after)) in op.pads.iter().enumerate() {
        let len = s.shape(x)[axis];
        let inside = !reflects || (before < len && after < len);
        ensure!(inside, "it reflects beyond the other edge");
        let source = |o: usize| match o.checked_sub(before) {
            Some(at) if at < len => at,
            Some(at) if reflects => 2 * (len - 1) - at,
            Some(_) => len - 1,
            None if reflects => before - o,
            None => 0,
        };
        x = s.copies(x, axis, &(0..before + len + after).map(source).collect::<Vec<_>>())?;
    }
    Ok(x)
}

fn gather(s: &mut Site, op: &Gather) -> TractResult<ValueId> {
    let from = s.shape_in(0)?;
    let indices = s.integers(1)?;
    let sources = indices
        .into_iter()
        .map(|index| place(index, from[op.axis]))
        .collect::<TractResult<Vec<_>>>()?;
    let x = s.input(0)?;
    let x = s.copies(x, op.axis, &sources)?;
    let shape = s.shape_out()?;
    s.reshape(x, &shape)
}

fn trilu(s: &mut Site, op: &Trilu) -> TractResult<ValueId> {
    let x = s.input(0)?;
    let shape = s.shape(x);
    let [.., rows, columns] = *shape else {
        bail!("it has less than two axes")
    };
    let offset = *s.integers(1)?.first().context("it has no diagonal")?;
    let kept = |row: usize, column: usize| {
        let distance = column as i64 - row as i64 - offset;
        if op.upper { distance >= 0 } else { distance <= 0 }
    };
    let mask = (0..rows * columns).map(|i| f32::from(u8::from(kept(i / columns, i % columns))));
    let mut mask_shape = vec![1; shape.len() - 2];
    mask_shape.extend([rows, columns]);
    let mask = s.lowering.graph.constant(&mask_shape, mask.collect());
    let zero = s.scalar(0.0, x);
    s.push(Op::Select, &[mask, x, zero])
}

fn cumulated(s: &mut Site, op: &CumSum) -> TractResult<ValueId> {
    let x = s.input(0)?;
    let len = s.shape(x)[op.axis];
    ensure!(len <= CUMULATED, "it sums over {len} positions, more than {CUMULATED}");
    let own = usize::from(!op.exclusive);
    let seen = |o: usize| {
        let range = if op.reverse { o + 1 - own..len } else { 0..o + own };
        // In the order in which the processor adds them.
        let taps: Vec<(usize, f32)> = range.map(|i| (i, 1.0)).collect();
        if op.reverse {
            taps.into_iter().rev().collect()
        } else {
            taps
        }
    };
    s.taps(x, op.axis, Taps::new((0..len).map(seen)))
}

/// `x * (bias + alpha / size * sum of x^2 over neighbouring channels)^-beta`.
fn lrn(s: &mut Site, op: &Lrn) -> TractResult<ValueId> {
    let x = s.input(0)?;
    let channels = s.shape(x)[1];
    let (before, after) = (op.size.saturating_sub(1) / 2, op.size / 2);
    let neighbours = |c: usize| (c.saturating_sub(before)..=(c + after).min(channels - 1)).map(|c| (c, 1.0));
    let squares = s.unary(Unary::Square, x)?;
    let sums = s.taps(squares, 1, Taps::new((0..channels).map(neighbours)))?;
    let scaled = s.with_scalar(Binary::Mul, sums, op.alpha / op.size as f32)?;
    let shifted = s.with_scalar(Binary::Add, scaled, op.bias)?;
    let power = s.with_scalar(Binary::Pow, shifted, op.beta)?;
    s.binary(Binary::Div, x, power)
}
