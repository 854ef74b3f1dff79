//! Repetition along axes of extent 1.

use tract_onnx::tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_core::ops::binary::TypedBinOp;

use super::prelude::*;

/// Repeats its input to `shape`, of the same rank.
///
/// tract's own operator is not used because its optimiser drops it in front of a contraction (and of a convolution that
/// became one) even where the output takes its extent from there, and then fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graph) struct Repeat {
    pub shape: TVec<usize>,
}

impl Op for Repeat {
    fn name(&self) -> StaticName {
        "VjpRepeat".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("to {:?}", self.shape)])
    }

    op_as_typed_op!();
}

impl EvalOp for Repeat {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Ok(tvec!(inputs[0].broadcast_to_shape(&self.shape)?.into_tvalue()))
    }
}

impl TypedOp for Repeat {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs[0].rank() == self.shape.len());
        let mut fact = inputs[0].datum_type.fact(&*self.shape);
        fact.uniform.clone_from(&inputs[0].uniform);
        Ok(tvec!(fact))
    }

    /// Arithmetic broadcasts by itself.
    fn declutter(&self, model: &TypedModel, node: &TypedNode) -> TractResult<Option<TypedModelPatch>> {
        let [successor] = &*node.outputs[0].successors else {
            return Ok(None);
        };
        let (slot, user) = (successor.slot, model.node(successor.node));
        if !user.op_is::<TypedBinOp>() || model.output_outlets()?.contains(&node.id.into()) {
            return Ok(None);
        }
        let mut operands: TVec<OutletId> = user.inputs.as_slice().into();
        operands[slot] = node.inputs[0];
        let shapes = [
            &model.outlet_fact(operands[0])?.shape,
            &model.outlet_fact(operands[1])?.shape,
        ];
        if !multi_broadcast(&shapes).is_ok_and(|shape| *shape == *user.outputs[0].fact.shape) {
            return Ok(None);
        }
        let rewired = TypedModelPatch::rewire(model, &operands, &[user.id.into()], &|patch, inputs| {
            patch.wire_node(&user.name, user.op.clone(), inputs)
        })?;
        Ok(Some(rewired))
    }

    as_op!();
}
