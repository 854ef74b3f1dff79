//! What the transform promises beside the values of its gradients.

use tract_onnx::tract_core::ops::array::{Topk, Trilu};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{GridSample, InterpolationMode, PaddingMode, Reduce, Reducer};

use super::{konst, tensor, values, wire};
use crate::error::GradientError;
use crate::graph::backward::{differentiate, differentiate_by};
use crate::graph::rules::Scheme;
use crate::graph::vjp::VjpTable;
use crate::graph::vjp::prelude::*;

fn run(graph: TypedModel, inputs: &[Tensor]) -> TVec<TValue> {
    let inputs = inputs.iter().map(|x| x.clone().into_tvalue()).collect();
    graph
        .into_optimized()
        .unwrap()
        .into_runnable()
        .unwrap()
        .run(inputs)
        .unwrap()
}

/// `y = exp(2 x)`, with the doubled value as a layer.
fn chain() -> (TypedModel, [OutletId; 3]) {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 3])).unwrap();
    let two = konst(&mut m, tensor2(&[[2f32]]));
    let layer = wire(&mut m, math::mul(), &[x, two]);
    let y = wire(&mut m, math::exp(), &[layer]);
    m.select_output_outlets(&[y]).unwrap();
    (m, [x, layer, y])
}

#[test]
fn results_follow_the_order_asked_for() {
    let (m, [x, layer, y]) = chain();
    let input = tensor2(&[[0f32, 0.5, 1.0]]);
    let cotangent = tensor2(&[[1f32, 1.0, -1.0]]);
    let e = std::f32::consts::E;
    let outputs = run(differentiate(&m, y, &[layer, x, y]).unwrap(), &[input, cotangent]);
    let expected = [
        [1.0, e, e * e],
        [1.0, e, -e * e],
        [2.0, 2.0 * e, -2.0 * e * e],
        [1.0, 1.0, -1.0],
    ];
    assert_eq!(outputs.len(), expected.len());
    for (output, expected) in outputs.iter().zip(expected) {
        let close = values(output)
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-5 * e * e);
        assert!(close, "{:?} is not {expected:?}", values(output));
    }
}

#[test]
fn only_what_is_needed_is_kept() {
    let (mut m, [_, layer, y]) = chain();
    // A second head of the network, not asked for.
    let square = wire(&mut m, math::square(), &[layer]);
    m.select_output_outlets(&[y, square]).unwrap();
    let graph = differentiate(&m, y, &[layer]).unwrap();
    assert!(graph.nodes().iter().all(|node| node.op.name() != "Square"));
    // Back to the layer, not to the input: one product on the way forward, one on the way back.
    assert_eq!(graph.nodes().iter().filter(|node| node.op.name() == "Mul").count(), 2);
}

#[test]
fn an_input_stays_where_the_gradient_does_not_need_it() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 2])).unwrap();
    let y = wire(&mut m, math::neg(), &[x]);
    m.select_output_outlets(&[y]).unwrap();
    let graph = differentiate(&m, y, &[x]).unwrap();
    let outputs = run(graph, &[tensor2(&[[3f32, 4.0]]), tensor2(&[[1f32, -2.0]])]);
    assert_eq!(values(&outputs[0]), [-3.0, -4.0]);
    assert_eq!(values(&outputs[1]), [-1.0, 2.0]);
}

#[test]
fn kinks_follow_pytorch() {
    let at = |build: fn(&mut TypedModel, OutletId) -> OutletId, x: &[f32]| -> Vec<f32> {
        let mut m = TypedModel::default();
        let source = m.add_source("x", f32::fact([1, x.len()])).unwrap();
        let y = build(&mut m, source);
        let shape: Vec<usize> = m.outlet_fact(y).unwrap().shape.as_concrete().unwrap().into();
        m.select_output_outlets(&[y]).unwrap();
        let cotangent = tensor(&shape, (1.0, 1.0), 0);
        let graph = differentiate(&m, y, &[source]).unwrap();
        values(&run(graph, &[Tensor::from_shape(&[1, x.len()], x).unwrap(), cotangent])[1])
    };
    let relu6 = |m: &mut TypedModel, x| {
        let (low, high) = (konst(m, tensor2(&[[0f32]])), konst(m, tensor2(&[[6f32]])));
        let y = wire(m, math::max(), &[x, low]);
        wire(m, math::min(), &[y, high])
    };
    assert_eq!(at(relu6, &[-1.0, 0.0, 1.0, 6.0, 7.0]), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        at(|m, x| wire(m, math::abs(), &[x]), &[-1.0, 0.0, 1.0]),
        [-1.0, 0.0, 1.0]
    );
    let twice = |m: &mut TypedModel, x| {
        let negative = wire(m, math::neg(), &[x]);
        wire(m, math::max(), &[x, negative])
    };
    assert_eq!(at(twice, &[-1.0, 0.0, 1.0]), [-1.0, 0.0, 1.0]);
    let largest = |m: &mut TypedModel, x| wire(m, Reduce::new(tvec![1], Reducer::Max), &[x]);
    assert_eq!(at(largest, &[2.0, 1.0, 2.0]), [0.5, 0.0, 0.5]);
}

#[test]
fn the_first_maximum_of_a_window_takes_all() {
    use tract_onnx::tract_core::ops::cnn::{MaxPool, PaddingSpec, PoolSpec};
    use tract_onnx::tract_core::ops::nn::DataFormat;
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 1, 2, 2])).unwrap();
    let spec = PoolSpec::new(DataFormat::NCHW, tvec![2, 2], PaddingSpec::Valid, None, None, 1, 1);
    let y = wire(
        &mut m,
        MaxPool {
            pool_spec: spec,
            with_index_outputs: None,
        },
        &[x],
    );
    m.select_output_outlets(&[y]).unwrap();
    let graph = differentiate(&m, y, &[x]).unwrap();
    let outputs = run(
        graph,
        &[tensor4(&[[[[1f32, 3.0], [3.0, 2.0]]]]), tensor4(&[[[[5f32]]]])],
    );
    assert_eq!(values(&outputs[1]), [0.0, 5.0, 0.0, 0.0]);
}

fn grid_sample(m: &mut TypedModel, x: OutletId, grid: OutletId) -> OutletId {
    let op = GridSample {
        mode: InterpolationMode::Bilinear,
        padding_mode: PaddingMode::Zeros,
        align_corners: false,
    };
    m.wire_node("warp", op, &[x, grid]).unwrap()[0]
}

#[test]
fn an_operator_without_a_rule_is_named() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 1, 2, 2])).unwrap();
    let grid = konst(&mut m, tensor(&[1, 2, 2, 2], (-1.0, 1.0), 0));
    let y = grid_sample(&mut m, x, grid);
    m.select_output_outlets(&[y]).unwrap();
    let GradientError::NoRule { op, node, why } = differentiate(&m, y, &[x]).unwrap_err() else {
        panic!("another error");
    };
    assert_eq!((&*op, &*node, &*why), ("GridSample", "warp", ""));
}

#[test]
fn an_operator_without_a_rule_matters_only_on_the_path() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 1, 2, 2])).unwrap();
    let grid = konst(&mut m, tensor(&[1, 2, 2, 2], (-1.0, 1.0), 0));
    let warped = grid_sample(&mut m, x, grid);
    let y = wire(&mut m, math::square(), &[warped]);
    m.select_output_outlets(&[y]).unwrap();
    // By what comes out of it.
    let graph = differentiate(&m, y, &[warped]).unwrap();
    let outputs = run(
        graph,
        &[
            tensor(&[1, 1, 2, 2], (1.0, 2.0), 0),
            tensor(&[1, 1, 2, 2], (1.0, 1.0), 0),
        ],
    );
    let twice: Vec<f32> = values(&outputs[0]).iter().map(|y| 2.0 * y.sqrt()).collect();
    assert!(values(&outputs[1]).iter().zip(twice).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn a_form_that_is_not_covered_says_which() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([2, 65])).unwrap();
    let y = m.wire_node("many", Reduce::new(tvec![1], Reducer::Prod), &[x]).unwrap()[0];
    m.select_output_outlets(&[y]).unwrap();
    let error = differentiate(&m, y, &[x]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node \"many\" (Reduce<Prod>) has no gradient rule: a product of 65 factors"
    );
}

#[test]
fn what_the_answer_does_not_depend_on_is_unreached() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([2, 3])).unwrap();
    let unused = m.wire_node("unused", math::neg(), &[x]).unwrap()[0];
    let k = konst(&mut m, tensor0(1i64));
    let top = m.wire_node("top", Topk::new(1, true, 1.to_dim()), &[x, k]).unwrap();
    let y = wire(
        &mut m,
        tract_onnx::tract_core::ops::cast::cast(f32::datum_type()),
        &[top[1]],
    );
    m.select_output_outlets(&[y, unused]).unwrap();
    for (outlet, what) in [(unused, "the layer \"unused\""), (x, "the input \"x\"")] {
        let error = differentiate(&m, y, &[outlet]).unwrap_err();
        let GradientError::Unreached { what: found, ends } = error else {
            panic!("{error}")
        };
        assert_eq!(found, what);
        // Picking the largest turns values into indices.
        assert!(
            outlet != x || ends.iter().any(|end| end.contains("\"top\"")),
            "{ends:?}"
        );
    }
    // Floor passes values on, but no gradient.
    let floor = wire(&mut m, math::floor(), &[x]);
    m.select_output_outlets(&[floor]).unwrap();
    assert!(matches!(
        differentiate(&m, floor, &[x]),
        Err(GradientError::Unreached { .. })
    ));
}

#[test]
fn a_rule_can_be_replaced() {
    let (m, [x, _, y]) = chain();
    let table =
        VjpTable::standard().with_rule_for::<math::Exp>("straight-through", |a, _| Ok(tvec![Some(a.cotangent()?)]));
    let graph = differentiate_by(|_| Scheme::by(table), &m, y, &[], &[x]).unwrap();
    let outputs = run(graph, &[tensor2(&[[0f32, 0.5, 1.0]]), tensor2(&[[1f32, 1.0, -1.0]])]);
    assert_eq!(values(&outputs[1]), [2.0, 2.0, -2.0]);
}

#[test]
fn a_rule_of_a_wrong_shape_is_caught() {
    let (m, [x, _, y]) = chain();
    let table = VjpTable::standard().with_rule_for::<math::Exp>("broken", |a, _| {
        let g = a.cotangent()?;
        Ok(tvec![Some(a.sum(g, &[1])?)])
    });
    let error = differentiate_by(|_| Scheme::by(table), &m, y, &[], &[x]).unwrap_err();
    assert!(
        matches!(error, GradientError::NoRule { ref op, .. } if op == "Exp"),
        "{error}"
    );
}

#[test]
fn weights_kept_packed_are_unpacked_once() {
    let mut m = TypedModel::default();
    let x = m.add_source("x", f32::fact([1, 4, 4])).unwrap();
    let packed = konst(&mut m, tensor3(&[[[1u8, 2, 3, 4]; 4]]));
    let unpacked = wire(
        &mut m,
        tract_onnx::tract_core::ops::cast::cast(f32::datum_type()),
        &[packed],
    );
    let k = konst(&mut m, tensor0(0i64));
    let weights = wire(&mut m, Trilu { upper: true }, &[unpacked, k]);
    let y = wire(&mut m, math::mul(), &[x, weights]);
    m.select_output_outlets(&[y]).unwrap();
    let graph = differentiate(&m, y, &[x]).unwrap();
    assert!(
        graph
            .nodes()
            .iter()
            .all(|node| node.op.name() != "Cast" && node.op.name() != "Trilu")
    );
}
