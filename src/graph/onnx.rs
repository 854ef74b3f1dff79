//! The ONNX file as a structure: decoded within limits, and checked for what the engine would trip over.

use std::collections::{HashMap, HashSet};

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

use super::wire;
use crate::error::LoadError;
use crate::model::Limits;

/// Opsets of the standard domain whose operators the engine reads as they are meant.
pub(super) const OPSETS: std::ops::RangeInclusive<i64> = 7..=25;

pub(super) fn unreadable(why: impl Into<String>) -> LoadError {
    LoadError::Parse { why: why.into() }
}

/// Refuses `found` above `limit`.
pub(super) fn within(what: impl Into<String>, found: u64, limit: u64) -> Result<(), LoadError> {
    if found > limit {
        return Err(LoadError::OverLimit {
            what: what.into(),
            found,
            limit,
        });
    }
    Ok(())
}

/// Decodes a file. Its size, and the memory that decoding will take, are checked first.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<ModelProto, LoadError> {
    within("the file's size in bytes", bytes.len() as u64, limits.model_bytes)?;
    let measure = wire::measure(bytes).map_err(unreadable)?;
    within("the number of nodes", measure.nodes, limits.nodes)?;
    within(
        "the memory to decode the file, in bytes,",
        measure.bytes,
        limits.memory_bytes,
    )?;
    let model = ModelProto::decode(bytes).map_err(|e| unreadable(e.to_string()))?;
    if model.ir_version < 1 || model.graph.is_none() {
        return Err(unreadable("it holds no graph"));
    }
    let version = opset(&model, "").ok_or_else(|| unreadable("it does not say which ONNX opset it uses"))?;
    if !OPSETS.contains(&version) {
        return Err(unreadable(format!(
            "it uses ONNX opset {version}, and opsets {} to {} can be read",
            OPSETS.start(),
            OPSETS.end()
        )));
    }
    Ok(model)
}

/// The version of `domain` that the file imports.
pub(super) fn opset(model: &ModelProto, domain: &str) -> Option<i64> {
    let standard = |d: &str| d.is_empty() || d == "ai.onnx";
    model
        .opset_import
        .iter()
        .find(|i| i.domain == domain || (standard(&i.domain) && standard(domain)))
        .map(|i| i.version)
}

/// The name of a node, or its first output's where it has none.
pub(super) fn node_name(node: &NodeProto) -> &str {
    if node.name.is_empty() {
        node.output.iter().find(|o| !o.is_empty()).map_or("", |o| o)
    } else {
        &node.name
    }
}

/// An attribute by name.
pub(super) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|a| a.name == name)
}

/// An integer attribute, or `default`.
pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |a| a.i)
}

/// Calls `f` on every tensor of a graph: initialisers, attributes and subgraphs.
pub(super) fn each_tensor<E>(
    graph: &mut GraphProto,
    f: &mut impl FnMut(&mut TensorProto) -> Result<(), E>,
) -> Result<(), E> {
    graph.initializer.iter_mut().try_for_each(&mut *f)?;
    for attribute in graph.node.iter_mut().flat_map(|n| &mut n.attribute) {
        attribute
            .t
            .iter_mut()
            .chain(&mut attribute.tensors)
            .try_for_each(&mut *f)?;
        for sub in attribute.g.iter_mut().chain(&mut attribute.graphs) {
            each_tensor(sub, f)?;
        }
    }
    Ok(())
}

/// Checks that a tensor holds what its shape declares, within limits, and makes floating-point tensors of other
/// widths `f32`, so that the whole network computes and differentiates in one precision.
pub(super) fn settle(tensor: &mut TensorProto, limits: &Limits) -> Result<(), LoadError> {
    let what = || format!("the tensor \"{}\"", tensor.name);
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return Err(unreadable(format!(
            "{} lies in another file; save the network with its weights inside",
            what()
        )));
    }
    if tensor.segment.is_some() {
        return Err(unreadable(format!("{} is stored in segments", what())));
    }
    let mut count = 1u64;
    for &dim in &tensor.dims {
        let dim = u64::try_from(dim).map_err(|_| unreadable(format!("{} has a negative size", what())))?;
        count = count.saturating_mul(dim);
    }
    within(
        format!("the number of values of {}", what()),
        count,
        limits.tensor_values,
    )?;
    let dtype =
        DataType::try_from(tensor.data_type).map_err(|_| unreadable(format!("{} has no known type", what())))?;
    let width = match dtype {
        DataType::Bool | DataType::Int8 | DataType::Uint8 => 1,
        DataType::Float16 | DataType::Bfloat16 | DataType::Int16 | DataType::Uint16 => 2,
        DataType::Float | DataType::Int32 | DataType::Uint32 => 4,
        DataType::Double | DataType::Int64 | DataType::Uint64 => 8,
        DataType::String => 0,
        other => {
            return Err(unreadable(format!(
                "{} is of type {}, which can't be read",
                what(),
                other.as_str_name()
            )));
        }
    };
    let held = if !tensor.raw_data.is_empty() && width > 0 {
        if !tensor.raw_data.len().is_multiple_of(width) {
            return Err(unreadable(format!("{} ends in the middle of a value", what())));
        }
        tensor.raw_data.len() / width
    } else {
        match dtype {
            DataType::Float => tensor.float_data.len(),
            DataType::Double => tensor.double_data.len(),
            DataType::Int64 => tensor.int64_data.len(),
            DataType::Uint32 | DataType::Uint64 => tensor.uint64_data.len().max(tensor.int64_data.len()),
            DataType::String => tensor.string_data.len(),
            _ => tensor.int32_data.len(),
        }
    };
    if held as u64 != count {
        let dims = &tensor.dims;
        return Err(unreadable(format!(
            "{} holds {held} values, but its shape {dims:?} needs {count}",
            what()
        )));
    }
    normalise(tensor, dtype);
    Ok(())
}

/// Half, bfloat16 and double become float; unsigned integers of 32 and 64 bits move to the field that is raw.
fn normalise(tensor: &mut TensorProto, dtype: DataType) {
    let raw = std::mem::take(&mut tensor.raw_data);
    let pairs = |raw: &[u8]| -> Vec<u16> {
        let bytes = raw.as_chunks::<2>().0;
        bytes.iter().map(|&b| u16::from_le_bytes(b)).collect()
    };
    let halves = |tensor: &TensorProto| -> Vec<u16> {
        if raw.is_empty() {
            tensor.int32_data.iter().map(|&v| v as u16).collect()
        } else {
            pairs(&raw)
        }
    };
    let floats: Vec<f32> = match dtype {
        DataType::Float16 => halves(tensor)
            .into_iter()
            .map(|h| tract_onnx::prelude::f16::from_bits(h).to_f32())
            .collect(),
        DataType::Bfloat16 => halves(tensor)
            .into_iter()
            .map(|h| f32::from_bits(u32::from(h) << 16))
            .collect(),
        DataType::Double if raw.is_empty() => tensor.double_data.iter().map(|&v| v as f32).collect(),
        DataType::Double => {
            let bytes = raw.as_chunks::<8>().0;
            bytes.iter().map(|&b| f64::from_le_bytes(b) as f32).collect()
        }
        DataType::Uint64 if raw.is_empty() && !tensor.uint64_data.is_empty() => {
            tensor.raw_data = tensor.uint64_data.iter().flat_map(|v| v.to_le_bytes()).collect();
            return;
        }
        DataType::Uint32 if raw.is_empty() && !tensor.uint64_data.is_empty() => {
            tensor.raw_data = tensor
                .uint64_data
                .iter()
                .flat_map(|&v| (v as u32).to_le_bytes())
                .collect();
            return;
        }
        _ => {
            tensor.raw_data = raw;
            return;
        }
    };
    tensor.int32_data = Vec::new();
    tensor.double_data = Vec::new();
    tensor.data_type = DataType::Float as i32;
    tensor.raw_data = floats.iter().flat_map(|v| v.to_le_bytes()).collect();
    if floats.is_empty() {
        tensor.float_data = Vec::new();
    }
}

/// Casts and typed makers to half, bfloat16 or double make float instead, subgraphs included; see [`settle`].
pub(super) fn single_precision(graph: &mut GraphProto) {
    let wide = [
        DataType::Float16 as i64,
        DataType::Bfloat16 as i64,
        DataType::Double as i64,
    ];
    for node in &mut graph.node {
        let field = match node.op_type.as_str() {
            "Cast" => "to",
            "EyeLike" | "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike" | "Bernoulli" => {
                "dtype"
            }
            _ => "",
        };
        for attribute in &mut node.attribute {
            if attribute.name == field && wide.contains(&attribute.i) {
                attribute.i = DataType::Float as i64;
            }
            for sub in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                single_precision(sub);
            }
        }
    }
}

/// Whether a node carries subgraphs.
pub(super) fn has_subgraph(node: &NodeProto) -> bool {
    node.attribute
        .iter()
        .any(|a| a.g.is_some() || !a.graphs.is_empty() || a.r#type == AttributeType::Graph as i32)
}

/// Every name that a node reads, those of its subgraphs from outside included.
pub(super) fn reads(node: &NodeProto) -> Vec<String> {
    fn outer(graph: &GraphProto, found: &mut Vec<String>) {
        let inner: HashSet<&str> = graph
            .input
            .iter()
            .map(|i| i.name.as_str())
            .chain(graph.initializer.iter().map(|i| i.name.as_str()))
            .chain(graph.node.iter().flat_map(|n| n.output.iter().map(String::as_str)))
            .collect();
        let mut names: Vec<String> = graph.node.iter().flat_map(reads).collect();
        names.extend(graph.output.iter().map(|o| o.name.clone()));
        found.extend(names.into_iter().filter(|n| !inner.contains(n.as_str())));
    }
    let mut found: Vec<String> = node.input.iter().filter(|i| !i.is_empty()).cloned().collect();
    for graph in node.attribute.iter().flat_map(|a| a.g.iter().chain(&a.graphs)) {
        outer(graph, &mut found);
    }
    found
}

/// Keeps what `outputs` depend on, in an order in which every value is made before it is read. Refuses undefined
/// names, names defined twice, and cycles.
pub(super) fn prune(graph: &mut GraphProto, outputs: &[String]) -> Result<(), LoadError> {
    let mut maker: HashMap<&str, usize> = HashMap::new();
    let mut given: HashSet<&str> = graph.input.iter().map(|i| i.name.as_str()).collect();
    given.extend(graph.initializer.iter().map(|i| i.name.as_str()));
    for (i, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if maker.insert(output, i).is_some() || given.contains(output.as_str()) {
                return Err(unreadable(format!("the value \"{output}\" is made twice")));
            }
        }
    }
    for output in outputs {
        if !maker.contains_key(output.as_str()) && !given.contains(output.as_str()) {
            return Err(unreadable(format!("nothing makes the output \"{output}\"")));
        }
    }
    // Depth-first with an explicit stack: hostile graphs are deeper than the thread's stack.
    let inputs: Vec<Vec<String>> = graph.node.iter().map(reads).collect();
    let mut state = vec![0u8; graph.node.len()];
    let mut order = Vec::new();
    let mut used: HashSet<String> = outputs.iter().filter(|o| given.contains(o.as_str())).cloned().collect();
    for output in outputs {
        let Some(&made_by) = maker.get(output.as_str()) else {
            continue;
        };
        let mut stack = vec![(made_by, 0)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 {
                if state[node] != 0 {
                    continue;
                }
                state[node] = 1;
            }
            let Some(name) = inputs[node].get(next) else {
                state[node] = 2;
                order.push(node);
                continue;
            };
            stack.push((node, next + 1));
            match maker.get(name.as_str()) {
                Some(&from) if state[from] == 1 => {
                    let name = node_name(&graph.node[from]);
                    return Err(unreadable(format!("the node \"{name}\" depends on its own output")));
                }
                Some(&from) => stack.push((from, 0)),
                None if given.contains(name.as_str()) => {
                    used.insert(name.clone());
                }
                None => {
                    let node = node_name(&graph.node[node]);
                    return Err(unreadable(format!(
                        "the node \"{node}\" reads \"{name}\", which nothing makes"
                    )));
                }
            }
        }
    }
    let mut nodes: Vec<Option<NodeProto>> = std::mem::take(&mut graph.node).into_iter().map(Some).collect();
    graph.node = order.into_iter().filter_map(|i| nodes[i].take()).collect();
    graph.initializer.retain(|i| used.contains(&i.name));
    graph.input.retain(|i| used.contains(&i.name));
    Ok(())
}
