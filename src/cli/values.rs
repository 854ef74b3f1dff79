//! Parameters as typed: `k=v`.

use lucarne::error::InputError;
use lucarne::params::{ParamSpec, ParamValues};
use lucarne::protocol::Choice;
use lucarne::{attribution, imputer, metric};

use super::failure::Failure;

/// `k=v` in two.
fn pair(text: &str) -> Result<(&str, &str), Failure> {
    let found = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) =
        found.ok_or_else(|| Failure::usage(format!("\"{text}\" is no parameter"), "Write it as name=value."))?;
    Ok((name.trim(), value.trim()))
}

/// Reads values by the declared parameters; unknown names and bad values are refused.
fn read(specs: &[ParamSpec], pairs: &[(&str, &str)]) -> Result<ParamValues, Failure> {
    let mut values = ParamValues::new();
    for &(name, value) in pairs {
        let Some(spec) = specs.iter().find(|s| s.name == name) else {
            let known: Vec<_> = specs.iter().map(|s| s.name).collect();
            let why = if known.is_empty() {
                "there are no parameters here".to_owned()
            } else {
                format!("there is no such parameter; there are: {}", known.join(", "))
            };
            return Err(InputError::Param {
                field: name.to_owned(),
                why,
            }
            .into());
        };
        values.insert(name.to_owned(), spec.read(value)?);
    }
    Ok(values)
}

/// Values of the parameters that `specs` declares.
pub fn declared(specs: &[ParamSpec], params: &[String]) -> Result<ParamValues, Failure> {
    let pairs = params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
    read(specs, &pairs)
}

/// The method `id` with its parameters.
pub fn method(id: &str, params: &[String]) -> Result<Choice, Failure> {
    Ok(Choice::new(id, declared(&attribution::find(id)?.specs(), params)?))
}

/// The imputer `id` with its parameters.
pub fn imputer(id: &str, params: &[String]) -> Result<Choice, Failure> {
    Ok(Choice::new(id, declared(&imputer::find(id)?.specs(), params)?))
}

/// What `evaluate` was asked for, as typed.
pub struct Wanted<'a> {
    /// Methods that compute maps.
    pub methods: &'a [String],
    /// Other methods that are named.
    pub others: &'a [Option<String>],
    /// Metrics.
    pub metrics: &'a [String],
    /// `k=v` goes to every metric that has `k`, `id.k=v` to that metric or method.
    pub params: &'a [String],
    /// Imputers of the metrics; none for that of each metric's reference.
    pub imputers: &'a [String],
    /// Imputer of the methods.
    pub method_imputer: Option<&'a str>,
    /// `k=v` goes to every imputer that has `k`, `id.k=v` to that imputer.
    pub imputer_params: &'a [String],
}

/// What `evaluate` was asked for, with every parameter.
pub struct Evaluation {
    /// Methods that compute maps.
    pub methods: Vec<Choice>,
    /// Other methods that are named.
    pub others: Vec<Option<Choice>>,
    /// Metrics, each with its imputers.
    pub metrics: Vec<(Choice, Vec<Choice>)>,
    /// Imputer of the methods.
    pub method_imputer: Choice,
}

/// What fills removed pixels where nothing else is said.
const CONSTANT: &str = "constant";

impl Wanted<'_> {
    /// Checks everything, and adds what is not said.
    pub fn resolve(&self) -> Result<Evaluation, Failure> {
        let pairs = self.params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
        let fills = self
            .imputer_params
            .iter()
            .map(|p| pair(p))
            .collect::<Result<Vec<_>, _>>()?;
        let mut used = vec![false; pairs.len()];
        let mut filled = vec![false; fills.len()];
        let method = |id: &str, used: &mut [bool]| {
            let entry = attribution::find(id)?;
            let values = read(&entry.specs(), &own(id, &entry.specs(), false, &pairs, used))?;
            Ok::<_, Failure>(Choice::new(id, entry.resolve(&values)?))
        };
        let mut imputer = |id: &str| {
            let entry = imputer::find(id)?;
            let values = read(&entry.specs(), &own(id, &entry.specs(), true, &fills, &mut filled))?;
            Ok::<_, Failure>(Choice::new(id, entry.resolve(&values)?))
        };
        let methods = self
            .methods
            .iter()
            .map(|id| method(id, &mut used))
            .collect::<Result<_, _>>()?;
        let others = self
            .others
            .iter()
            .map(|id| id.as_deref().map(|id| method(id, &mut used)).transpose())
            .collect::<Result<_, _>>()?;
        let method_imputer = imputer(match (self.method_imputer, self.imputers) {
            (Some(id), _) => id,
            (None, [only]) => only,
            (None, _) => CONSTANT,
        })?;
        let mut metrics = Vec::new();
        for id in self.metrics {
            let entry = metric::find(id)?;
            let values = read(&entry.specs(), &own(id, &entry.specs(), true, &pairs, &mut used))?;
            let meta = entry.meta();
            let imputers = if !meta.needs(metric::Need::Imputer) {
                vec![method_imputer.clone()]
            } else if self.imputers.is_empty() {
                vec![imputer(if meta.imputer.is_empty() {
                    CONSTANT
                } else {
                    meta.imputer
                })?]
            } else {
                self.imputers.iter().map(|id| imputer(id)).collect::<Result<_, _>>()?
            };
            metrics.push((Choice::new(id, entry.resolve(&values)?), imputers));
        }
        meant(
            &pairs,
            &used,
            "Write name=value for the metrics, or metric.name=value, or method.name=value.",
        )?;
        meant(
            &fills,
            &filled,
            "Write name=value for the imputers, or imputer.name=value.",
        )?;
        Ok(Evaluation {
            methods,
            others,
            metrics,
            method_imputer,
        })
    }
}

/// Refuses a pair that nothing has used.
fn meant(pairs: &[(&str, &str)], used: &[bool], hint: &str) -> Result<(), Failure> {
    match pairs.iter().zip(used).find(|(_, used)| !**used) {
        None => Ok(()),
        Some(((name, _), _)) => Err(Failure::usage(format!("nothing here has the parameter {name}"), hint)),
    }
}

/// The pairs that are meant for `id`: `id.k=v`, and where `plain`, `k=v` for a `k` that it has. Marks them as used.
fn own<'a>(
    id: &str,
    specs: &[ParamSpec],
    plain: bool,
    pairs: &[(&'a str, &'a str)],
    used: &mut [bool],
) -> Vec<(&'a str, &'a str)> {
    let of = |&(name, value): &(&'a str, &'a str)| match name.split_once('.') {
        Some((owner, name)) => (owner == id).then_some((name, value)),
        None => (plain && specs.iter().any(|s| s.name == name)).then_some((name, value)),
    };
    let mut found = Vec::new();
    for (pair, used) in pairs.iter().zip(used) {
        if let Some(own) = of(pair) {
            *used = true;
            found.push(own);
        }
    }
    found
}
