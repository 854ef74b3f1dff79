//! Decides `If` nodes whose condition is known once the picture's shape is, and puts the branch taken in their place.
//! Exporters write them around operators whose form depends on a shape.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};
use tract_onnx::tract_hir::infer::Factoid;

use super::build::Untyped;
use super::import::graph;
use super::onnx::{node_name, opset, prune, reads};
use crate::error::LoadError;
use crate::model::Limits;

/// Rounds of nested branches.
const DEPTH: usize = 16;

/// Replaces every `If` that `outputs` need. `picture` is the name and shape of the input.
pub(super) fn decide(
    model: &mut ModelProto,
    picture: Option<(&str, &[usize])>,
    outputs: &[String],
    limits: &Limits,
) -> Result<(), LoadError> {
    for _ in 0..DEPTH {
        let ready = ready(graph(model));
        if ready.is_empty() {
            return Ok(());
        }
        let conditions: Vec<String> = ready
            .iter()
            .map(|&i| graph(model).node[i].input.first().cloned().unwrap_or_default())
            .collect();
        let mut part = model.clone();
        prune(part.graph.as_mut().expect("checked when decoded"), &conditions)?;
        let picture = picture.filter(|(name, _)| graph(&part).input.iter().any(|i| i.name == *name));
        let mut untyped = Untyped::build(&part, picture.map(|(name, _)| name), &conditions)?;
        untyped.analyse(picture.map(|(_, shape)| shape), limits)?;
        let mut taken = HashMap::new();
        for (&at, condition) in ready.iter().zip(&conditions) {
            let node = &graph(model).node[at];
            let value = untyped
                .model
                .outlet_fact(untyped.values[condition])
                .ok()
                .and_then(|f| f.value.concretize());
            let value = value.and_then(|v| v.cast_to_scalar::<bool>().ok());
            let Some(value) = value else {
                return Err(LoadError::UnsupportedOp {
                    op: node.op_type.clone(),
                    node: node_name(node).to_owned(),
                    opset: opset(model, &node.domain).unwrap_or_default(),
                    why: "which branch it takes depends on the picture".into(),
                });
            };
            taken.insert(at, value);
        }
        let whole = model.graph.as_mut().expect("checked when decoded");
        for (at, node) in std::mem::take(&mut whole.node).into_iter().enumerate() {
            match taken.get(&at) {
                Some(&value) => inline(whole, node, value)?,
                None => whole.node.push(node),
            }
        }
        prune(whole, outputs)?;
    }
    Err(super::onnx::unreadable("its branches nest too deep"))
}

/// The `If` nodes that depend on no other.
fn ready(graph: &GraphProto) -> Vec<usize> {
    let mut tainted: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for (i, node) in graph.node.iter().enumerate() {
        let branch = node.op_type == "If";
        let after = reads(node).iter().any(|r| tainted.contains(r.as_str()));
        if branch && !after {
            found.push(i);
        }
        if branch || after {
            tainted.extend(node.output.iter().map(String::as_str));
        }
    }
    found
}

fn inline(whole: &mut GraphProto, node: NodeProto, value: bool) -> Result<(), LoadError> {
    let wanted = if value { "then_branch" } else { "else_branch" };
    let name = node_name(&node).to_owned();
    let branch = node.attribute.into_iter().find(|a| a.name == wanted).and_then(|a| a.g);
    let Some(mut branch) = branch.filter(|b| b.output.len() == node.output.len()) else {
        return Err(super::onnx::unreadable(format!(
            "the branches of the node \"{name}\" are not whole"
        )));
    };
    let mut names: HashMap<String, String> = HashMap::new();
    let made = branch.node.iter().flat_map(|n| &n.output).filter(|o| !o.is_empty());
    for inner in made.chain(branch.initializer.iter().map(|t| &t.name)) {
        names.insert(inner.clone(), format!("{name}/{wanted}/{inner}"));
    }
    for init in &mut branch.initializer {
        rename(&mut init.name, &names);
    }
    whole.initializer.append(&mut branch.initializer);
    for mut inner in branch.node {
        if !inner.name.is_empty() {
            inner.name = format!("{name}/{}", inner.name);
        }
        rename_all(&mut inner, &names);
        whole.node.push(inner);
    }
    for (mut from, to) in branch.output.into_iter().zip(node.output) {
        rename(&mut from.name, &names);
        whole.node.push(NodeProto {
            op_type: "Identity".into(),
            name: format!("{name}/{to}"),
            input: vec![from.name],
            output: vec![to],
            ..NodeProto::default()
        });
    }
    Ok(())
}

fn rename(name: &mut String, names: &HashMap<String, String>) {
    if let Some(new) = names.get(name) {
        name.clone_from(new);
    }
}

/// Renames what a node reads and makes; in its subgraphs, what they read from outside.
fn rename_all(node: &mut NodeProto, names: &HashMap<String, String>) {
    for name in node.input.iter_mut().chain(&mut node.output) {
        rename(name, names);
    }
    for sub in node
        .attribute
        .iter_mut()
        .flat_map(|a| a.g.iter_mut().chain(&mut a.graphs))
    {
        let mut visible = names.clone();
        let own = sub
            .node
            .iter()
            .flat_map(|n| &n.output)
            .chain(sub.initializer.iter().map(|t| &t.name));
        for name in own.chain(sub.input.iter().map(|i| &i.name)) {
            visible.remove(name);
        }
        for inner in &mut sub.node {
            rename_all(inner, &visible);
        }
        for output in &mut sub.output {
            rename(&mut output.name, &visible);
        }
    }
}
