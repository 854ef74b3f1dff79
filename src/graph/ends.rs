//! The two ends of a network as its ONNX nodes tell them: what it applies to its logits, and which values on the way
//! are worth looking at.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::onnx::{int, node_name};
use crate::model::target::Head;

/// Where the logits are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// Name of the logits.
    pub logits: String,
    /// What follows them in the file.
    pub head: Head,
    /// The axis that the head works along, where it works along one.
    pub axis: Option<i64>,
}

/// Follows the output `name` back over operators that only rearrange it to a softmax, log-softmax or sigmoid.
pub(super) fn recognise(graph: &GraphProto, opset: i64, name: &str) -> Answer {
    let makers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|n| n.output.iter().map(move |o| (o.as_str(), n)))
        .collect();
    let whole = Answer {
        logits: name.to_owned(),
        head: Head::Logits,
        axis: None,
    };
    let mut at = name;
    // Bounded: a hostile file may hold a cycle.
    for _ in 0..graph.node.len() {
        let Some(node) = makers.get(at) else { return whole };
        let Some(input) = node.input.first() else { return whole };
        let softmax_axis = Some(int(node, "axis", if opset < 13 { 1 } else { -1 }));
        let (head, axis) = match node.op_type.as_str() {
            "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Dropout" | "Cast" => {
                at = input;
                continue;
            }
            "Softmax" => (Head::Softmax, softmax_axis),
            "LogSoftmax" => (Head::LogSoftmax, softmax_axis),
            "Sigmoid" => (Head::Sigmoid, None),
            "Log" => match makers.get(input.as_str()) {
                Some(inner) if inner.op_type == "Softmax" && !inner.input.is_empty() => {
                    let axis = Some(int(inner, "axis", if opset < 13 { 1 } else { -1 }));
                    return Answer {
                        logits: inner.input[0].clone(),
                        head: Head::LogSoftmax,
                        axis,
                    };
                }
                _ => return whole,
            },
            _ => return whole,
        };
        return Answer {
            logits: input.clone(),
            head,
            axis,
        };
    }
    whole
}

/// Operators whose results are feature maps or tokens rather than parts of some larger formula.
const WORTH: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Celu",
    "Clip",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Elu",
    "Gelu",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GroupNormalization",
    "HardSwish",
    "InstanceNormalization",
    "LayerNormalization",
    "LeakyRelu",
    "MaxPool",
    "Mish",
    "Mul",
    "PRelu",
    "Relu",
    "Resize",
    "Selu",
    "Softmax",
    "Softplus",
    "Swish",
    "Tanh",
];

/// Nodes of `graph` that may be layers, with the value that each makes, in order of computation.
pub(super) fn candidates(graph: &GraphProto) -> Vec<(&NodeProto, &str)> {
    let mut constants: HashMap<&str, u64> = graph.initializer.iter().map(|t| (t.name.as_str(), count(t))).collect();
    for node in &graph.node {
        if node.op_type == "Constant" {
            let size = node.attribute.first().and_then(|a| a.t.as_ref()).map_or(1, count);
            constants.extend(node.output.iter().map(|o| (o.as_str(), size)));
        }
    }
    let worth = |node: &&NodeProto| {
        let sizes: Vec<Option<u64>> = node.input.iter().map(|i| constants.get(i.as_str()).copied()).collect();
        match node.op_type.as_str() {
            // One operand a number: a step of a decomposed activation or normalisation.
            "Add" => sizes.iter().all(|s| s.is_none_or(|n| n > 1)),
            "Mul" => sizes.iter().all(Option::is_none),
            op => WORTH.contains(&op),
        }
    };
    let mut seen = HashSet::new();
    graph
        .node
        .iter()
        .filter(worth)
        .filter_map(|n| n.output.first().filter(|o| !o.is_empty()).map(|o| (n, o.as_str())))
        .filter(|(n, _)| seen.insert(node_name(n)))
        .collect()
}

fn count(tensor: &TensorProto) -> u64 {
    tensor.dims.iter().fold(1, |n, &d| n.saturating_mul(d.unsigned_abs()))
}
