//! From the ONNX structure to the engine's typed graph, node by node, so that every failure names its node and every
//! size is checked before memory is taken for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::{ModelProto, NodeProto};
use tract_onnx::tensor::load_tensor;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::{
    AxisOp, Datum, DatumExt, InferenceFact, InferenceModel, InletId, IntoArcTensor, IntoTValue, OutletId, SpecialOps,
    TValue, TVec, TractError, TractErrorContext, TractResult, TypedFact, TypedModel, bail, ensure, tvec,
};
use tract_onnx::tract_hir::ops::konst::Const;

use super::attributes;
use super::normalise::BatchStatistics;
use super::onnx::{has_subgraph, int, node_name, opset, within};
use crate::error::LoadError;
use crate::guard::attempt;
use crate::model::Limits;

/// Where a node of the engine's graph came from.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub op: String,
    pub opset: i64,
}

/// An untyped graph with the picture's shape still open.
#[derive(Clone, Debug)]
pub(super) struct Untyped {
    pub model: InferenceModel,
    /// Outlets by ONNX value name.
    pub values: HashMap<String, OutletId>,
    sites: HashMap<usize, Site>,
    norms: BTreeMap<usize, BatchStatistics>,
}

/// A typed graph: outlets of the values asked for.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub model: TypedModel,
    pub values: Vec<OutletId>,
    /// For each node, the name of the ONNX node that it was made of.
    pub origin: Vec<String>,
}

/// The deepest cause, on one line and of bounded length.
pub(super) fn cause(error: &TractError) -> String {
    let text = error.root_cause().to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 300 {
        line.chars().take(299).chain(['…']).collect()
    } else {
        line
    }
}

fn unsupported(site: &Site, node: &str, why: impl Into<String>) -> LoadError {
    LoadError::UnsupportedOp {
        op: site.op.clone(),
        node: node.to_owned(),
        opset: site.opset,
        why: why.into(),
    }
}

/// Domains whose operators the engine knows by their bare name.
const DOMAINS: &[&str] = &["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

/// Operators that make arrays of a size that their inputs state.
const SIZED: &[&str] = &[
    "ConstantOfShape",
    "Expand",
    "OneHot",
    "Pad",
    "Range",
    "Reshape",
    "Resize",
    "Tile",
    "Upsample",
];

/// Refuses what the engine has no operator for, or would compute otherwise than ONNX says.
fn check_operator(onnx: &Onnx, node: &NodeProto, site: &Site) -> Result<(), LoadError> {
    let name = node_name(node);
    let fail = |why: &str| Err(unsupported(site, name, why));
    if !DOMAINS.contains(&node.domain.as_str()) {
        return fail(&format!(
            "the operators of the domain \"{}\" are not known",
            node.domain
        ));
    }
    if !onnx.op_register.0.contains_key(&node.op_type) {
        return fail("the engine has no such operator");
    }
    if let Err(why) = attributes::check(node) {
        return fail(&why);
    }
    match node.op_type.as_str() {
        _ if has_subgraph(node) => fail("subgraphs other than a decided If are not run"),
        "Resize" if int(node, "antialias", 0) != 0 => fail("antialias is not supported"),
        "Dropout" if node.input.get(2).is_some_and(|i| !i.is_empty()) && int(node, "seed", 0) != 0 => {
            fail("training mode draws random numbers; export the network in evaluation mode")
        }
        "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike" | "Multinomial" => {
            fail("it draws random numbers, so the answer would not be repeatable")
        }
        _ => Ok(()),
    }
}

impl Untyped {
    /// Builds the graph of `model`, whose nodes are in order of computation and hold nothing but what is needed.
    /// `picture` is the name of the input.
    pub fn build(model: &ModelProto, picture: Option<&str>, outputs: &[String]) -> Result<Self, LoadError> {
        let onnx = tract_onnx::onnx();
        let standard = opset(model, "").unwrap_or_default();
        let graph = model.graph.as_ref().expect("checked when decoded");
        let context = ParsingContext {
            onnx_operator_set_version: standard,
            framework: &onnx,
            model,
            parent_graphs: vec![graph],
            model_dir: None,
            template: InferenceModel::default(),
        };
        let mut built = Self {
            model: InferenceModel::default(),
            values: HashMap::new(),
            sites: HashMap::new(),
            norms: BTreeMap::new(),
        };
        let broken = |what: &str, why: String| LoadError::Parse {
            why: format!("{what}: {why}"),
        };
        for init in &graph.initializer {
            let what = format!("the tensor \"{}\"", init.name);
            let add = || {
                let tensor = load_tensor(&*onnx.provider, init, None)?.into_arc_tensor();
                let fact = InferenceFact::from(TypedFact::try_from(tensor.clone())?);
                built
                    .model
                    .add_node(init.name.clone(), Const::new(tensor)?, tvec!(fact))
            };
            let id = attempt(cause, add).map_err(|why| broken(&what, why))?;
            built.values.insert(init.name.clone(), OutletId::new(id, 0));
        }
        if let Some(picture) = picture {
            let source = built
                .model
                .add_source(picture, InferenceFact::dt(f32::datum_type()))
                .map_err(|e| broken("the input", cause(&e)))?;
            built.values.insert(picture.to_owned(), source);
        }
        for node in &graph.node {
            let site = Site {
                op: node.op_type.clone(),
                opset: opset(model, &node.domain).unwrap_or(standard),
            };
            check_operator(&onnx, node, &site)?;
            let (node, norm) = BatchStatistics::take(node);
            let name = node_name(&node).to_owned();
            let id = attempt(cause, || built.add(&context, &node)).map_err(|why| unsupported(&site, &name, why))?;
            built.norms.extend(norm.map(|n| (id, n)));
            built.sites.insert(id, site);
        }
        let outlets: Vec<OutletId> = outputs.iter().map(|o| built.values[o]).collect();
        built
            .model
            .select_output_outlets(&outlets)
            .map_err(|e| broken("the outputs", cause(&e)))?;
        Ok(built)
    }

    fn add(&mut self, context: &ParsingContext, node: &NodeProto) -> TractResult<usize> {
        let builder = context.framework.op_register.0[&node.op_type];
        let (mut op, closures) = builder(context, node)?;
        ensure!(closures.is_empty(), "it reads values from outside of a subgraph");
        if let Some(ours) = super::activations::operator(node) {
            op = ours;
        }
        let outputs: Vec<&String> = node.output.iter().filter(|o| !o.is_empty()).collect();
        let facts = outputs.iter().map(|_| InferenceFact::default()).collect();
        let id = self.model.add_node(node_name(node), op, facts)?;
        for (slot, input) in node.input.iter().filter(|i| !i.is_empty()).enumerate() {
            let from = *self
                .values
                .get(input)
                .with_context(|| format!("nothing makes \"{input}\""))?;
            self.model.add_edge(from, InletId::new(id, slot))?;
        }
        for (slot, output) in outputs.into_iter().enumerate() {
            self.values.insert(output.clone(), OutletId::new(id, slot));
        }
        Ok(id)
    }

    fn fail(&self, node: usize, why: impl Into<String>) -> LoadError {
        let name = &self.model.node(node).name;
        match self.sites.get(&node) {
            Some(site) => unsupported(site, name, why),
            None => LoadError::Parse {
                why: format!("\"{name}\": {}", why.into()),
            },
        }
    }

    /// Finds shapes, types and constant values, with the picture of this shape. No value is computed whose size has
    /// not been checked.
    pub fn analyse(&mut self, picture: Option<&[usize]>, limits: &Limits) -> Result<(), LoadError> {
        if let Some(shape) = picture {
            let fact = InferenceFact::dt_shape(f32::datum_type(), shape);
            self.model
                .set_input_fact(0, fact)
                .map_err(|e| LoadError::Parse { why: cause(&e) })?;
        }
        let order = self
            .model
            .eval_order()
            .map_err(|e| LoadError::Parse { why: cause(&e) })?;
        let rank: HashMap<usize, usize> = order.iter().enumerate().map(|(i, &n)| (n, i)).collect();
        let mut waiting: BTreeSet<usize> = (0..order.len()).collect();
        let mut visits = 0u64;
        while let Some(next) = waiting.pop_first() {
            visits += 1;
            within("the work to find all shapes", visits, 64 * order.len() as u64 + 1024)?;
            for changed in self.step(order[next], limits)? {
                let successors = self.model.outlet_successors(changed);
                let touched = successors.iter().map(|s| s.node).chain([changed.node]);
                waiting.extend(touched.filter(|&n| n != order[next]).filter_map(|n| rank.get(&n)));
            }
        }
        for (&node, norm) in &self.norms {
            if norm.training
                && rank.contains_key(&node)
                && self.model.node(node).outputs[0].fact.value.concretize().is_none()
            {
                return Err(self.fail(
                    node,
                    "it is in training mode and would normalise by the batch; export the network in evaluation mode",
                ));
            }
        }
        Ok(())
    }

    /// One node's inference; returns the outlets that it learned something of.
    fn step(&mut self, id: usize, limits: &Limits) -> Result<Vec<OutletId>, LoadError> {
        let node = self.model.node(id);
        let from = node.inputs.clone();
        let before_out: TVec<InferenceFact> = node.outputs.iter().map(|o| o.fact.clone()).collect();
        let before_in: TVec<InferenceFact> = from
            .iter()
            .map(|&o| self.model.outlet_fact(o).cloned())
            .collect::<TractResult<_>>()
            .map_err(|e| self.fail(id, cause(&e)))?;
        self.check_sizes_given(id, &before_in, limits)?;
        let norm = self.norms.get(&id).copied();
        let op = &mut self.model.node_mut(id).op;
        let infer = || -> TractResult<_> {
            if op.nboutputs()? != before_out.len() {
                bail!(
                    "it has {} outputs, and the file names {}",
                    op.nboutputs()?,
                    before_out.len()
                );
            }
            let (inputs, outputs, _) =
                op.infer_facts(before_in.iter().collect(), before_out.iter().collect(), tvec!())?;
            Ok((inputs, outputs))
        };
        let (inputs, mut outputs) = attempt(cause, infer).map_err(|why| self.fail(id, why))?;
        for fact in inputs.iter().chain(&outputs) {
            self.check_size(id, fact, limits)?;
        }
        let values: Option<TVec<TValue>> = inputs
            .iter()
            .map(|i| i.value.concretize().map(IntoTValue::into_tvalue))
            .collect();
        let pending = outputs.iter().any(|o| o.value.concretize().is_none());
        if let Some(values) = values.filter(|v| !v.is_empty() && pending) {
            // A shape that is not known before the values are can't be checked; only small inputs may do that.
            let known = outputs.iter().all(|o| o.shape.concretize().is_some());
            let small = values.iter().map(|v| v.len()).sum::<usize>() <= 1 << 20;
            if known || small {
                let op = &self.model.node(id).op;
                let evaluate = || -> TractResult<Option<TVec<TValue>>> {
                    match &norm {
                        Some(norm) => norm.apply(&values).map(|t| Some(tvec!(t.into_tvalue()))),
                        None => match op.eval_out_of_plan(values) {
                            Err(e) if e.root_cause().is::<tract_onnx::tract_core::tract_data::TooEarly>() => Ok(None),
                            other => other,
                        },
                    }
                };
                if let Some(found) = attempt(cause, evaluate).map_err(|why| self.fail(id, why))? {
                    outputs = found
                        .into_iter()
                        .map(|t| TypedFact::try_from(t.into_arc_tensor()).map(InferenceFact::from))
                        .collect::<TractResult<_>>()
                        .map_err(|e| self.fail(id, cause(&e)))?;
                    for fact in &outputs {
                        self.check_size(id, fact, limits)?;
                    }
                }
            }
        }
        let mut changed = Vec::new();
        let outlets = (0..outputs.len()).map(|slot| OutletId::new(id, slot));
        for (outlet, fact) in from.into_iter().zip(inputs).chain(outlets.zip(outputs)) {
            let update = || -> TractResult<Option<InferenceFact>> {
                let old = self.model.outlet_fact(outlet)?;
                let unified = fact.unify(old)?;
                Ok((&unified != old).then_some(unified))
            };
            if let Some(unified) = attempt(cause, update).map_err(|why| self.fail(id, why))? {
                self.model
                    .set_outlet_fact(outlet, unified)
                    .map_err(|e| self.fail(id, cause(&e)))?;
                changed.push(outlet);
            }
        }
        Ok(changed)
    }

    /// Refuses whole numbers that ask for a size beyond all limits. The engine keeps only 32 bits of a size as it
    /// infers shapes, but all of them as it takes memory.
    fn check_sizes_given(&self, node: usize, inputs: &[InferenceFact], limits: &Limits) -> Result<(), LoadError> {
        let Some(site) = self.sites.get(&node).filter(|s| SIZED.contains(&s.op.as_str())) else {
            return Ok(());
        };
        for value in inputs.iter().filter_map(|i| i.value.concretize()) {
            if value.datum_type() != i64::datum_type() {
                continue;
            }
            let values = attempt(cause, || {
                Ok::<_, TractError>(value.to_plain_array_view::<i64>()?.to_owned())
            })
            .map_err(|why| self.fail(node, why))?;
            let most = values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
            let name = &self.model.node(node).name;
            within(
                format!("a size that the node \"{name}\" ({}) is given", site.op),
                most,
                limits.tensor_values,
            )?;
        }
        Ok(())
    }

    fn check_size(&self, node: usize, fact: &InferenceFact, limits: &Limits) -> Result<(), LoadError> {
        let what = || {
            format!(
                "the number of values of an array of the node \"{}\"",
                self.model.node(node).name
            )
        };
        let mut count = 1u64;
        for dim in fact.shape.dims().filter_map(Factoid::concretize) {
            let Ok(dim) = dim.to_i64() else { continue };
            let dim =
                u64::try_from(dim).map_err(|_| self.fail(node, format!("it makes an array of the size {dim}")))?;
            count = count.saturating_mul(dim);
            within(what(), count.max(dim), limits.tensor_values)?;
        }
        Ok(())
    }

    /// The typed graph for pictures `[N, C, H, W]`, which are handed on as `[N, H, W, C]` where `channels_last`.
    /// Expects the shape to have been analysed. The input is outlet 0; outputs keep their order.
    pub fn type_all(&self, picture: &[usize; 4], channels_last: bool, limits: &Limits) -> Result<Typed, LoadError> {
        let source = &self.model;
        let mut target = TypedModel {
            symbols: source.symbols.clone(),
            ..TypedModel::default()
        };
        let mut mapping: HashMap<OutletId, OutletId> = HashMap::new();
        let mut origin = Vec::new();
        let order = source.eval_order().map_err(|e| LoadError::Parse { why: cause(&e) })?;
        for id in order {
            let first = target.nodes().len();
            let node = source.node(id);
            let translate = || -> TractResult<TVec<OutletId>> {
                if InferenceModel::is_source(&node.op) {
                    let input = target.add_source(node.name.clone(), f32::fact(picture))?;
                    if !channels_last {
                        return Ok(tvec!(input));
                    }
                    return target.wire_node(format!("{}.channels-last", node.name), AxisOp::Move(1, 3), &[input]);
                }
                if let Some(values) = node
                    .outputs
                    .iter()
                    .map(|o| o.fact.value.concretize())
                    .collect::<Option<TVec<_>>>()
                {
                    let add = |(slot, value)| target.add_const(format!("{}.{slot}", node.name), value);
                    return values.into_iter().enumerate().map(add).collect();
                }
                node.op.to_typed(source, node, &mut target, &mapping)
            };
            let outlets = attempt(cause, translate).map_err(|why| self.fail(id, why))?;
            for made in &target.nodes()[first..] {
                for output in &made.outputs {
                    let Some(shape) = output.fact.shape.as_concrete() else {
                        return Err(self.fail(
                            id,
                            format!(
                                "the shape of its result depends on the picture's values: {:?}",
                                output.fact.shape
                            ),
                        ));
                    };
                    let count = shape.iter().fold(1u64, |n, &d| n.saturating_mul(d as u64));
                    within(
                        format!("the number of values of an array of the node \"{}\"", node.name),
                        count,
                        limits.tensor_values,
                    )?;
                }
            }
            origin.resize(target.nodes().len(), node.name.clone());
            mapping.extend(
                outlets
                    .into_iter()
                    .enumerate()
                    .map(|(slot, o)| (OutletId::new(id, slot), o)),
            );
        }
        let values: Vec<OutletId> = source.outputs.iter().map(|o| mapping[o]).collect();
        target.outputs.clone_from(&values);
        Ok(Typed {
            model: target,
            values,
            origin,
        })
    }
}
