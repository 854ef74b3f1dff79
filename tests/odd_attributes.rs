//! Every attribute and every constant of whole numbers in the small networks set to odd numbers, one at a time: each file
//! loads and runs, or is refused, without a panic that nobody catches and without time or memory that grows with the
//! number.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lucarne::graph::inspect::inspect;
use lucarne::guard::quiet_caught_panics;
use lucarne::model::{Limits, Model};
use lucarne::{Program, Tensor, Wrt};
use prost::Message;
use tract_onnx::pb::{AttributeProto, ModelProto};

const ODD: [i64; 9] = [-1, 0, 2, 3, 255, 65_536, 1 << 31, i64::MAX, i64::MIN];

fn limits() -> Limits {
    Limits {
        model_bytes: 1 << 20,
        nodes: 2000,
        tensor_values: 1 << 20,
        memory_bytes: 64 << 20,
        input_side: 64,
        ..Limits::default()
    }
}

/// Loads, runs and differentiates a file as far as it can be; whether it ran.
fn use_file(bytes: &[u8]) -> bool {
    let limits = limits();
    let Ok(found) = inspect(bytes, &limits) else {
        return false;
    };
    let mut card = found.card;
    if card.input.shape.iter().any(|&d| d == 0 || d > 64) {
        for size in &mut card.input.shape[2..] {
            *size = (*size).clamp(1, 32);
        }
    }
    let Ok(model) = Model::load(bytes, card, Vec::new(), &limits) else {
        return false;
    };
    let [c, h, w] = model.input_dims();
    let x = Tensor::from_fn(&[1, c, h, w], |i| (i as f32 * 0.1).sin());
    let layers: Vec<usize> = model.network().default_layer().into_iter().collect();
    let forward = model.network().plan(1, &Program::forward(&layers));
    let Ok(Ok(outputs)) = forward.map(|plan| plan.run(&[&x])) else {
        return false;
    };
    assert_eq!(outputs[0].shape(), [1, model.classes()]);
    for (&layer, output) in layers.iter().zip(&outputs[1..]) {
        assert_eq!(output.shape()[1..], model.network().layers()[layer].shape);
    }
    if let Ok(plan) = model.network().plan(1, &Program::gradient(&[Wrt::Input])) {
        let cotangent = Tensor::full(&[1, model.classes()], 1.0);
        if let Ok(outputs) = plan.run(&[&x, &cotangent]) {
            assert_eq!(outputs[1].shape(), x.shape());
        }
    }
    true
}

/// The numbers of an attribute that can be changed.
fn numbers(attribute: &mut AttributeProto) -> Vec<&mut i64> {
    let mut found = Vec::new();
    if attribute.ints.is_empty() && attribute.t.is_none() {
        found.push(&mut attribute.i);
    }
    found.extend(attribute.ints.iter_mut());
    if let Some(tensor) = &mut attribute.t {
        found.extend(tensor.dims.iter_mut());
        found.extend(tensor.int64_data.iter_mut().take(4));
    }
    found
}

/// Every number of the file, named by the operator that reads it and its role there.
fn places(model: &mut ModelProto) -> Vec<(String, &mut i64)> {
    let graph = model.graph.as_mut().expect("the network has a graph");
    let mut found = Vec::new();
    let nodes = graph.node.clone();
    for node in &mut graph.node {
        for attribute in &mut node.attribute {
            let name = format!("{} {}", node.op_type, attribute.name);
            let numbers = numbers(attribute).into_iter().enumerate();
            found.extend(numbers.map(|(k, n)| (format!("{name} {k}"), n)));
        }
    }
    for tensor in &mut graph.initializer {
        let reader = nodes
            .iter()
            .find_map(|n| Some((n, n.input.iter().position(|i| *i == tensor.name)?)));
        let Some((node, slot)) = reader else { continue };
        let name = format!("{} input {slot}", node.op_type);
        let dims = tensor.dims.iter_mut().enumerate();
        found.extend(dims.map(|(k, n)| (format!("{name} dim {k}"), n)));
        let data = tensor.int64_data.iter_mut().take(4).enumerate();
        found.extend(data.map(|(k, n)| (format!("{name} value {k}"), n)));
    }
    found
}

fn networks() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nets");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the networks are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    files.sort();
    files
}

#[test]
fn odd_attributes_are_harmless() {
    quiet_caught_panics();
    let mut seen = BTreeSet::new();
    let (mut ran, mut refused) = (0, 0);
    for file in networks() {
        let bytes = std::fs::read(&file).expect("the network can be read");
        let mut model = ModelProto::decode(&bytes[..]).expect("the network is ONNX");
        let graph = model.graph.as_mut().expect("the network has a graph");
        // Whole numbers given as bytes become a list, so that single ones can be changed.
        for tensor in graph.initializer.iter_mut().filter(|t| t.data_type == 7) {
            let numbers = tensor.raw_data.chunks_exact(8).filter_map(|b| b.try_into().ok());
            tensor.int64_data.extend(numbers.map(i64::from_le_bytes));
            tensor.raw_data.clear();
        }
        let count = places(&mut model.clone()).len();
        for place in 0..count {
            if !seen.insert(places(&mut model)[place].0.clone()) {
                continue;
            }
            for odd in ODD {
                let mut changed = model.clone();
                let mut places = places(&mut changed);
                let (name, number) = &mut places[place];
                // Shown only if the test ends here.
                println!("{}: {name}: {number} -> {odd}", file.display());
                **number = odd;
                if use_file(&changed.encode_to_vec()) {
                    ran += 1;
                } else {
                    refused += 1;
                }
            }
        }
    }
    assert!(ran > 100 && refused > 500, "{ran} ran, {refused} were refused");
}
