//! Imputers fill removed pixels: the one removal operator shared by every method and metric. One file each, and one
//! line below.

use crate::error::InputError;
use crate::exec::Coprocessor;
use crate::job::Job;
use crate::params::{ParamSpec, ParamValues, Params};
use crate::rng::SeedStream;
use crate::{BoxFuture, Error, Input, Mask, Tensor};

/// What is known of an imputer.
#[derive(Clone, Copy, Debug)]
pub struct ImputerMeta {
    /// Frozen kebab-case id.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// One plain sentence.
    pub summary: &'static str,
    /// The citation and address of the reference.
    pub reference: &'static str,
    /// Whether it draws random numbers.
    pub stochastic: bool,
    /// Whether it fills from kept pixels, so that at least one must be kept. Where it does not, the fill of a pixel is
    /// the same for every mask that removes it.
    pub needs_kept: bool,
    /// Id in [`Networks`] of the network that it runs, if any.
    pub network: Option<&'static str>,
}

/// What an imputer may use besides the picture.
pub struct ImputeContext<'a> {
    /// Progress and cancellation of long solvers.
    pub job: &'a Job<'a>,
    /// Random streams.
    pub random: &'a SeedStream,
    /// Networks that fill; see [`ImputerMeta::network`].
    pub networks: &'a Networks,
    /// What imputers may compute on, where there is such a device. Their fills then agree with the processor's to rounding.
    pub device: Option<&'a dyn Coprocessor>,
}

/// Fills removed pixels of one picture. Kept pixels must come back bit for bit.
pub trait Imputer {
    /// Its parameters.
    type Params: Params;
    /// What is known of it.
    const META: ImputerMeta;
    /// Whether it fills nothing, but marks every value of a removed pixel as missing, by NaN, for the network to leave out.
    const MARKS_MISSING: bool = false;
    /// `input` `[C, H, W]` with the pixels of `removed` `[H, W]` filled, in the same value space. `removed` has been
    /// checked to fit, and to keep a pixel where [`ImputerMeta::needs_kept`] says so.
    fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Tensor, Error>>;
}

/// An [`Imputer`] with its parameter type erased.
pub trait DynImputer: Sync {
    /// What is known of it.
    fn meta(&self) -> ImputerMeta;
    /// See [`Imputer::MARKS_MISSING`].
    fn marks_missing(&self) -> bool;
    /// Its parameters.
    fn specs(&self) -> Vec<ParamSpec>;
    /// All parameter values, defaults included; refuses bad ones by name.
    fn resolve(&self, values: &ParamValues) -> Result<ParamValues, InputError>;
    /// See [`Imputer::impute`].
    fn impute_dyn<'a>(
        &'a self,
        cx: &'a ImputeContext<'a>,
        input: &'a Input,
        removed: &'a Mask,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Tensor, Error>>;
}

impl<T: Imputer + Sync> DynImputer for T {
    fn meta(&self) -> ImputerMeta {
        T::META
    }
    fn marks_missing(&self) -> bool {
        T::MARKS_MISSING
    }
    fn specs(&self) -> Vec<ParamSpec> {
        T::Params::specs()
    }
    fn resolve(&self, values: &ParamValues) -> Result<ParamValues, InputError> {
        T::Params::parse(values).map(|p| p.values())
    }
    fn impute_dyn<'a>(
        &'a self,
        cx: &'a ImputeContext<'a>,
        input: &'a Input,
        removed: &'a Mask,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Tensor, Error>> {
        Box::pin(async move { self.impute(cx, input, removed, &T::Params::parse(values)?).await })
    }
}

/// Declares the imputers: their modules and the registry.
macro_rules! imputers {
    ($($module:ident::$name:ident,)+) => {
        $(pub mod $module;)+
        /// Every imputer, in the order shown.
        pub static IMPUTERS: &[&dyn DynImputer] = &[$(&$module::$name,)+];
    };
}

mod grid;
mod learned;
mod marching;
mod means;
mod membrane;
mod multigrid;
pub mod networks;
mod patches;
pub mod remover;
mod sources;

pub use networks::Networks;
pub use remover::{Removed, Remover};

imputers! {
    constant::Constant,
    random_colour::RandomColour,
    channel_mean::ChannelMean,
    neighbourhood_mean::NeighbourhoodMean,
    gaussian_blur::GaussianBlur,
    uniform_noise::UniformNoise,
    gaussian_noise::GaussianNoise,
    noisy_linear::NoisyLinear,
    harmonic::Harmonic,
    biharmonic::Biharmonic,
    telea::Telea,
    navier_stokes::NavierStokes,
    inpainter::Inpainter,
    sampler::Sampler,
    layer_masking::LayerMasking,
    patch_match::PatchMatch,
    exemplar::Exemplar,
}

/// The imputer called `id`.
pub fn find(id: &str) -> Result<&'static dyn DynImputer, InputError> {
    IMPUTERS
        .iter()
        .find(|m| m.meta().id == id)
        .copied()
        .ok_or_else(|| InputError::Unknown {
            what: "imputer",
            id: id.to_owned(),
            known: IMPUTERS.iter().map(|m| m.meta().id).collect::<Vec<_>>().join(", "),
        })
}

/// Fills the pixels of `removed` in `input`; checks first that the mask fits and that what the imputer needs is there.
pub async fn impute(
    imputer: &dyn DynImputer,
    params: &ParamValues,
    cx: &ImputeContext<'_>,
    input: &Input,
    removed: &Mask,
) -> Result<Tensor, Error> {
    let [_, height, width] = input.dims();
    if (removed.height(), removed.width()) != (height, width) {
        let found = vec![removed.height(), removed.width()];
        return Err(InputError::Shape {
            what: "the mask".into(),
            found,
            expected: format!("[{height}, {width}]"),
        }
        .into());
    }
    let count = removed.count();
    if count == 0 {
        return Ok(input.tensor.clone());
    }
    if imputer.meta().needs_kept && count == height * width {
        let why = "it fills from kept pixels, and every pixel is removed".into();
        return Err(InputError::CannotImpute {
            imputer: imputer.meta().id,
            why,
        }
        .into());
    }
    if let Some(network) = imputer.meta().network.filter(|id| !cx.networks.has(id)) {
        let why = format!("its network \"{network}\" is not loaded; load models/{network}/{network}.onnx first");
        return Err(InputError::CannotImpute {
            imputer: imputer.meta().id,
            why,
        }
        .into());
    }
    imputer.impute_dyn(cx, input, removed, params).await
}

/// `input` with each removed pixel's channels set to `fill(channel, flat pixel index)`.
pub fn fill(input: &Input, removed: &Mask, mut fill: impl FnMut(usize, usize) -> f32) -> Tensor {
    let [channels, height, width] = input.dims();
    let mut out = input.tensor.clone();
    let data = out.data_mut();
    for c in 0..channels {
        for (i, &gone) in removed.bits().iter().enumerate() {
            if gone {
                data[c * height * width + i] = fill(c, i);
            }
        }
    }
    out
}
