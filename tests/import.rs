//! Odd files: each loads, or names its node, operator, opset and why it can't.

mod support;

use lucarne::error::{Error, LoadError};
use lucarne::model::target::Head;
use lucarne::model::{Limits, Model};
use lucarne::{Program, Tensor, Wrt};
use support::{DataType, File, With, card, floats, ints, node, value};
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{GraphProto, StringStringEntryProto, TensorProto};

fn logits(model: &Model) -> Vec<f32> {
    let [c, h, w] = model.input_dims();
    let x = Tensor::from_fn(&[1, c, h, w], |i| (i as f32 * 0.13).sin());
    let plan = model.network().plan(1, &Program::forward(&[])).expect("a plan");
    plan.run(&[&x]).expect("runs").remove(0).into_data()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance, "{a} {b}");
    }
}

fn refused(file: &File, code: &str, parts: &[&str]) {
    let error = file.load().expect_err(code);
    let text = error.to_string();
    assert_eq!(Error::from(error).code(), code, "{text}");
    for part in parts {
        assert!(text.contains(part), "no \"{part}\" in: {text}");
    }
}

#[test]
fn an_operator_that_cannot_be_run_is_named_with_its_node_opset_and_reason() {
    let mut file = File::small();
    file.graph.node[1].op_type = "Frobnicate".into();
    refused(
        &file,
        "model-operator",
        &["Frobnicate", "\"relu\"", "17", "no such operator"],
    );
    file.graph.node[1].name = String::new();
    refused(&file, "model-operator", &["\"r\""]);
    file.graph.node[1].op_type = "Relu".into();
    file.graph.node[1].domain = "com.example".into();
    refused(&file, "model-operator", &["Relu", "com.example"]);
    let mut file = File::small();
    file.graph.initializer[0] = floats("w", &[4, 2, 3, 3], (0..72).map(|i| i as f32));
    refused(&file, "model-operator", &["Conv", "\"conv\"", "17"]);
    let random = node("RandomNormalLike", "noise", &["c"], &["r"]);
    let mut file = File::small();
    file.graph.node[1] = random;
    refused(&file, "model-operator", &["RandomNormalLike", "repeatable"]);
}

#[test]
fn operators_that_the_answer_does_not_need_do_not_matter() {
    let mut file = File::small();
    let plain = logits(&file.load().expect("loads"));
    file.graph.node.push(node("Frobnicate", "aside", &["r"], &["other"]));
    file.graph.output.push(value("other", DataType::Float, &[1, 4, 8, 8]));
    file.graph.input.push(value("unused", DataType::Float, &[1, 3, 8, 8]));
    close(&logits(&file.load().expect("loads")), &plain, 0.0);
}

#[test]
fn broken_graphs_are_refused_in_words() {
    let mut file = File::small();
    file.graph.node[1].input[0] = "nowhere".into();
    refused(&file, "model-unreadable", &["\"relu\"", "\"nowhere\""]);
    let mut file = File::small();
    file.graph.node[0].input[0] = "r".into();
    refused(&file, "model-unreadable", &["its own output"]);
    let mut file = File::small();
    file.graph.node[1].output[0] = "c".into();
    refused(&file, "model-unreadable", &["\"c\"", "twice"]);
    let mut file = File::small();
    file.graph.initializer.remove(0);
    refused(&file, "model-unreadable", &["\"conv\"", "\"w\""]);
    let mut file = File::small();
    file.graph.node.clear();
    refused(&file, "model-unreadable", &["\"logits\""]);
    let mut file = File::small();
    file.graph.output.clear();
    refused(&file, "model-unreadable", &["no output"]);
    let mut file = File::small();
    file.graph.initializer[0].float_data.pop();
    refused(&file, "model-unreadable", &["\"w\"", "107", "108"]);
    let mut file = File::small();
    file.graph.initializer[0].data_type = 999;
    refused(&file, "model-unreadable", &["\"w\"", "type"]);
    for opset in [0, 3, 99] {
        let mut file = File::small();
        file.opset = opset;
        refused(&file, "model-unreadable", &["opset", &opset.to_string()]);
    }
    let mut proto = File::small().proto();
    proto.opset_import.clear();
    let error = support::load(&prost::Message::encode_to_vec(&proto)).expect_err("no opset");
    assert!(error.to_string().contains("opset"), "{error}");
}

#[test]
fn weights_in_another_file_are_refused_with_the_cure() {
    let mut file = File::small();
    let weight = &mut file.graph.initializer[0];
    weight.float_data.clear();
    weight.data_location = Some(DataLocation::External as i32);
    let entry = StringStringEntryProto {
        key: "location".into(),
        value: "/etc/passwd".into(),
    };
    weight.external_data.push(entry);
    refused(&file, "model-unreadable", &["\"w\"", "another file", "inside"]);
}

#[test]
fn what_the_answer_depends_on_must_be_one_picture() {
    let mut file = File::small();
    file.graph.input.push(value("second", DataType::Float, &[1, 3, 8, 8]));
    file.graph.node[0].input[0] = "sum".into();
    file.graph
        .node
        .insert(0, node("Add", "add", &["input", "second"], &["sum"]));
    refused(&file, "model-shape", &["2 inputs", "\"second\"", "one picture"]);
    let file = File::of(
        vec![node("Identity", "id", &["k"], &["logits"])],
        vec![floats("k", &[1, 2], [1.0, 2.0])],
    );
    refused(&file, "model-shape", &["no input"]);
    let mut file = File::small();
    file.graph.input[0] = value("input", DataType::Float, &[1, 3, 9, 8]);
    refused(&file, "model-card", &["input.shape", "[1, 3, 9, 8]"]);
    let mut wrong = card();
    wrong.input.name = "image".into();
    let error = Model::load(&File::small().bytes(), wrong, Vec::new(), &Limits::default()).expect_err("no such input");
    assert!(
        matches!(&error, LoadError::Card { field, .. } if field == "input.name"),
        "{error}"
    );
    let mut wrong = card();
    wrong.output.name = "scores".into();
    let error = Model::load(&File::small().bytes(), wrong, Vec::new(), &Limits::default()).expect_err("no such output");
    assert!(
        error.to_string().contains("output.name") && error.to_string().contains("logits"),
        "{error}"
    );
}

#[test]
fn an_output_that_is_no_vector_of_scores_is_refused() {
    let file = File::of(vec![node("Relu", "relu", &["input"], &["logits"])], Vec::new());
    refused(&file, "model-shape", &["[1, 3, 8, 8]", "one score a class"]);
}

#[test]
fn a_symbolic_batch_and_wrong_value_info_load_and_other_batches_run() {
    let mut file = File::small();
    let plain = logits(&file.load().expect("loads"));
    file.graph.input[0] = value("input", DataType::Float, &[-1, 3, 8, 8]);
    file.graph.value_info.push(value("c", DataType::Float, &[7, 9, 1, 1]));
    let model = file.load().expect("loads");
    close(&logits(&model), &plain, 0.0);
    let x = Tensor::from_fn(&[3, 3, 8, 8], |i| ((i % 192) as f32 * 0.13).sin());
    let rows = model
        .network()
        .plan(3, &Program::forward(&[0]))
        .expect("a plan of three")
        .run(&[&x])
        .expect("runs");
    assert_eq!((rows[0].shape(), rows[1].shape()), (&[3, 5][..], &[3, 4, 8, 8][..]));
    for n in 0..3 {
        close(rows[0].row(n), &plain, 1e-6);
    }
}

#[test]
fn heads_are_cut_off_and_found_behind_operators_that_only_rearrange() {
    let plain = logits(&File::small().load().expect("loads"));
    let cases: [(&[&str], Head); 6] = [
        (&["Softmax"], Head::Softmax),
        (&["LogSoftmax"], Head::LogSoftmax),
        (&["Sigmoid"], Head::Sigmoid),
        (&["Softmax", "Log"], Head::LogSoftmax),
        (&["Softmax", "Identity", "Flatten"], Head::Softmax),
        (&["Identity"], Head::Logits),
    ];
    for (ops, head) in cases {
        let mut file = File::small();
        file.graph.node[4].output[0] = "t0".into();
        for (i, op) in ops.iter().enumerate() {
            let to = if i + 1 == ops.len() {
                "logits".to_owned()
            } else {
                format!("t{}", i + 1)
            };
            file.graph.node.push(node(op, op, &[&format!("t{i}")], &[&to]));
        }
        let model = file.load().expect("loads");
        assert_eq!(model.network().head(), head, "{ops:?}");
        close(&logits(&model), &plain, 0.0);
        let mut whole = card();
        whole.output.head = "logits".into();
        let model = Model::load(&file.bytes(), whole, Vec::new(), &Limits::default()).expect("loads");
        assert_eq!(model.network().head(), Head::Logits);
        close(&logits(&model), &head.apply(&plain), 1e-6);
        let mut wrong = card();
        wrong.output.head = if head == Head::Sigmoid { "softmax" } else { "sigmoid" }.into();
        let error = Model::load(&file.bytes(), wrong, Vec::new(), &Limits::default()).expect_err("another head");
        assert_eq!(Error::from(error).code(), "model-card");
    }
}

#[test]
fn a_softmax_along_another_axis_than_the_classes_is_no_head() {
    let mut file = File::small();
    file.graph.node[4].output[0] = "t".into();
    file.graph
        .node
        .push(node("Softmax", "odd", &["t"], &["logits"]).int("axis", 0));
    let model = file.load().expect("loads");
    assert_eq!(model.network().head(), Head::Logits);
    assert_eq!(logits(&model), [1.0; 5]);
}

#[test]
fn pooled_logits_of_four_axes_are_flattened() {
    let mut file = File::small();
    file.graph.node.truncate(2);
    file.graph
        .node
        .push(node("GlobalAveragePool", "pool", &["r"], &["logits"]));
    let model = file.load().expect("loads");
    assert_eq!((model.classes(), logits(&model).len()), (4, 4));
}

type Encode<'a> = &'a dyn Fn(f32) -> Vec<u8>;

fn packed(name: &str, dtype: DataType, dims: &[i64], raw: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: dtype as i32,
        dims: dims.to_vec(),
        raw_data: raw,
        ..TensorProto::default()
    }
}

#[test]
fn a_network_in_half_or_double_precision_runs_in_single() {
    // Values that half precision holds exactly.
    let values = |i: usize| ((i * 7 % 13) as f32 - 6.0) / 8.0;
    let mut plain = File::small();
    plain.graph.initializer[0] = floats("w", &[4, 3, 3, 3], (0..108).map(values));
    plain.graph.initializer[1] = floats("d", &[5, 4], (0..20).map(values));
    let expected = logits(&plain.load().expect("loads"));
    let half = |v: f32| tract_onnx::prelude::f16::from_f32(v).to_bits().to_le_bytes().to_vec();
    let bfloat = |v: f32| ((v.to_bits() >> 16) as u16).to_le_bytes().to_vec();
    let double = |v: f32| f64::from(v).to_le_bytes().to_vec();
    let kinds: [(DataType, Encode<'_>); 3] = [
        (DataType::Float16, &half),
        (DataType::Bfloat16, &bfloat),
        (DataType::Double, &double),
    ];
    for (dtype, encode) in kinds {
        let mut file = plain.clone();
        file.graph.input[0] = value("input", dtype, &[1, 3, 8, 8]);
        file.graph.initializer[0] = packed(
            "w",
            dtype,
            &[4, 3, 3, 3],
            (0..108).flat_map(|i| encode(values(i))).collect(),
        );
        file.graph.initializer[1] = packed("d0", dtype, &[5, 4], (0..20).flat_map(|i| encode(values(i))).collect());
        file.graph
            .node
            .insert(0, node("Cast", "cast", &["d0"], &["d"]).int("to", dtype as i64));
        close(&logits(&file.load().expect("loads")), &expected, 0.0);
    }
}

#[test]
fn bytes_as_input_are_taken_as_numbers() {
    let expected = logits(&File::small().load().expect("loads"));
    let mut file = File::small();
    file.graph.input[0] = value("input", DataType::Uint8, &[1, 3, 8, 8]);
    file.graph.node[0].input[0] = "float".into();
    file.graph.node.insert(
        0,
        node("Cast", "cast", &["input"], &["float"]).int("to", DataType::Float as i64),
    );
    close(&logits(&file.load().expect("loads")), &expected, 0.0);
}

#[test]
fn batch_normalisation_in_training_mode_is_refused_on_pictures_and_computed_on_constants() {
    let parameters = || {
        ["s", "b", "m", "v"]
            .map(|n| floats(n, &[4], [0.5, 1.0, 1.5, 2.0]))
            .to_vec()
    };
    let norm = |mode| {
        node(
            "BatchNormalization",
            "norm",
            &["c", "s", "b", "m", "v"],
            &["n", "m2", "v2"],
        )
        .int("training_mode", mode)
    };
    let mut file = File::small();
    file.graph.initializer.extend(parameters());
    file.graph.node.insert(1, norm(1));
    file.graph.node[2].input[0] = "n".into();
    refused(
        &file,
        "model-operator",
        &["BatchNormalization", "\"norm\"", "evaluation mode"],
    );
    file.graph.node[1] = norm(0);
    assert_eq!(file.load().expect("loads").classes(), 5);

    let mut file = File::small();
    let over = |axis: &str| {
        node(
            "BatchNormalization",
            "norm",
            &[axis, "s", "b", "m", "v"],
            &["n", "m2", "v2"],
        )
        .int("training_mode", 1)
    };
    file.graph
        .initializer
        .extend(["s", "b", "m", "v"].map(|n| floats(n, &[3], [1.0, 1.0, 1.0])));
    file.graph.node.insert(0, over("w"));
    file.graph.node[1].input[1] = "n".into();
    let model = file.load().expect("loads");
    let mut reference = File::small();
    let old = reference.graph.initializer[0].float_data.clone();
    let mut new = old.clone();
    for c in 0..3 {
        let at = |i: usize| i / 9 % 3 == c;
        let plane: Vec<f64> = (0..108).filter(|&i| at(i)).map(|i| f64::from(old[i])).collect();
        let mean = plane.iter().sum::<f64>() / 36.0;
        let variance = plane.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 36.0;
        for i in (0..108).filter(|&i| at(i)) {
            new[i] = ((f64::from(old[i]) - mean) / (variance + 1e-5).sqrt() + 1.0) as f32;
        }
    }
    reference.graph.initializer[0] = floats("w", &[4, 3, 3, 3], new);
    close(&logits(&model), &logits(&reference.load().expect("loads")), 1e-5);
}

/// `If` on the number of rows of the picture: doubled where there are 8, else negated.
fn conditional(condition: Vec<tract_onnx::pb::NodeProto>) -> File {
    let branch = |op: tract_onnx::pb::NodeProto, initializer| GraphProto {
        node: vec![op],
        initializer,
        output: vec![value("y", DataType::Float, &[1, 5])],
        ..GraphProto::default()
    };
    let then = branch(
        node("Mul", "double", &["t", "two"], &["y"]),
        vec![floats("two", &[], [2.0])],
    );
    let otherwise = branch(node("Neg", "negate", &["t"], &["y"]), Vec::new());
    let mut file = File::small();
    file.graph.node[4].output[0] = "t".into();
    file.graph.node.extend(condition);
    file.graph.node.push(
        node("If", "choose", &["c8"], &["logits"])
            .graph("then_branch", then)
            .graph("else_branch", otherwise),
    );
    file.graph.initializer.extend([
        ints("two_i", &[], &[2]),
        ints("eight", &[], &[8]),
        floats("zero", &[], [0.0]),
    ]);
    file
}

#[test]
fn a_branch_that_depends_on_the_shape_is_decided_and_one_that_depends_on_the_picture_refused() {
    let plain = logits(&File::small().load().expect("loads"));
    let file = conditional(vec![
        node("Shape", "shape", &["input"], &["s"]),
        node("Gather", "rows", &["s", "two_i"], &["h"]),
        node("Equal", "is8", &["h", "eight"], &["c8"]),
    ]);
    let doubled: Vec<f32> = plain.iter().map(|v| v * 2.0).collect();
    close(&logits(&file.load().expect("loads")), &doubled, 1e-6);
    let file = conditional(vec![
        node("ReduceMax", "top", &["input"], &["x"]).int("keepdims", 0),
        node("Greater", "is8", &["x", "zero"], &["c8"]),
    ]);
    refused(&file, "model-operator", &["If", "\"choose\"", "depends on the picture"]);
}

#[test]
fn layers_carry_the_names_of_the_file_in_order_and_the_last_map_is_the_default() {
    let model = File::small().load().expect("loads");
    let layers: Vec<_> = model
        .network()
        .layers()
        .iter()
        .map(|l| (l.name.as_str(), l.op.as_str(), l.shape.clone()))
        .collect();
    assert_eq!(
        layers,
        [("conv", "Conv", vec![4, 8, 8]), ("relu", "Relu", vec![4, 8, 8])]
    );
    assert_eq!(model.network().default_layer(), Some(1));
    let x = Tensor::from_fn(&[1, 3, 8, 8], |i| (i as f32 * 0.13).sin());
    let out = model
        .network()
        .plan(1, &Program::forward(&[0, 1]))
        .expect("a plan")
        .run(&[&x])
        .expect("runs");
    let relu: Vec<f32> = out[1].data().iter().map(|v| v.max(0.0)).collect();
    close(out[2].data(), &relu, 1e-6);
    assert!(
        out[1].data().iter().any(|&v| v < 0.0),
        "the convolution itself, not what follows it"
    );
}

#[test]
fn nodes_without_names_or_with_equal_names_load() {
    let mut file = File::small();
    let plain = logits(&file.load().expect("loads"));
    for node in &mut file.graph.node {
        node.name = "same".into();
    }
    let model = file.load().expect("loads");
    close(&logits(&model), &plain, 0.0);
    assert_eq!(model.network().layers()[1].name, "same#2");
    for node in &mut file.graph.node {
        node.name = String::new();
    }
    assert_eq!(file.load().expect("loads").network().layers()[0].name, "c");
}

#[test]
fn channels_last_give_the_same_answer_and_gradients_in_the_same_layout() {
    let plain = File::small().load().expect("loads");
    let mut file = File::small();
    file.graph.input[0] = value("input", DataType::Float, &[1, 8, 8, 3]);
    file.graph.node[0].input[0] = "first".into();
    file.graph.node.insert(
        0,
        node("Transpose", "first", &["input"], &["first"]).ints("perm", &[0, 3, 1, 2]),
    );
    let found = lucarne::graph::inspect::inspect(&file.bytes(), &Limits::default()).expect("inspects");
    let model = Model::load(&file.bytes(), found.card, Vec::new(), &Limits::default()).expect("loads");
    assert_eq!(model.input_dims(), [3, 8, 8]);
    close(&logits(&model), &logits(&plain), 1e-6);
    let x = Tensor::from_fn(&[1, 3, 8, 8], |i| (i as f32 * 0.13).sin());
    let cotangent = Tensor::new(&[1, 5], vec![0.0, 0.0, 1.0, 0.0, 0.0]);
    let gradient = |m: &Model| {
        let plan = m.network().plan(1, &Program::gradient(&[Wrt::Input])).expect("a plan");
        plan.run(&[&x, &cotangent]).expect("runs").remove(1)
    };
    let (ours, theirs) = (gradient(&model), gradient(&plain));
    assert_eq!(ours.shape(), [1, 3, 8, 8]);
    close(ours.data(), theirs.data(), 1e-6);
}

#[test]
fn inspection_tells_inputs_outputs_and_the_first_steps() {
    let mut file = File::small();
    file.graph.input[0] = value("input", DataType::Float, &[-1, 3, -1, -1]);
    file.graph.node[0].input[0] = "n".into();
    file.graph
        .node
        .insert(0, node("Sub", "sub", &["input", "mean"], &["n"]));
    file.graph
        .initializer
        .push(floats("mean", &[3, 1, 1], [123.7, 116.3, 103.5]));
    let found = lucarne::graph::inspect::inspect(&file.bytes(), &Limits::default()).expect("inspects");
    assert_eq!(found.inputs, ["input: float [?, 3, ?, ?]"]);
    assert_eq!(
        (found.outputs.as_slice(), found.opset, found.nodes),
        (&["logits".to_owned()][..], 17, 6)
    );
    assert_eq!(found.declared.classes(), Some(5));
    assert_eq!(found.card.input.shape, [1, 3, 224, 224]);
    assert!(
        found.reasons.iter().any(|r| r.contains("0 to 255")),
        "{:?}",
        found.reasons
    );
    let weights: u64 = found.declared.weights;
    assert_eq!(weights, 108 + 20 + 3);
}
