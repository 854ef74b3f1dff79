//! Metrics: how far an attribution can be trusted. One file each, and one line below.

use crate::attribution::{DynMethod, check_input, check_target};
use crate::error::{InputError, RunError};
use crate::job::Passes;
use crate::params::{ParamSpec, ParamValues, Params};
use crate::{BoxFuture, Context, Error, Input, Mask, Model, Tensor};

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Does the answer change as the map says?
    Faithfulness,
    /// Does a slightly other picture get a slightly other map?
    Robustness,
    /// Does the map find what is known to matter?
    Localisation,
    /// Does the map say it in few pixels?
    Complexity,
    /// Does the map depend on what the network learned?
    Randomisation,
    /// Does the map keep promises that hold exactly?
    Axiomatic,
    /// Do two maps say the same?
    Agreement,
}

impl Category {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Faithfulness => "faithfulness",
            Self::Robustness => "robustness",
            Self::Localisation => "localisation",
            Self::Complexity => "complexity",
            Self::Randomisation => "randomisation",
            Self::Axiomatic => "axiomatic",
            Self::Agreement => "agreement",
        }
    }
}

/// What a metric needs besides the picture and the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The shared imputer, by which it removes pixels.
    Imputer,
    /// The method that made the map, to explain other pictures, classes or weights.
    Explainer,
    /// A mask of the pixels that are known to matter.
    Truth,
    /// Other pictures of the same network with their classes.
    Set,
    /// A second map of the same picture.
    Other,
    /// Gradients of the network.
    Gradient,
}

impl Need {
    /// Kebab-case name, as it travels.
    pub fn id(self) -> &'static str {
        match self {
            Self::Imputer => "imputer",
            Self::Explainer => "explainer",
            Self::Truth => "truth",
            Self::Set => "set",
            Self::Other => "other",
            Self::Gradient => "gradient",
        }
    }
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
    /// What it needs. Where the evidence lacks it, the score is undefined with that reason.
    pub needs: &'static [Need],
    /// The imputer of its reference, by id; empty where it needs none.
    pub imputer: &'static str,
    /// Whether it draws random numbers.
    pub stochastic: bool,
}

impl MetricMeta {
    /// Whether it needs `need`.
    pub fn needs(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }
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

impl Measurement {
    /// A score without curves.
    pub fn of(score: Score) -> Self {
        Self {
            score,
            curves: Vec::new(),
        }
    }

    /// Undefined because of `why`, without curves.
    pub fn undefined(why: impl Into<String>) -> Self {
        Self::of(Score::Undefined(why.into()))
    }
}

/// The method that made a map, for metrics that explain other pictures, classes or weights.
#[derive(Clone)]
pub struct Explainer {
    /// The method.
    pub method: &'static dyn DynMethod,
    /// Its parameters; missing ones take their defaults.
    pub params: ParamValues,
}

impl Explainer {
    /// Passes of one explanation.
    pub fn passes(&self, model: &Model) -> Result<Passes, Error> {
        self.method.passes_dyn(model, &self.params)
    }

    /// The map of `input` for the target and weights of `cx`. Its passes are part of those that the metric announced.
    pub async fn explain(&self, cx: &Context<'_>, input: &Input) -> Result<Tensor, Error> {
        let map = self.method.attribute_within(cx, input, &self.params).await?.map;
        if map.is_finite() {
            Ok(map)
        } else {
            Err(RunError::NonFinite {
                what: "attribution".into(),
            }
            .into())
        }
    }
}

/// Another picture of the set that a map is judged among.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// The picture `[C, H, W]`.
    pub input: Input,
    /// Its class: its label where known, else the network's answer.
    pub class: usize,
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
    /// What made the map, where known.
    pub explainer: Option<Explainer>,
    /// The other pictures of the set; empty where there is none.
    pub set: &'a [Exhibit],
    /// The pixel relevance `[H, W]` of a second map.
    pub other: Option<Tensor>,
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
            explainer: None,
            set: &[],
            other: None,
        })
    }

    /// The first of `needs` that is not there, in words for [`Score::Undefined`].
    pub fn lacks(&self, needs: &[Need]) -> Option<&'static str> {
        needs.iter().find_map(|need| match need {
            Need::Explainer if self.explainer.is_none() => {
                Some("the method that made the map is not known, so nothing else can be explained by it")
            }
            Need::Truth if self.truth.is_none() => Some("no mask says which pixels matter"),
            Need::Set if self.set.is_empty() => Some("there are no other pictures to compare with"),
            Need::Other if self.other.is_none() => Some("there is no second map to compare with"),
            _ => None,
        })
    }
}

/// A metric.
pub trait Metric {
    /// Its parameters.
    type Params: Params;
    /// What is known of it.
    const META: MetricMeta;
    /// Passes that `evaluate` will run; also refuses parameters that do not fit the model, before any pass. The evidence
    /// has what [`MetricMeta::needs`] lists.
    fn passes(&self, model: &Model, evidence: &Evidence<'_>, params: &Self::Params) -> Result<Passes, Error>;
    /// Scores the evidence, which has what [`MetricMeta::needs`] lists, for `cx.target`, removing pixels by `cx.removal`.
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
    fn passes_dyn(&self, model: &Model, evidence: &Evidence<'_>, values: &ParamValues) -> Result<Passes, Error>;
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
    fn passes_dyn(&self, model: &Model, evidence: &Evidence<'_>, values: &ParamValues) -> Result<Passes, Error> {
        let params = T::Params::parse(values)?;
        if evidence.lacks(T::META.needs).is_some() {
            return Ok(Passes::default());
        }
        self.passes(model, evidence, &params)
    }
    fn evaluate_dyn<'a>(
        &'a self,
        cx: &'a Context<'a>,
        evidence: &'a Evidence<'a>,
        values: &'a ParamValues,
    ) -> BoxFuture<'a, Result<Measurement, Error>> {
        Box::pin(async move {
            let params = T::Params::parse(values)?;
            check_input(cx.exec.model(), evidence.input)?;
            check_target(cx.exec.model(), cx.target)?;
            if let Some(why) = evidence.lacks(T::META.needs) {
                return Ok(Measurement::undefined(why));
            }
            cx.expect(self.passes(cx.exec.model(), evidence, &params)?);
            cx.job.hush();
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

pub mod agreement;
pub mod blend;
pub mod curve;
pub mod fresh;
pub mod groups;
pub mod masked;
pub mod neighbours;
pub mod pic;
pub mod similarity;
pub mod stats;
pub mod subsets;
pub mod sweep;
pub mod together;
pub mod transport;
pub mod weights;

metrics! {
    insertion::Insertion,
    deletion::Deletion,
    road::Road,
    faithfulness_correlation::FaithfulnessCorrelation,
    faithfulness_estimate::FaithfulnessEstimate,
    pixel_flipping::PixelFlipping,
    region_perturbation::RegionPerturbation,
    selectivity::Selectivity,
    sensitivity_n::SensitivityN,
    irof::Irof,
    infidelity::Infidelity,
    monotonicity::Monotonicity,
    monotonicity_correlation::MonotonicityCorrelation,
    sufficiency::Sufficiency,
    abpc::Abpc,
    mu_fidelity::MuFidelity,
    average_drop::AverageDrop,
    average_increase::AverageIncrease,
    average_gain::AverageGain,
    pic_aic::PicAic,
    pic_sic::PicSic,
    arcc::Arcc,
    degraded_ranking::DegradedRanking,
    mask_leakage::MaskLeakage,
    sufficiency_necessity::SufficiencyNecessity,
    pointing_game::PointingGame,
    attribution_localisation::AttributionLocalisation,
    top_k_intersection::TopKIntersection,
    relevance_rank_accuracy::RelevanceRankAccuracy,
    relevance_mass_accuracy::RelevanceMassAccuracy,
    localisation_auc::LocalisationAuc,
    xai_tris_precision::XaiTrisPrecision,
    xai_tris_emd::XaiTrisEmd,
    focus::Focus,
    max_sensitivity::MaxSensitivity,
    average_sensitivity::AverageSensitivity,
    average_stability::AverageStability,
    local_lipschitz::LocalLipschitz,
    continuity::Continuity,
    consistency::Consistency,
    relative_input_stability::RelativeInputStability,
    relative_output_stability::RelativeOutputStability,
    relative_representation_stability::RelativeRepresentationStability,
    sparseness::Sparseness,
    complexity::Complexity,
    effective_complexity::EffectiveComplexity,
    mst_compactness::MstCompactness,
    random_logit::RandomLogit,
    mprt::Mprt,
    smooth_mprt::SmoothMprt,
    efficient_mprt::EfficientMprt,
    model_randomisation::ModelRandomisation,
    completeness::Completeness,
    non_sensitivity::NonSensitivity,
    input_invariance::InputInvariance,
    feature_agreement::FeatureAgreement,
    rank_agreement::RankAgreement,
    sign_agreement::SignAgreement,
    signed_rank_agreement::SignedRankAgreement,
    rank_correlation::RankCorrelation,
    structural_similarity::StructuralSimilarity,
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
