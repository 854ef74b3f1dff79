//! The computation graph: import, canonisation, forward plans and reverse-mode gradients. The only folder that names
//! tract; everything that leaves it is a [`Tensor`] or a plain description.

mod activations;
mod backward;
mod branches;
mod build;
mod ends;
mod import;
pub mod inspect;
mod memory;
mod normalise;
mod onnx;
mod rules;
mod vjp;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use tract_onnx::prelude::{
    IntoTValue, OutletId, Tensor as Array, TractError, TractResult, TypedModel, TypedSimplePlan,
};
use tract_onnx::tract_core::internal::RunOptions;

use crate::error::{GradientError, LoadError, RunError};
use crate::guard::{self, attempt};
use crate::model::target::Head;
use crate::model::{Limits, ModelCard};
use crate::program::{Backward, Program, Rules, Weights};
use crate::{Error, Tensor};
use build::{Typed, cause};

pub use crate::program::Wrt;

/// A place inside the network that can be looked at or differentiated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// ONNX node name (its first output's where unnamed).
    pub name: String,
    /// ONNX operator type.
    pub op: String,
    /// Shape of its output for one picture, without the batch axis: `[C, h, w]`, `[T, D]` or `[D]`.
    pub shape: Vec<usize>,
}

/// An imported network: typed graph, constants folded, input transposed to `[N, C, H, W]` where it was not.
pub struct Network {
    dims: [usize; 3],
    classes: usize,
    head: Head,
    layers: Vec<Layer>,
    default_layer: Option<usize>,
    /// For each layer, its place among `values`.
    places: Vec<usize>,
    /// One picture at a time, as imported: neither decluttered nor optimised, which gradients need.
    model: TypedModel,
    /// The logits `[N, K]`, then what the layers are taken from.
    values: Vec<OutletId>,
    source: import::Source,
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

    /// The last spatial feature map `[C, h, w]` with `h * w > 1`: the default of the methods that look at a layer.
    pub fn default_layer(&self) -> Option<usize> {
        self.default_layer
    }

    /// The graph for `n` pictures at a time, and the outlets of its values.
    fn at(&self, n: usize) -> Result<(Cow<'_, TypedModel>, Cow<'_, [OutletId]>), LoadError> {
        if n == 1 {
            return Ok((Cow::Borrowed(&self.model), Cow::Borrowed(&self.values)));
        }
        let Typed { model, values } = self.source.at(n)?;
        Ok((Cow::Owned(model), Cow::Owned(values)))
    }

    /// A plan for `program` at `n` pictures a run. See [`Program`] for its inputs and outputs.
    ///
    /// # Errors
    /// A layer that is not there, and for backward passes an operator without a rule, by its name.
    pub fn plan(&self, n: usize, program: &Program) -> Result<Plan, Error> {
        if program.backward.is_some() {
            return Ok(Plan::new(self.adjoint(n, program)?).map_err(engine)?);
        }
        let backend = |why: String| RunError::Backend { why };
        let (mut model, values) = self.prepared(n, program).map_err(|e| backend(e.to_string()))?;
        let mut outputs = vec![values[0]];
        for &i in &program.layers {
            outputs.push(self.outlet(&values, i).map_err(|e| backend(e.to_string()))?);
        }
        model.outputs = outputs;
        Ok(Plan::new(model).map_err(backend)?)
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
        let (model, values) = self.at(n).map_err(|e| engine(e.to_string()))?;
        let (mut model, mut values) = (model.into_owned(), values.into_owned());
        match program.weights {
            Weights::Trained => {}
            Weights::Randomised { .. } => return Err(engine("weights can't be randomised yet".into())),
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
    /// The engine's rewrites fail on some valid graphs; fewer of them are slower, not wrong.
    fn new(model: TypedModel) -> Result<Self, String> {
        let optimised = attempt(cause, || model.clone().into_optimized())
            .or_else(|_| {
                attempt(cause, || {
                    let mut model = model.clone();
                    model.optimize()?;
                    Ok::<_, TractError>(model)
                })
            })
            .unwrap_or(model);
        attempt(cause, || {
            let shape = |&input: &OutletId| {
                Ok(optimised
                    .outlet_fact(input)?
                    .shape
                    .as_concrete()
                    .unwrap_or_default()
                    .to_vec())
            };
            let shapes = optimised.inputs.iter().map(shape).collect::<TractResult<_>>()?;
            let plan = optimised.into_runnable_with_options(&RunOptions::default())?;
            Ok::<_, TractError>(Self { plan, shapes })
        })
    }

    /// Runs the plan.
    pub fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>, RunError> {
        let backend = |why: String| RunError::Backend { why };
        if !inputs
            .iter()
            .map(|t| t.shape())
            .eq(self.shapes.iter().map(Vec::as_slice))
        {
            let found: Vec<_> = inputs.iter().map(|t| t.shape()).collect();
            return Err(backend(format!(
                "the inputs have the shapes {found:?}, not {:?}",
                self.shapes
            )));
        }
        attempt(cause, || {
            let arrays = inputs
                .iter()
                .map(|t| Ok(Array::from_shape(t.shape(), t.data())?.into_tvalue()))
                .collect::<TractResult<_>>()?;
            let outputs = self.plan.run(arrays)?;
            outputs
                .iter()
                .map(|t| {
                    let view = t.to_plain_array_view::<f32>()?;
                    Ok(Tensor::new(t.shape(), view.iter().copied().collect()))
                })
                .collect()
        })
        .map_err(backend)
    }
}
