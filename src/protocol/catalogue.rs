//! The registries as the page and the command line see them.

use serde::{Deserialize, Serialize};

use super::WireValue;
use crate::attribution::MethodMeta;
use crate::metric::Direction;
use crate::params::{ParamKind, ParamSpec, Params};
use crate::visualise::VisualiseParams;

/// A declared parameter, for generated forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct WireParam {
    /// Name.
    pub name: String,
    /// `integer`, `real`, `choice`, `layer` or `flag`.
    pub kind: String,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Words to choose from.
    pub choices: Vec<String>,
    /// Default.
    pub default: WireValue,
    /// Help.
    pub doc: String,
}

/// A method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct MethodEntry {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `gradient`, `propagation`, `cam`, `attention`, `perturbation` or `control`.
    pub family: String,
    /// What it does.
    pub summary: String,
    /// When it misleads.
    pub caution: String,
    /// Citation.
    pub reference: String,
    /// Whether negative values lower the target.
    pub signed: bool,
    /// `gradient`, `layer`, `segments`, `imputer`, `attention`.
    pub needs: Vec<String>,
    /// What it promises: `completeness`, …
    pub axioms: Vec<String>,
    /// Whether it draws random numbers.
    pub stochastic: bool,
    /// Parameters.
    pub params: Vec<WireParam>,
}

/// A metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct MetricEntry {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `faithfulness`, …
    pub category: String,
    /// `higher` or `lower` is better.
    pub direction: String,
    /// Range in words.
    pub range: String,
    /// What it does.
    pub summary: String,
    /// When it misleads.
    pub caution: String,
    /// Parameters that change the outcome most.
    pub sensitive: Vec<String>,
    /// Citation.
    pub reference: String,
    /// `imputer`, `explainer`, `truth`, `set`, `other`, `gradient`.
    pub needs: Vec<String>,
    /// The imputer of its reference; empty where it needs none.
    pub imputer: String,
    /// Whether it draws random numbers.
    pub stochastic: bool,
    /// Parameters.
    pub params: Vec<WireParam>,
}

/// An imputer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
#[serde(rename_all = "camelCase")]
pub struct ImputerEntry {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// Citation.
    pub reference: String,
    /// Whether it draws random numbers.
    pub stochastic: bool,
    /// Whether it fills from kept pixels, so that it can't fill a whole picture.
    pub needs_kept: bool,
    /// Id of the network that it runs, which has to be loaded first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub network: Option<String>,
    /// Parameters.
    pub params: Vec<WireParam>,
}

/// A criterion of removal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct CriterionEntry {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it asks.
    pub summary: String,
    /// Formula in one line.
    pub formula: String,
    /// `lower`, `higher` or `neither` is better.
    pub better: String,
    /// Range and unit in words.
    pub range: String,
    /// Citation.
    pub reference: String,
}

/// The registries, in the order shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "protocol.gen.ts"))]
pub struct Catalogue {
    /// Methods and controls.
    pub methods: Vec<MethodEntry>,
    /// Metrics.
    pub metrics: Vec<MetricEntry>,
    /// Imputers.
    pub imputers: Vec<ImputerEntry>,
    /// Criteria of removal.
    pub criteria: Vec<CriterionEntry>,
    /// Parameters of feature visualisation.
    pub visualisation: Vec<WireParam>,
}

impl Catalogue {
    /// Everything this build knows.
    pub fn new() -> Self {
        let own = |ids: &[&str]| ids.iter().map(|&s| s.to_owned()).collect();
        let method = |m: &&dyn crate::attribution::DynMethod| {
            let MethodMeta {
                id,
                name,
                family,
                summary,
                caution,
                reference,
                signed,
                needs,
                axioms,
                stochastic,
            } = m.meta();
            MethodEntry {
                id: id.into(),
                name: name.into(),
                family: family.id().into(),
                summary: summary.into(),
                caution: caution.into(),
                reference: reference.into(),
                signed,
                needs: needs.iter().map(|n| n.id().into()).collect(),
                axioms: axioms.iter().map(|a| a.id().into()).collect(),
                stochastic,
                params: m.specs().iter().map(WireParam::from).collect(),
            }
        };
        let metric = |m: &&dyn crate::metric::DynMetric| {
            let meta = m.meta();
            MetricEntry {
                id: meta.id.into(),
                name: meta.name.into(),
                category: meta.category.id().into(),
                direction: match meta.direction {
                    Direction::Higher => "higher".into(),
                    Direction::Lower => "lower".into(),
                },
                range: meta.range.into(),
                summary: meta.summary.into(),
                caution: meta.caution.into(),
                sensitive: own(meta.sensitive),
                reference: meta.reference.into(),
                needs: meta.needs.iter().map(|n| n.id().into()).collect(),
                imputer: meta.imputer.into(),
                stochastic: meta.stochastic,
                params: m.specs().iter().map(WireParam::from).collect(),
            }
        };
        let imputer = |m: &&dyn crate::imputer::DynImputer| {
            let meta = m.meta();
            ImputerEntry {
                id: meta.id.into(),
                name: meta.name.into(),
                summary: meta.summary.into(),
                reference: meta.reference.into(),
                stochastic: meta.stochastic,
                needs_kept: meta.needs_kept,
                network: meta.network.map(Into::into),
                params: m.specs().iter().map(WireParam::from).collect(),
            }
        };
        let criterion = |c: &&dyn crate::criteria::DynCriterion| {
            let meta = c.meta();
            CriterionEntry {
                id: meta.id.into(),
                name: meta.name.into(),
                summary: meta.summary.into(),
                formula: meta.formula.into(),
                better: meta.better.id().into(),
                range: meta.range.into(),
                reference: meta.reference.into(),
            }
        };
        Self {
            methods: crate::attribution::METHODS.iter().map(method).collect(),
            metrics: crate::metric::METRICS.iter().map(metric).collect(),
            imputers: crate::imputer::IMPUTERS.iter().map(imputer).collect(),
            criteria: crate::criteria::CRITERIA.iter().map(criterion).collect(),
            visualisation: VisualiseParams::specs().iter().map(WireParam::from).collect(),
        }
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&ParamSpec> for WireParam {
    fn from(spec: &ParamSpec) -> Self {
        let (kind, min, max, choices) = match &spec.kind {
            ParamKind::Integer { min, max } => ("integer", Some(*min), Some(*max), Vec::new()),
            ParamKind::Real { min, max } => ("real", Some(*min), Some(*max), Vec::new()),
            ParamKind::Choice(words) => ("choice", None, None, words.iter().map(|&w| w.to_owned()).collect()),
            ParamKind::Layer => ("layer", None, None, Vec::new()),
            ParamKind::Method => {
                let ids = crate::attribution::wrapped::choices().map(str::to_owned).collect();
                ("choice", None, None, ids)
            }
            ParamKind::Flag => ("flag", None, None, Vec::new()),
        };
        Self {
            name: spec.name.to_owned(),
            kind: kind.to_owned(),
            min,
            max,
            choices,
            default: spec.default.clone().into(),
            doc: spec.doc.to_owned(),
        }
    }
}
