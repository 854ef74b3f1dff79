//! From an ONNX file and its card to a [`Network`]: what is needed of the file, in one precision, with its conditions
//! decided, its logits found and its picture brought to `[N, C, H, W]`.

use std::collections::HashSet;

use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, tensor_shape_proto::dimension};
use tract_onnx::prelude::{Datum, OutletId, TractResult};
use tract_onnx::tract_core::internal::{AxisOp, SpecialOps};

use super::branches::decide;
use super::build::{Typed, Untyped, cause};
use super::ends::{Answer, candidates, recognise};
use super::onnx::{decode, each_tensor, node_name, opset, prune, settle, single_precision, unreadable, within};
use super::outline::Mixing;
use super::{Layer, Network, memory, outline, randomise};
use crate::error::LoadError;
use crate::guard::attempt;
use crate::model::card::Layout;
use crate::model::target::Head;
use crate::model::{Limits, ModelCard};

/// The file as far as it does not depend on the batch.
#[derive(Clone, Debug)]
pub(super) struct Source {
    untyped: Untyped,
    dims: [usize; 3],
    layout: Layout,
    limits: Limits,
}

impl Source {
    fn picture(&self, n: usize) -> ([usize; 4], [usize; 4]) {
        let [c, h, w] = self.dims;
        let inside = match self.layout {
            Layout::Nchw => [n, c, h, w],
            Layout::Nhwc => [n, h, w, c],
        };
        ([n, c, h, w], inside)
    }

    /// The typed graph for `n` pictures at a time: the logits `[N, K]`, then the candidates for layers.
    pub fn at(&self, n: usize) -> Result<Typed, LoadError> {
        self.with_axis(n).map(|(typed, _)| typed)
    }

    /// Also the axis of the classes as exported, and the rank.
    fn with_axis(&self, n: usize) -> Result<(Typed, (usize, usize)), LoadError> {
        let (outside, inside) = self.picture(n);
        let mut untyped = self.untyped.clone();
        untyped.analyse(Some(&inside), &self.limits)?;
        let mut typed = untyped.type_all(&outside, self.layout == Layout::Nhwc, &self.limits)?;
        let axis = flatten(&mut typed, n)?;
        within(
            "the estimated memory in bytes",
            memory::estimate(&typed.model)?,
            self.limits.memory_bytes,
        )?;
        Ok((typed, axis))
    }
}

/// Makes the first output `[N, K]` where it is a vector a picture with further axes of size 1; returns the axis of the
/// classes and the rank that it had.
fn flatten(typed: &mut Typed, n: usize) -> Result<(usize, usize), LoadError> {
    let logits = typed.values[0];
    let fact = typed
        .model
        .outlet_fact(logits)
        .map_err(|e| unreadable(cause(&e)))?
        .clone();
    let shape: Vec<usize> = fact.shape.as_concrete().unwrap_or_default().to_vec();
    let refuse = || LoadError::Shape {
        what: "the network's output".into(),
        shape: format!("{shape:?}"),
        expected: "one score a class is needed, [N, K]".into(),
    };
    if fact.datum_type != f32::datum_type() || fact.konst.is_some() {
        return Err(refuse());
    }
    let wide: Vec<usize> = (0..shape.len()).filter(|&i| shape[i] != 1 && i > 0).collect();
    let vector = n == 1 && shape.len() == 1;
    if (!vector && shape.first() != Some(&n)) || wide.len() > 1 || shape.contains(&0) {
        return Err(refuse());
    }
    let class = if vector { 0 } else { wide.first().copied().unwrap_or(1) };
    let wire = || -> TractResult<OutletId> {
        let mut at = logits;
        if vector {
            return Ok(typed.model.wire_node("logits.batch", AxisOp::Add(0), &[at])?[0]);
        }
        if shape.len() == 1 {
            return Ok(typed.model.wire_node("logits.class", AxisOp::Add(1), &[at])?[0]);
        }
        for axis in (1..shape.len()).rev().filter(|&a| a != class) {
            at = typed
                .model
                .wire_node(format!("logits.rm-{axis}"), AxisOp::Rm(axis), &[at])?[0];
        }
        Ok(at)
    };
    typed.values[0] = attempt(cause, wire).map_err(unreadable)?;
    typed.model.outputs[0] = typed.values[0];
    Ok((class, shape.len()))
}

/// The declared shape of an input or output: `None` for sizes that are not said.
pub(super) fn declared(info: &ValueInfoProto) -> (i32, Option<Vec<Option<i64>>>) {
    let Some(Value::TensorType(tensor)) = info.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return (0, None);
    };
    let shape = tensor.shape.as_ref().map(|s| {
        let size = |d: &Option<dimension::Value>| match d {
            Some(dimension::Value::DimValue(v)) => Some(*v),
            _ => None,
        };
        s.dim.iter().map(|d| size(&d.value)).collect()
    });
    (tensor.elem_type, shape)
}

/// Inputs that are not weights.
pub(super) fn real_inputs(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let weights: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    graph
        .input
        .iter()
        .filter(|i| !weights.contains(i.name.as_str()))
        .collect()
}

/// The name of the output to explain: the card's, or the first of rank 2 (or of a vector's worth) by declaration, or
/// the first.
pub(super) fn choose_output(graph: &GraphProto, wanted: &str) -> Result<String, LoadError> {
    let names: Vec<&str> = graph.output.iter().map(|o| o.name.as_str()).collect();
    if !wanted.is_empty() {
        return names
            .iter()
            .find(|n| **n == wanted)
            .map(|n| (*n).to_owned())
            .ok_or_else(|| LoadError::Card {
                field: "output.name".into(),
                why: format!("there is no output \"{wanted}\"; there are: {}", names.join(", ")),
            });
    }
    let scores = |o: &&ValueInfoProto| {
        let (_, shape) = declared(o);
        shape.is_some_and(|s| s.len() >= 2 && s[1] != Some(1) && s[2..].iter().all(|d| *d == Some(1)))
    };
    let chosen = graph.output.iter().find(scores).or(graph.output.first());
    chosen
        .map(|o| o.name.clone())
        .ok_or_else(|| unreadable("it has no output"))
}

/// The name of the picture's input, checked against the card.
fn choose_input(graph: &GraphProto, card: &ModelCard) -> Result<String, LoadError> {
    let inputs = real_inputs(graph);
    let names = inputs
        .iter()
        .map(|i| format!("\"{}\"", i.name))
        .collect::<Vec<_>>()
        .join(", ");
    let [input] = inputs[..] else {
        let shape = if inputs.is_empty() {
            "no input".to_owned()
        } else {
            format!("{} inputs: {names}", inputs.len())
        };
        return Err(LoadError::Shape {
            what: "what the answer depends on".into(),
            shape,
            expected: "one picture is needed".into(),
        });
    };
    let wrong = |field: &str, why: String| {
        Err(LoadError::Card {
            field: field.into(),
            why,
        })
    };
    if !card.input.name.is_empty() && card.input.name != input.name {
        return wrong(
            "input.name",
            format!(
                "the answer does not depend on an input \"{}\", but on {names}",
                card.input.name
            ),
        );
    }
    if let (_, Some(shape)) = declared(input) {
        let fits = shape.len() == 4
            && shape
                .iter()
                .zip(&card.input.shape)
                .skip(1)
                .all(|(d, &s)| d.is_none_or(|d| d <= 0 || d == s as i64));
        if !fits {
            let text: Vec<String> = shape.iter().map(|d| d.map_or("?".into(), |d| d.to_string())).collect();
            return wrong(
                "input.shape",
                format!("the file takes [{}], not {:?}", text.join(", "), card.input.shape),
            );
        }
    }
    Ok(input.name.clone())
}

/// Gives every node a name of its own: the engine wants that, and files do not always have it.
pub(super) fn name_apart(graph: &mut GraphProto) {
    let mut taken: HashSet<String> = graph.initializer.iter().map(|t| t.name.clone()).collect();
    taken.extend(graph.input.iter().map(|i| i.name.clone()));
    for node in &mut graph.node {
        let base = node_name(node).to_owned();
        let mut name = base.clone();
        let mut k = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}#{k}");
            k += 1;
        }
        node.name = name;
    }
}

/// A file ready to be built: decoded, checked, cut down to what `output` needs.
pub(super) struct Prepared {
    pub model: ModelProto,
    pub answer: Answer,
}

pub(super) fn graph(model: &ModelProto) -> &GraphProto {
    model.graph.as_ref().expect("checked when decoded")
}

/// Prepares a decoded file for the output named by `wanted`, cutting off a recognised head if `cut`.
fn prepare(mut model: ModelProto, card: &ModelCard, cut: bool, limits: &Limits) -> Result<Prepared, LoadError> {
    let standard = opset(&model, "").unwrap_or_default();
    let graph = model.graph.as_mut().expect("checked when decoded");
    let output = choose_output(graph, &card.output.name)?;
    let answer = if cut {
        recognise(graph, standard, &output)
    } else {
        Answer {
            logits: output,
            head: Head::Logits,
            axis: None,
        }
    };
    let outputs = std::slice::from_ref(&answer.logits);
    prune(graph, outputs)?;
    each_tensor(graph, &mut |t| settle(t, limits))?;
    single_precision(graph);
    name_apart(graph);
    let name = real_inputs(graph)
        .iter()
        .map(|i| i.name.clone())
        .find(|n| card.input.name.is_empty() || *n == card.input.name);
    let mut shape = card.input.shape.clone();
    shape[0] = 1;
    decide(&mut model, name.as_deref().map(|n| (n, &shape[..])), outputs, limits)?;
    name_apart(model.graph.as_mut().expect("checked when decoded"));
    Ok(Prepared { model, answer })
}

pub(super) fn import(onnx: &[u8], card: &ModelCard, limits: &Limits) -> Result<Network, LoadError> {
    card.check()?;
    let dims = card.dims();
    within(
        "the side of the input in pixels",
        dims[1].max(dims[2]) as u64,
        limits.input_side,
    )?;
    let wanted = card.head()?;
    let model = decode(onnx, limits)?;
    let network = if wanted == Some(Head::Logits) {
        build(prepare(model, card, false, limits)?, card, limits)?
    } else {
        match build(prepare(model, card, true, limits)?, card, limits)? {
            Some(network) => Some(network),
            None => build(prepare(decode(onnx, limits)?, card, false, limits)?, card, limits)?,
        }
    };
    let network = network.ok_or_else(|| unreadable("its head works along another axis than its classes"))?;
    match wanted {
        Some(head) if head != network.head => Err(LoadError::Card {
            field: "output.head".into(),
            why: format!("the file does not end in a {} that can be told apart", card.output.head),
        }),
        _ => Ok(network),
    }
}

/// The network, or `None` where the head that was cut off does not work along the classes.
fn build(prepared: Prepared, card: &ModelCard, limits: &Limits) -> Result<Option<Network>, LoadError> {
    let Prepared { model, answer } = prepared;
    let input = choose_input(graph(&model), card)?;
    let candidates = candidates(graph(&model));
    let outputs: Vec<String> = std::iter::once(answer.logits.clone())
        .chain(candidates.iter().map(|(_, value)| (*value).to_owned()))
        .collect();
    let untyped = Untyped::build(&model, Some(&input), &outputs)?;
    let source = Source {
        untyped,
        dims: card.dims(),
        layout: card.input.layout,
        limits: limits.clone(),
    };
    let (
        Typed {
            mut model,
            values,
            origin,
        },
        (class, rank),
    ) = source.with_axis(1)?;
    let along = |axis: i64| axis.rem_euclid(rank.max(1) as i64) as usize == class;
    if answer.axis.is_some_and(|axis| !along(axis)) {
        return Ok(None);
    }
    let shape_of = |outlet: OutletId| -> Vec<usize> {
        model
            .outlet_fact(outlet)
            .ok()
            .and_then(|f| f.shape.as_concrete().map(<[usize]>::to_vec))
            .unwrap_or_default()
    };
    let classes = shape_of(values[0])[1];
    let lies = attempt(cause, || outline::lies(&model)).map_err(unreadable)?;
    let mut seen = HashSet::new();
    let mut layers = Vec::new();
    let mut places = Vec::new();
    let mut partial_attention = false;
    for (i, (node, _)) in candidates.iter().enumerate() {
        let outlet = values[i + 1];
        let shape = shape_of(outlet);
        let mixing = outline::mixing(&model, outlet);
        partial_attention |= mixing == Some(Mixing::Partial);
        let attention = mixing == Some(Mixing::Whole);
        let maps = shape.len() == 4 && shape[2] * shape[3] > 1;
        let tokens = shape.len() == 3 && shape[1] > 1 && shape[2] > 1;
        let computed = model
            .outlet_fact(outlet)
            .is_ok_and(|f| f.konst.is_none() && f.datum_type == f32::datum_type());
        let layer = attention || ((maps || tokens) && shape[0] == 1 && node.op_type != "Softmax");
        if !layer || !computed {
            continue;
        }
        let inner = if attention && shape.len() == 3 {
            &shape[..]
        } else {
            &shape[1..]
        };
        let lie = lies.get(&outlet).copied().flatten();
        let grid = outline::grid(inner, lie).filter(|_| !attention);
        if grid.is_none_or(|g| g.places() > 1) && seen.insert(outlet) {
            layers.push(Layer {
                name: node_name(node).to_owned(),
                op: node.op_type.clone(),
                shape: inner.to_vec(),
                reads: Vec::new(),
                grid,
                attention,
            });
            places.push(i + 1);
        }
    }
    model.outputs = vec![values[0]];
    let outlets: Vec<OutletId> = places.iter().map(|&p| values[p]).collect();
    for (layer, reads) in layers.iter_mut().zip(outline::reads(&model, &outlets)) {
        layer.reads = reads;
    }
    let default_layer = outline::default_layer(&layers);
    let head = answer.head;
    let groups = attempt(cause, || randomise::groups(&model, &origin)).map_err(unreadable)?;
    Ok(Some(Network {
        dims: card.dims(),
        classes,
        head,
        layers,
        default_layer,
        partial_attention,
        weight_groups: groups.into_iter().map(|g| g.name).collect(),
        places,
        model,
        values,
        origin,
        source,
        kernels: super::fast::Store::default(),
    }))
}
