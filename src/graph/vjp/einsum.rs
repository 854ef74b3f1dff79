//! Contractions: matrix products, attention, sums of products.

use tract_onnx::tract_core::ops::einsum::EinSum;

use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table.with_rule_for::<EinSum>("einsum", vjp)
}

/// The adjoint by one operand contracts the cotangent with all the others. An axis that an operand has alone was summed
/// away, and one of extent 1 was broadcast: both stay out of the contraction and are put back afterwards.
fn vjp(a: &mut Adjoint, op: &EinSum) -> Cotangents {
    ensure!(op.q_params.is_none(), "it is quantised");
    let once = |slots: &[TVec<usize>]| slots.iter().all(|positions| positions.len() <= 1);
    ensure!(
        op.axes
            .iter_all_axes()
            .all(|axis| once(&axis.inputs) && once(&axis.outputs)),
        "it takes a diagonal ({})",
        op.axes
    );
    for axis in op.axes.iter_all_axes().filter(|axis| axis.outputs[0].is_empty()) {
        let mut extents = TVec::new();
        for (slot, positions) in axis.inputs.iter().enumerate() {
            for position in positions {
                extents.push(a.shape(a.inputs[slot])?[*position]);
            }
        }
        ensure!(
            extents.windows(2).all(|pair| pair[0] == pair[1]),
            "it broadcasts over a contracted axis ({})",
            op.axes
        );
    }
    let g = a.cotangent()?;
    (0..a.inputs.len())
        .map(|slot| a.wanted[slot].then(|| by_operand(a, op, g, slot)).transpose())
        .collect()
}

fn by_operand(a: &mut Adjoint, op: &EinSum, g: OutletId, slot: usize) -> TractResult<OutletId> {
    let letters = |io: InOut| -> Vec<char> {
        (0..op.axes.rank(io))
            .map(|position| op.axes.axis((io, position)).map(|axis| axis.repr))
            .collect::<TractResult<_>>()
            .unwrap_or_default()
    };
    // The cotangent, then the other operands, each without its axes of extent 1.
    let mut operands: Vec<(OutletId, Vec<char>)> = vec![];
    let others = (0..a.inputs.len()).filter(|&other| other != slot);
    let sources: Vec<(OutletId, Vec<char>)> = std::iter::once((g, letters(InOut::Out(0))))
        .chain(others.map(|other| (a.inputs[other], letters(InOut::In(other)))))
        .collect();
    for (wire, axes) in sources {
        operands.push(without_units(a, wire, axes)?);
    }
    let shape = a.shape(a.inputs[slot])?;
    let target = letters(InOut::In(slot));
    let kept: Vec<char> = target
        .iter()
        .zip(&shape)
        .filter(|(axis, extent)| **extent != 1 && operands.iter().any(|(_, axes)| axes.contains(axis)))
        .map(|(axis, _)| *axis)
        .collect();
    let inputs: Vec<String> = operands.iter().map(|(_, axes)| axes.iter().collect()).collect();
    let expression = format!("{}->{}", inputs.join(","), kept.iter().collect::<String>());
    let wires: TVec<OutletId> = operands.iter().map(|(wire, _)| *wire).collect();
    let mut wire = a.wire(EinSum::new(expression.parse()?, op.operating_dt), &wires)?;
    for (position, axis) in target.iter().enumerate() {
        if !kept.contains(axis) {
            wire = a.wire(AxisOp::Add(position), &[wire])?;
        }
    }
    a.broadcast_to(wire, &shape)
}

/// An operand without its axes of extent 1. A constant comes out with its axes in the reverse order: as another tensor
/// than that of the forward pass, it is packed for the matrix product once, and not at every run as a large constant
/// with two users is.
fn without_units(a: &mut Adjoint, mut wire: OutletId, mut axes: Vec<char>) -> TractResult<(OutletId, Vec<char>)> {
    let shape = a.shape(wire)?;
    if let Some(konst) = a.konst(wire)? {
        let kept: Vec<usize> = (0..shape.len()).filter(|position| shape[*position] != 1).collect();
        let extents: TVec<usize> = kept.iter().map(|position| shape[*position]).collect();
        let reversed: Vec<usize> = (0..kept.len()).rev().collect();
        let konst = konst.into_tensor().into_shape(&extents)?.permute_axes(&reversed)?;
        let axes = kept.iter().rev().map(|position| axes[*position]).collect();
        return Ok((a.constant(konst)?, axes));
    }
    for (position, _) in shape.iter().enumerate().rev().filter(|(_, extent)| **extent == 1) {
        wire = a.wire(AxisOp::Rm(position), &[wire])?;
        axes.remove(position);
    }
    Ok((wire, axes))
}
