//! Weights drawn anew, for the controls and metrics that ask whether an explanation depends on what the network learned.
//!
//! A *weight group* is one parametrised operator (a convolution, or a product with a constant operand) with the constant
//! biases, scales and shifts that follow it directly: a convolution with its batch normalisation is one group. What lies
//! outside of every group (the affine part of a layer normalisation, position embeddings, single numbers) stays as
//! trained.
//!
//! Each tensor of a group is replaced by independent normal draws with the mean and the standard deviation of its own
//! values, so that activations keep their scale and only what was learned is lost. The draws depend on the seed, the
//! group and the tensor's place in it, not on the batch, the direction of the pass, or which other groups are drawn.

use std::collections::BTreeMap;
use std::sync::Arc;

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::math::{Add, Div, Mul, Sub, SubF};

use super::vjp::prelude::*;
use crate::rng::SeedStream;

/// The constant operands of one group, in order of computation.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The ONNX node of its parametrised operator.
    pub name: String,
    tensors: Vec<(InletId, Arc<Tensor>)>,
}

/// The groups of `model` in order of computation; `origin` names the ONNX node of each node.
pub(super) fn groups(model: &TypedModel, origin: &[String]) -> TractResult<Vec<Group>> {
    let order = model.eval_order()?;
    let constants = constants(model, &order);
    let mut groups: Vec<Group> = Vec::new();
    for &id in order
        .iter()
        .filter(|&&id| !constants.contains_key(&OutletId::new(id, 0)))
    {
        let node = model.node(id);
        let takes_weights = node.op_is::<Conv>() || node.op_is::<Deconv>() || node.op_is::<EinSum>();
        let own = weights(node, &constants);
        if !takes_weights || own.is_empty() {
            continue;
        }
        let mut tensors = own;
        let mut at = OutletId::new(id, 0);
        while let [reader] = model.outlet_successors(at)[..] {
            let next = model.node(reader.node);
            let affine = next.op_as::<TypedBinOp>().is_some_and(|op| {
                op.0.is::<Add>() || op.0.is::<Sub>() || op.0.is::<SubF>() || op.0.is::<Mul>() || op.0.is::<Div>()
            });
            let by_constant = next
                .inputs
                .iter()
                .all(|input| *input == at || constants.contains_key(input));
            if !(next.op_is::<AxisOp>() || affine && by_constant) {
                break;
            }
            tensors.extend(weights(next, &constants));
            at = OutletId::new(next.id, 0);
        }
        let name = origin.get(id).unwrap_or(&node.name);
        match groups.iter_mut().find(|g| g.name == *name) {
            Some(group) => group.tensors.extend(tensors),
            None => groups.push(Group {
                name: name.clone(),
                tensors,
            }),
        }
    }
    Ok(groups)
}

/// The constant operands of more than one number.
fn weights(node: &TypedNode, constants: &BTreeMap<OutletId, Arc<Tensor>>) -> Vec<(InletId, Arc<Tensor>)> {
    let operand = |(slot, input): (usize, &OutletId)| {
        let value = constants.get(input)?;
        let drawn = value.datum_type() == f32::datum_type() && value.len() > 1;
        drawn.then(|| (InletId::new(node.id, slot), value.clone()))
    };
    node.inputs.iter().enumerate().filter_map(operand).collect()
}

/// What does not depend on the picture.
fn constants(model: &TypedModel, order: &[usize]) -> BTreeMap<OutletId, Arc<Tensor>> {
    let mut known: BTreeMap<OutletId, Arc<Tensor>> = BTreeMap::new();
    for &id in order {
        let node = model.node(id);
        if node.op_is::<Const>() {
            known.extend(node.outputs[0].fact.konst.clone().map(|k| (OutletId::new(id, 0), k)));
            continue;
        }
        let inputs: Option<TVec<TValue>> = node
            .inputs
            .iter()
            .map(|i| known.get(i).map(|k| k.clone().into_tvalue()))
            .collect();
        let Some(inputs) = inputs.filter(|i| !i.is_empty()) else {
            continue;
        };
        if let Ok(Some(values)) = node.op.eval_out_of_plan(inputs) {
            for (slot, value) in values.into_iter().enumerate() {
                known.insert(OutletId::new(id, slot), value.into_arc_tensor());
            }
        }
    }
    known
}

/// Draws the weights of the groups `from..to` of `model` anew.
pub(super) fn randomise(
    model: &mut TypedModel,
    groups: &[Group],
    from: usize,
    to: usize,
    seed: u32,
) -> TractResult<()> {
    let random = SeedStream::new(u64::from(seed));
    for (index, group) in groups.iter().enumerate().take(to).skip(from) {
        for (place, (inlet, value)) in group.tensors.iter().enumerate() {
            let drawn = like(value, &random, &format!("weights/{index}/{place}"))?;
            let name = format!("lucarne.randomised.{index}.{place}");
            let constant = model.add_const(name, drawn)?;
            model.add_edge(constant, *inlet)?;
        }
    }
    Ok(())
}

/// Normal draws with the shape, the mean and the standard deviation of `value`.
fn like(value: &Tensor, random: &SeedStream, name: &str) -> TractResult<Tensor> {
    let view = value.to_plain_array_view::<f32>()?;
    let n = view.len() as f64;
    let mean = view.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = view.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    let mut stream = random.stream(name);
    let drawn: Vec<f32> = (0..view.len())
        .map(|_| (mean + deviation * f64::from(stream.normal())) as f32)
        .collect();
    Tensor::from_shape(value.shape(), &drawn)
}

#[cfg(test)]
mod tests {
    use crate::graph::{Network, inspect::inspect};
    use crate::model::Limits;
    use crate::program::{Program, Weights, Wrt};
    use crate::rng::SeedStream;
    use crate::{Error, Tensor};

    fn network(name: &str) -> Network {
        let path = format!("{}/tests/nets/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).expect("the network is committed");
        let card = inspect(&bytes, &Limits::default()).expect("it is readable").card;
        Network::import(&bytes, &card, &Limits::default()).expect("it loads")
    }

    fn pictures(network: &Network, n: usize) -> Tensor {
        let [c, h, w] = network.input_dims();
        let mut noise = SeedStream::new(5).stream("x");
        Tensor::from_fn(&[n, c, h, w], |_| noise.normal())
    }

    fn with(weights: Weights, program: Program) -> Program {
        Program { weights, ..program }
    }

    fn forward(network: &Network, weights: Weights, layers: &[usize], x: &Tensor) -> Vec<Tensor> {
        let program = with(weights, Program::forward(layers));
        let plan = network.plan(x.shape()[0], &program).expect("it can be planned");
        plan.run(&[x]).expect("it runs")
    }

    fn drawn(from: usize, to: usize, seed: u32) -> Weights {
        Weights::Randomised { from, to, seed }
    }

    #[test]
    fn groups_are_the_parametrised_operators_in_order() {
        let named = |name: &str| network(name).weight_groups().to_vec();
        assert_eq!(named("plain"), ["/0/Conv", "/3/Conv", "/7/Gemm"]);
        assert_eq!(named("residual").len(), 1 + 2 + 3 + 1);
        // Patches, 2 blocks of qkv, projection and two of the perceptron, and the head; not query times key.
        assert_eq!(named("tiny-vit").len(), 1 + 2 * 4 + 1);
        // Stored as bytes, they are the same groups.
        assert_eq!(named("residual-u8").len(), 7);
        assert_eq!(named("linear").len(), 1);
    }

    #[test]
    fn nothing_drawn_is_the_trained_network_bit_for_bit() {
        for name in ["plain", "residual-u8", "tiny-vit", "nhwc"] {
            let net = network(name);
            let x = pictures(&net, 1);
            assert_eq!(
                forward(&net, Weights::Trained, &[], &x),
                forward(&net, drawn(1, 1, 9), &[], &x),
                "{name}"
            );
        }
    }

    #[test]
    fn the_seed_fixes_the_draw_whatever_the_batch_and_the_direction() {
        for name in ["plain", "residual", "depthwise-se", "conv-gelu-ln", "tiny-vit", "nhwc"] {
            let net = network(name);
            let all = net.weight_groups().len();
            let x = pictures(&net, 2);
            let one = |seed| forward(&net, drawn(0, all, seed), &[], &x.rows(1, 2)).remove(0);
            assert_eq!(one(1), one(1), "{name}");
            assert_ne!(one(1), one(2), "{name}");
            assert_ne!(one(1), forward(&net, Weights::Trained, &[], &x.rows(1, 2))[0], "{name}");
            let mut others = Vec::new();
            // The transformer was exported for one picture.
            if name != "tiny-vit" {
                others.push(forward(&net, drawn(0, all, 1), &[], &x).remove(0).rows(1, 2));
            }
            let program = with(drawn(0, all, 1), Program::gradient(&[Wrt::Input]));
            let plan = net.plan(1, &program).expect("it can be differentiated");
            let cotangent = Tensor::full(&[1, net.classes()], 1.0);
            others.push(plan.run(&[&x.rows(1, 2), &cotangent]).expect("it runs").remove(0));
            let alone = one(1);
            for other in others {
                for (a, b) in alone.data().iter().zip(other.data()) {
                    assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{name}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn only_the_groups_named_change() {
        let net = network("plain");
        let x = pictures(&net, 1);
        let layer = |name: &str| net.layers().iter().position(|l| l.name == name).expect("it is a layer");
        let layers = [layer("/1/Relu"), layer("/4/Relu")];
        let trained = forward(&net, Weights::Trained, &layers, &x);
        let second = forward(&net, drawn(1, 2, 3), &layers, &x);
        assert_eq!(trained[1], second[1], "before it");
        assert!(trained[2] != second[2] && trained[0] != second[0], "from it on");
        // The draw of a group is the same whichever others are drawn.
        let (last, all) = (drawn(2, 3, 3), drawn(0, 3, 3));
        let weights = |w: Weights| {
            let (model, _) = net.prepared(1, &with(w, Program::default())).expect("it can be drawn");
            model
                .nodes()
                .iter()
                .filter(|n| n.name.starts_with("lucarne.randomised.2."))
                .map(|n| format!("{:?}", n.outputs[0].fact.konst.as_ref().map(|k| k.dump(true).ok())))
                .collect::<Vec<_>>()
        };
        assert_eq!(weights(last), weights(all));
        assert_eq!(weights(last).len(), 2, "the matrix and its bias");
    }

    #[test]
    fn a_drawn_tensor_has_the_statistics_of_the_trained_one() {
        use tract_onnx::prelude::Tensor as Array;
        let mut noise = SeedStream::new(1).stream("w");
        let values: Vec<f32> = (0..20_000).map(|_| 0.3 + 0.05 * noise.uniform()).collect();
        let trained = Array::from_shape(&[100, 200], &values).expect("it fits");
        let drawn = super::like(&trained, &SeedStream::new(7), "weights/0/0").expect("it is f32");
        let moments = |t: &Array| {
            let view = t.to_plain_array_view::<f32>().expect("it is f32");
            let mean = view.iter().map(|&v| f64::from(v)).sum::<f64>() / 2e4;
            (
                mean,
                (view.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 2e4).sqrt(),
            )
        };
        let ((m, s), (m2, s2)) = (moments(&trained), moments(&drawn));
        assert!((m - m2).abs() < 4.0 * s / 2e4f64.sqrt() && (s2 / s - 1.0).abs() < 0.02);
        assert_eq!(trained.shape(), drawn.shape());
    }

    #[test]
    fn ranges_beyond_the_groups_are_refused_by_name() {
        let net = network("plain");
        for (from, to) in [(0, 4), (3, 5), (2, 1)] {
            let program = with(drawn(from, to, 0), Program::default());
            let Err(Error::Input(error)) = net.plan(1, &program) else {
                panic!("{from}..{to} is not a range of 3 groups");
            };
            let text = error.to_string();
            assert!(text.contains("weights") && text.contains("3 groups"), "{text}");
        }
    }
}
