//! What there is.

use lucarne::protocol::{Catalogue, WireParam, WireValue};

use super::failure::Failure;
use super::models::bundled;
use super::output::{print_json, print_table};

/// The bundled networks.
pub fn models(json: bool) -> Result<(), Failure> {
    let all = bundled()?;
    if json {
        return print_json(&all.iter().map(|b| &b.card).collect::<Vec<_>>());
    }
    let mut rows = Vec::new();
    for b in &all {
        rows.push(vec![b.card.id.clone(), b.card.summary.clone()]);
        rows.push(vec![
            String::new(),
            format!("{}, {}", b.folder.join(&b.card.file).display(), b.card.source.licence),
        ]);
    }
    print_table(&rows);
    Ok(())
}

/// The methods.
pub fn methods(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().methods;
    let row = |m: &lucarne::protocol::MethodEntry| (m.id.clone(), m.summary.clone(), m.params.clone());
    list(&all, json, "--param", row)
}

/// The metrics.
pub fn metrics(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().metrics;
    let row = |m: &lucarne::protocol::MetricEntry| {
        (
            m.id.clone(),
            format!("{} ({} is better)", m.summary, m.direction),
            m.params.clone(),
        )
    };
    list(&all, json, "--param", row)
}

/// The imputers.
pub fn imputers(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().imputers;
    let row = |m: &lucarne::protocol::ImputerEntry| (m.id.clone(), m.summary.clone(), m.params.clone());
    list(&all, json, "--imputer-param", row)
}

type Row = (String, String, Vec<WireParam>);

fn list<T: serde::Serialize>(all: &[T], json: bool, flag: &str, row: impl Fn(&T) -> Row) -> Result<(), Failure> {
    if json {
        return print_json(&all);
    }
    let mut rows = Vec::new();
    for (id, summary, params) in all.iter().map(row) {
        rows.push(vec![id, summary]);
        rows.extend(params.iter().map(|p| vec![String::new(), parameter(flag, p)]));
    }
    print_table(&rows);
    Ok(())
}

/// `flag name=default (range) help`.
fn parameter(flag: &str, param: &WireParam) -> String {
    let default = match &param.default {
        WireValue::Flag(v) => v.to_string(),
        WireValue::Number(v) => v.to_string(),
        WireValue::Text(v) => v.clone(),
    };
    let range = match (param.min, param.max) {
        (Some(min), Some(max)) => format!("{} {min} to {max}", param.kind),
        _ if param.choices.is_empty() => param.kind.clone(),
        _ => param.choices.join(", "),
    };
    format!("{flag} {}={default}  ({range}) {}", param.name, param.doc)
}
