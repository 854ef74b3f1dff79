//! Activations that the engine computes otherwise than ONNX defines them (CELU without its factor, SELU with rounded
//! constants), or in a form that overflows, and whose gradient then is NaN, where activations are large (ELU, softplus).

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math::{add, div, exp, ln, max, min, mul, sub};
use tract_onnx::tract_hir::internal::{
    Expansion, InferenceOp, InferenceResult, OutletId, Solver, SpecialOps, StaticName, TVec, TensorProxy, TractResult,
    TypedModel, check_input_arity, check_output_arity, expand, tensor0,
};

use super::onnx::attribute;

/// Factors that are absent are 1. With `p = max(x, 0)` and `m = min(x, 0)`.
#[derive(Clone, Copy, Debug)]
enum Activation {
    /// `scale * (p + alpha * (exp(m / width) - 1))`.
    Exponential {
        scale: Option<f32>,
        alpha: Option<f32>,
        width: Option<f32>,
    },
    /// `p + ln(1 + exp(m - p))`.
    Softplus,
}

/// The operator for `node`, where this module has one.
pub(super) fn operator(node: &NodeProto) -> Option<Box<dyn InferenceOp>> {
    let float = |name: &str, default: f32| attribute(node, name).map_or(default, |a| a.f);
    // A file's own factor counts even where it is 1: what it computes is the same.
    let alpha = Some(float("alpha", 1.0));
    Some(expand(match node.op_type.as_str() {
        "Elu" => Activation::Exponential {
            scale: None,
            alpha,
            width: None,
        },
        "Celu" => Activation::Exponential {
            scale: None,
            alpha,
            width: alpha,
        },
        "Selu" => Activation::Exponential {
            scale: Some(float("gamma", 1.050_701)),
            alpha: Some(float("alpha", 1.673_263_2)),
            width: None,
        },
        "Softplus" => Activation::Softplus,
        _ => return None,
    }))
}

impl Expansion for Activation {
    fn name(&self) -> StaticName {
        match self {
            Self::Exponential { .. } => "ExponentialLinear".into(),
            Self::Softplus => "Softplus".into(),
        }
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.equals(&inputs[0].shape, &outputs[0].shape)
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        let fact = model.outlet_fact(x)?.clone();
        let constant = |model: &mut TypedModel, name: &str, value: f32| {
            let value = tensor0(value)
                .cast_to_dt(fact.datum_type)?
                .into_owned()
                .broadcast_into_rank(fact.rank())?;
            model.add_const(format!("{prefix}.{name}"), value)
        };
        let name = |part: &str| format!("{prefix}.{part}");
        let zero = constant(model, "zero", 0.0)?;
        let one = constant(model, "one", 1.0)?;
        let positive = model.wire_node(name("positive"), max(), &[x, zero])?[0];
        let negative = model.wire_node(name("negative"), min(), &[x, zero])?[0];
        match *self {
            Self::Exponential { scale, alpha, width } => {
                let mut at = negative;
                if let Some(width) = width {
                    let width = constant(model, "width", width)?;
                    at = model.wire_node(name("over-width"), div(), &[at, width])?[0];
                }
                at = model.wire_node(name("exp"), exp(), &[at])?[0];
                at = model.wire_node(name("minus-one"), sub(), &[at, one])?[0];
                if let Some(alpha) = alpha {
                    let alpha = constant(model, "alpha", alpha)?;
                    at = model.wire_node(name("by-alpha"), mul(), &[at, alpha])?[0];
                }
                let Some(scale) = scale else {
                    return model.wire_node(prefix, add(), &[positive, at]);
                };
                at = model.wire_node(name("sum"), add(), &[positive, at])?[0];
                let scale = constant(model, "scale", scale)?;
                model.wire_node(prefix, mul(), &[at, scale])
            }
            Self::Softplus => {
                let size = model.wire_node(name("minus-size"), sub(), &[negative, positive])?[0];
                let exp = model.wire_node(name("exp"), exp(), &[size])?[0];
                let sum = model.wire_node(name("plus-one"), add(), &[exp, one])?[0];
                let log = model.wire_node(name("ln"), ln(), &[sum])?[0];
                model.wire_node(prefix, add(), &[positive, log])
            }
        }
    }
}
