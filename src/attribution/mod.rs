//! Attribution methods: how much each input value moved the target. One file each, and one line below.

use crate::error::InputError;
use crate::job::Passes;
use crate::params::{ParamSpec, ParamValues, Params};
use crate::{BoxFuture, Context, Error, Input, Model, Target, Tensor};

/// Families of methods, as the page groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Uses the gradient by the input.
    Gradient,
    /// Weighs a layer's channels.
    Cam,
    /// Changes the input and watches the answer.
    Perturbation,
    /// Does not look at the network, or not at what it learned: what a real method must beat.
    Control,
}

/// What is known of a method.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent facts, each a column of the method table.
pub struct MethodMeta {
    /// Frozen kebab-case id.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Family.
    pub family: Family,
    /// One plain sentence.
    pub summary: &'static str,
    /// One plain sentence: when it misleads.
    pub caution: &'static str,
    /// The citation and address of the reference.
    pub reference: &'static str,
    /// Whether negative values mean "lowers the target".
    pub signed: bool,
    /// Whether it needs gradients of the network.
    pub needs_gradient: bool,
    /// Whether it removes pixels by the shared imputer.
    pub needs_imputer: bool,
    /// Whether it draws random numbers.
    pub stochastic: bool,
    /// Whether values should sum to the change of the target from the baseline.
    pub complete: bool,
}

/// Where a map lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// On the input's pixels.
    Input,
    /// On the locations of this layer.
    Layer(String),
}

/// A computed attribution.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// `[C, H, W]`, or `[1, h, w]` for maps without channels; raw, sign kept, no normalisation.
    pub map: Tensor,
    /// Where it lives.
    pub space: Space,
    /// For complete methods: sum of the map minus the change of the target from the baseline, in the target's unit.
    pub completeness_gap: Option<f64>,
}

impl Attribution {
    /// A map on the input's pixels.
    pub fn on_input(map: Tensor) -> Self {
        Self {
            map,
            space: Space::Input,
            completeness_gap: None,
        }
    }
}

/// An attribution method.
pub trait Method {
    /// Its parameters.
    type Params: Params;
    /// What is known of it.
    const META: MethodMeta;
    /// Passes that `attribute` will run; also refuses parameters that do not fit the model, before any pass.
    fn passes(&self, model: &Model, params: &Self::Params) -> Result<Passes, Error>;
    /// The attribution of `cx.target` for `input` `[C, H, W]`.
    fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Attribution, Error>>;
}

/// A [`Method`] with its parameter type erased.
pub trait DynMethod: Sync {
    /// What is known of it.
    fn meta(&self) -> MethodMeta;
    /// Its parameters.
    fn specs(&self) -> Vec<ParamSpec>;
    /// All parameter values, defaults included; refuses bad ones by name.
    fn resolve(&self, values: &ParamValues) -> Result<ParamValues, InputError>;
    /// See [`Method::passes`].
    fn passes_dyn(&self, model: &Model, values: &ParamValues) -> Result<Passes, Error>;
    /// See [`Method::attribute`].
    fn attribute_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        input: &'a Input,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Attribution, Error>>;
}

impl<T: Method + Sync> DynMethod for T {
    fn meta(&self) -> MethodMeta {
        T::META
    }
    fn specs(&self) -> Vec<ParamSpec> {
        T::Params::specs()
    }
    fn resolve(&self, values: &ParamValues) -> Result<ParamValues, InputError> {
        T::Params::parse(values).map(|p| p.values())
    }
    fn passes_dyn(&self, model: &Model, values: &ParamValues) -> Result<Passes, Error> {
        self.passes(model, &T::Params::parse(values)?)
    }
    fn attribute_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        input: &'a Input,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Attribution, Error>> {
        Box::pin(async move {
            let params = T::Params::parse(values)?;
            let passes = self.passes(cx.exec.model(), &params)?;
            check_input(cx.exec.model(), input)?;
            check_target(cx.exec.model(), cx.target)?;
            cx.expect(passes);
            self.attribute(cx, input, &params).await
        })
    }
}

/// Refuses an input of another shape than the model's, or one that is not finite.
pub fn check_input(model: &Model, input: &Input) -> Result<(), InputError> {
    if input.dims() != model.input_dims() {
        let found = input.dims().to_vec();
        let expected = format!("{:?}", model.input_dims());
        return Err(InputError::Shape {
            what: "the input".into(),
            found,
            expected,
        });
    }
    if !input.tensor.is_finite() {
        return Err(InputError::NotFinite {
            what: "the input".into(),
        });
    }
    Ok(())
}

/// Refuses a class that the model does not have.
pub fn check_target(model: &Model, target: Target) -> Result<(), Error> {
    if target.class >= model.classes() {
        return Err(Error::param(
            "target",
            format!("class {} is not below {}", target.class, model.classes()),
        ));
    }
    Ok(())
}

/// Declares the methods: their modules and the registry.
macro_rules! methods {
    ($($module:ident::$name:ident,)+) => {
        $(pub mod $module;)+
        /// Every method, in the order shown.
        pub static METHODS: &[&dyn DynMethod] = &[$(&$module::$name,)+];
    };
}

methods! {
    gradient::Gradient,
    input_x_gradient::InputXGradient,
    integrated_gradients::IntegratedGradients,
    smooth_grad::SmoothGrad,
    grad_cam::GradCam,
    occlusion::Occlusion,
    rise::Rise,
    random::Random,
    constant::Constant,
    sobel::Sobel,
    input_magnitude::InputMagnitude,
}

/// The method called `id`.
pub fn find(id: &str) -> Result<&'static dyn DynMethod, InputError> {
    METHODS
        .iter()
        .find(|m| m.meta().id == id)
        .copied()
        .ok_or_else(|| InputError::Unknown {
            what: "method",
            id: id.to_owned(),
            known: METHODS.iter().map(|m| m.meta().id).collect::<Vec<_>>().join(", "),
        })
}
