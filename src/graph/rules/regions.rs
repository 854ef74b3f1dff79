//! Finds what belongs together again: exporters and the engine take activations apart into chains and diamonds of
//! element-wise operators.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::math::{Max, Min};

use super::View;
use crate::graph::vjp::prelude::*;

/// The regions of a network in which each value is a function of one value of one earlier tensor, constants aside.
pub(super) struct Regions {
    /// For each node inside of a region, the outlet that the region starts from.
    start: BTreeMap<usize, OutletId>,
}

/// The binary operator of a node.
pub(super) fn binary(node: &TypedNode) -> Option<&dyn BinMiniOp> {
    node.op_as::<TypedBinOp>().map(|op| &*op.0)
}

/// Whether a node applies this binary operator.
pub(super) fn applies<Op: BinMiniOp>(node: &TypedNode) -> bool {
    binary(node).is_some_and(<dyn BinMiniOp>::is::<Op>)
}

impl Regions {
    /// Regions end at the outlets that the result is taken by.
    pub fn of(view: &View) -> Self {
        let mut start: BTreeMap<usize, OutletId> = BTreeMap::new();
        for &id in view.order {
            let node = view.model.node(id);
            let inputs = view.active_inputs(node);
            if inputs.is_empty() || !element_wise(view, node, &inputs) {
                continue;
            }
            let from = |slot: &usize| {
                let outlet = node.inputs[*slot];
                if view.wrt.contains(&outlet) {
                    return outlet;
                }
                start.get(&outlet.node).copied().unwrap_or(outlet)
            };
            let from: BTreeSet<OutletId> = inputs.iter().map(from).collect();
            if from.len() == 1 {
                start.extend(from.first().map(|&from| (id, from)));
            }
        }
        Self { start }
    }

    /// Where the region of a node starts; `None` for nodes that do not work element by element, or on several tensors.
    pub fn start(&self, node: usize) -> Option<OutletId> {
        self.start.get(&node).copied()
    }

    /// Where the value of an outlet comes from: the start of its region, or itself.
    pub fn origin(&self, view: &View, outlet: OutletId) -> OutletId {
        if view.wrt.contains(&outlet) {
            return outlet;
        }
        self.start(outlet.node).unwrap_or(outlet)
    }

    /// Whether what leaves `node` is joined again with what went past it, as in the positive part of an ELU.
    pub fn is_branch(&self, view: &View, node: usize) -> bool {
        let Some(start) = self.start(node) else { return false };
        let mut after: BTreeSet<usize> = [node].into();
        for &id in view.order {
            if self.start(id) != Some(start) {
                continue;
            }
            let node = view.model.node(id);
            let through = |slot: &usize| after.contains(&node.inputs[*slot].node);
            let inputs = view.active_inputs(node);
            if inputs.iter().any(through) {
                if !inputs.iter().all(through) {
                    return true;
                }
                after.insert(id);
            }
        }
        false
    }

    /// The data input of `node` where it is a ReLU, or the lower half of a clip from 0 to more than 1 (ReLU6, but not
    /// the hard sigmoid), and not a part of another activation.
    pub fn relu(&self, view: &View, node: &TypedNode) -> Option<OutletId> {
        let data = bounded::<Max>(view, node).filter(|(_, bound)| *bound == 0.0)?.0;
        let hard = |other: usize| bounded::<Min>(view, view.model.node(other)).is_some_and(|(_, bound)| bound <= 1.0);
        let clipped = hard(data.node) || matches!(view.readers(node.id.into())[..], [reader] if hard(reader));
        (!clipped && !self.is_branch(view, node.id)).then_some(data)
    }
}

/// The data input and the bound of a node that applies `Op` (a maximum or minimum) to a tensor and a number.
fn bounded<Op: BinMiniOp>(view: &View, node: &TypedNode) -> Option<(OutletId, f32)> {
    applies::<Op>(node).then_some(())?;
    let [data] = view.active_inputs(node)[..] else {
        return None;
    };
    let same = view.shape(node.inputs[data]) == view.shape(node.id.into());
    let bound = view.uniform(node.inputs[1 - data])?;
    same.then_some((node.inputs[data], bound))
}

fn element_wise(view: &View, node: &TypedNode, active: &[usize]) -> bool {
    let known = node.op_is::<ElementWiseOp>()
        || node.op_is::<TypedBinOp>()
        || node.op_is::<Cast>()
        || node.op_is::<Identity>()
        || node.op_is::<Iff>();
    let shape = view.shape(node.id.into());
    known && active.iter().all(|&slot| view.shape(node.inputs[slot]) == shape)
}

#[cfg(test)]
mod tests {
    use tract_onnx::tract_core::ops::math::{add, exp, max, min, mul, sub};
    use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

    use super::*;
    use crate::error::GradientError;
    use crate::graph::backward::differentiate_by;
    use crate::graph::rules::scheme;
    use crate::program::{LayerRule, Lrp, Rules, Start};

    struct Net {
        model: TypedModel,
        x: OutletId,
    }

    impl Net {
        fn new() -> Self {
            let mut model = TypedModel::default();
            let x = model.add_source("x", f32::fact([1, 2])).unwrap();
            Self { model, x }
        }

        fn wire(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> OutletId {
            let name = format!("node-{}", self.model.nodes().len());
            self.model.wire_node(name, op, inputs).unwrap()[0]
        }

        fn with(&mut self, op: TypedBinOp, a: OutletId, number: f32) -> OutletId {
            let name = format!("const-{}", self.model.nodes().len());
            let number = self.model.add_const(name, tensor2(&[[number]])).unwrap();
            self.wire(op, &[a, number])
        }

        /// What a cotangent of -1 becomes at `x` = (0.5, 0.7) by the rules of guided backpropagation.
        fn guided(mut self, y: OutletId) -> Vec<f32> {
            self.model.select_output_outlets(&[y]).unwrap();
            let rules = Rules::GuidedRelu;
            let graph = differentiate_by(|view| scheme(&rules, view), &self.model, y, &[], &[self.x]).unwrap();
            let inputs = [tensor2(&[[0.5f32, 0.7]]), tensor2(&[[-1f32, -1.0]])];
            let inputs = inputs.into_iter().map(IntoTValue::into_tvalue).collect();
            let outputs = graph.into_runnable().unwrap().run(inputs).unwrap();
            outputs[1]
                .to_plain_array_view::<f32>()
                .unwrap()
                .iter()
                .copied()
                .collect()
        }
    }

    #[test]
    fn relus_are_told_from_the_parts_of_other_activations() {
        type Build = fn(&mut Net, OutletId) -> OutletId;
        let cases: [(&str, Build, bool); 6] = [
            ("ReLU", |n, x| n.with(max(), x, 0.0), true),
            (
                "ReLU6",
                |n, x| {
                    let low = n.with(max(), x, 0.0);
                    n.with(min(), low, 6.0)
                },
                true,
            ),
            (
                "ReLU, then a factor",
                |n, x| {
                    let a = n.with(max(), x, 0.0);
                    n.with(mul(), a, 2.0)
                },
                true,
            ),
            (
                "hard sigmoid",
                |n, x| {
                    let low = n.with(min(), x, 1.0);
                    n.with(max(), low, 0.0)
                },
                false,
            ),
            (
                "ELU",
                |n, x| {
                    let (high, low) = (n.with(max(), x, 0.0), n.with(min(), x, 0.0));
                    let e = n.wire(exp(), &[low]);
                    let e = n.with(sub(), e, 1.0);
                    n.wire(add(), &[high, e])
                },
                false,
            ),
            (
                "hard swish",
                |n, x| {
                    let moved = n.with(add(), x, 3.0);
                    let low = n.with(max(), moved, 0.0);
                    let clip = n.with(min(), low, 6.0);
                    n.wire(mul(), &[x, clip])
                },
                false,
            ),
        ];
        for (name, build, relu) in cases {
            let mut net = Net::new();
            let x = net.x;
            let y = build(&mut net, x);
            let found = net.guided(y);
            assert!(found.iter().all(|&g| (g == 0.0) == relu), "{name}: {found:?}");
        }
    }

    #[test]
    fn relevance_meets_an_operator_without_a_rule() {
        let mut net = Net::new();
        let y = net.wire(Reduce::new(tvec![1], Reducer::Prod), &[net.x]);
        net.model.select_output_outlets(&[y]).unwrap();
        let rules = Rules::Lrp(Lrp {
            conv: LayerRule::Flat,
            dense: LayerRule::Flat,
            first_conv: None,
            first_dense: None,
            stabiliser: 1e-6,
            biases: true,
            start: Start::Answer,
        });
        let error = differentiate_by(|view| scheme(&rules, view), &net.model, y, &[], &[net.x]).unwrap_err();
        let GradientError::NoRule { op, why, .. } = &error else {
            panic!("{error}")
        };
        assert!(
            op.contains("Reduce") && why.contains("relevance propagation"),
            "{error}"
        );
    }
}
