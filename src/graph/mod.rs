//! The computation graph: import, canonisation, forward plans and reverse-mode gradients. The only folder that names
//! tract; everything that leaves it is a [`Tensor`] or a plain description.

mod activations;
mod attention;
mod attributes;
mod backward;
mod branches;
mod build;
mod dense;
mod ends;
mod fast;
mod import;
mod incremental;
pub mod inspect;
mod lower;
mod masking;
mod memory;
mod normalise;
mod onnx;
mod outline;
mod randomise;
mod rules;
mod vjp;
mod wire;

use std::sync::Arc;

use tract_onnx::prelude::{
    IntoTValue, OutletId, TValue, Tensor as Array, TractError, TractResult, TypedModel, TypedSimplePlan,
};
use tract_onnx::tract_core::internal::RunOptions;

use crate::error::{GradientError, InputError, LoadError, RunError};
use crate::guard::{self, attempt};
use crate::model::target::Head;
use crate::model::{Limits, ModelCard};
use crate::program::{Backward, Program, Weights};
use crate::{Error, Tensor};
use build::{Typed, cause};

pub use crate::program::Wrt;
pub use attention::Attention;
pub use dense::Dense;
pub use incremental::{Growth, Incremental};
pub use lower::NotLowered;
pub use outline::Grid;

/// A place inside the network that can be looked at or differentiated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// ONNX node name (its first output's where unnamed).
    pub name: String,
    /// ONNX operator type.
    pub op: String,
    /// Shape of its output for one picture, without the batch axis: `[C, h, w]`, `[T, D]`, or `[heads, T, T]`.
    pub shape: Vec<usize>,
    /// Indices of the layers that it is computed from without another layer between; none: from the picture.
    pub reads: Vec<usize>,
    /// How its output lies on the picture; none where that is not known, and for attention.
    pub grid: Option<Grid>,
    /// Whether it is an attention matrix `[heads, T, T]`, each row of which sums to 1.
    pub attention: bool,
}

/// An imported network: typed graph, constants folded, input transposed to `[N, C, H, W]` where it was not.
pub struct Network {
    dims: [usize; 3],
    classes: usize,
    head: Head,
    layers: Vec<Layer>,
    default_layer: Option<usize>,
    /// Whether some of its attention is within windows, or by other tokens.
    partial_attention: bool,
    weight_groups: Vec<String>,
    /// For each layer, its place among `values`.
    places: Vec<usize>,
    /// One picture at a time, as imported: neither decluttered nor optimised, which gradients need.
    model: TypedModel,
    /// The logits `[N, K]`, then what the layers are taken from.
    values: Vec<OutletId>,
    /// For each node of `model`, the name of its ONNX node.
    origin: Vec<String>,
    source: import::Source,
    /// Of all plans that are in use.
    kernels: fast::Store,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("dims", &self.dims)
            .field("classes", &self.classes)
            .field("head", &self.head)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl Network {
    /// Imports an ONNX file as the card describes it. Bytes, nodes, dimensions and estimated memory are checked
    /// against `limits` before they are taken.
    pub fn import(onnx: &[u8], card: &ModelCard, limits: &Limits) -> Result<Self, LoadError> {
        guard::catch(|| import::import(onnx, card, limits)).unwrap_or_else(|why| Err(LoadError::Parse { why }))
    }

    /// Channels, height and width of one input.
    pub fn input_dims(&self) -> [usize; 3] {
        self.dims
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What the file applies to its logits at the end.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Layers in order of computation.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The default of the methods that weigh a layer's channels: the last feature map `[C, h, w]` with `h * w > 1`; in a
    /// transformer, the last tokens that its last attention is computed from.
    pub fn default_layer(&self) -> Option<usize> {
        self.default_layer
    }

    /// The names of the weight groups in order of computation: the ONNX nodes that take weights, each standing also for
    /// the constant biases, scales and shifts that follow it directly. [`Weights::Randomised`] counts them.
    pub fn weight_groups(&self) -> &[String] {
        &self.weight_groups
    }

    /// The graph for `n` pictures at a time.
    fn at(&self, n: usize) -> Result<Typed, LoadError> {
        if n != 1 {
            return self.source.at(n);
        }
        Ok(Typed {
            model: self.model.clone(),
            values: self.values.clone(),
            origin: self.origin.clone(),
        })
    }

    /// A plan for `program` at `n` pictures a run. See [`Program`] for its inputs and outputs.
    ///
    /// # Errors
    /// A layer or weight group that is not there; for backward passes an operator without a rule, and for pictures with
    /// missing values one that they can't be carried through, by its name.
    pub fn plan(&self, n: usize, program: &Program) -> Result<Plan, Error> {
        self.check_weights(program.weights)?;
        if program.missing {
            return Ok(Plan::new(self.masked(n, program)?, &self.kernels).map_err(|why| RunError::Backend { why })?);
        }
        if program.backward.is_some() {
            return Ok(Plan::new(self.adjoint(n, program)?, &self.kernels).map_err(engine)?);
        }
        let backend = |why: String| RunError::Backend { why };
        let model = self.forward(n, program).map_err(|e| backend(e.to_string()))?;
        Ok(Plan::new(model, &self.kernels).map_err(backend)?)
    }

    /// The graph of a program without a backward pass.
    fn forward(&self, n: usize, program: &Program) -> Result<TypedModel, GradientError> {
        let (mut model, values) = self.prepared(n, program)?;
        let mut outputs = vec![values[0]];
        for &i in &program.layers {
            outputs.push(self.outlet(&values, i)?);
        }
        model.outputs = outputs;
        Ok(model)
    }

    /// Whether pictures with missing values can be carried to the logits; far cheaper than a plan.
    pub fn check_missing(&self) -> Result<(), Error> {
        let program = Program {
            missing: true,
            ..Program::default()
        };
        self.masked(1, &program).map(drop)
    }

    fn masked(&self, n: usize, program: &Program) -> Result<TypedModel, Error> {
        let backend = |why: &str| Error::from(RunError::Backend { why: why.into() });
        if program.backward.is_some() {
            return Err(backend("there is no gradient by pictures with missing values"));
        }
        if n != 1 {
            return Err(backend("pictures with missing values are run one at a time"));
        }
        let (model, values) = self.prepared(n, program)?;
        let mut wanted = vec![values[0]];
        for &i in &program.layers {
            wanted.push(self.outlet(&values, i)?);
        }
        Ok(masking::carry(&model, &wanted)?.0)
    }

    /// Refuses weight groups that are not there.
    pub fn check_weights(&self, weights: Weights) -> Result<(), InputError> {
        let count = self.weight_groups.len();
        match weights {
            Weights::Randomised { from, to, .. } if from > to || to > count => Err(InputError::Param {
                field: "weights".into(),
                why: format!("the groups {from}..{to} are not a range of the network's {count} groups"),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the logits can be differentiated by each of `wrt`; far cheaper than a plan.
    pub fn check_gradient(&self, wrt: &[Wrt]) -> Result<(), GradientError> {
        self.check_backward(&Backward {
            wrt: wrt.to_vec(),
            ..Backward::default()
        })
    }

    /// Whether this backward pass has a rule for each operator on its way; far cheaper than a plan.
    pub fn check_backward(&self, backward: &Backward) -> Result<(), GradientError> {
        let program = Program {
            backward: Some(backward.clone()),
            ..Program::default()
        };
        self.adjoint(1, &program).map(drop)
    }

    fn outlet(&self, values: &[OutletId], layer: usize) -> Result<OutletId, GradientError> {
        let place = self.places.get(layer).ok_or_else(|| GradientError::NoLayer {
            layer: layer.to_string(),
            known: self
                .layers
                .iter()
                .map(|l| l.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        Ok(values[*place])
    }

    /// The graph with the weights and the replaced layer of `program`, and the outlets of its values.
    fn prepared(&self, n: usize, program: &Program) -> Result<(TypedModel, Vec<OutletId>), GradientError> {
        let Typed {
            mut model,
            mut values,
            origin,
        } = self.at(n).map_err(|e| engine(e.to_string()))?;
        if let Weights::Randomised { from, to, seed } = program.weights {
            attempt(cause, || {
                let groups = randomise::groups(&model, &origin)?;
                randomise::randomise(&mut model, &groups, from, to, seed)
            })
            .map_err(engine)?;
        }
        if let Some(layer) = program.replaced {
            let outlet = self.outlet(&values, layer)?;
            let given = attempt(cause, || given(&mut model, outlet)).map_err(engine)?;
            for value in values.iter_mut().filter(|v| **v == outlet) {
                *value = given;
            }
        }
        Ok((model, values))
    }

    fn adjoint(&self, n: usize, program: &Program) -> Result<TypedModel, GradientError> {
        let (model, values) = self.prepared(n, program)?;
        let backward = program.backward.clone().unwrap_or_default();
        let layers = program.layers.iter().map(|&i| self.outlet(&values, i));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let outlet = |by: &Wrt| match by {
            Wrt::Input => Ok(model.inputs[0]),
            Wrt::Layer(i) => self.outlet(&values, *i),
        };
        let of = backward.of.map_or(Ok(values[0]), |layer| self.outlet(&values, layer))?;
        let wrt = backward.wrt.iter().map(outlet).collect::<Result<Vec<_>, _>>()?;
        let scheme = |view: &rules::View| rules::scheme(&backward.rules, view);
        guard::catch(|| backward::differentiate_by(scheme, &model, of, &layers, &wrt)).map_err(engine)?
    }
}

/// Puts a source in the place of `outlet`: the graph then takes that value after its other inputs.
fn given(model: &mut TypedModel, outlet: OutletId) -> TractResult<OutletId> {
    let fact = model.outlet_fact(outlet)?.without_value();
    let source = model.add_source("lucarne.given", fact)?;
    for reader in model.outlet_successors(outlet).to_vec() {
        model.add_edge(source, reader)?;
    }
    Ok(source)
}

fn engine(why: String) -> GradientError {
    GradientError::NoRule {
        op: "network".into(),
        node: String::new(),
        why,
    }
}

/// An optimised, immutable graph, ready to run.
pub struct Plan {
    plan: Arc<TypedSimplePlan>,
    shapes: Vec<Vec<usize>>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("inputs", &self.shapes)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// With our kernels where they fit, and the engine's rewrites of the rest. Those fail on some valid graphs; fewer of
    /// them are slower, not wrong.
    fn new(model: TypedModel, kernels: &fast::Store) -> Result<Self, String> {
        let model = attempt(cause, || fast::rewrite(&model, kernels)).unwrap_or(model);
        Self::of(model)
    }

    fn of(model: TypedModel) -> Result<Self, String> {
        let optimised = attempt(cause, || model.clone().into_optimized())
            .or_else(|_| {
                attempt(cause, || {
                    let mut model = model.clone();
                    model.optimize()?;
                    Ok::<_, TractError>(model)
                })
            })
            .unwrap_or(model);
        Self::unchanged(optimised)
    }

    /// The graph as it is.
    fn unchanged(model: TypedModel) -> Result<Self, String> {
        attempt(cause, || {
            let shape = |&input: &OutletId| {
                Ok(model
                    .outlet_fact(input)?
                    .shape
                    .as_concrete()
                    .unwrap_or_default()
                    .to_vec())
            };
            let shapes = model.inputs.iter().map(shape).collect::<TractResult<_>>()?;
            let plan = model.into_runnable_with_options(&RunOptions::default())?;
            Ok::<_, TractError>(Self { plan, shapes })
        })
    }

    /// Refuses inputs of other shapes.
    fn check(&self, inputs: &[&Tensor]) -> Result<(), RunError> {
        if inputs
            .iter()
            .map(|t| t.shape())
            .eq(self.shapes.iter().map(Vec::as_slice))
        {
            return Ok(());
        }
        let found: Vec<_> = inputs.iter().map(|t| t.shape()).collect();
        Err(RunError::Backend {
            why: format!("the inputs have the shapes {found:?}, not {:?}", self.shapes),
        })
    }

    /// Runs the plan.
    pub fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>, RunError> {
        self.check(inputs)?;
        attempt(cause, || {
            let arrays = inputs
                .iter()
                .map(|t| Ok(Array::from_shape(t.shape(), t.data())?.into_tvalue()))
                .collect::<TractResult<_>>()?;
            tensors(&self.plan.run(arrays)?)
        })
        .map_err(|why| RunError::Backend { why })
    }
}

/// The engine's values as tensors.
fn tensors(values: &[TValue]) -> TractResult<Vec<Tensor>> {
    let tensor = |t: &TValue| {
        let view = t.to_plain_array_view::<f32>()?;
        Ok(Tensor::new(t.shape(), view.iter().copied().collect()))
    };
    values.iter().map(tensor).collect()
}
