//! A fully connected layer, or the adjoint of one, as an operator of the graph.

use tract_onnx::tract_core::ops::einsum::EinSum;

use super::super::vjp::prelude::*;
use super::store::Recipe;
use super::{Known, Store, evaluate, with_scratch};
use crate::kernel::{self, Epilogue, Window};

/// Products below which the engine's own operator is as good.
const LEAST: usize = 4096;

/// A constant matrix times one vector.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    kernel: Arc<kernel::Conv>,
    /// Of the result, one axis of which is longer than 1.
    shape: TVec<usize>,
    /// Which of the node's inputs is the vector.
    pub slot: usize,
}

impl Linear {
    /// The operator that computes what `node` does, if that is such a product.
    pub fn of(known: &Known, node: &TypedNode, store: &Store) -> TractResult<Option<Self>> {
        let Some(op) = node.op_as::<EinSum>().filter(|op| op.q_params.is_none()) else {
            return Ok(None);
        };
        let [a, b] = node.inputs[..] else { return Ok(None) };
        let (slot, matrix) = match (known.value(a), known.value(b)) {
            (None, Some(matrix)) => (0, matrix),
            (Some(matrix), None) => (1, matrix),
            _ => return Ok(None),
        };
        let vector = known.model.outlet_fact(node.inputs[slot])?;
        let result = &node.outputs[0].fact;
        let float = f32::datum_type();
        let (Some(from), Some(to)) = (vector.shape.as_concrete(), result.shape.as_concrete()) else {
            return Ok(None);
        };
        if matrix.datum_type() != float || vector.datum_type != float || result.datum_type != float {
            return Ok(None);
        }
        // The only axis of an operand that is longer than 1.
        let long = |io: InOut, shape: &[usize]| -> TractResult<Option<char>> {
            let mut long = (0..shape.len()).filter(|&axis| shape[axis] != 1);
            match (long.next(), long.next()) {
                (Some(axis), None) => Ok(Some(op.axes.axis((io, axis))?.repr)),
                _ => Ok(None),
            }
        };
        let (Some(k), Some(n)) = (long(InOut::In(slot), from)?, long(InOut::Out(0), to)?) else {
            return Ok(None);
        };
        let axes: Vec<usize> = (0..matrix.rank()).filter(|&axis| matrix.shape()[axis] != 1).collect();
        let [rows, columns] = axes[..] else { return Ok(None) };
        let name = |axis: usize| op.axes.axis((InOut::In(1 - slot), axis)).map(|axis| axis.repr);
        let turned = match (name(rows)?, name(columns)?) {
            (a, b) if (a, b) == (n, k) => false,
            (a, b) if (a, b) == (k, n) => true,
            _ => return Ok(None),
        };
        let channels = [from.iter().product(), to.iter().product()];
        if k == n || matrix.len() != channels[0] * channels[1] || matrix.len() < LEAST {
            return Ok(None);
        }
        let plane = (**matrix)
            .clone()
            .into_shape(&[matrix.shape()[rows], matrix.shape()[columns]])?;
        let plane = if turned { plane.permute_axes(&[1, 0])? } else { plane };
        let weights = plane.try_as_plain_ram()?;
        let recipe = Recipe {
            window: Window {
                input: [1, 1],
                output: [1, 1],
                kernel: [1, 1],
                stride: [1, 1],
                dilation: [1, 1],
                before: [0, 0],
            },
            channels,
            groups: 1,
            weights: weights.as_slice::<f32>()?,
            epilogue: Epilogue::default(),
        };
        Ok(Some(Self {
            kernel: store.conv(recipe),
            shape: to.into(),
            slot,
        }))
    }
}

impl PartialEq for Linear {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel) && self.shape == other.shape
    }
}

impl Eq for Linear {}

impl Op for Linear {
    fn name(&self) -> StaticName {
        "FastLinear".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let [from, to] = self.kernel.channels();
        Ok(vec![format!("{from} to {to}")])
    }

    op_as_typed_op!();
}

impl EvalOp for Linear {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        evaluate(inputs, 1, &self.shape, |inputs, output| {
            with_scratch(|scratch| self.kernel.run(inputs[0], None, output, None, scratch));
        })
    }
}

impl TypedOp for Linear {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.len() == 1 && inputs[0].datum_type == f32::datum_type());
        Ok(tvec!(f32::fact(&self.shape)))
    }

    fn cost(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        Ok(tvec!((Cost::FMA(f32::datum_type()), self.kernel.products().to_dim())))
    }

    as_op!();
}
