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

/// The method `id` with its parameters.
pub fn method(id: &str, params: &[String]) -> Result<Choice, Failure> {
    let pairs = params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
    Ok(Choice::new(id, read(&attribution::find(id)?.specs(), &pairs)?))
}

/// The imputer `id` with its parameters.
pub fn imputer(id: &str, params: &[String]) -> Result<Choice, Failure> {
    let pairs = params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
    Ok(Choice::new(id, read(&imputer::find(id)?.specs(), &pairs)?))
}

/// The metrics `ids`, and the method `method` where the map is computed, with their parameters: `k=v` goes to every
/// metric that has `k`, `id.k=v` to that metric or method.
pub fn evaluation(
    ids: &[String],
    method: Option<&str>,
    params: &[String],
) -> Result<(Vec<Choice>, Option<Choice>), Failure> {
    let pairs = params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
    let metrics = ids
        .iter()
        .map(|id| Ok((id, metric::find(id)?.specs())))
        .collect::<Result<Vec<_>, Failure>>()?;
    for &(name, _) in &pairs {
        let meant = match name.split_once('.') {
            Some((id, _)) => ids.iter().any(|i| i == id) || method == Some(id),
            None => metrics.iter().any(|(_, specs)| specs.iter().any(|s| s.name == name)),
        };
        if !meant {
            let hint = "Write name=value for the metrics, or metric.name=value, or method.name=value.";
            return Err(Failure::usage(format!("nothing here has the parameter {name}"), hint));
        }
    }
    let of = |id: &str, specs: &[ParamSpec], plain: bool| {
        Ok::<_, Failure>(Choice::new(id, read(specs, &own(id, specs, plain, &pairs))?))
    };
    let metrics = metrics
        .iter()
        .map(|(id, specs)| of(id, specs, true))
        .collect::<Result<_, _>>()?;
    let method = method
        .map(|id| of(id, &attribution::find(id)?.specs(), false))
        .transpose()?;
    Ok((metrics, method))
}

/// The pairs that are meant for `id`: `id.k=v`, and where `plain`, `k=v` for a `k` that it has.
fn own<'a>(id: &str, specs: &[ParamSpec], plain: bool, pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let of = |&(name, value): &(&'a str, &'a str)| match name.split_once('.') {
        Some((owner, name)) => (owner == id).then_some((name, value)),
        None => (plain && specs.iter().any(|s| s.name == name)).then_some((name, value)),
    };
    pairs.iter().filter_map(of).collect()
}
