//! Metrics: how far an attribution can be trusted. One file each, and one line below.

use crate::attribution::{check_input, check_target};
use crate::error::InputError;
use crate::job::Passes;
use crate::params::{ParamSpec, ParamValues, Params};
use crate::{BoxFuture, Context, Error, Input, Mask, Model, Tensor};

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Does the answer change as the map says?
    Faithfulness,
}

/// Which way a score is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What is known of a metric.
#[derive(Clone, Copy, Debug)]
pub struct MetricMeta {
    /// Frozen kebab-case id.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Category.
    pub category: Category,
    /// The better direction at default parameters.
    pub direction: Direction,
    /// Range of the score, in words.
    pub range: &'static str,
    /// One plain sentence.
    pub summary: &'static str,
    /// One plain sentence: when it misleads.
    pub caution: &'static str,
    /// Parameters that change the outcome most.
    pub sensitive: &'static [&'static str],
    /// The citation and address of the reference.
    pub reference: &'static str,
    /// Whether it removes pixels by the shared imputer.
    pub needs_imputer: bool,
    /// Whether it draws random numbers.
    pub stochastic: bool,
}

/// A score, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Score {
    /// A finite value.
    Value(f64),
    /// The score is not defined here.
    Undefined(String),
}

impl Score {
    /// `value` if finite, else undefined because of `why`.
    pub fn finite(value: f64, why: &str) -> Self {
        if value.is_finite() {
            Self::Value(value)
        } else {
            Self::Undefined(why.to_owned())
        }
    }
}

/// A curve of the target over the share of pixels removed or kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it shows, for a legend: `MoRF`, `LeRF`, …
    pub label: String,
    /// Share of pixels removed (deletion-like) or kept (insertion-like), ascending in `[0, 1]`.
    pub x: Vec<f64>,
    /// Target at that share.
    pub y: Vec<f64>,
}

impl Curve {
    /// Area under the curve by trapezoids over the covered range of `x`, divided by that range.
    pub fn auc(&self) -> f64 {
        let (mut area, mut width) = (0.0, 0.0);
        for i in 1..self.x.len() {
            let dx = self.x[i] - self.x[i - 1];
            area += dx * (self.y[i] + self.y[i - 1]) / 2.0;
            width += dx;
        }
        area / width
    }
}

/// What a metric found.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The score.
    pub score: Score,
    /// Curves behind it.
    pub curves: Vec<Curve>,
}

/// What is scored.
pub struct Evidence<'a> {
    /// The picture `[C, H, W]`.
    pub input: &'a Input,
    /// The map as given: `[C, H, W]` or `[1, h, w]`, finite.
    pub map: &'a Tensor,
    /// The map as one relevance a pixel `[H, W]`: channels summed, resized bilinearly (half-pixel centres) where the
    /// map is smaller.
    pub relevance: Tensor,
    /// Ground truth, where known.
    pub truth: Option<&'a Mask>,
}

impl<'a> Evidence<'a> {
    /// Checks a map against the picture and prepares its pixel relevance.
    pub fn new(input: &'a Input, map: &'a Tensor, truth: Option<&'a Mask>) -> Result<Self, InputError> {
        let relevance = curve::pixel_relevance(input, map)?;
        Ok(Self {
            input,
            map,
            relevance,
            truth,
        })
    }
}

/// A metric.
pub trait Metric {
    /// Its parameters.
    type Params: Params;
    /// What is known of it.
    const META: MetricMeta;
    /// Passes that `evaluate` will run; also refuses parameters that do not fit the model, before any pass.
    fn passes(&self, model: &Model, params: &Self::Params) -> Result<Passes, Error>;
    /// Scores the evidence for `cx.target`, removing pixels by `cx.removal`.
    fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Measurement, Error>>;
}

/// A [`Metric`] with its parameter type erased.
pub trait DynMetric: Sync {
    /// What is known of it.
    fn meta(&self) -> MetricMeta;
    /// Its parameters.
    fn specs(&self) -> Vec<ParamSpec>;
    /// All parameter values, defaults included; refuses bad ones by name.
    fn resolve(&self, values: &ParamValues) -> Result<ParamValues, InputError>;
    /// See [`Metric::passes`].
    fn passes_dyn(&self, model: &Model, values: &ParamValues) -> Result<Passes, Error>;
    /// See [`Metric::evaluate`].
    fn evaluate_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        evidence: &'a Evidence<'a>,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Measurement, Error>>;
}

impl<T: Metric + Sync> DynMetric for T {
    fn meta(&self) -> MetricMeta {
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
    fn evaluate_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        evidence: &'a Evidence<'a>,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Measurement, Error>> {
        Box::pin(async move {
            let params = T::Params::parse(values)?;
            let passes = self.passes(cx.exec.model(), &params)?;
            check_input(cx.exec.model(), evidence.input)?;
            check_target(cx.exec.model(), cx.target)?;
            cx.expect(passes);
            self.evaluate(cx, evidence, &params).await
        })
    }
}

/// Declares the metrics: their modules and the registry.
macro_rules! metrics {
    ($($module:ident::$name:ident,)*) => {
        $(pub mod $module;)*
        /// Every metric, in the order shown.
        pub static METRICS: &[&dyn DynMetric] = &[$(&$module::$name,)*];
    };
}

pub mod curve;
pub mod stats;

metrics! {
    insertion::Insertion,
    deletion::Deletion,
    road::Road,
    faithfulness_correlation::FaithfulnessCorrelation,
}

/// The metric called `id`.
pub fn find(id: &str) -> Result<&'static dyn DynMetric, InputError> {
    METRICS
        .iter()
        .find(|m| m.meta().id == id)
        .copied()
        .ok_or_else(|| InputError::Unknown {
            what: "metric",
            id: id.to_owned(),
            known: METRICS.iter().map(|m| m.meta().id).collect::<Vec<_>>().join(", "),
        })
}
