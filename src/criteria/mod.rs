//! Criteria: what a filling of removed pixels does to a picture, and to the network's view of it. One file each, and one
//! line below. They judge removal operators as metrics judge maps.

use crate::error::InputError;
use crate::imputer::Networks;
use crate::metric::Score;
use crate::{Input, Mask, Tensor};

pub mod eye;
pub mod features;
pub mod frame;
pub mod judge;

pub use eye::{Eye, Look};
pub use features::Features;
pub use judge::{Judged, judge};

/// Which way a value is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// A property, neither good nor bad.
    Neither,
}

impl Better {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Neither => "neither",
        }
    }
}

/// What is known of a criterion.
#[derive(Clone, Copy, Debug)]
pub struct CriterionMeta {
    /// Frozen kebab-case id.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// One plain sentence.
    pub summary: &'static str,
    /// The formula, in one line.
    pub formula: &'static str,
    /// The better direction.
    pub better: Better,
    /// Range and unit, in words.
    pub range: &'static str,
    /// The citation and address of the reference.
    pub reference: &'static str,
    /// Whether it looks at the filled values or at feature maps of them, which an imputer that marks pixels as missing has not.
    pub needs_values: bool,
}

/// What is judged: everything has been run, so that a criterion only computes.
pub struct Case<'a> {
    /// The picture.
    pub input: &'a Input,
    /// The removed pixels.
    pub removed: &'a Mask,
    /// The picture filled, `[C, H, W]` in its value space; one a draw, at least one.
    pub fillings: &'a [Tensor],
    /// Whether the imputer draws random numbers.
    pub stochastic: bool,
    /// The class that the network gives the picture.
    pub class: usize,
    /// What the network sees in the picture.
    pub before: &'a Look,
    /// What it sees in each filling.
    pub after: &'a [Look],
    /// What it sees where all but the [frame] was removed and filled, or why that was not run.
    pub bare: Result<&'a Look, &'a str>,
    /// What the network's features are like on ordinary pictures, where known.
    pub features: Option<&'a Features>,
    /// The networks that criteria run beside the explained one.
    pub networks: &'a Networks,
}

impl Case<'_> {
    /// The mean of `one` over the draws; undefined where it is for one of them.
    pub fn mean(&self, one: impl Fn(&Tensor, &Look) -> Score) -> Score {
        let mut sum = 0.0;
        for (filling, look) in self.fillings.iter().zip(self.after) {
            match one(filling, look) {
                Score::Value(value) => sum += value,
                undefined @ Score::Undefined(_) => return undefined,
            }
        }
        Score::finite(
            sum / self.fillings.len() as f64,
            "there is no filling, or it is not finite",
        )
    }

    /// Why nothing can be said of a mask that holds no pixel, if so.
    pub fn nothing(&self) -> Option<Score> {
        (self.removed.count() == 0).then(|| Score::Undefined("no pixel is removed".into()))
    }
}

/// A criterion.
pub trait Criterion {
    /// What is known of it.
    const META: CriterionMeta;
    /// Its value, or why there is none.
    fn measure(&self, case: &Case<'_>) -> Score;
}

/// A [`Criterion`] as the registry holds it.
pub trait DynCriterion: Sync {
    /// What is known of it.
    fn meta(&self) -> CriterionMeta;
    /// See [`Criterion::measure`]; never a value that is not finite.
    fn measure_dyn(&self, case: &Case<'_>) -> Score;
}

impl<T: Criterion + Sync> DynCriterion for T {
    fn meta(&self) -> CriterionMeta {
        T::META
    }
    fn measure_dyn(&self, case: &Case<'_>) -> Score {
        if T::META.needs_values && !case.fillings.iter().all(Tensor::is_finite) {
            return Score::Undefined("the imputer marks pixels as missing instead of filling them".into());
        }
        match self.measure(case) {
            Score::Value(value) => Score::finite(value, "the value is not a finite number"),
            undefined @ Score::Undefined(_) => undefined,
        }
    }
}

/// Declares the criteria: their modules and the registry.
macro_rules! criteria {
    ($($module:ident::$name:ident,)+) => {
        $(pub mod $module;)+
        /// Every criterion, in the order shown.
        pub static CRITERIA: &[&dyn DynCriterion] = &[$(&$module::$name,)+];
    };
}

criteria! {
    psnr::Psnr,
    ssim::Ssim,
    feature_distance::FeatureDistance,
    detectability::Detectability,
    mahalanobis_shift::MahalanobisShift,
    energy_shift::EnergyShift,
    class_leakage::ClassLeakage,
    diversity::Diversity,
}

/// The criterion called `id`.
pub fn find(id: &str) -> Result<&'static dyn DynCriterion, InputError> {
    CRITERIA
        .iter()
        .find(|c| c.meta().id == id)
        .copied()
        .ok_or_else(|| InputError::Unknown {
            what: "criterion",
            id: id.to_owned(),
            known: CRITERIA.iter().map(|c| c.meta().id).collect::<Vec<_>>().join(", "),
        })
}

/// Pixel values of `tensor` `[C, H, W]` in the value space of `input`, in `f64`; not clipped.
pub fn pixel_values(input: &Input, tensor: &Tensor) -> Vec<f64> {
    let plane = tensor.len() / tensor.shape()[0].max(1);
    let value = |(i, &x): (usize, &f32)| f64::from(input.space.inverse(i / plane.max(1), x));
    tensor.data().iter().enumerate().map(value).collect()
}
