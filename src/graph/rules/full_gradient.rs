//! FullGrad's second half: what each additive constant brings to the answer, the constant times the gradient where it is
//! added. Biases of convolutions and dense layers, and the shift that a batch normalisation is, all are such constants.

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::math::{self, Add, Sub, SubF};

use super::super::vjp::prelude::*;
use super::super::vjp::{Adjoint, VjpTable};

/// The gradient's rules. The table asks for the products with additive constants.
pub(in crate::graph) fn table() -> VjpTable {
    VjpTable::standard().with_biases()
}

/// What the constant of one node brings.
pub(in crate::graph) enum Part {
    /// One constant a channel of a feature map: the product, `[1, C, h, w]`.
    Map(OutletId),
    /// Any other: the sum of the product, `[1]`.
    Sum(OutletId),
}

/// What the additive constant of `op` brings, if it has one. Single numbers are steps of a decomposed activation or
/// normalisation, and no biases.
pub(in crate::graph) fn part(a: &mut Adjoint, op: &dyn TypedOp) -> TractResult<Option<Part>> {
    let Ok(g) = a.cotangent() else { return Ok(None) };
    let shape = a.shape(g)?;
    let convolution = op.is::<Conv>() || op.is::<Deconv>();
    let mut found: Option<(Tensor, bool)> = None;
    if convolution {
        if let Some(bias) = a.konst(a.inputs[2])? {
            let mut by_channel = vec![1; shape.len()];
            by_channel[1] = bias.len();
            found = Some((bias.into_tensor().into_shape(&by_channel)?, false));
        }
    } else if let Some(op) = op.downcast_ref::<TypedBinOp>() {
        let op = &*op.0;
        for slot in [0, 1] {
            // Which operand is taken away: the second of `a - b`, the first of the flipped form.
            let negative = (op.is::<Sub>() && slot == 1) || (op.is::<SubF>() && slot == 0);
            if (op.is::<Add>() || op.is::<Sub>() || op.is::<SubF>())
                && let Some(konst) = a.konst(a.inputs[slot])?.filter(|konst| konst.len() > 1)
            {
                found = Some((konst.into_tensor(), negative));
            }
        }
    }
    let Some((bias, negative)) = found else { return Ok(None) };
    if bias.is_all_zero()? {
        return Ok(None);
    }
    let by_channel = shape.len() == 4 && bias.rank() == 4 && (0..4).all(|ax| ax == 1 || bias.shape()[ax] == 1);
    let bias = a.constant(bias)?;
    let mut product = a.mul(g, bias)?;
    if negative {
        product = a.wire(math::neg(), &[product])?;
    }
    if by_channel {
        return Ok(Some(Part::Map(product)));
    }
    let axes: TVec<usize> = (0..shape.len()).collect();
    let mut sum = a.sum(product, &axes)?;
    for _ in 1..shape.len() {
        sum = a.wire(AxisOp::Rm(0), &[sum])?;
    }
    Ok(Some(Part::Sum(sum)))
}
