//! Guided backpropagation and deconvolution: the gradient, with another rule at the ReLUs.

use super::regions::Regions;
use super::{NodeRule, Scheme, View};
use crate::graph::vjp::pointwise::Pointwise;
use crate::graph::vjp::prelude::*;
use tract_onnx::tract_core::ops::math;

/// What a ReLU lets back.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Variant {
    /// What is positive, where the ReLU's input was positive.
    Guided,
    /// What is positive.
    Deconv,
}

/// ReLU6 counts as a ReLU with a ceiling, whose gradient stays 0 above. Activations that are made of other parts (ELU,
/// hard swish) keep their gradient.
pub(super) fn scheme(view: &View, variant: Variant) -> Scheme {
    let regions = Regions::of(view);
    let mut scheme = Scheme::gradient();
    for &id in view.order {
        let Some(data) = regions.relu(view, view.model.node(id)) else {
            continue;
        };
        let send = Box::new(move |a: &mut crate::graph::vjp::Adjoint<'_>| {
            a.rule = "relu";
            let g = a.f32_cotangent()?;
            let zero = a.scalar(0.0, g)?;
            let mut positive = a.wire(math::max(), &[g, zero])?;
            if variant == Variant::Guided {
                positive = a.pointwise(Pointwise::Above(0.0), positive, a.outputs[0])?;
            }
            Ok(tvec![Some(positive)])
        });
        scheme.nodes.insert(id, NodeRule { to: tvec![data], send });
    }
    scheme
}
