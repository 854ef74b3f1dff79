//! Operators that compute each place of their output from the same place of their inputs. The places that change are
//! gathered into one row, which the engine's own operator computes: it gives every element the same bits wherever it
//! stands.

use tract_onnx::tract_core::ops::binary::{OptBinByScalar, OptBinChain, OptBinUnicast, TypedBinOp};
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::partial::{Partial, plain};
use crate::kernel::Region;

/// Rows are made this much wider than a multiple, so that operators with a loop of their own for short rows, or for
/// unaligned ones, take the loop that they take for whole planes.
const WIDTH: usize = 64;

/// What a place of the output reads of an input.
enum Operand {
    /// The same place.
    Place(Layout),
    /// What all places read.
    Whole,
}

struct Pointwise {
    op: Box<dyn TypedOp>,
    operands: Vec<Operand>,
    output: Layout,
}

pub(super) fn of(
    model: &TypedModel,
    node: &TypedNode,
    shape: &[usize],
    layouts: &[Option<&Layout>],
) -> TractResult<Option<(Layout, Box<dyn Partial>)>> {
    let known = node.op_is::<ElementWiseOp>()
        || node.op_is::<TypedBinOp>()
        || node.op_is::<OptBinByScalar>()
        || node.op_is::<OptBinUnicast>()
        || node.op_is::<OptBinChain>();
    let Some(axis) = layouts.iter().flatten().map(|l| l.axis).next() else {
        return Ok(None);
    };
    if !known || axis + 2 > shape.len() {
        return Ok(None);
    }
    let output = Layout {
        shape: shape.to_vec(),
        axis,
    };
    let mut operands = Vec::new();
    for (input, layout) in node.inputs.iter().zip(layouts) {
        let fact = model.outlet_fact(*input)?;
        let Some(shape) = fact.shape.as_concrete() else {
            return Ok(None);
        };
        let own = Layout {
            shape: shape.to_vec(),
            axis,
        };
        if fact.datum_type != f32::datum_type() || shape.len() != output.shape.len() {
            return Ok(None);
        }
        operands.push(
            if own.size() == output.size() && layout.is_none_or(|l| l.axis == axis) {
                Operand::Place(own)
            } else if own.size() == [1, 1] {
                Operand::Whole
            } else {
                return Ok(None);
            },
        );
    }
    let op = node.op.clone();
    Ok(Some((output.clone(), Box::new(Pointwise { op, operands, output }))))
}

impl Partial for Pointwise {
    fn reached(&self, slot: usize, changed: &Region) -> Region {
        match self.operands[slot] {
            Operand::Place(_) => changed.clone(),
            Operand::Whole => Region::full(self.output.size()),
        }
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        let width = region.count().next_multiple_of(WIDTH);
        let gathered = inputs
            .iter()
            .zip(&self.operands)
            .map(|(input, operand)| {
                Ok(match operand {
                    Operand::Place(layout) => {
                        let values = plain(input)?;
                        let row = layout.gather(values.as_slice::<f32>()?, region, width);
                        Tensor::from_shape(&layout.narrowed(width), &row)?.into_tvalue()
                    }
                    Operand::Whole => input.clone(),
                })
            })
            .collect::<TractResult<TVec<TValue>>>()?;
        let Some(results) = self.op.eval_out_of_plan(gathered)? else {
            bail!("{} needs a plan around it", self.op.name());
        };
        let values = plain(&results[0])?;
        self.output.scatter(values.as_slice::<f32>()?, region, width, output);
        Ok(())
    }

    fn work(&self) -> usize {
        // Four walks over memory.
        4 * self.operands.len() * self.output.outer() * self.output.inner()
    }
}
