//! Contractions, reductions and softmax.

use std::any::Any;

use tract_onnx::tract_core::internal::{InOut, TVec, TractResult, bail, ensure};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use super::Site;
use crate::gpu::ir::{Op, Reduction, ValueId};

pub(super) fn wire(s: &mut Site, op: &dyn Any) -> TractResult<Option<ValueId>> {
    if let Some(op) = op.downcast_ref::<EinSum>() {
        return einsum(s, op).map(Some);
    }
    if let Some(op) = op.downcast_ref::<Reduce>() {
        let by = match op.reducer {
            Reducer::Sum => Reduction::Sum,
            Reducer::MeanOfSquares => Reduction::MeanOfSquares,
            Reducer::Prod => Reduction::Prod,
            // Of truth values: all and any.
            Reducer::Max | Reducer::Any => Reduction::Max,
            Reducer::Min | Reducer::All => Reduction::Min,
            other => bail!("the reduction {other:?}"),
        };
        let x = s.input(0)?;
        let axes = sorted(&op.axes);
        return s.push(Op::Reduce { by, axes }, &[x]).map(Some);
    }
    if let Some(op) = op.downcast_ref::<Softmax>() {
        ensure!(op.quant_output_dt.is_none(), "it is quantised");
        let x = s.input(0)?;
        let (axes, log) = (sorted(&op.axes), op.kind == SoftmaxKind::LogSoftmax);
        return s.push(Op::Softmax { axes, log }, &[x]).map(Some);
    }
    Ok(None)
}

fn sorted(axes: &[usize]) -> Vec<usize> {
    let mut axes = axes.to_vec();
    axes.sort_unstable();
    axes
}

fn einsum(s: &mut Site, op: &EinSum) -> TractResult<ValueId> {
    ensure!(op.q_params.is_none(), "it is quantised");
    let once = |slots: &[TVec<usize>]| slots.iter().all(|positions| positions.len() <= 1);
    ensure!(
        op.axes
            .iter_all_axes()
            .all(|axis| once(&axis.inputs) && once(&axis.outputs)),
        "it takes a diagonal ({})",
        op.axes
    );
    let letters = |io: InOut| -> TractResult<Vec<char>> {
        (0..op.axes.rank(io))
            .map(|position| op.axes.axis((io, position)).map(|axis| axis.repr))
            .collect()
    };
    let result = letters(InOut::Out(0))?;
    let operands = s.inputs()?;
    let named = (0..operands.len())
        .map(|slot| letters(InOut::In(slot)))
        .collect::<TractResult<Vec<_>>>()?;
    let (mut at, mut at_letters) = (operands[0], named[0].clone());
    for slot in 1..operands.len() {
        let last = slot + 1 == operands.len();
        let needed = |letter: &&char| result.contains(letter) || named[slot + 1..].iter().any(|n| n.contains(letter));
        let kept: Vec<char> = if last {
            result.clone()
        } else {
            let own = at_letters.iter();
            let new = named[slot].iter().filter(|letter| !at_letters.contains(letter));
            own.chain(new).filter(needed).copied().collect()
        };
        let (a, b) = (s.shape(at), s.shape(operands[slot]));
        let op = Op::einsum((&at_letters, &a), (&named[slot], &b), &kept)
            .map_err(|why| tract_onnx::tract_core::internal::format_err!("{why}"))?;
        at = s.push(op, &[at, operands[slot]])?;
        at_letters = kept;
    }
    // One operand: sums and a permutation; what the result repeats, it has only at size 1.
    let summed: Vec<usize> = (0..at_letters.len())
        .filter(|&axis| !result.contains(&at_letters[axis]))
        .collect();
    if !summed.is_empty() {
        let by = Reduction::Sum;
        at = s.push(
            Op::Reduce {
                by,
                axes: summed.clone(),
            },
            &[at],
        )?;
        let kept = |axis: &usize| !summed.contains(axis);
        let shape: Vec<usize> = s
            .shape(at)
            .iter()
            .enumerate()
            .filter(|(a, _)| kept(a))
            .map(|(_, &d)| d)
            .collect();
        at = s.reshape(at, &shape)?;
        at_letters.retain(|letter| result.contains(letter));
    }
    if at_letters != result {
        let place = |letter: &char| at_letters.iter().position(|l| l == letter);
        let Some(permutation) = result.iter().map(place).collect::<Option<Vec<_>>>() else {
            bail!("no operand has all axes of its result ({})", op.axes)
        };
        at = s.push(Op::Transpose { permutation }, &[at])?;
    }
    Ok(at)
}
