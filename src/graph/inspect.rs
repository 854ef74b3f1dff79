//! Reads what an ONNX file says of itself, without building or running it.

use std::collections::{BTreeMap, HashMap};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::ends::recognise;
use super::import::{declared, graph, real_inputs};
use super::onnx::{attribute, decode, each_tensor, opset, settle};
use crate::error::LoadError;
use crate::guard::catch;
use crate::model::suggest::{Affine, Answering, Declared, Port};
use crate::model::{Limits, ModelCard};

/// What an ONNX file holds.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// A card to start from: see [`Declared::suggest`].
    pub card: ModelCard,
    /// Why the card says what it says, one sentence each.
    pub reasons: Vec<String>,
    /// Inputs: name and shape in words.
    pub inputs: Vec<String>,
    /// Output names.
    pub outputs: Vec<String>,
    /// Version of the standard operator set.
    pub opset: i64,
    /// Number of nodes.
    pub nodes: usize,
    /// Everything that the file declares.
    pub declared: Declared,
}

/// Reads the file's declarations within `limits`.
pub fn inspect(onnx: &[u8], limits: &Limits) -> Result<Inspection, LoadError> {
    let declared = catch(|| read(onnx, limits)).unwrap_or_else(|why| Err(LoadError::Parse { why }))?;
    Ok(Inspection {
        card: declared.suggest(),
        reasons: declared.reasons(),
        inputs: declared.inputs.iter().map(ToString::to_string).collect(),
        outputs: declared.outputs.iter().map(|o| o.port.name.clone()).collect(),
        opset: declared.opset,
        nodes: declared.nodes as usize,
        declared,
    })
}

fn read(onnx: &[u8], limits: &Limits) -> Result<Declared, LoadError> {
    let mut model = decode(onnx, limits)?;
    if let Some(graph) = model.graph.as_mut() {
        each_tensor(graph, &mut |t| settle(t, limits))?;
    }
    let version = opset(&model, "").unwrap_or_default();
    let graph = graph(&model);
    let mut operators = BTreeMap::new();
    for node in &graph.node {
        *operators.entry(node.op_type.clone()).or_insert(0) += 1;
    }
    let inputs: Vec<Port> = real_inputs(graph).into_iter().map(port).collect();
    let outputs = graph
        .output
        .iter()
        .map(|o| Answering {
            port: port(o),
            head: recognise(graph, version, &o.name).head,
        })
        .collect();
    let (first_steps, first_channels) = inputs
        .iter()
        .find(|i| i.shape.as_ref().is_none_or(|s| s.len() == 4))
        .map(|i| beginning(graph, &i.name))
        .unwrap_or_default();
    let producer = [&model.producer_name, &model.producer_version]
        .map(String::as_str)
        .join(" ")
        .trim()
        .to_owned();
    Ok(Declared {
        inputs,
        outputs,
        opset: version,
        producer,
        nodes: graph.node.len() as u64,
        operators,
        weights: graph
            .initializer
            .iter()
            .map(|t| t.dims.iter().map(|&d| d as u64).product::<u64>())
            .sum(),
        first_steps,
        first_channels,
    })
}

fn port(info: &ValueInfoProto) -> Port {
    let (dtype, shape) = declared(info);
    Port {
        name: info.name.clone(),
        dtype: DataType::try_from(dtype)
            .map_or("undefined", |d| d.as_str_name())
            .to_lowercase(),
        shape: shape.map(|s| {
            s.into_iter()
                .map(|d| d.and_then(|d| u64::try_from(d).ok()).filter(|&d| d > 0))
                .collect()
        }),
    }
}

/// The affine steps by constants that `input` goes through, and the channels of the convolution after them.
fn beginning(graph: &GraphProto, input: &str) -> (Vec<Affine>, Option<u64>) {
    let mut tensors: HashMap<&str, &TensorProto> = graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
    for node in graph.node.iter().filter(|n| n.op_type == "Constant") {
        let value = attribute(node, "value").and_then(|a| a.t.as_ref());
        tensors.extend(node.output.first().zip(value).map(|(o, t)| (o.as_str(), t)));
    }
    let readers = |name: &str| {
        graph
            .node
            .iter()
            .filter(|n| n.input.iter().any(|i| i == name))
            .collect::<Vec<_>>()
    };
    let constant = |node: &NodeProto, at: usize| -> Option<Vec<f32>> {
        let tensor = tensors.get(node.input.get(at)?.as_str())?;
        let count: i64 = tensor.dims.iter().product();
        if !(1..=4).contains(&count) || tensor.data_type != DataType::Float as i32 {
            return None;
        }
        Some(if tensor.raw_data.is_empty() {
            tensor.float_data.clone()
        } else {
            tensor
                .raw_data
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect()
        })
    };
    let mut steps = Vec::new();
    let mut at = input.to_owned();
    for _ in 0..16 {
        let found = readers(&at);
        let [node] = found[..] else { break };
        let ours = usize::from(node.input.first() != Some(&at));
        let other = constant(node, 1 - ours);
        let step = match (node.op_type.as_str(), ours, other) {
            ("Cast" | "Identity" | "Transpose", 0, _) => None,
            ("Add", _, Some(c)) => Some(Affine::Add(c)),
            ("Sub", 0, Some(c)) => Some(Affine::Add(c.iter().map(|v| -v).collect())),
            ("Mul", _, Some(c)) => Some(Affine::Mul(c)),
            ("Div", 0, Some(c)) => Some(Affine::Mul(c.iter().map(|v| 1.0 / v).collect())),
            ("BatchNormalization", 0, _) => {
                let parts = [3, 4, 1, 2].map(|i| constant(node, i));
                let [Some(mean), Some(variance), Some(scale), Some(bias)] = parts else {
                    break;
                };
                let slope = |(v, s): (&f32, &f32)| s / v.max(1e-12).sqrt();
                steps.push(Affine::Add(mean.iter().map(|m| -m).collect()));
                steps.push(Affine::Mul(variance.iter().zip(&scale).map(slope).collect()));
                Some(Affine::Add(bias))
            }
            ("Conv", 0, _) => {
                let weight = node.input.get(1).and_then(|w| tensors.get(w.as_str()));
                let groups = attribute(node, "group").map_or(1, |a| a.i.max(1)) as u64;
                let channels = weight.and_then(|w| w.dims.get(1)).map(|&d| d as u64 * groups);
                return (steps, channels);
            }
            _ => break,
        };
        steps.extend(step);
        let Some(next) = node.output.first() else { break };
        at.clone_from(next);
    }
    (steps, None)
}
