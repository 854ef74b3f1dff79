//! Attribution methods: how much each input value moved the target. One file each, and one line below.

mod cam;
mod rollout;
pub(crate) mod wrapped;

use crate::error::InputError;
use crate::job::Passes;
use crate::params::{ParamSpec, ParamValues, Params};
use crate::{BoxFuture, Context, Error, Input, Model, Target, Tensor};

/// Families of methods, as the page groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Uses the gradient by the input.
    Gradient,
    /// Carries relevance back by rules of its own.
    Propagation,
    /// Weighs a layer's channels.
    Cam,
    /// Follows the attention of a transformer.
    Attention,
    /// Changes the input and watches the answer.
    Perturbation,
    /// Does not look at the network, or not at what it learned: what a real method must beat.
    Control,
}

impl Family {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Propagation => "propagation",
            Self::Cam => "cam",
            Self::Attention => "attention",
            Self::Perturbation => "perturbation",
            Self::Control => "control",
        }
    }
}

/// What a method needs besides the network's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Gradients of the network.
    Gradient,
    /// A layer to look at.
    Layer,
    /// A segmentation of the picture.
    Segments,
    /// The shared imputer, by which it removes pixels.
    Imputer,
    /// Attention matrices: a transformer.
    Attention,
}

impl Need {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Layer => "layer",
            Self::Segments => "segments",
            Self::Imputer => "imputer",
            Self::Attention => "attention",
        }
    }
}

/// What a method promises, exactly or in the limit of its samples or steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axiom {
    /// The map sums to the change of the target from the baseline; the gap is reported.
    Completeness,
    /// What the target does not depend on gets zero.
    Dummy,
    /// Values that the target treats alike get the same.
    Symmetry,
    /// The map of a sum of networks is the sum of their maps.
    Linearity,
    /// Networks that compute the same function get the same map.
    ImplementationInvariance,
}

impl Axiom {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Completeness => "completeness",
            Self::Dummy => "dummy",
            Self::Symmetry => "symmetry",
            Self::Linearity => "linearity",
            Self::ImplementationInvariance => "implementation-invariance",
        }
    }
}

/// What is known of a method.
#[derive(Clone, Copy, Debug)]
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
    /// What it needs.
    pub needs: &'static [Need],
    /// What it promises.
    pub axioms: &'static [Axiom],
    /// Whether it draws random numbers.
    pub stochastic: bool,
}

impl MethodMeta {
    /// Whether it needs `need`.
    pub fn needs(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    /// Whether it promises `axiom`.
    pub fn promises(&self, axiom: Axiom) -> bool {
        self.axioms.contains(&axiom)
    }
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
    /// See [`Method::attribute`]; announces its passes to the job.
    fn attribute_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        input: &'a Input,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Attribution, Error>>;
    /// [`DynMethod::attribute_dyn`] inside of something that has announced these passes already.
    fn attribute_within<'a>(
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
            let passes = self.passes_dyn(cx.exec.model(), values)?;
            check_input(cx.exec.model(), input)?;
            check_target(cx.exec.model(), cx.target)?;
            cx.expect(passes);
            self.attribute(cx, input, &T::Params::parse(values)?).await
        })
    }
    fn attribute_within<'a>(
        &'a self,
        cx: &'a Context<'a>,
        input: &'a Input,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Attribution, Error>> {
        Box::pin(async move {
            let params = T::Params::parse(values)?;
            self.passes(cx.exec.model(), &params)?;
            check_input(cx.exec.model(), input)?;
            check_target(cx.exec.model(), cx.target)?;
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

mod propagation;

/// Declares the methods: their modules and the registry.
macro_rules! methods {
    ($($module:ident::$name:ident,)+) => {
        $(pub mod $module;)+
        /// Every method, in the order shown.
        pub static METHODS: &[&dyn DynMethod] = &[$(&$module::$name,)+];
    };
}

pub mod baselines;
mod coalition;
mod least_squares;
mod noise;
mod sensitivity;
mod soft_mask;

methods! {
    gradient::Gradient,
    input_x_gradient::InputXGradient,
    integrated_gradients::IntegratedGradients,
    smooth_grad::SmoothGrad,
    smooth_grad_squared::SmoothGradSquared,
    var_grad::VarGrad,
    gradient_shap::GradientShap,
    deep_lift::DeepLift,
    deep_lift_shap::DeepLiftShap,
    blur_ig::BlurIg,
    guided_ig::GuidedIg,
    xrai::Xrai,
    full_grad::FullGrad,
    grad_cam::GradCam,
    guided_backprop::GuidedBackprop,
    deconvnet::Deconvnet,
    guided_grad_cam::GuidedGradCam,
    lrp::Lrp,
    deep_taylor::DeepTaylor,
    excitation_backprop::ExcitationBackprop,
    grad_cam_plus_plus::GradCamPlusPlus,
    grad_cam_elementwise::GradCamElementwise,
    hires_cam::HiResCam,
    x_grad_cam::XGradCam,
    layer_cam::LayerCam,
    eigen_cam::EigenCam,
    eigen_grad_cam::EigenGradCam,
    kpca_cam::KpcaCam,
    fem::Fem,
    score_cam::ScoreCam,
    ablation_cam::AblationCam,
    attention_rollout::AttentionRollout,
    gradient_attention_rollout::GradientAttentionRollout,
    occlusion::Occlusion,
    feature_ablation::FeatureAblation,
    rise::Rise,
    lime::Lime,
    kernel_shap::KernelShap,
    shapley_sampling::ShapleySampling,
    partition_shap::PartitionShap,
    sobol::Sobol,
    hsic::Hsic,
    meaningful_perturbation::MeaningfulPerturbation,
    extremal_perturbation::ExtremalPerturbation,
    fido::Fido,
    random::Random,
    constant::Constant,
    sobel::Sobel,
    input_magnitude::InputMagnitude,
    laplace::Laplace,
    centred_gaussian::CentredGaussian,
    blurred::Blurred,
    randomised_network::RandomisedNetwork,
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
